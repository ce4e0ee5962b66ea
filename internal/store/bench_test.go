package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// large is an organisation of 10,000 repositories with 30,000 lockfiles of 68 entries each, 25,200
// of them distinct.
var large = storetest.Organisation{Repositories: 10_000, Distinct: 8_400}

// BenchmarkSweep writes what a sweep of a large organisation writes: the first, and one that finds
// nothing changed.
func BenchmarkSweep(b *testing.B) {
	for _, kind := range []struct {
		name string
		url  func() string
	}{
		{"SQLite", func() string { return filepath.Join(b.TempDir(), "inventory.db") }},
		{"PostgreSQL", func() string { return pgtest.Start(b).Database(b) }},
	} {
		url := kind.url()
		for _, run := range []string{"first", "unchanged"} {
			b.Run(kind.name+"/"+run, func(b *testing.B) {
				if b.N > 1 {
					b.Skip("the first is the first but once")
				}
				st, err := store.Open(b.Context(), url, store.Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer st.Close()
				id, _, err := st.Begin(b.Context(), inventory.Run{Scope: "acme", Started: time.Now()})
				if err != nil {
					b.Fatal(err)
				}
				b.ResetTimer()
				err = large.Batches(50, func(batch *inventory.Batch) error {
					if run == "unchanged" {
						batch = &inventory.Batch{Repositories: batch.Repositories}
					}
					return st.Write(b.Context(), id, batch)
				})
				if err != nil {
					b.Fatal(err)
				}
				if err := st.Finish(b.Context(), inventory.Run{ID: id}, true); err != nil {
					b.Fatal(err)
				}
				if info, err := os.Stat(url); err == nil {
					b.ReportMetric(float64(info.Size())/1e6, "MB")
				}
			})
		}
	}
}

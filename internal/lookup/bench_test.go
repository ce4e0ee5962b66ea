//go:build unix

package lookup_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// BenchmarkInventory asks the inventory of a large organisation: 10,000 repositories with 30,000
// lockfiles of 68 entries each, 25,200 of them distinct. Each answer begins with opening the file,
// as a command does.
func BenchmarkInventory(b *testing.B) {
	file := filepath.Join(b.TempDir(), "inventory.db")
	st, err := store.Open(b.Context(), file, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	run, _, err := st.Begin(b.Context(), inventory.Run{Scope: "acme", Started: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	org := storetest.Organisation{Repositories: 10_000, Distinct: 8_400}
	if err := org.Batches(100, func(batch *inventory.Batch) error { return st.Write(b.Context(), run, batch) }); err != nil {
		b.Fatal(err)
	}
	if err := st.Finish(b.Context(), inventory.Run{ID: run}, true); err != nil {
		b.Fatal(err)
	}
	st.Close()
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	bench := func(name string, ask func(b *testing.B, st *store.Store) int) {
		b.Run(name, func(b *testing.B) {
			found, begun := 0, xtest.CPUTime(b)
			for b.Loop() {
				st, err := store.Open(b.Context(), file, store.Options{ReadOnly: true})
				if err != nil {
					b.Fatal(err)
				}
				found = ask(b, st)
				st.Close()
			}
			b.ReportMetric(float64((xtest.CPUTime(b)-begun).Microseconds())/1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(found), "found")
			b.ReportMetric(float64(info.Size())/1e6, "MB")
		})
	}
	for _, query := range []string{
		fmt.Sprintf("npm:%s@%s", storetest.Name(30_000), storetest.Version(30_000, 3)), // rare
		fmt.Sprintf("npm:%s@%s", storetest.Name(500), storetest.Version(500, 3)),
		fmt.Sprintf("npm:%s@%s", storetest.Name(0), storetest.Version(0, 3)), // the most popular
		fmt.Sprintf("npm:%s@<0.1.0", storetest.Name(0)),                      // a range of it that nobody has
		storetest.Digest(500, 3).String(),
	} {
		q, err := lookup.ParseQuery(query)
		if err != nil {
			b.Fatal(err)
		}
		bench("who-has "+query[:min(len(query), 30)], func(b *testing.B, st *store.Store) int {
			held, err := lookup.WhoHas(b.Context(), st, q, false)
			if err != nil {
				b.Fatal(err)
			}
			return len(held)
		})
	}
	bench("what is lacking", func(b *testing.B, st *store.Store) int {
		lacking, err := lookup.Lacking(b.Context(), st)
		if err != nil {
			b.Fatal(err)
		}
		return len(lacking)
	})
	rare, common := list(b, 15_000, 12), list(b, 0, 20)
	for _, catalogue := range []struct {
		name string
		set  *ioc.Set
	}{{"2,000 rare packages", rare}, {"2,000 packages, popular ones too", common}, {"the embedded catalogue", iocs.Set()}} {
		bench("rematch "+catalogue.name, func(b *testing.B, st *store.Store) int {
			sum, err := lookup.Rematch(b.Context(), st, sweep.Options{Set: catalogue.set}, func(finding.Event) error { return nil })
			if err != nil {
				b.Fatal(err)
			}
			return sum.Findings[finding.Active]
		})
		bench("memory for "+catalogue.name, func(b *testing.B, st *store.Store) int {
			if _, err := lookup.NewMemory(b.Context(), st, 0, catalogue.set); err != nil {
				b.Fatal(err)
			}
			return 0
		})
	}
}

// list lists one version of 2,000 packages, from one on and each so far from the last in
// popularity.
func list(b *testing.B, from, step int) *ioc.Set {
	b.Helper()
	var all []ioc.Indicator
	for i := range 2000 {
		n := from + i*step
		all = append(all, ioc.Indicator{Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: storetest.Name(n), Versions: []string{storetest.Version(n, 3)}})
	}
	return compile(b, all...)
}

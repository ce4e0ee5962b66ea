package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

func BenchmarkWrite(b *testing.B) {
	file := filepath.Join(b.TempDir(), "inventory.db")
	ctx := context.Background()
	for b.Loop() {
		os.Remove(file)
		s, err := store.Open(ctx, file, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		run, _, err := s.Begin(ctx, inventory.Run{Scope: "acme", Catalogue: "c", Started: time.Now()})
		if err != nil {
			b.Fatal(err)
		}
		t0 := time.Now()
		var gen time.Duration
		last := time.Now()
		org := storetest.Organisation{Repositories: 10_000, Distinct: 8_400}
		if err := org.Batches(50, func(batch *inventory.Batch) error {
			gen += time.Since(last)
			err := s.Write(ctx, run, batch)
			last = time.Now()
			return err
		}); err != nil {
			b.Fatal(err)
		}
		t1 := time.Now()
		if err := s.Finish(ctx, inventory.Run{ID: run}, true); err != nil {
			b.Fatal(err)
		}
		t2 := time.Now()
		s.Close()
		info, _ := os.Stat(file)
		fmt.Println("gen", gen, "write", t1.Sub(t0)-gen, "finish", t2.Sub(t1), "MB", info.Size()>>20)
		s, _ = store.Open(ctx, file, store.Options{ReadOnly: true})
		for range 3 {
			t0 = time.Now()
			n := 0
			for _, err := range s.Summaries(ctx, 1) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			fmt.Println("summaries", n, time.Since(t0))
			t0 = time.Now()
			var keys []uint64
			for i := range 2000 {
				keys = append(keys, inventory.NameKey(ecosystem.NPM, storetest.Name(i*20)))
			}
			posts, conts := 0, 0
			var ids []store.ContentID
			for p, err := range s.Find(ctx, keys) {
				if err != nil {
					b.Fatal(err)
				}
				posts++
				conts += len(p.Contents)
				ids = append(ids, p.Contents...)
			}
			fmt.Println("find", posts, conts, time.Since(t0))
			t0 = time.Now()
			slices.Sort(ids)
			ids = slices.Compact(ids)[:500]
			for _, err := range s.Contents(ctx, ids) {
				if err != nil {
					b.Fatal(err)
				}
			}
			fmt.Println("contents", len(ids), time.Since(t0))
		}
		s.Close()
	}
}

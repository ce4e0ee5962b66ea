//go:build linux && !race

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
)

// TestFullDisk fills a small disk: one line says so, what was written before stays, and with more
// room it goes on.
func TestFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small disk cannot be had, which takes the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	st, err := store.Open(t.Context(), filepath.Join(dir, "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	run, _, err := st.Begin(t.Context(), inventory.Run{Scope: "full", Catalogue: "c", Started: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	fill := func() error {
		return storetest.Organisation{Repositories: organisation}.Batches(5, func(b *inventory.Batch) error {
			err := st.Write(t.Context(), run, b)
			if err == nil {
				written += len(b.Repositories)
			}
			return err
		})
	}
	err = fill()
	if !errors.Is(err, store.ErrFull) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("%v, want ErrFull in one line", err)
	}
	if n := whole(t, st); n != written || n == 0 || n == organisation {
		t.Errorf("%d repositories are there, and %d were written", n, written)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if err := fill(); err != nil {
		t.Fatal(err)
	}
	if err := st.Finish(t.Context(), inventory.Run{ID: run}, true); err != nil {
		t.Fatal(err)
	}
	if n := whole(t, st); n != organisation {
		t.Errorf("%d repositories with more room, want %d", n, organisation)
	}
}

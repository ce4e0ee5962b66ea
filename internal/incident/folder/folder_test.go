package folder_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/folder"
)

var _ incident.Store = (*folder.Store)(nil)

func open(t *testing.T, dir string) *folder.Store {
	t.Helper()
	s, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSwap(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "incidents")
	s := open(t, dir)
	if data, version, err := s.Load(ctx, "acme/x"); data != nil || version != 0 || err != nil {
		t.Errorf("an empty folder has %q, version %d, %v", data, version, err)
	}
	version := int64(0)
	for i := range 5 {
		next, swapped, err := s.Swap(ctx, "acme/x", version, fmt.Appendf(nil, `{"n":%d}`, i))
		if err != nil || !swapped || next <= version {
			t.Fatalf("swap %d: version %d, %t, %v", i, next, swapped, err)
		}
		if _, swapped, err := s.Swap(ctx, "acme/x", version, []byte(`"late"`)); swapped || err != nil {
			t.Errorf("swap %d: a second one of version %d: %t, %v", i, version, swapped, err)
		}
		version = next
	}
	if _, swapped, err := s.Swap(ctx, "acme/x", version+7, []byte(`"early"`)); swapped || err != nil {
		t.Errorf("a version that is not there was swapped: %t, %v", swapped, err)
	}
	if _, swapped, err := s.Swap(ctx, "acme/y", 0, []byte(`{}`)); !swapped || err != nil {
		t.Fatalf("another key: %t, %v", swapped, err)
	}
	data, got, err := open(t, dir).Load(ctx, "acme/x")
	if string(data) != `{"n":4}` || got != version || err != nil {
		t.Errorf("another process loads %s, version %d, %v", data, got, err)
	}
	keys, err := s.Keys(ctx, "acme/")
	if !slices.Equal(keys, []string{"acme/x", "acme/y"}) || err != nil {
		t.Errorf("keys %q, %v", keys, err)
	}
	if keys, err := s.Keys(ctx, "other/"); len(keys) != 0 || err != nil {
		t.Errorf("keys of others %q, %v", keys, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("%d files are left, want two versions of one key and one of the other: %v", len(files), err)
	}
}

// TestSwapOnce: of many that swap one version at once, one does.
func TestSwapOnce(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	open(t, dir)
	const rounds, writers = 20, 8
	for version := range int64(rounds) {
		var won sync.Map
		var wait sync.WaitGroup
		for w := range writers {
			wait.Go(func() {
				s, err := folder.Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				if _, swapped, err := s.Swap(ctx, "k", version, fmt.Appendf(nil, `%d`, w)); err != nil {
					t.Error(err)
				} else if swapped {
					won.Store(w, true)
				}
			})
		}
		wait.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Fatalf("version %d was swapped by %d writers", version, n)
		}
	}
}

// TestLateSwap: a writer that slept between its look and its write, while others wrote so often
// that the version it was to make is gone again, makes none.
func TestLateSwap(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	late, other := open(t, dir), open(t, dir)
	version, _, err := other.Swap(ctx, "k", 0, []byte(`1`))
	if err != nil {
		t.Fatal(err)
	}
	newest := version
	late.BeforeLink(func() {
		for range 5 {
			var swapped bool
			if newest, swapped, err = other.Swap(ctx, "k", newest, []byte(`"other"`)); err != nil || !swapped {
				t.Fatal(swapped, err)
			}
		}
	})
	if next, swapped, err := late.Swap(ctx, "k", version, []byte(`"late"`)); swapped || err != nil {
		t.Errorf("a late writer made version %d: %t, %v", next, swapped, err)
	}
	if data, got, err := other.Load(ctx, "k"); string(data) != `"other"` || got != newest || err != nil {
		t.Errorf("version %d is %s, %v; want %d of the other", got, data, err, newest)
	}
}

func TestDamage(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s := open(t, dir)
	if _, _, err := s.Swap(ctx, "k", 0, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "incident-*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for _, content := range []string{"", "{", `{"key":"other","version":1,"record":{}}`, `{"key":"k","version":2,"record":{}}`} {
		if err := os.WriteFile(files[0], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if data, version, err := s.Load(ctx, "k"); err == nil {
			t.Errorf("%q loads as %q, version %d", content, data, version)
		} else if !strings.Contains(err.Error(), filepath.Base(files[0])) {
			t.Errorf("%q: %v does not name the file", content, err)
		}
	}
	if _, err := folder.Open(files[0]); err == nil {
		t.Error("a file opens as a folder")
	}
	if _, err := folder.Open(filepath.Join(dir, "no", "parent")); err == nil {
		t.Error("a folder without a parent is made")
	}
}

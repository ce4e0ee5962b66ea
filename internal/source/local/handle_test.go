package local

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// The system's own handle and the one for every system say the same.
func TestHandlesAgree(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"a", "b-1", "sub/in", "HEAD", "\n\xff"} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3_000 { // more than one read of the folder gives
		if err := os.WriteFile(filepath.Join(top, "sub", string(rune('一'+i))), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("sub", filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	native, err := newHandle(root)
	if err != nil {
		t.Fatal(err)
	}
	defer native.close()
	size := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".size" }, cmp.Ignore()) // of folders
	for _, max := range []int{0, 3, 5_000} {
		h, err := newHandle(root) // a folder is read once
		if err != nil {
			t.Fatal(err)
		}
		got, gotErr := readFolder(h, max)
		h.close()
		want, wantErr := readFolder(rootHandle{root}, max)
		if !errors.Is(gotErr, wantErr) || len(got) != len(want) {
			t.Errorf("at most %d: %d entries, %v and %d, %v", max, len(got), gotErr, len(want), wantErr)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{}), size); max > 3_000 && diff != "" {
			t.Errorf("at most %d:\n%s", max, diff)
		}
	}
	for _, name := range []string{"sub", "link", "a", "none"} {
		var counts []int
		for _, h := range []handle{native, rootHandle{root}} {
			below, err := h.open(name)
			if err != nil {
				counts = append(counts, -1)
				continue
			}
			entries, err := readFolder(below, 5_000)
			if err != nil {
				t.Errorf("%q: %v", name, err)
			}
			counts = append(counts, len(entries))
			below.close()
		}
		if want := map[string]int{"sub": 3_001, "link": -1, "a": -1, "none": -1}[name]; counts[0] != want || counts[1] != want && name != "link" {
			t.Errorf("%q: %d entries; want %d", name, counts, want)
		}
	}
	for _, name := range []string{"HEAD", "a", "sub", "none", "link"} {
		got, gotErr := native.read(name, 4)
		want, wantErr := (rootHandle{root}).read(name, 4)
		if string(got) != string(want) || (gotErr == nil) != (wantErr == nil) || errors.Is(gotErr, confine.ErrNotRegular) != errors.Is(wantErr, confine.ErrNotRegular) && name != "link" {
			t.Errorf("read(%q) = %q, %v and %q, %v", name, got, gotErr, want, wantErr)
		}
	}
}

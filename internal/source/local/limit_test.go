package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source"
)

// A listing ends at its limit of files and folders, says so once, and holds what came
// before. Which files of a folder those are is for the system to say.
func TestMaxFiles(t *testing.T) {
	top := t.TempDir()
	all := []string{"a/1", "a/2", "b/c/3", "b/c/4", "d"}
	const entries = 8 // with the folders
	for _, path := range all {
		path = filepath.Join(top, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for max := range entries + 2 {
		root, err := os.OpenRoot(top)
		if err != nil {
			t.Fatal(err)
		}
		h, err := newHandle(root)
		if err != nil {
			t.Fatal(err)
		}
		names, err := readFolder(h, max+1)
		var files []string
		limits := 0
		for f, err := range walk(context.Background(), h, names, err, false, max).all() {
			switch {
			case errors.Is(err, source.ErrMaxFiles):
				limits++
			case err != nil:
				t.Errorf("at most %d: %v", max, err)
			case !slices.Contains(all, f.Path):
				t.Errorf("at most %d: %q", max, f.Path)
			default:
				files = append(files, f.Path)
			}
		}
		h.close()
		root.Close()
		if over := max < entries; over != (limits == 1) || !over && (limits > 0 || !slices.Equal(files, all)) {
			t.Errorf("at most %d: %q, and %d times the limit", max, files, limits)
		}
		if len(files) > max || !slices.IsSorted(files) || max > 4 && len(files) < 2 {
			t.Errorf("at most %d: %q", max, files)
		}
	}
}

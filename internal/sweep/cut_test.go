package sweep_test

import (
	"context"
	"iter"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// stopping is a tree in whose listing the run is stopped, before the file of that number.
type stopping struct {
	*remoteTree
	at   int
	stop func()
}

func (t *stopping) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		n := 0
		for f, err := range t.remoteTree.Files(ctx) {
			if n == t.at {
				t.stop()
				return // as a source does when its context is done
			}
			if n++; !yield(f, err) {
				return
			}
		}
	}
}

// A tree whose listing was stopped in the middle is not taken for all that there is of it.
func TestMemoryOfStoppedListing(t *testing.T) {
	files := map[string]string{"README.md": "r", "a.txt": "a", "package-lock.json": lockBad}
	for at := range len(files) {
		catalogue := memorySet(t)
		m := newMemory(catalogue)
		opt := sweep.Options{Set: catalogue, Memory: m}
		ctx, stop := context.WithCancel(t.Context())
		tree := &stopping{remote("refs/heads/main", files), at, stop}
		r := &source.Repository{Name: "r", Trees: []source.Tree{tree}}
		if _, err := sweep.Run(ctx, each(r), opt, func(finding.Event) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if len(m.trees) > 0 {
			t.Errorf("stopped before file %d, and kept as whole", at)
		}
		r = &source.Repository{Name: "r", Trees: []source.Tree{remote("refs/heads/main", files)}}
		if _, sum := run(t, opt, r); sum.Exit != 1 {
			t.Errorf("stopped before file %d: the next run answers %d, want 1", at, sum.Exit)
		}
	}
}

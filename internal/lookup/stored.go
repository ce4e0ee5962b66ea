package lookup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// stored is the memory of a sweep that reads nothing else.
type stored struct {
	*Memory

	mu    sync.Mutex
	trees map[inventory.ID]*counted // of the repositories that are being swept
}

// counted is a tree, with the number of times that it will still be asked for.
type counted struct {
	tree *inventory.Tree
	left int
}

// Tree is a tree of a repository that was yielded, whatever it was listed for.
func (s *stored) Tree(_ context.Context, root inventory.ID) (*inventory.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.trees[root]
	if c == nil {
		return nil, nil
	}
	if c.left--; c.left == 0 {
		delete(s.trees, root)
	}
	return c.tree, nil
}

// Keep does nothing.
func (*stored) Keep(context.Context, sweep.Kept) error { return nil }

// treesAtOnce is how many repositories have their trees loaded together.
const treesAtOnce = 100

// repositories yields the repositories as they were last seen. What the inventory lacks is a
// problem with source.CodeNotKept, and so is a tree whose files were listed for other indicators.
func (s *stored) repositories(ctx context.Context) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		var next []*store.RepositoryState
		give := func() bool {
			err := s.load(ctx, next)
			if err != nil {
				yield(nil, err)
				return false
			}
			for _, r := range next {
				if !yield(s.repository(r), nil) {
					return false
				}
			}
			next = next[:0]
			return true
		}
		for r, err := range s.store.Repositories(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if next = append(next, r); len(next) >= treesAtOnce && !give() {
				return
			}
		}
		give()
	}
}

// load takes the trees of the repositories.
func (s *stored) load(ctx context.Context, repos []*store.RepositoryState) error {
	times := map[inventory.ID]int{}
	for _, r := range repos {
		for root := range rootsOf(r) {
			times[root]++
		}
	}
	trees, err := s.store.Trees(ctx, slices.Collect(maps.Keys(times)), "")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for root, tree := range trees {
		if c := s.trees[root]; c != nil {
			c.left += times[root]
		} else {
			s.trees[root] = &counted{tree, times[root]}
		}
	}
	return nil
}

// rootsOf are the trees that were read of a repository.
func rootsOf(r *store.RepositoryState) map[inventory.ID]bool {
	roots := map[inventory.ID]bool{}
	for _, ref := range r.Refs {
		if ref.Root != (inventory.ID{}) {
			roots[ref.Root] = true
		}
	}
	return roots
}

func (s *stored) repository(r *store.RepositoryState) *source.Repository {
	repo := &source.Repository{
		Name: r.Name, Path: r.Name, Server: r.Server, Number: r.Number, Loose: r.Loose,
		Problems: r.Problems, Notes: r.Notes, Seen: r.Seen,
	}
	trees := map[inventory.ID]*storedTree{}
	for _, ref := range r.Refs {
		t := trees[ref.Root]
		if t == nil || ref.Root == (inventory.ID{}) { // which is none of any tree, and says nothing of another
			t = &storedTree{root: ref.Root}
			trees[ref.Root] = t
			repo.Trees = append(repo.Trees, t)
		}
		t.refs = append(t.refs, source.Ref{Name: ref.Name, Commit: ref.Commit})
	}
	if n := s.listedForOthers(r); n > 0 {
		repo.Problems = append(slices.Clone(repo.Problems), source.Problem{
			Code:   source.CodeNotKept,
			Detail: fmt.Sprintf("trees: %d: listed for other indicators of files than these, or by another version: packages were matched, files may be missing", n),
		})
	}
	return repo
}

// listedForOthers counts the trees that were listed under another selection. One without has
// problems of its own.
func (s *stored) listedForOthers(r *store.RepositoryState) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for root := range rootsOf(r) {
		if c := s.trees[root]; c != nil && c.tree.Selection != "" && c.tree.Selection != s.selection {
			n++
		}
	}
	return n
}

// storedTree is a tree that the memory knows, or nobody does.
type storedTree struct {
	root inventory.ID
	refs []source.Ref
}

func (t *storedTree) Ref() string        { return t.refs[0].Name }
func (t *storedTree) Commit() string     { return t.refs[0].Commit }
func (t *storedTree) Refs() []source.Ref { return t.refs }

// Root is "" where the tree was not read.
func (t *storedTree) Root() string {
	if t.root == (inventory.ID{}) {
		return ""
	}
	return t.root.String()
}

var (
	errTreeNotKept    = errors.New("its files were not read when it was last swept")
	errContentNotKept = errors.New("not in the inventory as this version reads it")
)

func (t *storedTree) Files(context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		yield(source.File{}, &source.PathError{Code: source.CodeNotKept, Err: errTreeNotKept})
	}
}

func (t *storedTree) Read(_ context.Context, f source.File, _ int64, _ []byte) ([]byte, error) {
	return nil, &source.PathError{Path: f.Path, Code: source.CodeNotKept, Err: errContentNotKept}
}

func (t *storedTree) Open(_ context.Context, f source.File) (source.ReadCloser, error) {
	return nil, &source.PathError{Path: f.Path, Code: source.CodeNotKept, Err: errContentNotKept}
}

package lookup

import (
	"bytes"
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
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// stored is the memory of a sweep that reads nothing else.
type stored struct {
	*Memory
	all      []store.Brief         // the repositories, by name
	metBlobs map[inventory.ID]bool // blobs of contents in which an entry may meet the catalogue

	lock   sync.Mutex
	trees  map[inventory.ID]*counted // of the repositories that are being swept
	briefs map[*source.Repository]*inventory.Brief
}

// newStored asks what there is, and what of it the catalogue may meet. With brief, a repository of
// which nothing is met is told as the last sweep told it.
func newStored(ctx context.Context, st *store.Store, set *ioc.Set, brief bool) (*stored, error) {
	s := &stored{Memory: newMemory(st, 0, set), trees: map[inventory.ID]*counted{}, briefs: map[*source.Repository]*inventory.Brief{}}
	var searching sync.WaitGroup
	var failed error
	searching.Go(func() { s.candidates, failed = search(ctx, st, set) })
	err := s.list(ctx, brief)
	searching.Wait()
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	s.metBlobs, err = st.Blobs(ctx, slices.Collect(maps.Keys(s.candidates.met)))
	return s, err
}

// list takes the repositories, and what each content holds where most of them must be looked at.
func (s *stored) list(ctx context.Context, brief bool) error {
	var err error
	if s.all, err = s.store.Briefs(ctx, s.basis); err != nil {
		return err
	}
	known := 0
	for i := range s.all {
		if !brief {
			s.all[i].Body = nil
		}
		if s.all[i].Body != nil {
			known++
		}
	}
	if 2*known < len(s.all) {
		return s.knowAll(ctx)
	}
	return nil
}

var _ sweep.Briefer = (*stored)(nil)

// counted is a tree, with the number of times that it will still be asked for.
type counted struct {
	tree *inventory.Tree
	left int
}

// Tree is a tree of a repository that was yielded, whatever it was listed for.
func (s *stored) Tree(_ context.Context, root inventory.ID) (*inventory.Tree, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	c := s.trees[root]
	if c == nil {
		return nil, nil
	}
	if c.left--; c.left == 0 {
		delete(s.trees, root)
	}
	return c.tree, nil
}

// Brief is what is said of a repository that was yielded without its trees.
func (s *stored) Brief(repo *source.Repository) *inventory.Brief {
	s.lock.Lock()
	defer s.lock.Unlock()
	b := s.briefs[repo]
	delete(s.briefs, repo)
	return b
}

// repositoriesAhead is how many repositories are loaded together, while those before them are being
// swept.
const repositoriesAhead = 100

// repositories yields the repositories as they were last seen. What the inventory lacks is a
// problem with source.CodeNotKept, and so is a tree whose files were listed for other indicators.
func (s *stored) repositories(ctx context.Context) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		type loaded struct {
			repositories []*source.Repository
			err          error
		}
		ctx, stop := context.WithCancel(ctx)
		ready := make(chan loaded, 1)
		go func() {
			defer close(ready)
			for some := range slices.Chunk(s.all, repositoriesAhead) {
				repositories, err := s.load(ctx, some)
				select {
				case ready <- loaded{repositories, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		defer func() {
			stop()
			for range ready { // until it has ended
			}
		}()
		for next := range ready {
			if next.err != nil {
				yield(nil, next.err)
				return
			}
			for _, r := range next.repositories {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// load makes repositories of what is known of them in brief, and of all else that is kept where
// that does not do.
func (s *stored) load(ctx context.Context, some []store.Brief) ([]*source.Repository, error) {
	out := make([]*source.Repository, len(some))
	briefs := make([]*inventory.Brief, len(some))
	var rows []store.RowID
	for i := range some {
		b := &some[i]
		if b.Body != nil {
			known, err := inventory.DecodeBrief(b.Body)
			if err != nil {
				return nil, fmt.Errorf("repository %q: %w", b.Name, err)
			}
			if !s.mayMeet(known) {
				briefs[i], out[i] = known, &source.Repository{Name: b.Name, Path: b.Name, Server: b.Server, Number: b.Number}
				continue
			}
		}
		rows = append(rows, b.Row)
	}
	states, err := s.store.RepositoriesOf(ctx, rows)
	if err == nil {
		err = s.loadTrees(ctx, states)
	}
	if err != nil {
		return nil, err
	}
	for i := range some {
		if r := states[some[i].Row]; r != nil {
			out[i] = s.repository(r)
		}
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	for i, b := range briefs {
		if b != nil {
			s.briefs[out[i]] = b
		}
	}
	return slices.DeleteFunc(out, func(r *source.Repository) bool { return r == nil }), nil // one that went meanwhile
}

// mayMeet reports whether the catalogue may meet something that the repository holds, or whether
// what is said of it is of formats that are none of ours.
func (s *stored) mayMeet(b *inventory.Brief) bool {
	for i := range b.Trees {
		for j := range b.Trees[i].Files {
			f := &b.Trees[i].Files[j]
			if s.metBlobs[f.Blob] || formats.ByID(f.Format) == nil {
				return true
			}
		}
	}
	return false
}

// loadTrees takes the trees of the repositories, and what is known of the contents that they hold.
func (s *stored) loadTrees(ctx context.Context, repos map[store.RowID]*store.RepositoryState) error {
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
	if err := s.knowThose(ctx, trees); err != nil {
		return err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	for root, tree := range trees {
		if c := s.trees[root]; c != nil {
			c.left += times[root]
		} else {
			s.trees[root] = &counted{tree, times[root]}
		}
	}
	return nil
}

// knowThose takes the summaries of the contents that trees hold, but for those that are known, and
// the contents that are looked at whole.
func (s *stored) knowThose(ctx context.Context, trees map[inventory.ID]*inventory.Tree) error {
	var blobs []inventory.ID
	s.mu.Lock()
	for _, t := range trees {
		for i := range t.Files {
			f := &t.Files[i]
			blob, err := inventory.ParseID(f.Blob)
			if _, known := s.known[inventory.Key{Blob: blob, Format: f.Format, Reader: formats.Revision}]; err == nil && f.Format != "" && !known {
				blobs = append(blobs, blob)
			}
		}
	}
	s.mu.Unlock()
	slices.SortFunc(blobs, func(a, b inventory.ID) int { return bytes.Compare(a[:], b[:]) })
	var whole []store.ContentID
	for k, err := range s.store.SummariesOf(ctx, slices.Compact(blobs), formats.Revision) {
		if err != nil {
			return err
		}
		if s.whole(k) {
			whole = append(whole, k.ID)
		}
		s.mu.Lock()
		s.known[k.Key] = k
		s.mu.Unlock()
	}
	for c, err := range s.store.Contents(ctx, whole) {
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.content[c.Key] = c
		s.mu.Unlock()
	}
	return nil
}

// Content is what a content held: see sweep.Memory. One that was loaded is given once.
func (s *stored) Content(ctx context.Context, key inventory.Key, whole bool) (*inventory.Content, inventory.Summary, bool, error) {
	c, sum, known, err := s.Memory.Content(ctx, key, whole)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.content, key)
	return c, sum, known, err
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
	s.lock.Lock()
	defer s.lock.Unlock()
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

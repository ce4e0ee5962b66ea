package sweep

import (
	"context"
	"fmt"
	"sync"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Memory is what earlier runs made of trees and contents, and takes what this run makes of
// others. Tree and Content are called from many goroutines, Keep from one.
//
// An error costs the run its memory, and never its answer: what cannot be recalled is read
// again. It is a problem of the run all the same.
type Memory interface {
	// Tree is the tree of that root as it was listed for the indicators of this run; nil where
	// it is not known.
	Tree(ctx context.Context, root inventory.ID) (*inventory.Tree, error)
	// Content is what a content held. It is nil for one that meets no indicator of this run, and
	// has neither problems nor includes, unless it is wanted whole; then the summary says what it
	// counts for. Known is false for a content that must be read.
	Content(ctx context.Context, key inventory.Key, whole bool) (c *inventory.Content, sum inventory.Summary, known bool, err error)
	// Keep takes what was seen of a repository.
	Keep(ctx context.Context, kept Kept) error
}

// Locker is a Memory that knows, of a content that it gives in brief, which names that the
// catalogue lists are locked there, to whatever version; as far as a range of the catalogue's names
// is remembered anywhere that admits a listed version. Of other Memories, such contents are
// recalled whole where a range is found beside them.
type Locker interface {
	Locked(key inventory.Key) []ioc.Name
}

// Briefer is a Memory that knows of some repositories in brief that nothing of them is met. It knows all
// that the run is to see: nothing is kept in it.
type Briefer interface {
	// Brief is what is to be said of a repository without looking at its trees; nil where they are to be
	// looked at. It is not asked by a run that explains.
	Brief(repo *source.Repository) *inventory.Brief
}

// Kept is what a run saw of a repository, and what it made for the first time.
type Kept struct {
	Sighting *inventory.Sighting // nil for a repository that was not swept to its end
	Trees    []*inventory.Tree
	// Partial are trees of which something was not read. The next run is to list them again; they
	// tell meanwhile what else is there.
	Partial  []*inventory.Tree
	Contents []*inventory.Content
}

// memory is the Memory of a run. With none it knows nothing.
type memory struct {
	Memory
	mu    sync.Mutex
	fault error // the first
}

func (m *memory) failed(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault == nil {
		m.fault = err
	}
}

// problem is that of the run, nil where nothing failed.
func (m *memory) problem() *finding.Problem {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault == nil {
		return nil
	}
	return &finding.Problem{Code: CodeInventory, Detail: m.fault.Error()}
}

// tree recalls a tree, nil for one that must be listed.
func (m *memory) tree(ctx context.Context, tree source.Tree) *inventory.Tree {
	root, ok := rootOf(tree)
	if m.Memory == nil || !ok {
		return nil
	}
	known, err := m.Tree(ctx, root)
	if err != nil {
		m.failed(err)
		return nil
	}
	return known
}

func rootOf(tree source.Tree) (inventory.ID, bool) {
	rooted, ok := tree.(source.Rooted)
	if !ok {
		return inventory.ID{}, false
	}
	root, err := inventory.ParseID(rooted.Root())
	return root, err == nil
}

// keyOf names what a format's reader made of a blob.
func keyOf(blob string, f *formats.Format) (inventory.Key, bool) {
	id, err := inventory.ParseID(blob)
	return inventory.Key{Blob: id, Format: f.ID, Reader: formats.Revision}, err == nil
}

// content recalls what a content held; ok is false for one that must be read.
func (p *pool) recall(ctx context.Context, blob string, f *formats.Format, whole bool) (out outcome, ok bool) {
	key, ok := keyOf(blob, f)
	if p.memory.Memory == nil || !ok {
		return outcome{}, false
	}
	c, sum, known, err := p.memory.Content(ctx, key, whole || p.opt.Explain)
	switch {
	case err != nil:
		p.memory.failed(err)
		return outcome{}, false
	case !known:
		return outcome{}, false
	case c == nil:
		out := outcomeOf(sum)
		if l, ok := p.memory.Memory.(Locker); ok {
			out.locks(l.Locked(key))
		}
		return out, true
	}
	file := c.File(p.opt.Set)
	return judged(p.opt.Set, &file, p.opt.Explain, described(c)), true
}

// described describes the entries of a content for judged.
func described(c *inventory.Content) func(i int) (*lockfile.Package, []string) {
	return func(i int) (*lockfile.Package, []string) { return c.Package(i), c.Chain(i) }
}

// outcomeOf is the outcome of a content that met nothing. Which listed names it locks is not
// known: see lockedBeside.
func outcomeOf(sum inventory.Summary) outcome {
	out := outcome{packages: sum.Packages, brief: true}
	for kind, n := range sum.Kinds {
		if !lockfile.SourceKind(kind).Exact() {
			out.unmatched[kind] = n
		}
	}
	return out
}

// locks takes the listed names that a content in brief locks.
func (o *outcome) locks(names []ioc.Name) {
	o.brief = false
	if len(names) == 0 {
		return
	}
	o.notable = &notable{locked: make([]lockedName, len(names))}
	for i, n := range names {
		o.notable.locked[i] = lockedName{n.Ecosystem, n.Name}
	}
}

// whole takes the place of contents of a tree that were recalled in brief, where the names that
// they lock decide about a range beside them.
func (p *pool) whole(ctx context.Context, t *treeResult) {
	if !t.anyLatent() {
		return
	}
	for _, fr := range t.inScope {
		if fr.content == nil || !fr.content.brief {
			continue
		}
		out, ok := p.recall(ctx, fr.blob, fr.format, true)
		if !ok {
			fr.content = nil
			fr.fail(string(source.CodeUnreadable), "known to the inventory, and not read back from it")
			continue
		}
		fr.content = &content{done: true, outcome: out, of: fr.content}
	}
}

// again fills in a tree that was listed before.
func (s *scope) again(known *inventory.Tree) {
	t := s.result
	t.files, t.recalled = known.Total, true
	for why, n := range known.OutOfScope {
		t.outOfScope[why] = n
	}
	for _, problem := range known.Problems {
		t.problems = append(t.problems, placedProblem{problem.File, string(problem.Code), problem.Detail})
	}
	for i := range known.Files {
		f := &known.Files[i]
		fr := &fileResult{file: f.File, blob: f.Blob, format: formats.ByID(f.Format), hashes: f.Hashes, hash: f.Hashes != nil}
		if f.Link || f.Special {
			fr.matches, _ = s.set.File(f.Path, source.SizeAbsent, "")
		} else {
			fr.matches, _ = s.set.File(f.Path, f.Size, f.Blob)
		}
		if fr.hashes != nil {
			fr.meet(s.set)
		}
		if f.Problem != nil {
			fr.err = &placedProblem{f.Problem.File, string(f.Problem.Code), f.Problem.Detail}
		}
		t.inScope = append(t.inScope, fr)
	}
	s.taken = len(t.inScope) // what they include is among them
}

// listing is the tree as a memory keeps it; nil where it is known already, has no root, or was not
// listed to its end. It is whole where asking again would bring nothing else.
func (t *treeResult) listing() (listing *inventory.Tree, whole bool) {
	if t.recalled || !t.rooted || t.cut {
		return nil, false
	}
	whole = true
	out := &inventory.Tree{Root: t.root, Total: t.files, OutOfScope: t.outOfScope}
	for _, problem := range t.problems {
		out.Problems = append(out.Problems, source.Problem{File: problem.file, Code: source.Code(problem.code), Detail: problem.text})
		whole = whole && final(problem)
	}
	for _, fr := range t.inScope {
		f := inventory.File{File: fr.file, Hashes: fr.hashes}
		f.Blob = fr.blob
		if fr.format != nil {
			f.Format = fr.format.ID
		}
		if fr.err != nil {
			f.Problem = &source.Problem{File: fr.err.file, Code: source.Code(fr.err.code), Detail: fr.err.text}
			whole = whole && final(*fr.err)
		}
		out.Files = append(out.Files, f)
	}
	return out, whole
}

// final reports whether a problem is of the tree itself, and not of reading it this time.
func final(p placedProblem) bool {
	switch source.Code(p.code) {
	case source.CodeLink, source.CodeSpecial, source.CodeLimit, source.Code(lockfile.CodeInclude):
		return true
	}
	return false
}

// kept is what a memory takes of the repository, with the events that were emitted of it.
func (r *result) kept(selection string, events []finding.Event) Kept {
	var out Kept
	refs := make([]inventory.Ref, 0, len(r.trees))
	for _, t := range r.trees {
		refs = append(refs, inventory.Ref{Name: t.ref, Commit: t.commit, Root: t.root})
		for _, ref := range t.also {
			refs = append(refs, inventory.Ref{Name: ref.Name, Commit: ref.Commit, Root: t.root})
		}
		switch listing, whole := t.listing(); {
		case listing == nil:
		case whole:
			out.Trees = append(out.Trees, listing)
		case !r.cut:
			out.Partial = append(out.Partial, listing)
		}
		for _, fr := range t.inScope {
			if fr.made != nil {
				out.Contents = append(out.Contents, fr.made)
			}
		}
	}
	if r.cut {
		return out
	}
	out.Sighting = &inventory.Sighting{
		Repository: inventory.Repository{Server: r.server, Number: r.number, Name: r.name},
		Selection:  selection, Refs: refs, Asked: r.asked,
		Shown:  inventory.Shown{Loose: r.loose, Seen: r.seen, Problems: r.source, Notes: r.notes},
		Events: events,
		Brief:  r.brief(),
	}
	return out
}

// digestsOf are the digests by which a file indicator knows a content.
func digestsOf(h *inventory.Hashes) []digest.Digest {
	return []digest.Digest{
		{Algorithm: digest.SHA256, Text: fmt.Sprintf("%x", h.SHA256)},
		{Algorithm: digest.SHA1, Text: fmt.Sprintf("%x", h.SHA1)},
		{Algorithm: digest.MD5, Text: fmt.Sprintf("%x", h.MD5)},
	}
}

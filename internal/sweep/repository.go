package sweep

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// result is what was found out about one repository.
type result struct {
	err      error // wrong use: nothing was swept
	name     string
	server   string
	number   int64
	asked    time.Time
	loose    bool // source.Repository.Loose
	trees    []*treeResult
	shown    []shown
	problems []placedProblem
	cut      bool // the sweep was stopped before its end

	// As the source gave them, for Memory:
	seen   []source.Seen
	source []source.Problem
	notes  []source.Note

	counted map[string]int // in the place of seen, by property, where the repository is known in brief
}

// shown is a value that the repository shows and that met an indicator.
type shown struct {
	source.Seen
	match ioc.Match
}

// treeResult is one tree of it.
type treeResult struct {
	ref, commit string
	also        []source.Ref // further refs of this tree
	files       int
	outOfScope  map[string]int
	inScope     []*fileResult // in the order of the tree
	problems    []placedProblem
	locked      map[lockedIn]bool // once it is asked for

	root     inventory.ID // zero where it is not rooted
	rooted   bool
	recalled bool // listed by an earlier run
	cut      bool // the run was stopped while it was listed: there may be more
}

// placedProblem is a problem at a place in a repository.
type placedProblem struct {
	file string
	code string
	text string
}

// sweep looks at all trees of a repository.
func (p *pool) sweep(ctx context.Context, repo *source.Repository) *result {
	defer repo.Close()
	if b := p.briefly(ctx, repo); b != nil {
		return p.told(repo, b)
	}
	r := &result{
		name: repo.Name, server: repo.Server, number: repo.Number, asked: repo.Asked, loose: repo.Loose,
		seen: repo.Seen, source: repo.Problems, notes: repo.Notes,
	}
	for _, problem := range repo.Problems {
		r.problems = append(r.problems, placedProblem{problem.File, string(problem.Code), problem.Detail})
	}
	for _, seen := range repo.Seen {
		for _, m := range p.opt.Set.Property(ioc.Property(seen.Property), seen.Value) {
			r.shown = append(r.shown, shown{seen, m})
		}
	}
	p.lists(ctx, repo.Trees)
	for _, tree := range repo.Trees {
		t := &treeResult{ref: tree.Ref(), commit: tree.Commit(), outOfScope: map[string]int{}}
		if shared, ok := tree.(source.Shared); ok {
			t.also = shared.Refs()[1:]
		}
		r.trees = append(r.trees, t)
		p.tree(ctx, tree, t)
	}
	if r.saw(repo) == 0 && ctx.Err() == nil && !r.loose {
		r.problems = append(r.problems, placedProblem{"", CodeNothing, "an empty folder: was the checkout made?"})
	}
	if ctx.Err() != nil {
		r.cut = true
		r.problems = append(r.problems, placedProblem{"", CodeInterrupted, "the sweep was stopped before this repository was read to its end"})
	}
	return r
}

// saw counts all that the repository showed: files, problems and notes.
func (r *result) saw(repo *source.Repository) int {
	n := len(r.problems) + len(repo.Notes)
	for _, t := range r.trees {
		n += t.files + len(t.problems) + len(t.outOfScope)
	}
	return n
}

// lists fetches at once what listing trees of a repository takes, but for those that are
// remembered.
func (p *pool) lists(ctx context.Context, trees []source.Tree) {
	var unknown []source.Tree
	for _, tree := range trees {
		if _, ok := tree.(source.ListFetcher); ok && p.memory.tree(ctx, tree) == nil {
			unknown = append(unknown, tree)
		}
	}
	if len(unknown) > 0 {
		_ = unknown[0].(source.ListFetcher).FetchLists(ctx, unknown) // a tree that did not come says so when it is listed
	}
}

// tree lists a tree, hands its files to the workers, and goes on with the files that those
// include until none is left.
func (p *pool) tree(ctx context.Context, tree source.Tree, t *treeResult) {
	scope := newScope(t, p.opt.Set)
	fetcher, remote := tree.(source.Fetcher)
	var wait sync.WaitGroup
	if known := p.memory.tree(ctx, tree); known != nil {
		scope.again(known)
	} else {
		for f, err := range tree.Files(ctx) {
			if err != nil {
				scope.failed(err)
			} else if fr := scope.add(f); fr != nil && !remote {
				p.submit(ctx, &wait, tree, fr)
			}
		}
		t.cut = ctx.Err() != nil
		scope.listed(ctx, tree)
	}
	t.root, t.rooted = rootOf(tree)
	if remote || t.recalled {
		p.fetched(ctx, &wait, fetcher, tree, t.inScope)
	}
	wait.Wait()
	for more := scope.included(); len(more) > 0; more = scope.included() {
		if remote {
			p.fetched(ctx, &wait, fetcher, tree, more)
		} else {
			for _, fr := range more {
				p.submit(ctx, &wait, tree, fr)
			}
		}
		wait.Wait()
	}
	p.whole(ctx, t)
}

// fetched hands files of a tree that lies elsewhere to the workers, after the contents that
// nobody remembers were fetched at once.
func (p *pool) fetched(ctx context.Context, wait *sync.WaitGroup, fetcher source.Fetcher, tree source.Tree, files []*fileResult) {
	var wanted []source.File
	var readers []*fileResult
	for _, fr := range files {
		if fr.err != nil || fr.format == nil && !fr.hash || p.remembered(ctx, fr) {
			continue
		}
		readers = append(readers, fr)
		wanted = append(wanted, fr.file)
	}
	if fetcher != nil && len(wanted) > 0 {
		_ = fetcher.Fetch(ctx, wanted) // a file that did not come says so when it is read
	}
	for _, fr := range readers {
		p.submit(ctx, wait, tree, fr)
	}
}

// remembered reports whether a file needs no reading, and takes what is known of it.
func (p *pool) remembered(ctx context.Context, fr *fileResult) bool {
	if fr.hash && fr.hashes == nil {
		return false
	}
	if fr.format == nil {
		return true
	}
	c := p.content(fr.blob, fr.format)
	err := c.fill(func() (outcome, error) {
		out, ok := p.recall(ctx, fr.blob, fr.format, false)
		if !ok {
			return outcome{}, errUnknown
		}
		return out, nil
	})
	if err == nil {
		fr.content = c
	}
	return err == nil
}

// errUnknown says that a content must be read.
var errUnknown = errors.New("not known")

// submit hands a file to a worker, or marks it when the sweep is over.
func (p *pool) submit(ctx context.Context, wait *sync.WaitGroup, tree source.Tree, fr *fileResult) {
	wait.Add(1)
	work := func(w *worker) {
		defer wait.Done()
		p.file(ctx, tree, fr, w)
	}
	select {
	case p.jobs <- work:
	case <-ctx.Done():
		fr.fail(CodeInterrupted, "not read: the sweep was stopped")
		wait.Done()
	}
}

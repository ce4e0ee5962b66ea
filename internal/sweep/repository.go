package sweep

import (
	"context"
	"fmt"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// result is what was found out about one repository.
type result struct {
	err      error // wrong use: nothing was swept
	name     string
	loose    bool // source.Repository.Loose
	trees    []*treeResult
	shown    []shown
	problems []placedProblem
}

// shown is a value that the repository shows and that met an indicator.
type shown struct {
	source.Seen
	match ioc.Match
}

// treeResult is one tree of it.
type treeResult struct {
	ref, commit string
	files       int
	outOfScope  map[string]int
	inScope     []*fileResult // in the order of the tree
	problems    []placedProblem
	locked      map[lockedIn]bool // once it is asked for
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
	r := &result{name: repo.Name, loose: repo.Loose}
	for _, problem := range repo.Problems {
		r.problems = append(r.problems, placedProblem{problem.File, string(problem.Code), problem.Detail})
	}
	for _, seen := range repo.Seen {
		for _, m := range p.opt.Set.Property(ioc.Property(seen.Property), seen.Value) {
			r.shown = append(r.shown, shown{seen, m})
		}
	}
	for _, tree := range repo.Trees {
		t := &treeResult{ref: tree.Ref(), commit: tree.Commit(), outOfScope: map[string]int{}}
		r.trees = append(r.trees, t)
		p.tree(ctx, tree, t)
	}
	if len(repo.Notes) > 0 && len(r.trees) > 0 {
		for _, n := range repo.Notes {
			r.trees[0].outOfScope[string(n.Code)]++
		}
	}
	if r.saw(repo) == 0 && ctx.Err() == nil && !r.loose {
		r.problems = append(r.problems, placedProblem{"", CodeNothing, "an empty folder: was the checkout made?"})
	}
	if ctx.Err() != nil {
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

// tree lists a tree, hands its files to the workers, and goes on with the files that those
// include until none is left.
func (p *pool) tree(ctx context.Context, tree source.Tree, t *treeResult) {
	scope := newScope(t, p.opt.Set)
	var wait sync.WaitGroup
	for f, err := range tree.Files(ctx) {
		if err != nil {
			scope.failed(err)
			continue
		}
		if fr := scope.add(f); fr != nil {
			p.submit(ctx, &wait, tree, fr)
		}
	}
	if scope.absent > 0 {
		t.problems = append(t.problems, placedProblem{
			"", string(source.CodeMissing),
			fmt.Sprintf("files that the tree names and does not hold: %d; none was compared by size or content", scope.absent),
		})
	}
	wait.Wait()
	for {
		more := scope.included()
		if len(more) == 0 {
			return
		}
		for _, fr := range more {
			p.submit(ctx, &wait, tree, fr)
		}
		wait.Wait()
	}
}

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

// Package gittags gives the tags and commits of a repository, with their files, to compare a
// published Go module with: of a clone on disk (Local), or of a repository behind an address
// (Remote).
package gittags

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitrepo"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
)

// maxWalked is how many commits are looked at for one that is sought.
const maxWalked = 500_000

// Local is a repository on disk: what it does not hold may be in the one that it was cloned
// from. The caller closes it.
type Local struct{ repo *gitrepo.Repo }

var _ gomodule.Tags = Local{}

// NewLocal makes the tags of an open repository.
func NewLocal(repo *gitrepo.Repo) Local { return Local{repo} }

// Tag is gomodule.Tags's.
func (l Local) Tag(ctx context.Context, name string) (source.Tree, error) {
	full := source.Tags + name
	refs, errs := l.repo.Refs(ctx, func(n string) bool { return n == full })
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case len(refs) == 1:
		return l.repo.Tree(refs[0])
	case len(errs) > 0:
		return nil, errors.Join(errs...)
	}
	return nil, fmt.Errorf("tag %q: %w", name, gomodule.ErrNone)
}

// Commit is gomodule.Tags's. It looks for the commit in the history of all branches and tags.
func (l Local) Commit(ctx context.Context, id string) (source.Tree, bool, error) {
	refs, errs := l.repo.Refs(ctx, func(n string) bool {
		return strings.HasPrefix(n, source.Branches) || strings.HasPrefix(n, source.Tags) || strings.HasPrefix(n, source.Remotes)
	})
	queue := make([]gitobject.ID, 0, len(refs))
	for _, ref := range refs {
		queue = append(queue, ref.ID)
	}
	whole := len(errs) == 0
	seen := map[gitobject.ID]bool{}
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if len(seen) > maxWalked {
			return nil, false, fmt.Errorf("commit %s: not among %d commits: the rest was not looked at", id, maxWalked)
		}
		tree, err := l.repo.Tree(gitrepo.Ref{ID: at})
		if err != nil {
			whole = false
			continue
		}
		if strings.HasPrefix(at.String(), id) {
			return tree, true, nil
		}
		queue = append(queue, tree.Parents()...)
	}
	if full, ok := gitobject.ParseID(id); ok {
		if tree, err := l.repo.Tree(gitrepo.Ref{ID: full}); err == nil {
			return tree, false, nil
		}
	}
	if !whole {
		return nil, false, fmt.Errorf("commit %s: not here, and the history here is not whole", id)
	}
	return nil, false, fmt.Errorf("commit %s: %w", id, gomodule.ErrNone)
}

package github

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// lists fetches nothing: a listing is one answer, which files reads.
func (r *restContent) lists(ctx context.Context, _ []commit) error { return ctx.Err() }

// entry is an entry of a tree as REST shows it.
type entry struct {
	Path string
	Mode string
	Type string
	SHA  string
	Size *int64
}

func (r *restContent) tree(ctx context.Context, id gitobject.ID, recursive bool) (entries []entry, truncated bool, err error) {
	var answer struct {
		Tree      []entry
		Truncated bool
	}
	query := url.Values{}
	if recursive {
		query.Set("recursive", "1")
	}
	if err := r.get(ctx, "git/trees/"+id.String(), query, &answer); err != nil {
		return nil, false, err
	}
	if answer.Tree == nil {
		return nil, false, fmt.Errorf("the answer for the tree %s holds none", id)
	}
	return answer.Tree, answer.Truncated, nil
}

func (r *restContent) files(ctx context.Context, c commit) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		root := c.root
		if root == (gitobject.ID{}) {
			var err error
			if root, err = r.root(ctx, c.id); err != nil {
				failing(fault(ctx, err))(yield)
				return
			}
		}
		l := &lister{rest: r, left: source.MaxFiles}
		l.folder(ctx, root, "", 0)
		slices.SortStableFunc(l.out, func(a, b listing) int { return strings.Compare(a.file.Path, b.file.Path) })
		for _, e := range l.out {
			if ctx.Err() != nil || !yield(e.file, e.err) {
				return
			}
		}
	}
}

// root asks for the tree of a commit.
func (r *restContent) root(ctx context.Context, id gitobject.ID) (gitobject.ID, error) {
	var answer struct{ Tree struct{ SHA string } }
	if err := r.get(ctx, "git/commits/"+id.String(), nil, &answer); err != nil {
		return gitobject.ID{}, err
	}
	root, ok := gitobject.ParseID(answer.Tree.SHA)
	if !ok {
		return root, fmt.Errorf("the answer for the commit %s names the tree %.60q", id, answer.Tree.SHA)
	}
	return root, nil
}

// lister collects the files of a tree.
type lister struct {
	rest *restContent
	out  []listing
	left int // files and folders
}

type listing struct {
	file source.File
	err  error
}

func (l *lister) fail(ctx context.Context, path string, err error) {
	l.out = append(l.out, listing{source.File{Path: path}, at(path, fault(ctx, err))})
}

// folder lists a tree with all that lies below it. Where GitHub cuts that short, its own
// entries are listed, and then each folder by itself.
func (l *lister) folder(ctx context.Context, id gitobject.ID, path string, depth int) {
	if ctx.Err() != nil || l.left < 0 {
		return
	}
	if depth > source.MaxTreeDepth {
		l.fail(ctx, path, &source.PathError{Path: path, Code: source.CodeLimit, Err: source.ErrMaxTreeDepth})
		return
	}
	entries, truncated, err := l.rest.tree(ctx, id, true)
	if err == nil && truncated {
		if entries, truncated, err = l.rest.tree(ctx, id, false); err == nil && truncated {
			err = fmt.Errorf("%w: GitHub does not list the folder to its end", gitobject.ErrLimit)
		}
		for _, e := range entries {
			folder, ok := gitobject.ParseID(e.SHA)
			if e.Type == "tree" && ok && sound(e.Path) && !strings.Contains(e.Path, "/") {
				l.folder(ctx, folder, join(path, e.Path), depth+1)
			} else {
				l.add(ctx, path, e)
			}
		}
		entries = nil
	}
	if err != nil {
		l.fail(ctx, path, err)
	}
	for _, e := range entries {
		l.add(ctx, path, e)
	}
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// sound reports whether a path is one that a file of a tree can have.
func sound(path string) bool {
	if strings.ContainsRune(path, 0) {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// add adds an entry that is no folder.
func (l *lister) add(ctx context.Context, folder string, e entry) {
	if l.left--; l.left < 0 {
		if l.left == -1 {
			l.fail(ctx, "", &source.PathError{Code: source.CodeLimit, Err: source.ErrMaxFiles})
		}
		return
	}
	path := join(folder, e.Path)
	id, ok := gitobject.ParseID(e.SHA)
	switch {
	case !ok || !sound(e.Path):
		l.fail(ctx, folder, gitobject.Corrupt("the listing holds %q with the id %.60q", e.Path, e.SHA))
	case e.Type == "tree":
	case e.Type == "commit":
		err := fmt.Errorf("a submodule at commit %s: a repository of its own, not looked at here", e.SHA)
		l.fail(ctx, path, &source.PathError{Code: source.CodeSubmodule, Err: err})
	case e.Type == "blob":
		f := source.File{Path: path, Size: source.SizeUnfetched, Blob: id.String(), Link: e.Mode == "120000"}
		if e.Size != nil && *e.Size >= 0 {
			f.Size = *e.Size
		}
		l.out = append(l.out, listing{f, nil})
	default:
		l.fail(ctx, path, gitobject.Corrupt("the listing holds %q of the type %.20q", e.Path, e.Type))
	}
}

package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
)

// commit is a commit of which a tree is, with the id of that; the zero id where nobody said.
type commit struct {
	id, root gitobject.ID
}

// content is where the trees and files of one repository come from. It is safe for
// concurrent use. The errors of all but files are *source.PathError with an empty path, of
// ctx, or wrap source.ErrTooLarge.
type content interface {
	// lists fetches what files takes of the commits. One that did not come has its reason as
	// the error of files.
	lists(ctx context.Context, commits []commit) error
	// files is Tree.Files of a commit.
	files(ctx context.Context, c commit) iter.Seq2[source.File, error]
	// blobs fetches blobs, those that are here left out. One that did not come has its reason
	// as the error of read and open.
	blobs(ctx context.Context, ids []gitobject.ID) error
	read(ctx context.Context, id gitobject.ID, max int64, buf []byte) ([]byte, error)
	open(ctx context.Context, id gitobject.ID) (source.ReadCloser, error)
	io.Closer
}

// content makes the content of a repository. Nothing is asked for yet.
func (r *run) content(l *listed, url string) content {
	rest := func() *restContent {
		return &restContent{client: r.client, repo: l.FullName, dir: r.opt.Dir, failed: map[gitobject.ID]error{}, at: map[gitobject.ID]piece{}}
	}
	switch r.opt.Via {
	case ViaREST:
		return rest()
	case ViaGit:
		return newGitContent(url, r.wire())
	}
	return &autoContent{git: newGitContent(url, r.wire()), rest: rest()}
}

// wire are the settings of requests to git.
func (r *run) wire() gitwire.Options {
	return gitwire.Options{
		Transport: &slotted{r.client.GitTransport(), r.slots, r.told}, Dir: r.opt.Dir, MaxPack: r.opt.MaxPack, Sleep: r.opt.Sleep,
	}
}

// tree is the tree of a commit on GitHub. It is a source.Tree, and Rooted, Shared, a Fetcher,
// a ListFetcher and a Sizer.
type tree struct {
	run     *run
	node    string // of the repository, for GraphQL
	content content
	at      commit
	refs    []source.Ref
	shared  bool // content is closed by somebody else
}

func (t *tree) Ref() string        { return t.refs[0].Name }
func (t *tree) Commit() string     { return t.refs[0].Commit }
func (t *tree) Refs() []source.Ref { return t.refs }

// Root is "" where GitHub did not say it beside the commit, until the commit was fetched.
func (t *tree) Root() string {
	if t.at.root != (gitobject.ID{}) {
		return t.at.root.String()
	}
	wire := wireOf(t.content)
	if wire == nil || !wire.remote.Tried(t.at.id) {
		return ""
	}
	root, err := wire.remote.Root(t.at.id)
	if err != nil {
		return ""
	}
	return root.String()
}

// Close lets go of what was fetched for all trees of the repository.
func (t *tree) Close() error {
	if t.shared {
		return nil
	}
	return t.content.Close()
}

func (t *tree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return t.content.files(ctx, t.at)
}

func (t *tree) FetchLists(ctx context.Context, trees []source.Tree) error {
	var commits []commit
	for _, other := range trees {
		if other, ok := other.(*tree); ok && other.content == t.content {
			commits = append(commits, other.at)
		}
	}
	return t.content.lists(ctx, commits)
}

func (t *tree) Fetch(ctx context.Context, files []source.File) error {
	var ids []gitobject.ID
	for _, f := range files {
		if id, err := gitobject.FileID(ctx, f); err == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ctx.Err()
	}
	return t.content.blobs(ctx, ids)
}

func (t *tree) Read(ctx context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	id, err := gitobject.FileID(ctx, f)
	if err != nil {
		return buf[:0], err
	}
	data, err := t.content.read(ctx, id, max, buf)
	return data, at(f.Path, err)
}

func (t *tree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	id, err := gitobject.FileID(ctx, f)
	if err != nil {
		return nil, err
	}
	r, err := t.content.open(ctx, id)
	if err != nil {
		return nil, at(f.Path, err)
	}
	return r, nil
}

// fault is the error of a content for one of what it is made of.
func fault(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, source.ErrTooLarge):
		return err
	case errors.Is(err, gitobject.ErrMissing), errors.Is(err, gitobject.ErrCorrupt), errors.Is(err, gitobject.ErrLimit):
		return gitobject.Fault("", err)
	}
	return &source.PathError{Code: source.CodeFetch, Err: err}
}

// at gives an error of a content its path.
func at(path string, err error) error {
	var pe *source.PathError
	if errors.As(err, &pe) {
		return &source.PathError{Path: path, Code: pe.Code, Err: pe.Err}
	}
	return err
}

// wrongRoot is the error for a commit whose tree is not the one that GitHub said.
func wrongRoot(c commit, root gitobject.ID) error {
	return gitobject.Corrupt("the commit %s has the tree %s, and GitHub said %s", c.id, root, c.root)
}

// failing is a listing that is an error alone.
func failing(err error) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) { yield(source.File{}, err) }
}

var errNotGiven = fmt.Errorf("%w: it was asked for, and is not there", gitobject.ErrMissing)

package github

import (
	"context"
	"iter"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
)

// gitContent is a content that comes by git's protocol.
type gitContent struct {
	remote *gitwire.Remote
	trees  gitobject.Trees

	one sync.Mutex // held by who fetches a single object, so that nobody does it twice
}

func newGitContent(url string, opt gitwire.Options) *gitContent {
	g := &gitContent{remote: gitwire.New(url, opt)}
	g.trees.Content = g.remote.Tree
	g.trees.Size = func(gitobject.ID) int64 { return source.SizeUnfetched }
	return g
}

func (g *gitContent) Close() error { return g.remote.Close() }

func (g *gitContent) lists(ctx context.Context, commits []commit) error {
	ids := make([]gitobject.ID, len(commits))
	for i, c := range commits {
		ids[i] = c.id
	}
	return fault(ctx, g.remote.FetchCommits(ctx, ids))
}

// root gives the root of a commit, which is fetched if nobody tried.
func (g *gitContent) root(ctx context.Context, c commit) (gitobject.ID, error) {
	if err := g.single(ctx, c.id, func() error { return g.lists(ctx, []commit{c}) }); err != nil {
		return gitobject.ID{}, err
	}
	root, err := g.remote.Root(c.id)
	if err == nil && c.root != (gitobject.ID{}) && root != c.root {
		err = wrongRoot(c, root)
	}
	return root, err
}

// single calls fetch for an object that nobody tried to fetch. The error is of ctx alone:
// else who reads the object is told.
func (g *gitContent) single(ctx context.Context, id gitobject.ID, fetch func() error) error {
	if g.remote.Tried(id) {
		return nil
	}
	g.one.Lock()
	defer g.one.Unlock()
	if !g.remote.Tried(id) {
		_ = fetch()
	}
	return ctx.Err()
}

func (g *gitContent) files(ctx context.Context, c commit) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		root, err := g.root(ctx, c)
		if ctx.Err() != nil {
			return
		}
		list := g.trees.Files(ctx, root)
		if err != nil {
			list = failing(fault(ctx, err))
		}
		list(yield)
	}
}

func (g *gitContent) blobs(ctx context.Context, ids []gitobject.ID) error {
	return fault(ctx, g.remote.FetchBlobs(ctx, ids))
}

func (g *gitContent) blob(ctx context.Context, id gitobject.ID) error {
	return g.single(ctx, id, func() error { return g.blobs(ctx, []gitobject.ID{id}) })
}

func (g *gitContent) read(ctx context.Context, id gitobject.ID, max int64, buf []byte) ([]byte, error) {
	if err := g.blob(ctx, id); err != nil {
		return buf[:0], err
	}
	data, err := g.remote.Read(id, gitobject.Blob, max, buf)
	return data, fault(ctx, err)
}

func (g *gitContent) open(ctx context.Context, id gitobject.ID) (source.ReadCloser, error) {
	if err := g.blob(ctx, id); err != nil {
		return nil, err
	}
	o, err := g.remote.Open(id, gitobject.MaxHeld)
	if err != nil {
		return nil, fault(ctx, err)
	}
	if o.Kind != gitobject.Blob {
		defer o.Close()
		return nil, fault(ctx, gitobject.Corrupt("a %s where a blob should be", o.Kind))
	}
	return o, nil
}

package gittags

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
)

// Remote is a repository behind an address. The caller closes what it is made of. It is safe for
// concurrent use.
type Remote struct {
	remote *gitwire.Remote
	trees  gitobject.Trees

	// Resolve says which commit of the repository has an id or the first digits of one, and
	// whether a branch or a tag holds it; its error wraps gomodule.ErrNone where there is none.
	// Git's protocol tells that of branches' and tags' own commits alone. It may be nil.
	Resolve func(ctx context.Context, id string) (commit string, reached bool, err error)

	mu    sync.Mutex
	refs  []gitwire.Ref
	asked bool
}

var _ gomodule.Tags = (*Remote)(nil)

// NewRemote makes the tags of a repository. Nothing is asked yet.
func NewRemote(remote *gitwire.Remote) *Remote {
	r := &Remote{remote: remote}
	r.trees.Content = remote.Tree
	r.trees.Size = func(gitobject.ID) int64 { return source.SizeUnfetched }
	return r
}

// list gives the branches and tags, which are asked for once.
func (r *Remote) list(ctx context.Context) ([]gitwire.Ref, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked {
		return r.refs, nil
	}
	refs, err := r.remote.Refs(ctx, source.Branches, source.Tags)
	if err != nil {
		return nil, missingRepository(err)
	}
	r.refs, r.asked = refs, true
	return refs, nil
}

// missingRepository gives an answer that there is no such repository, or none for us, its code.
func missingRepository(err error) error {
	var status *gitwire.StatusError
	if errors.As(err, &status) && (status.Status == 401 || status.Status == 403 || status.Status == 404) {
		return &source.PathError{Code: source.CodeNotVisible, Err: err}
	}
	return err
}

// Tag is gomodule.Tags's.
func (r *Remote) Tag(ctx context.Context, name string) (source.Tree, error) {
	refs, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		if ref.Name == source.Tags+name {
			return r.tree(ctx, ref.Name, ref.Peeled)
		}
	}
	return nil, fmt.Errorf("tag %q: %w", name, gomodule.ErrNone)
}

// Commit is gomodule.Tags's.
func (r *Remote) Commit(ctx context.Context, id string) (source.Tree, bool, error) {
	refs, err := r.list(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, ref := range refs {
		if strings.HasPrefix(ref.Peeled.String(), id) {
			t, err := r.tree(ctx, "", ref.Peeled)
			return t, true, err
		}
	}
	reached := false
	if r.Resolve != nil {
		if id, reached, err = r.Resolve(ctx, id); err != nil {
			return nil, false, err
		}
	}
	full, ok := gitobject.ParseID(id)
	if !ok {
		return nil, false, fmt.Errorf("commit %s: no branch or tag names it, and git's protocol finds no commit by a part of its id", id)
	}
	t, err := r.tree(ctx, "", full)
	var refused *gitwire.RefusedError
	if errors.As(err, &refused) && strings.Contains(refused.Text, id) { // "not our ref ID"
		err = fmt.Errorf("commit %s: %w: %w", id, gomodule.ErrNone, err)
	}
	return t, reached, err
}

// tree fetches a commit with its trees.
func (r *Remote) tree(ctx context.Context, ref string, commit gitobject.ID) (source.Tree, error) {
	if !r.remote.Holds(commit) {
		if err := r.remote.FetchCommits(ctx, []gitobject.ID{commit}); err != nil {
			return nil, fmt.Errorf("commit %s: %w", commit, err)
		}
	}
	root, err := r.remote.Root(commit)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", commit, err)
	}
	return &remoteTree{r, ref, commit, root}, nil
}

// remoteTree is the tree of a commit. It is a source.Tree and a source.Fetcher.
type remoteTree struct {
	of     *Remote
	ref    string
	commit gitobject.ID
	root   gitobject.ID
}

func (t *remoteTree) Ref() string    { return t.ref }
func (t *remoteTree) Commit() string { return t.commit.String() }

func (t *remoteTree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return t.of.trees.Files(ctx, t.root)
}

func (t *remoteTree) Fetch(ctx context.Context, files []source.File) error {
	var ids []gitobject.ID
	for _, f := range files {
		if id, err := gitobject.FileID(ctx, f); err == nil && !t.of.remote.Holds(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ctx.Err()
	}
	return t.of.remote.FetchBlobs(ctx, ids)
}

// here gives the id of a file's blob, which is fetched if nobody tried.
func (t *remoteTree) here(ctx context.Context, f source.File) (gitobject.ID, error) {
	id, err := gitobject.FileID(ctx, f)
	if err == nil && !t.of.remote.Tried(id) {
		err = t.of.remote.FetchBlobs(ctx, []gitobject.ID{id})
	}
	return id, err
}

func (t *remoteTree) Read(ctx context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	id, err := t.here(ctx, f)
	if err != nil {
		return buf[:0], err
	}
	data, err := t.of.remote.Read(id, gitobject.Blob, max, buf)
	return data, at(f.Path, err)
}

func (t *remoteTree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	id, err := t.here(ctx, f)
	if err != nil {
		return nil, err
	}
	o, err := t.of.remote.Open(id, gitobject.MaxHeld)
	if err != nil {
		return nil, at(f.Path, err)
	}
	if o.Kind != gitobject.Blob {
		return nil, errors.Join(gitobject.Fault(f.Path, gitobject.Corrupt("a %s where a blob should be", o.Kind)), o.Close())
	}
	return o, nil
}

// at gives an error of an object the path of its file.
func at(path string, err error) error {
	switch {
	case err == nil, errors.Is(err, source.ErrTooLarge):
		return err
	case errors.Is(err, gitobject.ErrMissing), errors.Is(err, gitobject.ErrCorrupt), errors.Is(err, gitobject.ErrLimit):
		return gitobject.Fault(path, err)
	}
	return &source.PathError{Path: path, Code: source.CodeFetch, Err: err}
}

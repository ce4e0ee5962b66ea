package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Tree is the tree of a commit. It is a source.Tree.
type Tree struct {
	repo *Repo
	ref  Ref
	text gitobject.CommitText
	also []source.Ref
}

// Tree opens the tree of the commit that a ref names. The error is a *source.PathError.
func (r *Repo) Tree(ref Ref) (*Tree, error) {
	text, err := r.objects.commit(ref.ID)
	if err != nil {
		f := gitobject.Fault(".git", err)
		f.Err = fmt.Errorf("the commit %s: %w", ref.ID, f.Err)
		return nil, f
	}
	return &Tree{repo: r, ref: ref, text: text}, nil
}

// Shows is what the commit shows beside its files.
func (t *Tree) Shows() *source.Commit {
	return &source.Commit{Tree: t.Root(), Message: t.text.Message, People: t.text.People}
}

// Share says that another ref names the tree.
func (t *Tree) Share(ref Ref) {
	t.also = append(t.also, source.Ref{Name: ref.Name, Commit: ref.ID.String()})
}

// Refs are the refs that name the tree; see source.Shared.
func (t *Tree) Refs() []source.Ref {
	return append([]source.Ref{{Name: t.Ref(), Commit: t.Commit()}}, t.also...)
}

// Root is the id of the tree.
func (t *Tree) Root() string { return t.text.Tree.String() }

// Ref is the full name of the ref, and "HEAD" where that names a commit itself.
func (t *Tree) Ref() string { return t.ref.Name }

// Commit is the id of the commit.
func (t *Tree) Commit() string { return t.ref.ID.String() }

// Parents are the ids of the commits that it came after.
func (t *Tree) Parents() []gitobject.ID { return t.text.Parents }

// Close closes the repository that t was opened from.
func (t *Tree) Close() error { return t.repo.Close() }

// Files yields the files of the tree; see source.Tree. An entry for a submodule is yielded
// with an error whose code says that it is a note.
func (t *Tree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return t.repo.trees.Files(ctx, t.text.Tree)
}

// Read appends the content of a file to buf[:0]; see source.Tree.
func (t *Tree) Read(ctx context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	id, err := gitobject.FileID(ctx, f)
	if err != nil {
		return buf[:0], err
	}
	data, err := t.repo.objects.read(id, gitobject.Blob, max, buf)
	if err != nil {
		return buf[:0], gitobject.Fault(f.Path, err)
	}
	return data, nil
}

// Open reads a file piece by piece. The read that meets its end returns an error in place
// of io.EOF when the content is not the one that the tree names.
func (t *Tree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	id, err := gitobject.FileID(ctx, f)
	if err != nil {
		return nil, err
	}
	o, err := t.repo.objects.open(id, gitobject.MaxHeld)
	if err == nil && o.Kind != gitobject.Blob {
		err = errors.Join(gitobject.Corrupt("a %s where a %s should be", o.Kind, gitobject.Blob), o.Close())
	}
	if err != nil {
		return nil, gitobject.Fault(f.Path, err)
	}
	return o, nil
}

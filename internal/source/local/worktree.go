package local

import (
	"context"
	"io"
	"iter"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// worktree is a folder as it lies. It was listed when the repository was found; files are
// opened when they are read, from the open folder, so that a link put in their place since
// leads nowhere else.
type worktree struct {
	files *confine.Files
	list  *listing
	part  string // of a folder that is part of a project: its path in there, with a "/" behind it
}

func (t *worktree) Ref() string    { return "worktree" }
func (t *worktree) Commit() string { return "" }
func (t *worktree) Close() error   { return t.files.Close() }

func (t *worktree) Files(ctx context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		for f, err := range t.list.all() {
			f.Path = t.part + f.Path
			if pe, ok := err.(*source.PathError); ok && t.part != "" {
				err = &source.PathError{Path: f.Path, Code: pe.Code, Err: pe.Err}
			}
			if ctx.Err() != nil || !yield(f, err) {
				return
			}
		}
	}
}

func (t *worktree) Read(ctx context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	r, size, err := t.open(ctx, f)
	if err != nil {
		return buf[:0], err
	}
	defer r.Close()
	data, err := confine.ReadAll(r, size, max, buf)
	if err != nil {
		return buf[:0], confine.Fault(f.Path, err)
	}
	return data, nil
}

func (t *worktree) Open(ctx context.Context, f source.File) (source.ReadCloser, error) {
	r, _, err := t.open(ctx, f)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (t *worktree) open(ctx context.Context, f source.File) (io.ReadCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if err := source.Openable(f); err != nil {
		return nil, 0, err
	}
	r, size, err := t.files.Open(strings.TrimPrefix(f.Path, t.part))
	if err != nil {
		return nil, 0, confine.Fault(f.Path, err)
	}
	return r, size, nil
}

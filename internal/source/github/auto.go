package github

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
)

// autoContent comes by git's protocol and, from the first listing that is refused there on,
// by REST. Blobs that git refuses alone come by REST as well.
type autoContent struct {
	git  *gitContent
	rest *restContent

	mu      sync.Mutex
	refusal error // of git; nil while there is none
}

func (a *autoContent) refused() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refusal
}

// refuse takes an error of git for a listing, and reports whether it is a refusal.
func (a *autoContent) refuse(err error) bool {
	if err == nil || !gitwire.Refused(err) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refusal == nil {
		a.refusal = err
	}
	return true
}

func (a *autoContent) Close() error {
	err := a.git.Close()
	if restErr := a.rest.Close(); err == nil {
		err = restErr
	}
	return err
}

func (a *autoContent) lists(ctx context.Context, commits []commit) error {
	if a.refused() == nil {
		if err := a.git.lists(ctx, commits); !a.refuse(err) {
			return err
		}
	}
	return a.rest.lists(ctx, commits)
}

func (a *autoContent) files(ctx context.Context, c commit) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		if a.refused() == nil {
			if _, err := a.git.root(ctx, c); !a.refuse(err) {
				a.git.files(ctx, c)(yield)
				return
			}
		}
		note := &source.PathError{Code: source.CodeFallback, Err: fmt.Errorf("read through the REST API: %w", a.refused())}
		if yield(source.File{}, note) {
			a.rest.files(ctx, c)(yield)
		}
	}
}

func (a *autoContent) blobs(ctx context.Context, ids []gitobject.ID) error {
	if a.refused() != nil {
		return a.rest.blobs(ctx, ids)
	}
	err := a.git.blobs(ctx, ids)
	if err == nil || !gitwire.Refused(err) {
		return err
	}
	var left []gitobject.ID
	for _, id := range ids {
		if !a.git.remote.Holds(id) {
			left = append(left, id)
		}
	}
	return a.rest.blobs(ctx, left)
}

// holder gives the content that has a blob, or knows why it has not; it is fetched if nobody
// tried.
func (a *autoContent) holder(ctx context.Context, id gitobject.ID) content {
	if a.git.remote.Holds(id) {
		return a.git
	}
	if a.refused() == nil && !a.rest.tried(id) {
		if err := a.git.blob(ctx, id); err != nil {
			return a.git
		}
		if _, err := a.git.remote.Open(id, 0); err == nil || !gitwire.Refused(err) {
			return a.git
		}
	}
	return a.rest
}

func (a *autoContent) read(ctx context.Context, id gitobject.ID, max int64, buf []byte) ([]byte, error) {
	return a.holder(ctx, id).read(ctx, id, max, buf)
}

func (a *autoContent) open(ctx context.Context, id gitobject.ID) (source.ReadCloser, error) {
	return a.holder(ctx, id).open(ctx, id)
}

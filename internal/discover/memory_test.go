package discover_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/source"
)

// memory is a tree of files by path.
type memory map[string]string

func (memory) Ref() string    { return "HEAD" }
func (memory) Commit() string { return "0123456789abcdef0123456789abcdef01234567" }

func (m memory) Files(context.Context) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		for _, path := range slices.Sorted(maps.Keys(m)) {
			if !yield(source.File{Path: path, Size: int64(len(m[path]))}, nil) {
				return
			}
		}
	}
}

func (m memory) Read(_ context.Context, f source.File, max int64, buf []byte) ([]byte, error) {
	if int64(len(m[f.Path])) > max {
		return buf[:0], source.ErrTooLarge
	}
	return append(buf[:0], m[f.Path]...), nil
}

func (m memory) Open(_ context.Context, f source.File) (source.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader([]byte(m[f.Path]))), nil
}

// propose proposes a policy for repositories by name, each a tree.
func propose(t testing.TB, opt discover.Options, repositories map[string]memory) *discover.Proposal {
	t.Helper()
	if opt.Organisation == "" && opt.Existing == nil {
		opt.Organisation = "acme"
	}
	opt.Name = "wormsweep.yaml"
	p, err := discover.Run(t.Context(), func(yield func(*source.Repository, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(repositories)) {
			if !yield(&source.Repository{Name: name, Trees: []source.Tree{repositories[name]}}, nil) {
				return
			}
		}
	}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

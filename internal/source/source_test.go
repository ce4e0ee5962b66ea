package source_test

import (
	"context"
	"encoding/hex"
	"errors"
	"iter"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source"
)

func TestBlobID(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}, // git hash-object --stdin </dev/null
		{"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"},
	} {
		if got := source.BlobID([]byte(tt.in)); got != tt.want {
			t.Errorf("BlobID(%q) = %s; want %s", tt.in, got, tt.want)
		}
		h := source.NewBlobHash(int64(len(tt.in)))
		for i := range len(tt.in) {
			h.Write([]byte{tt.in[i]})
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != tt.want {
			t.Errorf("%q byte by byte: %s; want %s", tt.in, got, tt.want)
		}
	}
}

// A submodule stands in the ledger; what a link is depends on what it stands for, so the
// code alone does not make it a note.
func TestCodeNote(t *testing.T) {
	for code, want := range map[source.Code]bool{
		source.CodeSubmodule: true, source.CodeBare: true,
		source.CodeUnreadable: false, source.CodeMissing: false, source.CodeLink: false,
		source.CodeSpecial: false, source.CodeLimit: false, source.CodeNoHead: false,
	} {
		if got := code.Note(); got != want {
			t.Errorf("%s.Note() = %v; want %v", code, got, want)
		}
	}
}

func TestRepositoryClose(t *testing.T) {
	broken := errors.New("broken")
	a, b := &closer{err: broken}, &closer{}
	r := source.Repository{Trees: []source.Tree{a, plain{}, b}}
	if err := r.Close(); !errors.Is(err, broken) {
		t.Errorf("Close() = %v; want %v", err, broken)
	}
	if a.closed != 1 || b.closed != 1 {
		t.Errorf("closed %d and %d times; want once each", a.closed, b.closed)
	}
	if err := new(source.Repository).Close(); err != nil {
		t.Errorf("Close of a repository without trees: %v", err)
	}
}

type plain struct{}

func (plain) Ref() string    { return "worktree" }
func (plain) Commit() string { return "" }
func (plain) Files(context.Context) iter.Seq2[source.File, error] {
	return func(func(source.File, error) bool) {}
}

func (plain) Read(context.Context, source.File, int64, []byte) ([]byte, error) { return nil, nil }
func (plain) Open(context.Context, source.File) (source.ReadCloser, error)     { return nil, nil }

type closer struct {
	plain
	err    error
	closed int
}

func (c *closer) Close() error { c.closed++; return c.err }

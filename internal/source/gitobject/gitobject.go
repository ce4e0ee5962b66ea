// Package gitobject reads git's objects: ids, pack entries, deltas, loose objects and trees,
// wherever the bytes come from. It is what a repository on disk and one behind a network
// have in common.
//
// All bytes are an attacker's. No object is made by recursion, each is within a limit of
// size and of work, and each that is read to its end was compared with its id. The format
// of pack entries is go-git's to know (plumbing/format/packfile); the policy is here.
package gitobject

import (
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// ID is the SHA-1 id of an object.
type ID [20]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads 40 hex digits.
func ParseID(text string) (id ID, ok bool) {
	if len(text) != 2*len(id) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil
}

// The kinds of objects, as git spells them.
var (
	Commit = plumbing.CommitObject.String()
	Tree   = plumbing.TreeObject.String()
	Blob   = plumbing.BlobObject.String()
	Tag    = plumbing.TagObject.String()
)

// Errors of objects; Fault gives each its code.
var (
	ErrMissing = errors.New("the object is not there: a partial or shallow clone, or a damaged one")
	ErrCorrupt = errors.New("the object does not decode")
	ErrLimit   = errors.New("over a limit")
)

// Corrupt is an error that wraps ErrCorrupt and says what is wrong.
func Corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrCorrupt, fmt.Errorf(format, args...))
}

// Fault is the error of a tree for what could not be read of path: one of the errors of
// this package, or of the operating system.
func Fault(path string, err error) *source.PathError {
	code := source.CodeLimit
	switch {
	case errors.Is(err, ErrMissing):
		code = source.CodeMissing
	case errors.Is(err, ErrCorrupt):
		code = source.CodeCorrupt
	case !errors.Is(err, ErrLimit):
		return confine.Fault(path, err)
	}
	return &source.PathError{Path: path, Code: code, Err: err}
}

// Limits of the work on the packs of one repository. What a pack of 1 MB can be made to
// inflate to has no bound, since deltas copy; what its reading may cost has.
const (
	freeWork     = 1 << 30 // bytes made, whatever the size of the packs
	workPerByte  = 2_000   // and for each byte of them
	workPerEntry = 4 << 10 // that finding one pack entry counts as
)

// Work is what reading objects may still cost, in bytes made. It is safe for concurrent use.
type Work struct{ left atomic.Int64 }

// NewWork gives the work that is free.
func NewWork() *Work {
	w := &Work{}
	w.left.Store(freeWork)
	return w
}

// Grow adds the work that a pack of n bytes allows.
func (w *Work) Grow(n int64) { w.left.Add(n * workPerByte) }

// Spend takes the work of n bytes. The error wraps ErrLimit when none is left.
func (w *Work) Spend(n int64) error {
	if w.left.Add(-n) < 0 {
		return fmt.Errorf("%w: the objects inflate to more than %d bytes and %d for each byte of their packs", ErrLimit, freeWork, workPerByte)
	}
	return nil
}

// SpendEntry takes the work of finding one pack entry.
func (w *Work) SpendEntry() error { return w.Spend(workPerEntry) }

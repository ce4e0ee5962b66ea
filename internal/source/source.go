// Package source is what a sweep reads: repositories, the trees that they hold, and the
// files of each tree. Where the trees come from is the business of its sub-packages:
// local reads folders and git repositories on disk.
//
// Nothing that a repository holds is executed, followed out of it or believed: no link,
// no .gitignore, no git configuration, no alternates that lead elsewhere.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Repository is one repository of the organisation, or a plain folder that stands for one.
type Repository struct {
	// Name is what reports call it: the path below the folder that was named, with slashes.
	Name string
	// Server and Number are the server that the repository lies on and its id there, which stays
	// when its name changes; "" and 0 for one on disk.
	Server string
	Number int64
	// Path is where it is, as a person would open it.
	Path string
	// Loose says that this is no repository, but the files that lie beside the repositories of
	// a folder: it is swept, and counts as one only where something is found or unread.
	Loose bool
	// Trees are the states in which it is swept, the most telling first: the checkout as
	// it lies, then HEAD.
	Trees []Tree
	// Problems are what could not be looked at, and so keep the repository from being
	// clean. Notes are what was left out on purpose, for the ledger.
	Problems []Problem
	Notes    []Note
	// Seen is what the repository shows beside its files, each value once for each ref that
	// shows it.
	Seen []Seen
	// AllRefs says that every branch and tag that there is was listed, and shows its name in Seen.
	AllRefs bool
	// Asked is when its server was asked what its refs name, or a little before; zero of one on disk.
	Asked time.Time

	shown int // bytes of Seen
}

// Close lets go of what the trees of r hold open. Nothing is read from them after it.
func (r *Repository) Close() error {
	var errs []error
	for _, t := range r.Trees {
		if c, ok := t.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Problem is something of a repository that could not be looked at.
type Problem struct {
	File   string // path in the repository with slashes; "" for the repository itself
	Code   Code
	Detail string // one line; strings from outside quoted with %q
}

// Note is something that was left out on purpose: a link that is not followed, a submodule
// that is a repository of its own.
type Note struct {
	File   string
	Code   Code
	Detail string
}

// Code is the kind of a Problem or Note; stable, for machines (docs/problems.md).
type Code string

// The codes of sources.
const (
	CodeUnreadable  Code = "unreadable"   // the operating system refused
	CodeNotARepo    Code = "not-a-repo"   // looks like a git repository and cannot be opened as one
	CodeObjectsSHA2 Code = "sha256-repo"  // object format SHA-256: not read
	CodeRefTable    Code = "reftable"     // ref storage "reftable": not read
	CodeMissing     Code = "missing"      // an object that the tree names is not there: partial or shallow
	CodeCorrupt     Code = "corrupt"      // an object that does not decode, or whose id is wrong
	CodeOutside     Code = "outside"      // a .git file or alternates that lead out of the named folders
	CodeNoHead      Code = "no-head"      // HEAD names nothing: an empty repository
	CodeLink        Code = "link"         // a symbolic link: not followed
	CodeSpecial     Code = "special-file" // a device, socket or pipe: not opened
	CodeSubmodule   Code = "submodule"    // a repository of its own, swept only where it is named
	CodeBare        Code = "bare-repo"    // a bare repository inside a work tree: listed as files, not opened
	CodeUnknownName Code = "unknown-name" // a file that was named, and that no format has the name of
	CodeLimit       Code = "limit"        // more files, or deeper, than a limit of ours

	CodeFetch       Code = "fetch"        // a server did not give what it was asked for, or not in time
	CodeRef         Code = "ref"          // a ref whose commit could not be found out
	CodeNotACommit  Code = "not-a-commit" // a tag of something else than a commit: there are no files to sweep
	CodePartialView Code = "partial-view" // the organisation has repositories that are not shown
	CodeNotVisible  Code = "not-visible"  // no such repository, or one that the credentials do not show
	CodePermission  Code = "permission"   // the credentials lack a permission; the detail names it
	CodeDisabled    Code = "disabled"     // GitHub has blocked the repository
	CodeLocked      Code = "locked"       // the repository is being moved, and cannot be read
	CodeRenamed     Code = "renamed"      // the repository has another name than it was asked for by
	CodeArchived    Code = "archived"     // read-only by decision of its owner; it is swept
	CodeFork        Code = "fork"         // a fork; it is swept
	CodeUnselected  Code = "not-selected" // a repository that the selection leaves out
	CodeNotKept     Code = "not-kept"     // the inventory lacks it, or has it only as another version or catalogue made it
	CodeFallback    Code = "fallback"     // read in the second-best way; the detail says why
)

// Note reports whether what bears the code was left out on purpose, and so is a Note and
// no Problem, where the code alone tells: it is how a PathError from Tree.Files is filed.
func (c Code) Note() bool { return c == CodeSubmodule || c == CodeBare || c == CodeFallback }

// Limits of a tree.
const (
	MaxFiles     = 2_000_000 // files and folders of one tree; the tree is marked incomplete beyond
	MaxTreeDepth = 1_000     // folders in folders
)

// What a tree says of the place where it ends for a limit.
var (
	ErrMaxFiles     = fmt.Errorf("more than %d files and folders: the rest is not listed", MaxFiles)
	ErrMaxTreeDepth = fmt.Errorf("more than %d folders in folders: what lies in this one is not listed", MaxTreeDepth)
)

// Tree is one state of a repository. It is safe for concurrent use.
type Tree interface {
	// Ref says which state: "worktree" for a checkout as it lies, or the full name of the
	// ref, "refs/heads/main" or "HEAD". Commit is its commit id, "" for a worktree.
	Ref() string
	Commit() string

	// Files yields every file, sorted by path. A pair with an error stands for something
	// that could not be read or, where its Code.Note says so, was left out on purpose; it
	// wraps a *PathError, the sequence goes on after it, and it ends early when ctx is done.
	Files(ctx context.Context) iter.Seq2[File, error]

	// Read appends the file's content to buf[:0] and returns it. A file larger than max
	// bytes is not read: the error is ErrTooLarge. Any other error wraps a *PathError.
	Read(ctx context.Context, f File, max int64, buf []byte) ([]byte, error)

	// Open reads the file piece by piece, for digests of large files.
	Open(ctx context.Context, f File) (ReadCloser, error)
}

// ReadCloser is io.ReadCloser, named here so that Tree reads without an import.
type ReadCloser interface {
	Read(p []byte) (int, error)
	Close() error
}

// File is an entry of a tree that is no folder.
type File struct {
	Path string // with slashes, relative to the tree's root; any bytes but NUL
	// Size is in bytes, or SizeAbsent or SizeUnfetched.
	Size int64
	// Blob is the git blob id in lower-case hex, "" where the tree does not know it without
	// reading the file.
	Blob string
	// Link says that the entry is a symbolic link, Special that it is a device, socket or
	// pipe. Both are listed, never opened or followed.
	Link    bool
	Special bool
}

// The values of File.Size that are no size.
const (
	// SizeAbsent: the tree names the file and does not hold its content, as in a partial
	// clone. It cannot be read.
	SizeAbsent = -1
	// SizeUnfetched: the content lies elsewhere and can be fetched, by Fetcher or by reading
	// the file; nobody knows its size before.
	SizeUnfetched = -2
)

// ErrTooLarge is returned by Tree.Read for a file over the given size.
var ErrTooLarge = errors.New("larger than the limit")

// PathError is a file, folder or object that could not be read.
type PathError struct {
	Path string // in the tree, with slashes; "" for its root
	Code Code
	Err  error
}

func (e *PathError) Error() string { return string(e.Code) + ": " + e.Path + ": " + e.Err.Error() }
func (e *PathError) Unwrap() error { return e.Err }

var (
	errLink    = errors.New("a symbolic link: not followed")
	errSpecial = errors.New("a device, socket or pipe: not opened")
)

// Openable gives the error of Tree.Read and Tree.Open for an entry that is listed and never
// opened: a link or a special file. It is nil for a regular file.
func Openable(f File) error {
	switch {
	case f.Link:
		return &PathError{Path: f.Path, Code: CodeLink, Err: errLink}
	case f.Special:
		return &PathError{Path: f.Path, Code: CodeSpecial, Err: errSpecial}
	}
	return nil
}

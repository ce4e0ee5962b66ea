package gitrepo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Ref is a name for a commit.
type Ref struct {
	Name string // "refs/heads/main", or "HEAD" where that names a commit itself
	ID   gitobject.ID
}

// ErrEmpty is wrapped by the error of Head for a repository that has no ref at all.
var ErrEmpty = errors.New("no commit yet")

const (
	maxSymbolic   = 5       // refs that name refs; git gives up there as well
	maxPackedRefs = 1 << 30 // bytes of packed-refs, read as a stream
	maxRefFolders = 10_000  // folders and files looked at for any ref
)

// errNoRef says that neither a file nor packed-refs holds a ref.
var errNoRef = errors.New("no such ref")

// Head gives what HEAD names: its commit, under the name of the branch. The error is a
// *source.PathError, of the code CodeNoHead where HEAD names a branch that is not there.
func (r *Repo) Head() (Ref, error) {
	text, err := confine.ReadFile(r.dir, "HEAD", maxRefFile)
	if err != nil {
		return Ref{}, notThere(err, "HEAD")
	}
	name := "HEAD"
	for range maxSymbolic {
		target, symbolic := strings.CutPrefix(string(text), "ref:")
		if !symbolic {
			id, err := parseRef(name, text)
			return Ref{name, id}, err
		}
		name = strings.TrimSpace(target)
		if name == "refs/heads/.invalid" { // what git writes where refs are stored in another way
			return Ref{}, errRefStorage("unknown")
		}
		if !strings.HasPrefix(name, "refs/") || path.Clean(name) != name || strings.ContainsRune(name, 0) {
			return Ref{}, refError(source.CodeCorrupt, "HEAD names %.100q, which is no ref", name)
		}
		text, err = r.lookUp(name)
		if errors.Is(err, errNoRef) {
			return Ref{}, r.noHead(name)
		}
		if err != nil {
			return Ref{}, err
		}
	}
	return Ref{}, refError(source.CodeCorrupt, "HEAD names a ref that names a ref, and so on more than %d times", maxSymbolic)
}

func refError(code source.Code, format string, args ...any) error {
	return &source.PathError{Path: ".git", Code: code, Err: fmt.Errorf(format, args...)}
}

// noHead is the error for HEAD naming a ref that is not there. An empty repository is like
// that; one with other refs holds commits that nobody would look at.
func (r *Repo) noHead(name string) error {
	if r.anyRef() {
		return refError(source.CodeNoHead, "HEAD names %q, which is not there; there are other refs", name)
	}
	return refError(source.CodeNoHead, "HEAD names %q: %w", name, ErrEmpty)
}

// parseRef reads the text of a ref that is not symbolic: an id, and what follows white
// space is of no account.
func parseRef(name string, text []byte) (gitobject.ID, error) {
	fields := strings.Fields(string(text))
	if len(fields) > 0 {
		if id, ok := gitobject.ParseID(fields[0]); ok {
			return id, nil
		}
		if len(fields[0]) == 64 {
			return gitobject.ID{}, errObjectFormat("sha256")
		}
	}
	return gitobject.ID{}, refError(source.CodeCorrupt, "the ref %q holds %.50q, which is no object id", name, text)
}

// lookUp gives the text of a ref: of its file or, where there is none, of its line in
// packed-refs.
func (r *Repo) lookUp(name string) ([]byte, error) {
	text, err := confine.ReadFile(r.common, name, maxRefFile)
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, confine.ErrNotRegular):
		return r.packed(name) // a folder may have the name of a ref that was packed
	}
	return nil, confine.Fault(".git", fmt.Errorf("the ref %q: %w", name, confine.Fault("", err).Err))
}

// packed looks for a ref in packed-refs. The file is read as a stream and not held: a
// repository may have a million refs.
func (r *Repo) packed(name string) ([]byte, error) {
	f, info, err := confine.Open(r.common, "packed-refs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoRef
	}
	if err != nil {
		return nil, confine.Fault(".git", fmt.Errorf("packed-refs: %w", confine.Fault("", err).Err))
	}
	defer f.Close()
	if info.Size() > maxPackedRefs {
		return nil, refError(source.CodeLimit, "packed-refs has %d bytes", info.Size())
	}
	id, err := findPacked(f, name)
	if err != nil && !errors.Is(err, errNoRef) {
		err = refError(source.CodeCorrupt, "packed-refs: %w", err)
	}
	return id, err
}

// findPacked reads packed-refs until the line of a ref, of any ref where name is empty. A
// line that is none is an error, since it could be the one that is sought. The error is
// errNoRef at the end of the file.
func findPacked(r io.Reader, name string) (found []byte, err error) {
	err = eachPacked(r, func(id, ref []byte) bool {
		if name == "" || string(ref) == name {
			found = bytes.Clone(id)
		}
		return found == nil
	})
	if err == nil && found == nil {
		err = errNoRef
	}
	return found, err
}

// anyRef reports whether the repository may hold a ref.
func (r *Repo) anyRef() bool {
	if _, err := r.packed(""); !errors.Is(err, errNoRef) {
		return true
	}
	seen, found := 0, false
	err := fs.WalkDir(r.common.FS(), "refs", func(_ string, e fs.DirEntry, err error) error {
		seen++
		found = err == nil && !e.IsDir() || seen > maxRefFolders
		if found {
			return fs.SkipAll
		}
		return err
	})
	return found || err != nil && !errors.Is(err, fs.ErrNotExist)
}

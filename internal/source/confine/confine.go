// Package confine opens files below the folders that a user named, and nothing else.
//
// What lies in those folders is written by others, and may change while it is read: a
// folder becomes a link, a file a pipe. So every path is resolved from an open folder
// (os.Root), links that lead out are refused by the operating system's own look-up and not
// by a check before it, and nothing that could block or answer with effects is read: Open
// gives regular files only.
package confine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
)

// Errors of this package; Fault gives each its code.
var (
	ErrOutside    = errors.New("leads out of the named folders")
	ErrNotRegular = errors.New("not a regular file")
)

// escapes is the text of the error of os.Root for a link that leads out of it, which has no
// name of its own.
const escapes = "path escapes from parent"

// Fault is the error of a tree for what could not be read at path: with the code of the
// errors of this package, and without the paths that the operating system's carry.
func Fault(path string, err error) *source.PathError {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if err.Error() == escapes {
		err = fmt.Errorf("%w through a link", ErrOutside)
	}
	code := source.CodeUnreadable
	switch {
	case errors.Is(err, ErrOutside):
		code = source.CodeOutside
	case errors.Is(err, ErrNotRegular):
		code = source.CodeSpecial
	case errors.Is(err, source.ErrTooLarge):
		code = source.CodeLimit
	}
	return &source.PathError{Path: path, Code: code, Err: err}
}

// Space is a set of named folders; the zero value is empty. It is safe for concurrent use
// once the last folder is added.
type Space struct {
	places []place
}

// place is one of them, under its absolute path without links.
type place struct {
	path string
	root *os.Root
}

// Add opens a folder, given by its Real path, and adds it. Close lets go of it.
func (s *Space) Add(path string) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	s.places = append(s.places, place{path, root})
	return nil
}

// Real is the absolute path of a file or folder, with every link resolved: the form in
// which git writes paths, and in which two names of one folder are equal.
func Real(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// OpenRoot opens the folder at an absolute path that lies in the space. The error wraps
// ErrOutside when the path, or a link on the way, leads out of it. The caller closes the
// root; it outlives the space.
func (s *Space) OpenRoot(path string) (*os.Root, error) {
	path = filepath.Clean(path)
	for _, p := range s.places {
		below, ok := Below(p.path, path)
		if !ok {
			continue
		}
		root, err := p.root.OpenRoot(below)
		if err == nil {
			return root, nil
		}
		if real, e := filepath.EvalSymlinks(path); e == nil && !s.holds(real) {
			return nil, fmt.Errorf("%q: %w through a link, to %q", path, ErrOutside, real)
		}
		return nil, err
	}
	return nil, fmt.Errorf("%q %w", path, ErrOutside)
}

func (s *Space) holds(path string) bool {
	for _, p := range s.places {
		if _, ok := Below(p.path, path); ok {
			return true
		}
	}
	return false
}

// Close closes the named folders; roots that were opened stay open.
func (s *Space) Close() error {
	var errs []error
	for _, p := range s.places {
		errs = append(errs, p.root.Close())
	}
	return errors.Join(errs...)
}

// Below gives path relative to folder, both clean and absolute; ok is false when it does
// not lie in folder. The folder itself is ".".
func Below(folder, path string) (rel string, ok bool) {
	if path == folder {
		return ".", true
	}
	if !strings.HasSuffix(folder, string(filepath.Separator)) {
		folder += string(filepath.Separator)
	}
	return strings.CutPrefix(path, folder)
}

// Open opens the regular file at name for reading. It never waits: a pipe or device is
// closed again unread, with an error that wraps ErrNotRegular.
func Open(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotRegular
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// ReadFile reads a small regular file. The error wraps source.ErrTooLarge for one over max
// bytes.
func ReadFile(root *os.Root, name string, max int64) ([]byte, error) {
	f, info, err := Open(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, info.Size(), max, nil)
}

// ReadAll reads r, which is thought to hold size bytes, to its end, and appends to buf[:0].
// Over max bytes it stops with an error that wraps source.ErrTooLarge: at once where size says
// so, and as soon as it shows where the file has grown.
func ReadAll(r io.Reader, size, max int64, buf []byte) ([]byte, error) {
	buf = buf[:0]
	if size > max {
		return buf, fmt.Errorf("%d bytes: %w of %d", size, source.ErrTooLarge, max)
	}
	if int64(cap(buf)) <= size { // room for one byte more, so that the end shows itself
		buf = make([]byte, 0, size+1)
	}
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > max {
			return buf[:0], fmt.Errorf("more than %d bytes: %w", max, source.ErrTooLarge)
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf[:0], err
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

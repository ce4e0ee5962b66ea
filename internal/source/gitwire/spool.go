package gitwire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// errLarge is the error of an answer over the limit of a pack.
var errLarge = fmt.Errorf("%w: the pack is too large", gitobject.ErrLimit)

// spool is a temporary file that nobody else can open by name once it is made, where the
// operating system lets an open file be removed; elsewhere it is removed when it is closed.
type spool struct {
	*os.File
	size    int64
	removed bool
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "wormsweep-*.pack")
	if err != nil {
		return nil, fmt.Errorf("a temporary file for a pack: %w", err)
	}
	return &spool{File: f, removed: os.Remove(f.Name()) == nil}, nil
}

func (s *spool) Close() error {
	err := s.File.Close()
	if !s.removed {
		err = errors.Join(err, os.Remove(s.Name()))
	}
	return err
}

// fill copies r to the file, at most max bytes. An error of the file is no fault of r: it
// is a *writeError.
func (s *spool) fill(r io.Reader, max int64) error {
	w := bufio.NewWriterSize(writer{s.File}, 64<<10)
	n, err := io.Copy(w, io.LimitReader(r, max+1))
	s.size = n
	switch {
	case err != nil:
		return err
	case n > max:
		return fmt.Errorf("%w: more than %d bytes", errLarge, max)
	}
	return w.Flush()
}

// writer marks the errors of writing.
type writer struct{ io.Writer }

func (w writer) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		err = &writeError{err}
	}
	return n, err
}

// writeError says that a pack could not be kept: the disk is full.
type writeError struct{ err error }

func (e *writeError) Error() string { return "a temporary file for a pack: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

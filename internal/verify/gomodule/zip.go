package gomodule

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"
)

// Limits of a zip, beside those of golang.org/x/mod/zip.
const (
	maxDirectory = 64 << 20 // bytes of its directory, with what is read to find it
	maxEntries   = 500_000
)

// badZipError says that what was served is no module zip.
type badZipError struct{ why string }

func (e *badZipError) Error() string { return e.why }

// errZipTooLarge says that it is larger than a module zip may be.
var errZipTooLarge = fmt.Errorf("more than %d bytes", int64(modzip.MaxZipFile))

// spool writes a zip to a file below dir, which drop closes and removes.
func spool(ctx context.Context, r io.Reader, dir string) (f *os.File, drop func(), err error) {
	f, err = os.CreateTemp(dir, "wormsweep-zip-")
	if err != nil {
		return nil, nil, err
	}
	drop = func() {
		f.Close()
		os.Remove(f.Name())
	}
	n, err := io.Copy(f, io.LimitReader(r, modzip.MaxZipFile+1))
	switch {
	case err != nil && ctx.Err() != nil:
		err = ctx.Err()
	case err == nil && n > modzip.MaxZipFile:
		err = errZipTooLarge
	}
	if err != nil {
		drop()
		return nil, nil, err
	}
	return f, drop, nil
}

// fromZip reads a module zip. The error is a *badZipError where it is none, and else says what
// could not be read.
func fromZip(ctx context.Context, f *os.File, m module.Version) (sums, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	directory := &metered{f, maxDirectory}
	archive, err := zip.NewReader(directory, info.Size())
	switch {
	case directory.left < 0:
		return nil, &badZipError{fmt.Sprintf("its directory has more than %d bytes", maxDirectory)}
	case err != nil:
		return nil, &badZipError{err.Error()}
	case len(archive.File) > maxEntries:
		return nil, &badZipError{fmt.Sprintf("more than %d files", maxEntries)}
	}
	if _, err := modzip.CheckZip(m, f.Name()); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, &badZipError{fmt.Sprintf("%.300q", first)}
	}
	if archive, err = zip.NewReader(f, info.Size()); err != nil {
		return nil, &badZipError{err.Error()}
	}
	out := sums{}
	prefix := m.String() + "/"
	left := int64(modzip.MaxZipFile)
	for _, entry := range archive.File {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sum, size, err := sumOf(entry, left)
		if err != nil {
			return nil, &badZipError{fmt.Sprintf("%.100q: %v", entry.Name, err)}
		}
		left -= size
		out[strings.TrimPrefix(entry.Name, prefix)] = sum
	}
	return out, nil
}

// sumOf is the SHA-256 of a file in a zip, which has at most max bytes whatever it says.
func sumOf(entry *zip.File, max int64) (sum [sha256.Size]byte, size int64, err error) {
	r, err := entry.Open()
	if err != nil {
		return sum, 0, err
	}
	defer r.Close()
	h := sha256.New()
	size, err = io.Copy(h, io.LimitReader(r, max+1))
	if err == nil && size > max {
		err = errZipTooLarge
	}
	h.Sum(sum[:0])
	return sum, size, err
}

// metered reads at most so many bytes.
type metered struct {
	r    io.ReaderAt
	left int64
}

var errMetered = errors.New("over the limit")

func (m *metered) ReadAt(p []byte, at int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, errMetered
	}
	return m.r.ReadAt(p, at)
}

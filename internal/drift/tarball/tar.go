package tarball

import (
	"archive/tar"
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// counter counts the bytes of an archive, and ends it in an error at the limit.
type counter struct {
	from  io.Reader
	n     int64
	limit int64
	err   error // of from, or the limit
}

func (c *counter) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.limit-c.n+1)])
	c.n += int64(n)
	switch {
	case c.n > c.limit:
		c.err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, c.limit)
		return 0, c.err
	case err != nil && err != io.EOF:
		c.err = &readError{err}
		return n, c.err
	}
	return n, err
}

// readError is of the io.Reader, and says nothing of the archive.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// damaged says what an error of a decoder means: the archive's fault, or the reader's.
func damaged(name string, err error) error {
	var read *readError
	switch {
	case errors.As(err, &read):
		return read.err
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrMalformed):
		return err
	}
	return fmt.Errorf("%w: %.100q: %v", ErrMalformed, name, err)
}

func (b *builder) tarGzip(r io.Reader) error {
	from := &counter{from: r, limit: b.limits.Packed}
	b.packed = func() int64 { return from.n }
	// A reader of bytes keeps gzip from reading ahead, so that what follows it shows.
	buffered := bufio.NewReader(from)
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		return damaged("the gzip header", err)
	}
	unzipped.Multistream(false)
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return damaged("a tar header", err)
		}
		if err := b.tarEntry(header, archive); err != nil {
			return err
		}
	}
	return b.tarEnd(unzipped, buffered)
}

func (b *builder) tarEntry(header *tar.Header, content io.Reader) error {
	switch header.Typeflag {
	case tar.TypeReg:
		return b.file(header.Name, header.Size, header.Mode, content)
	case tar.TypeDir:
		if header.Size != 0 {
			return fmt.Errorf("%w: the folder %.100q has content", ErrMalformed, header.Name)
		}
		return b.name(header.Name, true)
	case tar.TypeXGlobalHeader: // "git archive" writes the commit into one
		for key := range header.PAXRecords {
			if key != "comment" {
				return fmt.Errorf("%w: a header for all entries that sets %.40q", ErrMalformed, key)
			}
		}
		return nil
	case tar.TypeSymlink, tar.TypeLink:
		return fmt.Errorf("%w: the link %.100q to %.100q", ErrMalformed, header.Name, header.Linkname)
	}
	return fmt.Errorf("%w: %.100q is no file and no folder, but of type %q", ErrMalformed, header.Name, header.Typeflag)
}

// tarEnd holds that nothing but zeros follows the end of the tar, and nothing that of gzip.
func (b *builder) tarEnd(unzipped io.Reader, buffered *bufio.Reader) error {
	const padding = 1 << 20 // tar fills blocks of 10 KiB
	buf := make([]byte, 32<<10)
	for total := 0; ; {
		n, err := unzipped.Read(buf)
		total += n
		for _, c := range buf[:n] {
			if c != 0 {
				return fmt.Errorf("%w: bytes after the end of the tar", ErrMalformed)
			}
		}
		var corrupt flate.CorruptInputError
		switch {
		case total > padding:
			return fmt.Errorf("%w: more than %d bytes after the end of the tar", ErrMalformed, padding)
		case err == io.EOF:
		case errors.As(err, &corrupt), err != nil:
			return damaged("the end of the tar", err)
		default:
			continue
		}
		break
	}
	switch c, err := buffered.ReadByte(); {
	case err == nil:
		return fmt.Errorf("%w: the byte %#02x after the end of gzip", ErrMalformed, c)
	case err != io.EOF:
		return damaged("the end of gzip", err)
	}
	return nil
}

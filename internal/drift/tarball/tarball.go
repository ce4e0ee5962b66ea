// Package tarball lists what stands in a published archive: an npm tarball (.tgz), a wheel
// (.whl), a source distribution (.tar.gz, .zip) or a Go module (.zip).
//
// Read is a function of its bytes. Nothing is written to disk, unpacked or followed: an entry
// is read once, for its size, digests and longest line, and forgotten. A tar is streamed; a
// zip is held in memory, for its table of contents stands at its end.
//
// It is strict. What one unpacker would read otherwise than another is a fault and not a
// guess: an absolute path, "..", a link, a device, a name that stands twice or differs from
// another in letter case alone, a zip whose table says another thing than its entries, bytes
// between entries or after the end. With the first fault the Listing is given as far as it was
// read, beside an error that wraps ErrMalformed, or ErrTooLarge at a limit.
package tarball

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// Format is the form of an archive.
type Format uint8

// The formats.
const (
	TarGzip Format = iota + 1
	Zip
)

// FormatOf gives the format of a file by its name, 0 for one that is not read.
func FormatOf(name string) Format {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".tgz"), strings.HasSuffix(lower, ".tar.gz"):
		return TarGzip
	case strings.HasSuffix(lower, ".whl"), strings.HasSuffix(lower, ".zip"):
		return Zip
	}
	return 0
}

// What an error of Read wraps. Every other error is of the io.Reader that was given.
var (
	ErrMalformed = errors.New("not an archive that every program reads alike")
	ErrTooLarge  = errors.New("an archive over the limit")
)

// Limits are bounds of one archive. A zero field is the default.
type Limits struct {
	Packed   int64 // bytes of the archive; 64 MiB
	Unpacked int64 // bytes of all its entries; 512 MiB
	Ratio    int64 // unpacked bytes for each packed one, from the first MiB on; 200
	Entries  int   // 50,000
	Name     int   // bytes of a path; 1,024
	Manifest int64 // bytes of a package.json that is kept; 1 MiB
}

func (l Limits) filled() Limits {
	set := func(v *int64, n int64) {
		if *v == 0 {
			*v = n
		}
	}
	set(&l.Packed, 64<<20)
	set(&l.Unpacked, 512<<20)
	set(&l.Ratio, 200)
	set(&l.Manifest, 1<<20)
	if l.Entries == 0 {
		l.Entries = 50_000
	}
	if l.Name == 0 {
		l.Name = 1024
	}
	return l
}

// Listing is what stands in an archive, in its order.
type Listing struct {
	Entries []Entry
	// Manifest is the package.json of an npm package, nil where there is none, or where it is
	// over the limit.
	Manifest []byte
	Unpacked int64 // bytes of all entries
}

// Entry is one regular file.
type Entry struct {
	Path    string // as in the archive, with the folder that all of its files stand in
	Size    int64
	SHA256  [32]byte
	Blob    [20]byte // the id that git gives such content
	Longest int64    // bytes of its longest line
	Mode    int64    // permission bits
}

// Read lists an archive. See the package comment for its errors.
func Read(r io.Reader, format Format, limits Limits) (Listing, error) {
	b := &builder{limits: limits.filled(), names: map[string]string{}, folders: map[string]bool{}}
	var err error
	switch format {
	case TarGzip:
		err = b.tarGzip(r)
	case Zip:
		err = b.zip(r)
	default:
		err = fmt.Errorf("format %d: %w", format, ErrMalformed)
	}
	return b.listing, err
}

// builder is a Listing in the making.
type builder struct {
	limits  Limits
	listing Listing
	entries int
	names   map[string]string // of files, by lower case: as it was written
	folders map[string]bool   // by lower case, named or not
	packed  func() int64      // bytes of the archive that were read
}

// name checks the path of an entry; folders are checked and not listed.
func (b *builder) name(name string, folder bool) error {
	b.entries++
	switch {
	case b.entries > b.limits.Entries:
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, b.limits.Entries)
	case len(name) > b.limits.Name:
		return fmt.Errorf("%w: a name of %d bytes", ErrTooLarge, len(name))
	}
	clean := name
	if folder {
		clean = strings.TrimSuffix(name, "/")
		if clean == "." {
			return nil
		}
	}
	clean = strings.TrimPrefix(clean, "./")
	switch {
	case clean == "", !utf8.ValidString(clean), strings.ContainsAny(clean, "\\\x00"), strings.ContainsFunc(clean, control):
		return fmt.Errorf("%w: the name %.100q", ErrMalformed, name)
	case path.IsAbs(clean), len(clean) > 1 && clean[1] == ':':
		return fmt.Errorf("%w: the absolute path %.100q", ErrMalformed, name)
	case path.Clean(clean) != clean, clean == "..", strings.HasPrefix(clean, "../"):
		return fmt.Errorf("%w: the path %.100q, which is not plain", ErrMalformed, name)
	}
	key := strings.ToLower(clean)
	if before, twice := b.names[key]; twice {
		return fmt.Errorf("%w: %.100q stands twice, first as %.100q", ErrMalformed, name, before)
	}
	if folder {
		b.folders[key] = true
	} else if b.folders[key] {
		return fmt.Errorf("%w: %.100q is a file and a folder", ErrMalformed, name)
	} else {
		b.names[key] = name
	}
	for parent := path.Dir(key); parent != "." && !b.folders[parent]; parent = path.Dir(parent) {
		if _, file := b.names[parent]; file {
			return fmt.Errorf("%w: %.100q is below a file", ErrMalformed, name)
		}
		b.folders[parent] = true
	}
	return nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// file reads one regular file of size bytes to its end.
func (b *builder) file(name string, size, mode int64, content io.Reader) error {
	if err := b.name(name, false); err != nil {
		return err
	}
	name = strings.TrimPrefix(name, "./")
	if size < 0 || size > b.limits.Unpacked-b.listing.Unpacked {
		return fmt.Errorf("%w: %.100q of %d bytes", ErrTooLarge, name, size)
	}
	s := newSummer(size)
	if isManifest(name) && size <= b.limits.Manifest {
		s.keep = make([]byte, 0, min(size, 64<<10))
	}
	if err := b.copy(name, s, content, size); err != nil {
		return err
	}
	entry := Entry{Path: name, Size: size, Longest: max(s.longest, s.line), Mode: mode & 0o777}
	s.sha256.Sum(entry.SHA256[:0])
	s.blob.Sum(entry.Blob[:0])
	b.listing.Entries = append(b.listing.Entries, entry)
	if s.keep != nil {
		b.listing.Manifest = s.keep
	}
	return nil
}

// isManifest reports whether a file is the package.json of an npm package, which stands in one
// folder of any name.
func isManifest(name string) bool {
	folder, file, nested := strings.Cut(name, "/")
	return nested && folder != "" && file == "package.json"
}

// copy reads an entry, and stops where it grows out of all proportion to the archive.
func (b *builder) copy(name string, to io.Writer, from io.Reader, size int64) error {
	buf := make([]byte, 64<<10)
	var n int64
	for {
		k, err := from.Read(buf)
		n += int64(k)
		b.listing.Unpacked += int64(k)
		switch {
		case n > size:
			return fmt.Errorf("%w: %.100q is longer than its %d bytes", ErrMalformed, name, size)
		case b.listing.Unpacked > 1<<20 && b.listing.Unpacked/b.limits.Ratio > b.packed():
			return fmt.Errorf("%w: %.100q unpacks to over %d times its size", ErrTooLarge, name, b.limits.Ratio)
		}
		_, _ = to.Write(buf[:k]) // a summer
		if err == io.EOF {
			break
		}
		if err != nil {
			return damaged(name, err)
		}
	}
	if n != size {
		return fmt.Errorf("%w: %.100q has %d of its %d bytes", ErrMalformed, name, n, size)
	}
	return nil
}

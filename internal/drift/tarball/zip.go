package tarball

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

func (b *builder) zip(r io.Reader) error {
	from := &counter{from: r, limit: b.limits.Packed}
	data, err := io.ReadAll(from)
	if err != nil {
		return damaged("the archive", err)
	}
	b.packed = func() int64 { return int64(len(data)) }
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return damaged("the table of contents", err)
	}
	if len(archive.File) > b.limits.Entries {
		return fmt.Errorf("%w: %d entries", ErrTooLarge, len(archive.File))
	}
	if err := seamless(data, archive); err != nil {
		return err
	}
	for _, f := range archive.File {
		if err := b.zipEntry(f); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) zipEntry(f *zip.File) error {
	mode := f.Mode()
	switch {
	case f.Flags&0x1 != 0:
		return fmt.Errorf("%w: %.100q is encrypted", ErrMalformed, f.Name)
	case mode.IsDir():
		if f.UncompressedSize64 != 0 {
			return fmt.Errorf("%w: the folder %.100q has content", ErrMalformed, f.Name)
		}
		return b.name(f.Name, true)
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%w: the link %.100q", ErrMalformed, f.Name)
	case !mode.IsRegular():
		return fmt.Errorf("%w: %.100q is no file and no folder", ErrMalformed, f.Name)
	case f.UncompressedSize64 > uint64(b.limits.Unpacked):
		return fmt.Errorf("%w: %.100q of %d bytes", ErrTooLarge, f.Name, f.UncompressedSize64)
	}
	content, err := f.Open()
	if err != nil {
		return damaged(f.Name, err)
	}
	defer content.Close()
	return b.file(f.Name, int64(f.UncompressedSize64), int64(mode.Perm()), content)
}

// The parts of a zip (APPNOTE.TXT 4.3.7, 4.3.9, 4.3.12).
const (
	localHeader    = "PK\x03\x04"
	dataDescriptor = "PK\x07\x08"
	centralHeader  = "PK\x01\x02"
	localSize      = 30
)

// seamless holds that the entries of the table, in the order of their places, fill the archive
// from its first byte to the table without a gap, and that each has the same name in its own
// header: some programs read the one, some the other.
func seamless(data []byte, archive *zip.Reader) error {
	type placed struct {
		file *zip.File
		at   int64
	}
	files := make([]placed, 0, len(archive.File))
	for _, f := range archive.File {
		at, err := f.DataOffset()
		if err != nil {
			return damaged(f.Name, err)
		}
		files = append(files, placed{f, at})
	}
	slices.SortStableFunc(files, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	at := int64(0)
	for _, p := range files {
		rest := data[at:]
		if len(rest) < localSize || string(rest[:4]) != localHeader {
			return fmt.Errorf("%w: %.100q does not follow what is before it", ErrMalformed, p.file.Name)
		}
		name := int64(binary.LittleEndian.Uint16(rest[26:]))
		extra := int64(binary.LittleEndian.Uint16(rest[28:]))
		if at+localSize+name+extra != p.at || int64(len(rest)) < localSize+name+extra {
			return fmt.Errorf("%w: %.100q is not where the table says", ErrMalformed, p.file.Name)
		}
		if own := string(rest[localSize : localSize+name]); own != p.file.Name {
			return fmt.Errorf("%w: the table calls %.100q what calls itself %.100q", ErrMalformed, p.file.Name, own)
		}
		if p.file.CompressedSize64 > uint64(int64(len(data))-p.at) {
			return fmt.Errorf("%w: %.100q ends behind the archive", ErrMalformed, p.file.Name)
		}
		at = p.at + int64(p.file.CompressedSize64)
		if p.file.Flags&0x8 != 0 {
			at += descriptor(data[at:])
		}
	}
	if len(files) > 0 && !bytes.HasPrefix(data[at:], []byte(centralHeader)) {
		return fmt.Errorf("%w: bytes between the entries and the table", ErrMalformed)
	}
	end := bytes.LastIndex(data, []byte("PK\x05\x06"))
	if end < 0 || end+22+len(archive.Comment) != len(data) {
		return fmt.Errorf("%w: bytes after the end", ErrMalformed)
	}
	return nil
}

// descriptor gives the size of what follows the data of an entry with flag bit 3: a mark, which
// may be left out, a CRC and two sizes, of 4 bytes or of 8.
func descriptor(rest []byte) int64 {
	n := int64(0)
	if bytes.HasPrefix(rest, []byte(dataDescriptor)) {
		n = 4
	}
	short, long := n+12, n+20
	fits := func(size int64) bool {
		after := rest[min(size, int64(len(rest))):]
		return bytes.HasPrefix(after, []byte(localHeader)) || bytes.HasPrefix(after, []byte(centralHeader))
	}
	if !fits(short) && fits(long) {
		return long
	}
	return short
}

package gitobject

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// Pack is the entries of a pack. It is safe for concurrent use if its Data and Find are.
type Pack struct {
	Data io.ReaderAt
	Size int64 // of Data
	// Find gives the place of the base that a difference names by its id: a pack, this one
	// as a rule, and the offset of an entry of it.
	Find func(ID) (at *Pack, offset int64, found bool, err error)
}

// Entry is an entry of a pack: a whole object or the difference to another.
type Entry struct {
	*packfile.ObjectHeader
	scanner *packfile.Scanner
}

var scanners = sync.Pool{New: func() any { return packfile.NewScanner(bytes.NewReader(nil)) }}

// Entry reads the header of the entry at an offset. The caller closes the entry.
func (p *Pack) Entry(offset int64) (Entry, error) {
	scanner := scanners.Get().(*packfile.Scanner)
	scanner.Reset(io.NewSectionReader(p.Data, 0, p.Size))
	header, err := scanner.SeekObjectHeader(offset)
	if err != nil {
		scanners.Put(scanner)
		return Entry{}, Corrupt("no pack entry at offset %d: %v", offset, err)
	}
	return Entry{header, scanner}, nil
}

// Close lets go of the pack.
func (e Entry) Close() {
	e.scanner.Reset(bytes.NewReader(nil))
	scanners.Put(e.scanner)
}

// Kind is the kind of a whole object, and "" for a difference.
func (e Entry) Kind() string { return kindOf(e.Type) }

func kindOf(t plumbing.ObjectType) string {
	switch t {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
		return t.String()
	}
	return ""
}

// base gives the place of the entry that a difference is to.
func (p *Pack) base(e Entry) (*Pack, int64, error) {
	switch e.Type {
	case plumbing.OFSDeltaObject:
		return p, e.OffsetReference, nil
	case plumbing.REFDeltaObject:
		at, offset, found, err := p.Find(ID(e.Reference))
		if err == nil && !found {
			err = Corrupt("it is stored as the difference to %s, which is not in its pack", e.Reference)
		}
		return at, offset, err
	}
	return nil, 0, Corrupt("a pack entry of the unknown type %d", e.Type)
}

// Inflate reads what e holds: an object or the instructions of a difference, of at most
// limit bytes.
func (e Entry) Inflate(limit int64) ([]byte, error) {
	if e.Length > limit {
		return nil, fmt.Errorf("%w: a part of the object has %d bytes", ErrLimit, e.Length)
	}
	r, err := e.scanner.ReadObject()
	if err != nil {
		return nil, Corrupt("%v", err)
	}
	defer r.Close()
	data, err := confine.ReadAll(r, e.Length, e.Length, nil)
	if err == nil && int64(len(data)) != e.Length {
		err = errors.New("shorter than it says")
	}
	if err != nil {
		return nil, Corrupt("%v", err)
	}
	return data, nil
}

// SizeAt gives the length of the object at an offset. It inflates no more than its header.
func (p *Pack) SizeAt(offset int64) (int64, error) {
	e, err := p.Entry(offset)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	if e.Kind() != "" {
		return e.Length, nil
	}
	r, err := e.scanner.ReadObject()
	if err != nil {
		return 0, Corrupt("%v", err)
	}
	defer r.Close()
	var head [2 * binary.MaxVarintLen64]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return 0, Corrupt("%v", err)
	}
	_, size, _, err := DeltaSizes(head[:n])
	return size, err
}

// Open opens the object of the entry at an offset. A whole object is inflated as it is
// read, whatever its size; a difference is made into its object here. The error wraps
// source.ErrTooLarge where that has more than max bytes.
func (p *Pack) Open(offset int64, id ID, max int64, work *Work) (*Object, error) {
	var deltas [][]byte
	held := int64(0)
	for {
		if err := work.SpendEntry(); err != nil {
			return nil, err
		}
		e, err := p.Entry(offset)
		if err != nil {
			return nil, err
		}
		if kind := e.Kind(); kind != "" && len(deltas) == 0 {
			return e.open(id, work)
		} else if kind != "" {
			content, err := e.Inflate(MaxHeld)
			e.Close()
			if err != nil {
				return nil, err
			}
			return build(kind, content, deltas, id, work)
		}
		delta, err := e.Inflate(MaxHeld - held)
		e.Close()
		if err != nil {
			return nil, err
		}
		if len(deltas) == 0 {
			_, size, _, err := DeltaSizes(delta)
			if err != nil {
				return nil, err
			}
			if size > max {
				return nil, fmt.Errorf("%d bytes: %w of %d", size, source.ErrTooLarge, max)
			}
		}
		held += int64(len(delta))
		if deltas = append(deltas, delta); len(deltas) > MaxChain {
			return nil, fmt.Errorf("%w: more than %d differences to differences", ErrLimit, MaxChain)
		}
		if p, offset, err = p.base(e); err != nil {
			return nil, err
		}
	}
}

// open opens a whole object, and closes e with it.
func (e Entry) open(id ID, work *Work) (*Object, error) {
	if err := work.Spend(e.Length); err != nil {
		e.Close()
		return nil, err
	}
	r, err := e.scanner.ReadObject()
	if err != nil {
		e.Close()
		return nil, Corrupt("%v", err)
	}
	done := func() error {
		defer e.Close()
		return r.Close()
	}
	return NewObject(e.Kind(), e.Length, id, r, done), nil
}

// build applies differences to a base, the last one first.
func build(kind string, content []byte, deltas [][]byte, id ID, work *Work) (*Object, error) {
	var spare []byte
	for i := len(deltas) - 1; i >= 0; i-- {
		made, err := ApplyDelta(spare, content, deltas[i], MaxHeld)
		if err != nil {
			return nil, err
		}
		content, spare = made, content
		if err := work.Spend(int64(len(content))); err != nil {
			return nil, err
		}
	}
	return NewObject(kind, int64(len(content)), id, bytes.NewReader(content), func() error { return nil }), nil
}

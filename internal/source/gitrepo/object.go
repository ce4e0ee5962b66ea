package gitrepo

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	zlibpool "github.com/go-git/go-git/v5/utils/sync"

	"github.com/wormsweep/wormsweep/internal/source"
)

// The kinds of objects, as git spells them.
var (
	commitKind = plumbing.CommitObject.String()
	treeKind   = plumbing.TreeObject.String()
	blobKind   = plumbing.BlobObject.String()
)

// Limits of an object that is made from others.
const (
	maxHeld  = 80 << 20 // bytes of each object on the way, and of all instructions together
	maxChain = 4_095    // differences to differences; git writes no more (pack.depth)
)

// object is an open object: a reader of its content. The read that meets the end checks
// the object's length and id.
type object struct {
	kind string
	size int64

	id      ID
	content io.Reader
	done    func() error
	sum     hash.Hash
	seen    int64
}

// newObject makes an object of a content; done lets go of what it comes from.
func newObject(kind string, size int64, id ID, content io.Reader, done func() error) *object {
	o := &object{kind: kind, size: size, id: id, content: content, done: done, sum: sha1.New()}
	fmt.Fprintf(o.sum, "%s %d\x00", kind, size)
	return o
}

func (o *object) Close() error { return o.done() }

func (o *object) Read(p []byte) (int, error) {
	n, err := o.content.Read(p)
	o.sum.Write(p[:n])
	o.seen += int64(n)
	switch {
	case o.seen > o.size:
		return 0, corrupt("longer than the %d bytes that it says", o.size)
	case err == io.EOF && o.seen < o.size:
		return n, corrupt("ends after %d of %d bytes", o.seen, o.size)
	case err == io.EOF && ID(o.sum.Sum(nil)) != o.id:
		return n, corrupt("its content is not the one that its id names")
	case err != nil && err != io.EOF:
		return n, corrupt("%v", err)
	}
	return n, err
}

// maxLooseHead bounds the kind and length before the content of a loose object.
const maxLooseHead = 64

// newLoose opens the object in r, the file of a loose one: deflated, "KIND LENGTH", a NUL
// and the content (gitformat-loose).
func newLoose(r io.Reader, file io.Closer, id ID) (*object, error) {
	fail := func(err error) (*object, error) {
		return nil, errors.Join(err, file.Close())
	}
	z, err := zlibpool.GetZlibReader(r)
	if err != nil {
		return fail(corrupt("%v", err))
	}
	var head [maxLooseHead]byte
	n, err := io.ReadFull(z.Reader, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fail(corrupt("%v", err))
	}
	text, start, ok := bytes.Cut(head[:n], []byte{0})
	kind, length, _ := bytes.Cut(text, []byte(" "))
	size, err := strconv.ParseInt(string(length), 10, 64)
	if !ok || err != nil || size < 0 {
		return fail(corrupt("it begins with %.20q, which is no kind and length", text))
	}
	done := func() error {
		zlibpool.PutZlibReader(z)
		return file.Close()
	}
	return newObject(string(kind), size, id, io.MultiReader(bytes.NewReader(start), z.Reader), done), nil
}

// openPacked opens the object of a pack entry. A whole object is inflated as it is read; a
// difference is made into its object here, at most max bytes of it.
func (s *store) openPacked(p *pack, offset int64, id ID, max int64) (*object, error) {
	var deltas [][]byte
	held := int64(0)
	for {
		if err := s.spend(workPerEntry); err != nil {
			return nil, err
		}
		e, err := p.entryAt(offset)
		if err != nil {
			return nil, err
		}
		if kind := e.kind(); kind != "" && len(deltas) == 0 {
			return s.openWhole(e, id)
		} else if kind != "" {
			content, err := e.inflate(maxHeld)
			e.close()
			if err != nil {
				return nil, err
			}
			return s.build(kind, content, deltas, id)
		}
		delta, err := e.inflate(maxHeld - held)
		e.close()
		if err != nil {
			return nil, err
		}
		if len(deltas) == 0 {
			_, size, _, err := deltaSizes(delta)
			if err != nil {
				return nil, err
			}
			if size > max {
				return nil, fmt.Errorf("%d bytes: %w of %d", size, source.ErrTooLarge, max)
			}
		}
		held += int64(len(delta))
		if deltas = append(deltas, delta); len(deltas) > maxChain {
			return nil, fmt.Errorf("%w: more than %d differences to differences", errLimit, maxChain)
		}
		if offset, err = p.base(e); err != nil {
			return nil, err
		}
	}
}

func (s *store) openWhole(e packEntry, id ID) (*object, error) {
	if err := s.spend(e.Length); err != nil {
		e.close()
		return nil, err
	}
	r, err := e.scanner.ReadObject()
	if err != nil {
		e.close()
		return nil, corrupt("%v", err)
	}
	done := func() error {
		defer e.close()
		return r.Close()
	}
	return newObject(e.kind(), e.Length, id, r, done), nil
}

// build applies differences to a base, the last one first.
func (s *store) build(kind string, content []byte, deltas [][]byte, id ID) (*object, error) {
	var spare []byte
	for i := len(deltas) - 1; i >= 0; i-- {
		made, err := applyDelta(spare, content, deltas[i], maxHeld)
		if err != nil {
			return nil, err
		}
		content, spare = made, content
		if err := s.spend(int64(len(content))); err != nil {
			return nil, err
		}
	}
	return newObject(kind, int64(len(content)), id, bytes.NewReader(content), func() error { return nil }), nil
}

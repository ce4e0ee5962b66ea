package gitobject

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	zlibpool "github.com/go-git/go-git/v5/utils/sync"
)

// Limits of an object that is made from others.
const (
	MaxHeld  = 80 << 20 // bytes of each object on the way, and of all instructions together
	MaxChain = 4_095    // differences to differences; git writes no more (pack.depth)
)

// Object is an open object: a reader of its content. The read that meets the end checks
// the object's length and id.
type Object struct {
	Kind string // Commit, Tree, Blob or another, as it says
	Size int64  // in bytes, as it says

	id      ID
	content io.Reader
	done    func() error
	sum     hash.Hash
	seen    int64
}

// NewObject makes an object of a content; done lets go of what it comes from.
func NewObject(kind string, size int64, id ID, content io.Reader, done func() error) *Object {
	o := &Object{Kind: kind, Size: size, id: id, content: content, done: done, sum: sha1.New()}
	fmt.Fprintf(o.sum, "%s %d\x00", kind, size)
	return o
}

func (o *Object) Close() error { return o.done() }

func (o *Object) Read(p []byte) (int, error) {
	n, err := o.content.Read(p)
	o.sum.Write(p[:n])
	o.seen += int64(n)
	switch {
	case o.seen > o.Size:
		return 0, Corrupt("longer than the %d bytes that it says", o.Size)
	case err == io.EOF && o.seen < o.Size:
		return n, Corrupt("ends after %d of %d bytes", o.seen, o.Size)
	case err == io.EOF && ID(o.sum.Sum(nil)) != o.id:
		return n, Corrupt("its content is not the one that its id names")
	case err != nil && err != io.EOF:
		return n, Corrupt("%v", err)
	}
	return n, err
}

// maxLooseHead bounds the kind and length before the content of a loose object.
const maxLooseHead = 64

// NewLoose opens the object in r, the file of a loose one: deflated, "KIND LENGTH", a NUL
// and the content (gitformat-loose).
func NewLoose(r io.Reader, file io.Closer, id ID) (*Object, error) {
	fail := func(err error) (*Object, error) {
		return nil, errors.Join(err, file.Close())
	}
	z, err := zlibpool.GetZlibReader(r)
	if err != nil {
		return fail(Corrupt("%v", err))
	}
	var head [maxLooseHead]byte
	n, err := io.ReadFull(z.Reader, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fail(Corrupt("%v", err))
	}
	text, start, ok := bytes.Cut(head[:n], []byte{0})
	kind, length, _ := bytes.Cut(text, []byte(" "))
	size, err := strconv.ParseInt(string(length), 10, 64)
	if !ok || err != nil || size < 0 {
		return fail(Corrupt("it begins with %.20q, which is no kind and length", text))
	}
	done := func() error {
		zlibpool.PutZlibReader(z)
		return file.Close()
	}
	return NewObject(string(kind), size, id, io.MultiReader(bytes.NewReader(start), z.Reader), done), nil
}

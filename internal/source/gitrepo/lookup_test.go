package gitrepo

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// countingReader counts its reads.
type countingReader struct {
	io.ReaderAt
	reads int
}

func (r *countingReader) ReadAt(p []byte, at int64) (int, error) {
	r.reads++
	return r.ReaderAt.ReadAt(p, at)
}

// indexed makes a pack of an index over sorted ids; each has ten times its index as offset.
func indexed(t *testing.T, ids []gitobject.ID) (*pack, *countingReader) {
	t.Helper()
	index := []byte(indexHead)
	n := 0
	for b := range 256 {
		for n < len(ids) && int(ids[n][0]) <= b {
			n++
		}
		index = binary.BigEndian.AppendUint32(index, uint32(n))
	}
	for _, id := range ids {
		index = append(index, id[:]...)
	}
	index = append(index, make([]byte, 4*len(ids))...)
	for i := range ids {
		index = binary.BigEndian.AppendUint32(index, uint32(10*i))
	}
	index = append(index, make([]byte, indexTail)...)
	data := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(ids)))
	r := &countingReader{ReaderAt: bytes.NewReader(index)}
	p, err := newPack(r, int64(len(index)), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// Every object is found with a few reads: where ids are spread as digests are, and where
// somebody chose them to lie together.
func TestLookUp(t *testing.T) {
	const count = 100_000
	for _, tt := range []struct {
		name  string
		reads int // at most for one object
		mean  float64
		id    func(i int) gitobject.ID
	}{
		{"digests", 8, 2.5, func(i int) gitobject.ID { return sha1.Sum(binary.BigEndian.AppendUint32(nil, uint32(i))) }},
		{"one part", 14, 12, func(i int) gitobject.ID {
			id := gitobject.ID{7}
			binary.BigEndian.PutUint32(id[16:], uint32(2*i))
			return id
		}},
		{"the last part", 14, 12, func(i int) gitobject.ID {
			id := gitobject.ID(bytes.Repeat([]byte{0xff}, 20))
			binary.BigEndian.PutUint32(id[16:], uint32(2*i))
			return id
		}},
	} {
		var ids []gitobject.ID
		for i := range count {
			ids = append(ids, tt.id(i))
		}
		slices.SortFunc(ids, func(a, b gitobject.ID) int { return bytes.Compare(a[:], b[:]) })
		p, r := indexed(t, ids)
		all := r.reads
		for i := 0; i < count; i += 7 {
			before := r.reads
			offset, found, err := p.lookUp(ids[i])
			if err != nil || !found || offset != int64(10*i) {
				t.Fatalf("%s: lookUp(%s) = %d, %v, %v; want %d", tt.name, ids[i], offset, found, err, 10*i)
			}
			if n := r.reads - before; n > tt.reads {
				t.Fatalf("%s: lookUp(%s) took %d reads", tt.name, ids[i], n)
			}
			none := ids[i]
			none[19]++
			if _, found, err := p.lookUp(none); found || err != nil {
				t.Fatalf("%s: lookUp(%s) = %v, %v; it is not there", tt.name, none, found, err)
			}
		}
		if mean := float64(r.reads-all) / (2 * count / 7); mean > tt.mean {
			t.Errorf("%s: %.2f reads on average", tt.name, mean)
		}
		for _, none := range []gitobject.ID{{}, {6, 255}, {7, 255}, {8}, gitobject.ID(bytes.Repeat([]byte{0xff}, 20))} {
			if _, found, err := p.lookUp(none); found || err != nil {
				t.Errorf("%s: lookUp(%s) = %v, %v; it is not there", tt.name, none, found, err)
			}
		}
	}
}

// The error of a file that cannot be read says why, and not where: that is anybody's text.
func TestPathless(t *testing.T) {
	f, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, readErr := pathless{f}.Read(make([]byte, 1))
	_, readAtErr := pathless{f}.ReadAt(make([]byte, 1), 0)
	for _, err := range []error{readErr, readAtErr} {
		if err == nil || strings.Contains(err.Error(), f.Name()) {
			t.Errorf("reading a folder: %v; want an error without its path", err)
		}
	}
}

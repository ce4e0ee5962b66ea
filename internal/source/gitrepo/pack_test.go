package gitrepo_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"sort"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// packWriter writes a pack and its index, with whatever entries and ids it is told.
type packWriter struct {
	data    bytes.Buffer
	entries []packed
}

type packed struct {
	id     gitobject.ID
	offset int
}

// Types of pack entries (gitformat-pack).
const (
	typeCommit   = 1
	typeTree     = 2
	typeBlob     = 3
	typeOfsDelta = 6
	typeRefDelta = 7
)

func newPackWriter() *packWriter {
	w := &packWriter{}
	w.data.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return w
}

// add writes an entry: its type, the length that it says, what stands before its deflated
// content (the base of a difference), and that. It gives the entry's offset.
func (w *packWriter) add(id gitobject.ID, kind byte, length int, base, deflated string) int {
	offset := w.data.Len()
	w.entries = append(w.entries, packed{id, offset})
	c := kind<<4 | byte(length&15)
	for length >>= 4; length > 0; length >>= 7 {
		w.data.WriteByte(c | 0x80)
		c = byte(length & 0x7f)
	}
	w.data.WriteByte(c)
	w.data.WriteString(base + deflated)
	return offset
}

// whole adds a whole object.
func (w *packWriter) whole(kind byte, name, content string) gitobject.ID {
	id := objectID(name, content)
	w.add(id, kind, len(content), "", deflate(content))
	return id
}

// ofs encodes the distance back to a base: seven bits a byte, most first, each but the last
// counting from 1.
func ofs(distance int) string {
	b := []byte{byte(distance & 0x7f)}
	for distance >>= 7; distance > 0; distance >>= 7 {
		distance--
		b = append([]byte{byte(distance&0x7f) | 0x80}, b...)
	}
	return string(b)
}

// delta is the text of a difference: its two lengths and its instructions.
func delta(base, result int, instructions string) string {
	b := binary.AppendUvarint(nil, uint64(base))
	return string(binary.AppendUvarint(b, uint64(result))) + instructions
}

// put writes the pack into a git folder.
func (w *packWriter) put(t testing.TB, dir string) {
	t.Helper()
	data := w.data.Bytes()
	binary.BigEndian.PutUint32(data[8:], uint32(len(w.entries)))
	sum := sha1.Sum(data)
	data = append(data, sum[:]...)

	sort.Slice(w.entries, func(i, j int) bool { return bytes.Compare(w.entries[i].id[:], w.entries[j].id[:]) < 0 })
	index := []byte("\xfftOc\x00\x00\x00\x02")
	for b, n := 0, 0; b < 256; b++ {
		for n < len(w.entries) && int(w.entries[n].id[0]) <= b {
			n++
		}
		index = binary.BigEndian.AppendUint32(index, uint32(n))
	}
	for _, e := range w.entries {
		index = append(index, e.id[:]...)
	}
	index = append(index, make([]byte, 4*len(w.entries))...)
	for _, e := range w.entries {
		index = binary.BigEndian.AppendUint32(index, uint32(e.offset))
	}
	index = append(index, sum[:]...)
	indexSum := sha1.Sum(index)
	name := fmt.Sprintf("objects/pack/pack-%x", sum)
	write(t, dir, name+".pack", string(data), name+".idx", string(append(index, indexSum[:]...)))
}

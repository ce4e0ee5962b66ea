package gitstore

import (
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// compressors are reused: a compressor has 800 KB of tables. The first is for what is so
// small that compression gains nothing and costs the most: trees of a few entries.
var compressors = [2]sync.Pool{{New: compressor(zlib.NoCompression)}, {New: compressor(zlib.BestSpeed)}}

// tiny is the size up to which objects are stored as they are.
const tiny = 300

func compressor(level int) func() any {
	return func() any {
		w, err := zlib.NewWriterLevel(nil, level)
		if err != nil {
			panic(err) // the level is one of the package's
		}
		return w
	}
}

// WritePack writes a pack, version 2, of the objects that ids name, in their order. With
// deltas, a blob or tree that begins and ends like the one of its kind before it is
// written as an offset delta of that one.
func WritePack(w io.Writer, c Content, ids []ID, deltas bool) error {
	sum := sha1.New()
	p := &packWriter{w: io.MultiWriter(w, sum), deltas: deltas}
	header := append([]byte("PACK"), 0, 0, 0, 2)
	p.write(binary.BigEndian.AppendUint32(header, uint32(len(ids))))
	for _, id := range ids {
		o, ok := c.Object(id)
		if !ok {
			return fmt.Errorf("object %s is not there", id)
		}
		p.object(o)
		if p.err != nil {
			return p.err
		}
	}
	_, err := w.Write(sum.Sum(nil))
	return err
}

// packWriter writes the entries of a pack. The first error ends it.
type packWriter struct {
	w      io.Writer
	deltas bool
	offset int64
	err    error
	last   [Tag + 1]struct {
		data   []byte
		offset int64
		chain  int // how many deltas lead to it
	}
}

func (p *packWriter) write(data []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(data)
		p.offset += int64(len(data))
	}
}

// Write lets the compressor write to p.
func (p *packWriter) Write(data []byte) (int, error) {
	p.write(data)
	return len(data), p.err
}

const (
	ofsDelta = 6  // the kind of an entry that is a delta of an entry before it in the pack
	maxChain = 50 // as git packs
)

func (p *packWriter) object(o Object) {
	start := p.offset
	last := &p.last[o.Kind]
	var delta []byte
	if p.deltas && last.chain < maxChain {
		delta = makeDelta(last.data, o.Data)
	}
	if delta != nil {
		p.header(ofsDelta, len(delta))
		p.write(appendBack(nil, start-last.offset))
		p.compress(delta)
		last.chain++
	} else {
		p.header(uint8(o.Kind), len(o.Data))
		p.compress(o.Data)
		last.chain = 0
	}
	last.data, last.offset = o.Data, start
}

// header writes an entry's kind and its size before compression: four bits of the size in
// the first byte, and seven in each byte after it.
func (p *packWriter) header(kind uint8, size int) {
	first := kind<<4 | byte(size&0x0f)
	var header []byte
	for size >>= 4; size > 0; size >>= 7 {
		header = append(header, first|0x80)
		first = byte(size & 0x7f)
	}
	p.write(append(header, first))
}

func (p *packWriter) compress(data []byte) {
	pool := &compressors[1]
	if len(data) <= tiny {
		pool = &compressors[0]
	}
	z := pool.Get().(*zlib.Writer)
	defer pool.Put(z)
	z.Reset(p)
	if _, err := z.Write(data); err != nil && p.err == nil {
		p.err = err
	}
	if err := z.Close(); err != nil && p.err == nil {
		p.err = err
	}
}

// appendBack appends the distance to a delta's base, in git's own variable-length form:
// each byte but the last has its high bit set and stands for one more than it says.
func appendBack(b []byte, distance int64) []byte {
	digits := []byte{byte(distance & 0x7f)}
	for distance >>= 7; distance > 0; distance >>= 7 {
		distance--
		digits = append(digits, 0x80|byte(distance&0x7f))
	}
	for i := len(digits) - 1; i >= 0; i-- {
		b = append(b, digits[i])
	}
	return b
}

// makeDelta gives a delta that copies the common beginning and the common end of base and
// inserts what is between, or nil when it would not be much smaller than data.
func makeDelta(base, data []byte) []byte {
	prefix := 0
	for prefix < min(len(base), len(data)) && base[prefix] == data[prefix] {
		prefix++
	}
	suffix := 0
	for suffix < min(len(base), len(data))-prefix && base[len(base)-1-suffix] == data[len(data)-1-suffix] {
		suffix++
	}
	if prefix+suffix < max(32, len(data)/2) {
		return nil
	}
	delta := binary.AppendUvarint(nil, uint64(len(base)))
	delta = binary.AppendUvarint(delta, uint64(len(data)))
	delta = appendCopy(delta, 0, prefix)
	for between := data[prefix : len(data)-suffix]; len(between) > 0; {
		n := min(len(between), 0x7f)
		delta = append(append(delta, byte(n)), between[:n]...)
		between = between[n:]
	}
	return appendCopy(delta, len(base)-suffix, suffix)
}

// appendCopy appends instructions that copy n bytes of the base from an offset.
func appendCopy(delta []byte, offset, n int) []byte {
	for n > 0 {
		size := min(n, 0xffff)
		delta = append(delta, 0x80|0x0f|0x30)
		delta = binary.LittleEndian.AppendUint32(delta, uint32(offset))
		delta = binary.LittleEndian.AppendUint16(delta, uint16(size))
		offset, n = offset+size, n-size
	}
	return delta
}

package gitrepo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// pack is a pack and its index (gitformat-pack, "pack-*.idx version 2"). Nothing of the
// index is held but its first table: an object is found with one or two small reads.
type pack struct {
	gitobject.Pack
	index  io.ReaderAt
	fanout [256]uint32 // how many ids begin with a byte up to this
	files  []*os.File
}

// Layout of an index: head, fanout, ids, checksums, offsets, long offsets, two digests.
const (
	indexHead   = "\xfftOc\x00\x00\x00\x02"
	namesAt     = int64(len(indexHead)) + 256*4
	indexTail   = 2 * 20
	perObject   = 20 + 4 + 4
	longOffset  = 1 << 31 // marks an offset that is an index of the table of long ones
	lookUpBytes = 2040    // of ids in one read: 102
)

// openPack opens the pack of the path without ".idx".
func openPack(root *os.Root, path string) (*pack, error) {
	index, indexInfo, err := confine.Open(root, path+".idx")
	if err != nil {
		return nil, err
	}
	data, info, err := confine.Open(root, path+".pack")
	if err != nil {
		index.Close()
		return nil, err
	}
	p, err := newPack(pathless{index}, indexInfo.Size(), pathless{data}, info.Size())
	p.files = []*os.File{index, data}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// pathless is a file whose errors do not hold its path: they become part of others, and
// the path is anybody's text.
type pathless struct{ *os.File }

func (f pathless) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	return n, withoutPath(err)
}

func (f pathless) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(p, at)
	return n, withoutPath(err)
}

func withoutPath(err error) error {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err
	}
	return err
}

// newPack makes a pack of the two files, whose sizes are given.
func newPack(index io.ReaderAt, indexSize int64, data io.ReaderAt, size int64) (*pack, error) {
	p := &pack{index: index}
	p.Pack = gitobject.Pack{Data: data, Size: size, Find: func(id gitobject.ID) (*gitobject.Pack, int64, bool, error) {
		offset, found, err := p.lookUp(id)
		return &p.Pack, offset, found, err
	}}
	head := make([]byte, namesAt)
	if _, err := index.ReadAt(head, 0); err != nil && err != io.EOF {
		return p, err
	}
	if !bytes.HasPrefix(head, []byte(indexHead)) {
		return p, gitobject.Corrupt("its index is not of version 2")
	}
	before := uint32(0)
	for i := range p.fanout {
		p.fanout[i] = binary.BigEndian.Uint32(head[len(indexHead)+4*i:])
		if p.fanout[i] < before {
			return p, gitobject.Corrupt("its index counts down")
		}
		before = p.fanout[i]
	}
	if indexSize < namesAt+int64(p.count())*perObject+indexTail {
		return p, gitobject.Corrupt("its index is cut short: %d bytes for %d objects", indexSize, p.count())
	}
	var header [12]byte
	if _, err := data.ReadAt(header[:], 0); err != nil && err != io.EOF {
		return p, err
	}
	version, count := binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[8:])
	if string(header[:4]) != "PACK" || version != 2 && version != 3 || count != p.count() {
		return p, gitobject.Corrupt("it is not the pack that its index describes")
	}
	return p, nil
}

func (p *pack) count() uint32 { return p.fanout[255] }

func (p *pack) close() error {
	var errs []error
	for _, f := range p.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

var windows = sync.Pool{New: func() any { return new([lookUpBytes]byte) }}

// lookUp gives the offset of an object.
func (p *pack) lookUp(id gitobject.ID) (offset int64, found bool, err error) {
	low, high := uint32(0), p.fanout[id[0]] // the object is one of low..high-1
	if id[0] > 0 {
		low = p.fanout[id[0]-1]
	}
	buf := windows.Get().(*[lookUpBytes]byte)
	defer windows.Put(buf)
	const window = lookUpBytes / 20
	// Ids are digests, so the bytes after the first say where in its part of the table one
	// stands, give or take a few. Where that was wrong, the rest is halved.
	share := uint64(binary.BigEndian.Uint32(id[1:5])) * uint64(high-low) >> 32
	middle := low + uint32(share)
	for low < high {
		from := max(low, middle-min(middle, window/2))
		n := min(high-from, window)
		ids := buf[:20*n]
		if err := p.readIndex(ids, namesAt+20*int64(from)); err != nil {
			return 0, false, err
		}
		i, found := search(ids, id)
		switch {
		case found:
			offset, err := p.offset(from+i, buf[:8])
			return offset, err == nil, err
		case i == 0: // before all of them
			high = from
		case i == n: // after all of them
			low = from + n
		default:
			return 0, false, nil
		}
		middle = low + (high-low)/2
	}
	return 0, false, nil
}

// readIndex fills b from the index.
func (p *pack) readIndex(b []byte, at int64) error {
	_, err := p.index.ReadAt(b, at)
	if err == io.EOF {
		return gitobject.Corrupt("the index of its pack ends before byte %d", at+int64(len(b)))
	}
	return err
}

// search gives the index of an id in sorted ids, or where it would stand.
func search(ids []byte, id gitobject.ID) (uint32, bool) {
	low, high := 0, len(ids)/20
	for low < high {
		mid := (low + high) / 2
		switch bytes.Compare(ids[20*mid:20*mid+20], id[:]) {
		case 0:
			return uint32(mid), true
		case -1:
			low = mid + 1
		default:
			high = mid
		}
	}
	return uint32(low), false
}

// offset gives the offset of the object with an index in the table of ids; b is room for it.
func (p *pack) offset(i uint32, b []byte) (int64, error) {
	offsets := namesAt + 24*int64(p.count())
	if err := p.readIndex(b[:4], offsets+4*int64(i)); err != nil {
		return 0, err
	}
	short := binary.BigEndian.Uint32(b[:4])
	if short < longOffset {
		return int64(short), nil
	}
	if err := p.readIndex(b, offsets+4*int64(p.count())+8*int64(short-longOffset)); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b) &^ (1 << 63)), nil
}

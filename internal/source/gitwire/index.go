package gitwire

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"fmt"
	"hash"
	"io"
	"slices"
	"sort"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Limits of a pack.
const (
	maxObjects = 2 << 20 // of one pack: 64 MB of index
	leastEntry = 9       // bytes that an entry takes at least: a header and an empty zlib stream
	packFrame  = 12 + 20 // bytes of a pack beside its entries
)

// indexed is a pack with its index.
type indexed struct {
	gitobject.Pack
	objects []object // in the order of their ids
	faults  faults
}

// object is an object of a pack: 32 bytes.
type object struct {
	id     gitobject.ID
	kind   kind // 0 while the object is not made
	whole  bool // not stored as a difference
	offset int64
}

// kind is gitobject's kind of an object, in a byte.
type kind uint8

var kinds = [...]string{"", gitobject.Commit, gitobject.Tree, gitobject.Blob, gitobject.Tag}

func (k kind) String() string { return kinds[k] }

func kindOf(name string) kind { return kind(max(0, slices.Index(kinds[:], name))) }

// faults are the entries of a pack that make no object.
type faults struct {
	count int
	first error
}

func (f *faults) Error() string {
	return fmt.Sprintf("objects of the pack that could not be made: %d; the first: %v", f.count, f.first)
}
func (f *faults) Unwrap() error { return f.first }

// bases gives the content of an object that is in no pack of its own, for a thin pack.
type bases func(id gitobject.ID) (kind string, content []byte, err error)

// newIndexed indexes a pack. The error says what the whole pack is not worth believing for;
// where single entries make no object, those are left out, and faults says so. The bases may
// be nil.
func newIndexed(ctx context.Context, data io.ReaderAt, size int64, work *gitobject.Work, outside bases) (*indexed, error) {
	p := &indexed{}
	p.Data, p.Size = data, size
	ds, err := p.scan(ctx, work)
	if err != nil {
		return nil, err
	}
	if len(ds.ofs)+len(ds.ref) > 0 {
		r := resolver{pack: p, deltas: ds, work: work, outside: outside}
		if err := r.run(ctx); err != nil {
			return nil, err
		}
	}
	p.objects = slices.DeleteFunc(p.objects, func(o object) bool { return o.kind == 0 })
	slices.SortFunc(p.objects, func(a, b object) int { return bytes.Compare(a.id[:], b.id[:]) })
	for i := 1; i < len(p.objects); i++ {
		if p.objects[i].id == p.objects[i-1].id {
			return nil, gitobject.Corrupt("the pack holds the object %s twice", p.objects[i].id)
		}
	}
	return p, nil
}

// find gives the object of an id.
func (p *indexed) find(id gitobject.ID) (object, bool) {
	i, found := slices.BinarySearchFunc(p.objects, id, func(o object, id gitobject.ID) int { return bytes.Compare(o.id[:], id[:]) })
	if !found {
		return object{}, false
	}
	return p.objects[i], true
}

// scan reads the pack from its first byte to its last: it makes an object of every entry,
// and computes the id of those that are stored whole. It gives those that are not.
func (p *indexed) scan(ctx context.Context, work *gitobject.Work) (deltas, error) {
	var ds deltas
	s := packfile.NewScanner(io.NewSectionReader(p.Data, 0, p.Size))
	_, count, err := s.Header()
	if err != nil {
		return ds, gitobject.Corrupt("the head of the pack: %v", err)
	}
	if count > maxObjects {
		return ds, fmt.Errorf("%w: %d objects in a pack, more than %d", gitobject.ErrLimit, count, maxObjects)
	}
	if int64(count)*leastEntry > p.Size-packFrame {
		return ds, gitobject.Corrupt("the pack says that it holds %d objects, and has %d bytes", count, p.Size)
	}
	p.objects = make([]object, count)
	sum := newSum()
	for i := range p.objects {
		if err := ctx.Err(); err != nil {
			return ds, err
		}
		h, err := s.NextObjectHeader()
		if err != nil {
			return ds, gitobject.Corrupt("entry %d of %d of the pack: %v", i+1, count, err)
		}
		o := &p.objects[i]
		o.offset = h.Offset
		into := io.Discard
		switch k := kindOf(h.Type.String()); {
		case k != 0:
			o.kind, o.whole = k, true
			sum.start(k, h.Length)
			into = sum
		case h.Type == plumbing.OFSDeltaObject:
			ds.ofs = append(ds.ofs, ofsDelta{h.OffsetReference, uint32(i)})
		case h.Type == plumbing.REFDeltaObject:
			ds.ref = append(ds.ref, refDelta{gitobject.ID(h.Reference), uint32(i)})
		default:
			return ds, gitobject.Corrupt("entry %d of %d of the pack has the unknown type %d", i+1, count, h.Type)
		}
		if err := cmp.Or(work.SpendEntry(), work.Spend(h.Length)); err != nil {
			return ds, err
		}
		n, _, err := s.NextObject(into)
		if err == nil && n != h.Length {
			err = fmt.Errorf("%d bytes, where its head says %d", n, h.Length)
		}
		if err != nil {
			return ds, gitobject.Corrupt("entry %d of %d of the pack: %v", i+1, count, err)
		}
		if o.kind != 0 {
			o.id = sum.id()
		}
	}
	if _, err := s.Checksum(); err != nil {
		return ds, gitobject.Corrupt("the end of the pack: %v", err)
	}
	if end, err := s.SeekFromStart(0); err != nil || end != p.Size {
		return ds, gitobject.Corrupt("the pack ends at byte %d of %d", end, p.Size)
	}
	slices.SortFunc(ds.ofs, func(a, b ofsDelta) int {
		return cmp.Or(cmp.Compare(a.base, b.base), cmp.Compare(a.entry, b.entry))
	})
	slices.SortFunc(ds.ref, func(a, b refDelta) int {
		return cmp.Or(bytes.Compare(a.base[:], b.base[:]), cmp.Compare(a.entry, b.entry))
	})
	return ds, nil
}

// sum computes ids of objects.
type sum struct {
	hash.Hash
	head []byte
}

func newSum() *sum { return &sum{Hash: sha1.New()} }

func (s *sum) start(k kind, size int64) {
	s.Reset()
	s.head = append(append(s.head[:0], k.String()...), ' ')
	s.head = append(strconv.AppendInt(s.head, size, 10), 0)
	s.Write(s.head)
}

func (s *sum) id() (id gitobject.ID) {
	s.Sum(id[:0])
	return id
}

// deltas are the entries of a pack that are stored as differences, in the order of their
// bases: those that name it by its offset, and those that name it by its id.
type deltas struct {
	ofs []ofsDelta
	ref []refDelta
}

type ofsDelta struct {
	base  int64
	entry uint32 // of indexed.objects, as they lie
}

type refDelta struct {
	base  gitobject.ID
	entry uint32
}

// span is a part of a list.
type span struct{ from, to int }

func (s *span) next() (int, bool) {
	if s.from == s.to {
		return 0, false
	}
	s.from++
	return s.from - 1, true
}

// on gives those whose base is an object.
func (d *deltas) on(o object) (ofs, ref span) {
	ofs.from = sort.Search(len(d.ofs), func(i int) bool { return d.ofs[i].base >= o.offset })
	for ofs.to = ofs.from; ofs.to < len(d.ofs) && d.ofs[ofs.to].base == o.offset; ofs.to++ {
	}
	ref.from = sort.Search(len(d.ref), func(i int) bool { return bytes.Compare(d.ref[i].base[:], o.id[:]) >= 0 })
	for ref.to = ref.from; ref.to < len(d.ref) && d.ref[ref.to].base == o.id; ref.to++ {
	}
	return ofs, ref
}

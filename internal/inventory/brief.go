package inventory

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Brief is all that a run says of a repository in which nothing was met, so that another catalogue
// that meets nothing there either is answered without its trees and contents.
type Brief struct {
	Seen     map[string]int // how many values it shows, by property
	Problems []source.Problem
	Notes    []source.Note
	Trees    []BriefTree
}

// BriefTree is a tree of it, which was read whole.
type BriefTree struct {
	Refs       []source.Ref // at least one
	Total      int
	OutOfScope map[string]int
	Problems   []source.Problem
	Files      []BriefFile // in scope, in the order of the sweep
}

// BriefFile is a file that was parsed. No indicator meets it, nor anything that it holds.
type BriefFile struct {
	Path     string
	Blob     ID
	Format   string
	Packages int
	// Unmatched are the entries that are no exact version of a registry, by lockfile.SourceKind.
	Unmatched [lockfile.NoVersion + 1]int32
	Problems  []lockfile.Problem
}

// BriefBasis identifies what a Brief holds good for besides what is indexed: the readers, the files
// that are looked at, and the shown values that are met. Under another a repository is judged anew.
func BriefBasis(set *ioc.Set) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s/%s", briefVersion, formats.Revision, set.FilesRevision(), set.PropertiesRevision()))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// briefVersion is the first byte of the encoding of a Brief: the frame of a Content without packing,
// which would cost more than it saves where thousands are read at once.
const briefVersion = 0x91

// The columns of a Brief.
const (
	briefNumbers = iota
	briefLengths
	briefText
	briefColumns
)

// Encode is b in its compact form. Equal briefs have equal encodings. The error wraps ErrTooLarge.
func (b *Brief) Encode() ([]byte, error) {
	w := newWriter(briefColumns)
	w.uint(briefNumbers, uint64(len(b.Seen)))
	for _, property := range slices.Sorted(maps.Keys(b.Seen)) {
		w.ref(briefNumbers, property)
		w.uint(briefNumbers, uint64(b.Seen[property]))
	}
	w.placed(b.Problems)
	w.uint(briefNumbers, uint64(len(b.Notes)))
	for _, n := range b.Notes {
		w.briefPlace(n.File, n.Code, n.Detail)
	}
	w.uint(briefNumbers, uint64(len(b.Trees)))
	for i := range b.Trees {
		t := &b.Trees[i]
		w.uint(briefNumbers, uint64(len(t.Refs)))
		for _, ref := range t.Refs {
			w.ref(briefNumbers, ref.Name)
			w.ref(briefNumbers, ref.Commit)
		}
		w.uint(briefNumbers, uint64(t.Total))
		w.uint(briefNumbers, uint64(len(t.OutOfScope)))
		for _, reason := range slices.Sorted(maps.Keys(t.OutOfScope)) {
			w.ref(briefNumbers, reason)
			w.uint(briefNumbers, uint64(t.OutOfScope[reason]))
		}
		w.placed(t.Problems)
		w.uint(briefNumbers, uint64(len(t.Files)))
		for j := range t.Files {
			w.briefFile(&t.Files[j])
		}
	}
	return w.plainFrame(briefVersion, briefLengths, briefText)
}

func (w *writer) briefFile(f *BriefFile) {
	w.ref(briefNumbers, f.Path)
	w.ref(briefNumbers, f.Format)
	w.uint(briefNumbers, uint64(f.Packages))
	for _, n := range f.Unmatched {
		w.uint(briefNumbers, uint64(n))
	}
	w.uint(briefNumbers, uint64(len(f.Problems)))
	for _, p := range f.Problems {
		w.uint(briefNumbers, uint64(p.Line))
		w.ref(briefNumbers, string(p.Code))
		w.ref(briefNumbers, p.Detail)
	}
	w.tail = append(w.tail, f.Blob[:]...)
}

func (w *writer) placed(all []source.Problem) {
	w.uint(briefNumbers, uint64(len(all)))
	for _, p := range all {
		w.briefPlace(p.File, p.Code, p.Detail)
	}
}

func (w *writer) briefPlace(file string, code source.Code, detail string) {
	w.ref(briefNumbers, file)
	w.ref(briefNumbers, string(code))
	w.ref(briefNumbers, detail)
}

// plainFrame is frame without packing: version byte, CRC-32C of all that follows, the columns, the tail.
func (w *writer) plainFrame(version byte, lengths, text int) ([]byte, error) {
	for _, s := range w.order {
		w.uint(lengths, uint64(len(s)))
		w.columns[text] = append(w.columns[text], s...)
	}
	out := make([]byte, frameHeader)
	out[0] = version
	for _, col := range w.columns {
		out = append(binary.AppendUvarint(out, uint64(len(col))), col...)
	}
	out = append(out, w.tail...)
	if len(out) > maxBody {
		return nil, fmt.Errorf("%d bytes: %w", len(out), ErrTooLarge)
	}
	binary.LittleEndian.PutUint32(out[1:], crc32.Checksum(out[frameHeader:], castagnoli))
	return out, nil
}

// newPlainReader reads what plainFrame wrote.
func newPlainReader(data []byte, version byte, n int) *reader {
	r := &reader{columns: make([][]byte, n)}
	if !r.header(data, version) {
		return r
	}
	if len(data) > maxBody {
		r.fail("larger than what is kept")
		return r
	}
	rest := data[frameHeader:]
	for i := range r.columns {
		size, k := binary.Uvarint(rest)
		if k <= 0 || size > uint64(len(rest)-k) {
			r.fail("its columns do not fit")
			return r
		}
		r.columns[i], rest = rest[k:k+int(size)], rest[k+int(size):]
	}
	r.tail = rest
	return r
}

// DecodeBrief reads back what Encode wrote. Its error wraps ErrDamaged.
func DecodeBrief(data []byte) (*Brief, error) {
	r := newPlainReader(data, briefVersion, briefColumns)
	r.strings(briefLengths, briefText)
	b := &Brief{Seen: r.counts(), Problems: r.places()}
	for _, n := range r.places() {
		b.Notes = append(b.Notes, source.Note(n))
	}
	if n := r.briefCount(); n > 0 {
		b.Trees = make([]BriefTree, n)
	}
	for i := range b.Trees {
		t := &b.Trees[i]
		t.Refs = make([]source.Ref, r.briefCount())
		for j := range t.Refs {
			t.Refs[j] = source.Ref{Name: r.ref(briefNumbers), Commit: r.ref(briefNumbers)}
		}
		t.Total, t.OutOfScope, t.Problems = r.count(briefNumbers, 1<<40), r.counts(), r.places()
		t.Files = make([]BriefFile, r.briefCount())
		for j := range t.Files {
			r.briefFile(&t.Files[j])
		}
		if len(t.Refs) == 0 {
			r.fail("a tree of no ref")
		}
		if r.err != nil {
			break
		}
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("a repository in brief: %w", err)
	}
	return b, nil
}

// briefCount reads how many values follow, each of which takes a byte at least.
func (r *reader) briefCount() int { return r.count(briefNumbers, len(r.columns[briefNumbers])) }

// counts reads counts by name, which are in order.
func (r *reader) counts() map[string]int {
	n := r.briefCount()
	if n == 0 {
		return nil
	}
	out := make(map[string]int, n)
	last := ""
	for i := range n {
		name := r.ref(briefNumbers)
		if i > 0 && name <= last {
			r.fail("counts out of order")
			break
		}
		last = name
		out[name] = r.count(briefNumbers, 1<<40)
	}
	return out
}

func (r *reader) places() []source.Problem {
	var out []source.Problem
	for range r.briefCount() {
		out = append(out, source.Problem{File: r.ref(briefNumbers), Code: source.Code(r.ref(briefNumbers)), Detail: r.ref(briefNumbers)})
	}
	return out
}

func (r *reader) briefFile(f *BriefFile) {
	f.Path, f.Format = r.ref(briefNumbers), r.filled(briefNumbers)
	f.Packages = r.count(briefNumbers, maxEntries)
	total := 0
	for i := range f.Unmatched {
		n := r.count(briefNumbers, maxEntries)
		f.Unmatched[i] = int32(n)
		total += n
	}
	if total > f.Packages {
		r.fail("more entries of some kinds than entries")
	}
	for range r.briefCount() {
		f.Problems = append(f.Problems, lockfile.Problem{Line: r.place(briefNumbers), Code: lockfile.Code(r.ref(briefNumbers)), Detail: r.ref(briefNumbers)})
	}
	r.raw(f.Blob[:])
}

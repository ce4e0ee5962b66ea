package inventory

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

var unpacker = sync.OnceValue(func() *zstd.Decoder {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		panic("inventory: " + err.Error())
	}
	return r
})

// DecodeContent reads back what Encode wrote of the content with that key. Its error wraps
// ErrDamaged.
func DecodeContent(key Key, data []byte) (*Content, error) {
	r := newReader(data, contentVersion, columns)
	c := r.content(key)
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("content %s as %q: %w", key.Blob, key.Format, err)
	}
	return c, nil
}

func (r *reader) content(key Key) *Content {
	c := &Content{Key: key}
	n := r.count(colCounts, min(len(r.columns[colKinds]), maxEntries))
	problems, includes := r.count(colCounts, lockfile.MaxProblems), r.count(colCounts, len(r.columns[colIncludes]))
	r.strings(colLengths, colText)
	if r.err != nil || n == 0 && len(r.columns[colKinds]) > 0 {
		r.fail("its counts do not fit")
		return nil
	}
	oneEcosystem := len(r.columns[colEcosystems]) == 1
	var ecosystemCode byte
	if n > 0 {
		c.packages = make([]lockfile.Package, n)
	}
	askers := make([]int32, n)
	line, base := 0, ""
	for i := range c.packages {
		p := &c.packages[i]
		if i == 0 || !oneEcosystem {
			ecosystemCode = r.byte(colEcosystems)
		}
		kind, scope, flags := r.byte(colKinds), r.byte(colScopes), r.byte(colFlags)
		if int(ecosystemCode) >= len(ecosystems) || kind&0xf > byte(lockfile.NoVersion) || kind>>4 > byte(lockfile.Yes) || scope >= byte(lockfile.Indirect)<<1 {
			r.fail("an entry of no kind of ours")
			return nil
		}
		p.Ecosystem, p.Source.Kind, p.Direct, p.Scope = ecosystems[ecosystemCode], lockfile.SourceKind(kind&0xf), lockfile.Answer(kind>>4), lockfile.Scope(scope)
		line += r.line(colLines)
		p.Line = line
		askers[i] = r.asker(i, p.Direct == lockfile.Yes, n)
		p.Name, p.Version = r.ref(colNames), r.ref(colVersions)
		if flags&hasRange != 0 {
			p.Range = r.filled(colVersions)
		}
		if flags&hasAlias != 0 {
			p.Alias = r.filled(colNames)
		}
		if flags&hasCommit != 0 {
			p.Source.Commit = r.filled(colVersions)
		}
		if flags&hasAddress != 0 {
			p.Address = &lockfile.Identity{Name: r.ref(colNames), Version: r.ref(colVersions)}
		}
		if flags&hasDigests != 0 {
			if c.digests == nil {
				c.digests = make([][]cut, n)
			}
			c.digests[i] = r.digests()
		}
		switch flags & (hasURL | hasUsualURL | hasUsualBase) {
		case 0:
		case hasURL:
			p.Source.URL = r.filled(colAddresses)
		case hasUsualBase:
			base = r.ref(colAddresses)
			fallthrough
		case hasUsualURL:
			p.Source.URL = base + usualEnd(p)
		default:
			r.fail("an entry with two addresses")
		}
		if r.err != nil {
			return nil
		}
	}
	var ok bool
	if c.ways, ok = waysOf(askers); !ok {
		r.fail("a way that begins nowhere")
	}
	for range problems {
		p := lockfile.Problem{Line: r.place(colProblems), Code: lockfile.Code(r.ref(colProblems)), Detail: r.ref(colProblems)}
		c.Problems = append(c.Problems, p)
	}
	for range includes {
		place := r.place(colIncludes)
		c.Includes = append(c.Includes, lockfile.Include{Line: place >> 1, Constraint: place&1 != 0, Path: r.ref(colIncludes)})
	}
	return c
}

func (r *reader) digests() []cut {
	n := r.count(colDigests, len(r.tail)/cutSize)
	if n == 0 {
		r.fail("an entry with digests and none")
		return nil
	}
	out := make([]cut, n)
	for i := range out {
		a := digest.Algorithm(r.byte(colDigests))
		if a < digest.MD5 || a > digest.H1 || len(r.tail) < cutSize {
			r.fail("a digest of no algorithm, or cut short")
			return nil
		}
		out[i] = cut{a, [cutSize]byte(r.tail)}
		r.tail = r.tail[cutSize:]
	}
	return out
}

func (r *reader) asker(i int, direct bool, n int) int32 {
	v := r.uint(colAskers)
	switch {
	case v == 0 != direct:
		r.fail("a way that begins at no direct entry")
		return noAsker
	case v == 0:
		return int32(i)
	case v == 1:
		return noAsker
	}
	v -= 2
	asker := int64(i) + (int64(v>>1) ^ -int64(v&1))
	if asker < 0 || asker >= int64(n) || asker == int64(i) {
		r.fail("a way through no entry")
		return noAsker
	}
	return int32(asker)
}

// reader reads columns back. Its first fault stays, and after it every value is zero.
type reader struct {
	columns [][]byte
	tail    []byte
	lengths []byte
	text    string
	used    []string
	err     error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrDamaged, what)
		r.columns, r.tail = make([][]byte, len(r.columns)), nil
	}
}

// newReader unpacks a frame of that version with n columns.
func newReader(data []byte, version byte, n int) *reader {
	r := &reader{columns: make([][]byte, n)}
	if !r.header(data, version) {
		return r
	}
	rest := data[frameHeader:]
	size, k := binary.Uvarint(rest)
	packed, l := uint64(0), 0
	if k > 0 {
		packed, l = binary.Uvarint(rest[k:])
	}
	if k <= 0 || l <= 0 || packed > uint64(len(rest)-k-l) {
		r.fail("its lengths do not fit")
		return r
	}
	rest = rest[k+l:]
	r.tail = rest[packed:]
	body, err := unpacker().DecodeAll(rest[:packed], nil)
	if err != nil || uint64(len(body)) != size {
		r.fail("it does not unpack to its length")
		return r
	}
	for i := range r.columns {
		size, k := binary.Uvarint(body)
		if k <= 0 || size > uint64(len(body)-k) {
			r.fail("its columns do not fit")
			return r
		}
		r.columns[i], body = body[k:k+int(size)], body[k+int(size):]
	}
	if len(body) > 0 {
		r.fail("more than its columns")
	}
	return r
}

// header checks the beginning of a frame.
func (r *reader) header(data []byte, version byte) bool {
	switch {
	case len(data) < frameHeader:
		r.fail("cut short")
	case data[0] != version:
		r.fail(fmt.Sprintf("of version %d, which this program does not read", data[0]))
	case binary.LittleEndian.Uint32(data[1:]) != crc32.Checksum(data[frameHeader:], castagnoli):
		r.fail("its checksum is another")
	}
	return r.err == nil
}

// end says whether all was read, and nothing is left.
func (r *reader) end() error {
	left := len(r.tail) + len(r.lengths) + len(r.text)
	for _, col := range r.columns {
		left += len(col)
	}
	if r.err == nil && left > 0 {
		r.fail("more than what it says it holds")
	}
	return r.err
}

// strings takes the columns of the strings, for ref.
func (r *reader) strings(lengths, text int) {
	if r.err != nil {
		return
	}
	r.lengths, r.text = r.columns[lengths], string(r.columns[text])
	r.columns[lengths], r.columns[text] = nil, nil
	r.used = make([]string, 0, len(r.lengths)) // each of which has a byte at least
}

func (r *reader) byte(col int) byte {
	if len(r.columns[col]) == 0 {
		r.fail("a column that ends early")
		return 0
	}
	b := r.columns[col][0]
	r.columns[col] = r.columns[col][1:]
	return b
}

func (r *reader) uint(col int) uint64 {
	v, k := binary.Uvarint(r.columns[col])
	if k <= 0 {
		r.fail("a column that ends early")
		return 0
	}
	r.columns[col] = r.columns[col][k:]
	return v
}

// count reads a number that may be no larger than most.
func (r *reader) count(col, most int) int {
	v := r.uint(col)
	if v > uint64(most) {
		r.fail("a number over what can be")
		return 0
	}
	return int(v)
}

// maxLine bounds the number of a line: no lockfile has as many.
const maxLine = 1 << 40

// place reads the number of a line, and perhaps a bit beside it.
func (r *reader) place(col int) int { return r.count(col, maxLine) }

// line reads the difference of two lines.
func (r *reader) line(col int) int {
	v, k := binary.Varint(r.columns[col])
	if k <= 0 || v > maxLine || v < -maxLine {
		r.fail("a line that is none")
		return 0
	}
	r.columns[col] = r.columns[col][k:]
	return int(v)
}

// ref reads a reference to a string.
func (r *reader) ref(col int) string {
	n := r.uint(col)
	if n > 0 {
		if n > uint64(len(r.used)) {
			r.fail("a string that is not there")
			return ""
		}
		return r.used[n-1]
	}
	size, k := binary.Uvarint(r.lengths)
	if r.err != nil || k <= 0 || size > uint64(len(r.text)) {
		r.fail("a string that is not there")
		return ""
	}
	r.lengths = r.lengths[k:]
	s := r.text[:size]
	r.text = r.text[size:]
	r.used = append(r.used, s)
	return s
}

// filled is ref for a string that is there only where it is not empty.
func (r *reader) filled(col int) string {
	s := r.ref(col)
	if s == "" {
		r.fail("a field that is there and empty")
	}
	return s
}

package inventory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// The layout of an encoding, all numbers varints but where it says so:
//
//	version byte; CRC-32C of all that follows, 4 bytes little-endian; length of the columns
//	unpacked and packed; the columns packed with zstd; the tail as it is.
//
// Columns hold like with like, so that they pack well; each begins with its length. The tail
// holds digests and ids, which do not pack.
const (
	contentVersion = 1
	frameHeader    = 5
)

// The columns of a Content.
const (
	colCounts     = iota // packages, problems, includes
	colEcosystems        // one byte each, or one for all
	colKinds             // one byte each: kind, and Direct << 4
	colScopes            // one byte each
	colFlags             // one byte each: which of the sparse fields follow
	colLines             // difference to the line before, signed
	colAskers            // 0 itself, 1 none, else 2 and on: the signed distance
	colNames             // references to names
	colVersions          // references to versions, ranges and commits
	colAddresses         // references to addresses
	colDigests           // number of a package's digests, and their algorithms
	colProblems          // line, code, detail
	colIncludes          // line << 1 and Constraint, path
	colLengths           // of the strings, in the order in which they are first used
	colText              // their bytes
	columns
)

// The flags of a package: which fields it has that most do not.
const (
	hasRange = 1 << iota
	hasAlias
	hasCommit
	hasAddress
	hasDigests
	hasURL       // stands in colAddresses
	hasUsualURL  // is what usualURL makes of the base before
	hasUsualBase // is what usualURL makes of the base that stands in colAddresses
)

// ecosystems are the codes of ecosystems; they are written down, so the order stays.
var ecosystems = []ecosystem.Ecosystem{ecosystem.NPM, ecosystem.PyPI, ecosystem.Go, ecosystem.Actions}

// ErrTooLarge is wrapped by the error for a content or tree that is not kept: it would take too
// much memory to read back.
var ErrTooLarge = errors.New("too large for an inventory")

// The limits of what is kept. A lockfile with tens of thousands of entries stays far below.
const (
	maxEntries = 1 << 20  // of a content or tree
	maxBody    = 64 << 20 // length of the columns, unpacked, in bytes
)

// Encode is the content in its compact form. Equal contents have equal encodings. It is for
// contents of a reader: an ecosystem that is none of ours is a broken invariant. The error wraps
// ErrTooLarge.
func (c *Content) Encode() ([]byte, error) {
	if len(c.packages) > maxEntries {
		return nil, fmt.Errorf("content %s: %d entries: %w", c.Blob, len(c.packages), ErrTooLarge)
	}
	w := newWriter(columns)
	w.uint(colCounts, uint64(len(c.packages)))
	w.uint(colCounts, uint64(len(c.Problems)))
	w.uint(colCounts, uint64(len(c.Includes)))
	w.ecosystems(c.packages)
	line, base := 0, ""
	for i := range c.packages {
		p := &c.packages[i]
		var flags byte
		sparse := func(flag byte, set bool) bool {
			if set {
				flags |= flag
			}
			return set
		}
		w.byte(colKinds, byte(p.Source.Kind)|byte(p.Direct)<<4)
		w.byte(colScopes, byte(p.Scope))
		w.int(colLines, int64(p.Line-line))
		line = p.Line
		w.asker(i, c.ways.askers[i])
		w.ref(colNames, p.Name)
		w.ref(colVersions, p.Version)
		if sparse(hasRange, p.Range != "") {
			w.ref(colVersions, p.Range)
		}
		if sparse(hasAlias, p.Alias != "") {
			w.ref(colNames, p.Alias)
		}
		if sparse(hasCommit, p.Source.Commit != "") {
			w.ref(colVersions, p.Source.Commit)
		}
		if sparse(hasAddress, p.Address != nil) {
			w.ref(colNames, p.Address.Name)
			w.ref(colVersions, p.Address.Version)
		}
		if sparse(hasDigests, c.digests != nil && len(c.digests[i]) > 0) {
			w.uint(colDigests, uint64(len(c.digests[i])))
			for _, d := range c.digests[i] {
				w.byte(colDigests, byte(d.algorithm))
				w.tail = append(w.tail, d.bytes[:]...)
			}
		}
		if url := p.Source.URL; url != "" {
			own, usual := usualBase(url, p)
			switch {
			case usual && own == base:
				flags |= hasUsualURL
			case usual:
				flags |= hasUsualBase
				base = own
				w.ref(colAddresses, base)
			default:
				flags |= hasURL
				w.ref(colAddresses, url)
			}
		}
		w.byte(colFlags, flags)
	}
	for _, p := range c.Problems {
		w.uint(colProblems, uint64(p.Line))
		w.ref(colProblems, string(p.Code))
		w.ref(colProblems, p.Detail)
	}
	for _, inc := range c.Includes {
		constraint := uint64(0)
		if inc.Constraint {
			constraint = 1
		}
		w.uint(colIncludes, uint64(inc.Line)<<1|constraint)
		w.ref(colIncludes, inc.Path)
	}
	out, err := w.frame(contentVersion, colLengths, colText)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", c.Blob, err)
	}
	return out, nil
}

// usualBase is the beginning of an address that goes on as npm registries have it, with name and
// version of the package: all but the beginning need not be kept.
func usualBase(url string, p *lockfile.Package) (base string, ok bool) {
	return strings.CutSuffix(url, usualEnd(p))
}

func usualEnd(p *lockfile.Package) string {
	short := p.Name[strings.LastIndexByte(p.Name, '/')+1:]
	return p.Name + "/-/" + short + "-" + p.Version + ".tgz"
}

// writer collects columns.
type writer struct {
	columns [][]byte
	tail    []byte
	strings map[string]uint64
	order   []string
}

func newWriter(n int) *writer {
	return &writer{columns: make([][]byte, n), strings: map[string]uint64{}}
}

func (w *writer) byte(col int, b byte)   { w.columns[col] = append(w.columns[col], b) }
func (w *writer) uint(col int, v uint64) { w.columns[col] = binary.AppendUvarint(w.columns[col], v) }
func (w *writer) int(col int, v int64)   { w.columns[col] = binary.AppendVarint(w.columns[col], v) }

// ref writes a reference to a string: 0 for one that was not there before, else its number.
func (w *writer) ref(col int, s string) {
	n, there := w.strings[s]
	if !there {
		w.order = append(w.order, s)
		w.strings[s] = uint64(len(w.order))
	}
	w.uint(col, n)
}

func (w *writer) ecosystems(packages []lockfile.Package) {
	for i := range packages {
		code := slices.Index(ecosystems, packages[i].Ecosystem)
		if code < 0 {
			panic("inventory: an entry of no ecosystem: " + string(packages[i].Ecosystem))
		}
		w.byte(colEcosystems, byte(code))
	}
	all := w.columns[colEcosystems]
	if len(all) > 0 && !slices.ContainsFunc(all, func(b byte) bool { return b != all[0] }) {
		w.columns[colEcosystems] = all[:1]
	}
}

func (w *writer) asker(i int, asker int32) {
	switch {
	case asker == int32(i):
		w.uint(colAskers, 0)
	case asker == noAsker:
		w.uint(colAskers, 1)
	default:
		distance := int64(asker) - int64(i)
		w.uint(colAskers, 2+uint64(distance<<1^distance>>63))
	}
}

// frame packs all that was written. The strings go to the columns lengths and text.
func (w *writer) frame(version byte, lengths, text int) ([]byte, error) {
	for _, s := range w.order {
		w.uint(lengths, uint64(len(s)))
		w.columns[text] = append(w.columns[text], s...)
	}
	var body []byte
	for _, col := range w.columns {
		body = binary.AppendUvarint(body, uint64(len(col)))
		body = append(body, col...)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%d bytes: %w", len(body), ErrTooLarge)
	}
	packed := packer().EncodeAll(body, nil)
	out := make([]byte, frameHeader, frameHeader+2*binary.MaxVarintLen32+len(packed)+len(w.tail))
	out[0] = version
	out = binary.AppendUvarint(out, uint64(len(body)))
	out = binary.AppendUvarint(out, uint64(len(packed)))
	out = append(out, packed...)
	out = append(out, w.tail...)
	binary.LittleEndian.PutUint32(out[1:], crc32.Checksum(out[frameHeader:], castagnoli))
	return out, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// packer and unpacker are safe for concurrent use and keep no goroutine.
var packer = sync.OnceValue(func() *zstd.Encoder {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		panic("inventory: " + err.Error()) // of options alone, which are constants
	}
	return w
})

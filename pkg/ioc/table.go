package ioc

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// A table is a hash multimap from a key to values, read in place from the bytes that it
// was written to: opening one costs nothing and looking up allocates nothing.
//
// Layout, little-endian: the number of slots (a power of two) as uint32; the slots, each the
// offset of a record from the table's start or 0 as uint32 and the upper half of its key's hash,
// so that hardly any other key has a record read; the records. A record is the key with its
// length as uint16, the number of values as uint32, and the values: indicator uint32, kind
// uint8, extra with its length as uint16. The lower half of the hash says where a key's slot
// is; collisions go to the next.
type table string

// value is one value of a table.
type value struct {
	indicator uint32
	kind      kind
	extra     string
}

// kind says how a value's indicator is met by the key.
type kind uint8

const (
	kindExact     kind = iota // extra is a canonical version
	kindRanges                // the indicator's ranges decide
	kindAll                   // every version
	kindNamespace             // every package of the scope
	kindDigest                // extra is the digest in its one String form
	kindFile                  // a file selector
	kindRef                   // a dependency_ref
)

// slotSize is the size of a slot, and tableHeader of what stands before the first.
const (
	tableHeader = 4
	slotSize    = 8
)

// hashKey takes eight bytes of the key at a time. Its constant is the golden ratio's fraction
// in 64 bits; what it gives is written into every index.
func hashKey(key string) (lower, upper uint32) {
	const factor = 0x9e3779b97f4a7c15
	h := uint64(len(key)) * factor
	for len(key) >= 8 {
		h = mix(h^word64(key), factor)
		key = key[8:]
	}
	var rest uint64
	for i := 0; i < len(key); i++ {
		rest = rest<<8 | uint64(key[i])
	}
	h = mix(h^rest, factor)
	return uint32(h), uint32(h >> 32)
}

// mix folds the two halves of a product, so that each bit of x counts in all of it.
func mix(x, factor uint64) uint64 {
	hi, lo := bits.Mul64(x, factor)
	return hi ^ lo
}

// word64 is the first eight bytes of s.
func word64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func (t table) u32(at int) uint32 {
	return uint32(t[at]) | uint32(t[at+1])<<8 | uint32(t[at+2])<<16 | uint32(t[at+3])<<24
}

func (t table) u16(at int) int { return int(t[at]) | int(t[at+1])<<8 }

// find returns a cursor on the values of key; the zero cursor yields none.
func (t table) find(key string) cursor {
	if len(t) < tableHeader {
		return cursor{}
	}
	mask := t.u32(0) - 1
	lower, upper := hashKey(key)
	for i := lower & mask; ; i = (i + 1) & mask {
		slot := tableHeader + slotSize*int(i)
		at := int(t.u32(slot))
		if at == 0 {
			return cursor{}
		}
		if t.u32(slot+4) != upper {
			continue
		}
		if n := t.u16(at); n == len(key) && string(t[at+2:at+2+n]) == key {
			return cursor{t, at + 2 + n + 4, t.u32(at + 2 + n)}
		}
	}
}

// findUint is find for the key that uintKey makes of n.
func (t table) findUint(n uint64) cursor {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], n)
	return t.find(string(key[:])) // does not escape: no allocation
}

// uintKey is a number as a key: 8 bytes, big-endian.
func uintKey(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// cursor walks the values of one key.
type cursor struct {
	t    table
	at   int
	left uint32
}

func (c *cursor) next() (value, bool) {
	if c.left == 0 {
		return value{}, false
	}
	c.left--
	n := c.t.u16(c.at + 5)
	v := value{c.t.u32(c.at), kind(c.t[c.at+4]), string(c.t[c.at+7 : c.at+7+n])}
	c.at += 7 + n
	return v, true
}

// errTableKey is returned for a key or value that the layout cannot hold.
var errTableKey = errors.New("key or version over 65,535 bytes")

// tableWriter collects values and writes them as a table.
type tableWriter map[string][]value

func (w tableWriter) add(key string, v value) { w[key] = append(w[key], v) }

// bytes writes the table. Equal contents give equal bytes.
func (w tableWriter) bytes() ([]byte, error) {
	if len(w) == 0 {
		return nil, nil
	}
	slots := uint32(4)
	for slots < 2*uint32(len(w)) {
		slots *= 2
	}
	out := make([]byte, tableHeader+slotSize*slots)
	le := binary.LittleEndian
	le.PutUint32(out, slots)
	keys := make([]string, 0, len(w))
	for key := range w {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		lower, upper := hashKey(key)
		i := lower & (slots - 1)
		for le.Uint32(out[tableHeader+slotSize*i:]) != 0 {
			i = (i + 1) & (slots - 1)
		}
		le.PutUint32(out[tableHeader+slotSize*i:], uint32(len(out)))
		le.PutUint32(out[tableHeader+slotSize*i+4:], upper)
		if len(key) > 0xffff {
			return nil, errTableKey
		}
		out = le.AppendUint16(out, uint16(len(key)))
		out = append(out, key...)
		out = le.AppendUint32(out, uint32(len(w[key])))
		for _, v := range w[key] {
			if len(v.extra) > 0xffff {
				return nil, errTableKey
			}
			out = le.AppendUint32(out, v.indicator)
			out = append(out, byte(v.kind))
			out = le.AppendUint16(out, uint16(len(v.extra)))
			out = append(out, v.extra...)
		}
	}
	return out, nil
}

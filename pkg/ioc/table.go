package ioc

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"slices"
)

// A table is a hash multimap from a key to values, read in place from the bytes that it
// was written to: opening one costs nothing and looking up allocates nothing.
//
// Layout, little-endian: the number of slots (a power of two) as uint32; a byte for each slot,
// the tag of its key or 0 where it is free; a uint32 for each, the offset of its record from
// the table's start; the records. A record is the key with its length as uint16, the number of
// values as uint32, and the values: indicator uint32, kind uint8, extra with its length as
// uint16. Slot and tag are parts of the key's hash; collisions go to the next slot. Nearly
// every key that is asked for is not there, and its tag says so: no more is read.
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

// tagsAt is where the tags begin.
const tagsAt = 4

// hashKey gives the slot of a key, before it is cut to their number, and its tag. It takes
// eight bytes of the key at a time. Its constant is the golden ratio's fraction in 64 bits;
// what it gives is written into every index.
func hashKey(key string) (slot uint32, tag byte) {
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
	return uint32(h), byte(h>>56) | 1
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
	if len(t) < tagsAt {
		return cursor{}
	}
	slots := t.u32(0)
	slot, tag := hashKey(key)
	for slot &= slots - 1; ; slot = (slot + 1) & (slots - 1) {
		switch t[tagsAt+int(slot)] {
		case 0:
			return cursor{}
		case tag:
			at := int(t.u32(tagsAt + int(slots) + 4*int(slot)))
			if n := t.u16(at); n == len(key) && string(t[at+2:at+2+n]) == key {
				return cursor{t, at + 2 + n + 4, t.u32(at + 2 + n)}
			}
		}
	}
}

// all yields the keys of t and their values, in the order of its slots.
func (t table) all() iter.Seq2[string, cursor] {
	return func(yield func(string, cursor) bool) {
		if len(t) < tagsAt {
			return
		}
		slots := int(t.u32(0))
		for slot := range slots {
			if t[tagsAt+slot] == 0 {
				continue
			}
			at := int(t.u32(tagsAt + slots + 4*slot))
			n := t.u16(at)
			if !yield(string(t[at+2:at+2+n]), cursor{t, at + 2 + n + 4, t.u32(at + 2 + n)}) {
				return
			}
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
	out := make([]byte, tagsAt+5*slots)
	le := binary.LittleEndian
	le.PutUint32(out, slots)
	keys := make([]string, 0, len(w))
	for key := range w {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		slot, tag := hashKey(key)
		for slot &= slots - 1; out[tagsAt+slot] != 0; {
			slot = (slot + 1) & (slots - 1)
		}
		out[tagsAt+slot] = tag
		le.PutUint32(out[tagsAt+slots+4*slot:], uint32(len(out)))
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

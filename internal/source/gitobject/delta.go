package gitobject

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// DeltaSizes reads the head of a difference: the length of its base and that of what it
// makes of it (gitformat-pack, "Deltified representation").
func DeltaSizes(delta []byte) (base, result int64, instructions []byte, err error) {
	b, n := binary.Uvarint(delta)
	if n <= 0 || b > math.MaxInt64 {
		return 0, 0, nil, Corrupt("a difference without the length of its base")
	}
	delta = delta[n:]
	r, n := binary.Uvarint(delta)
	if n <= 0 || r > math.MaxInt64 {
		return 0, 0, nil, Corrupt("a difference without its length")
	}
	return int64(b), int64(r), delta[n:], nil
}

// ApplyDelta makes an object from its base, in the room of dst if it has enough. An instruction whose first bit is set copies
// from the base: its next bits say which bytes of an offset and a length follow, least
// first, and a length of 0 is 65,536. Any other is the length of the bytes to insert that
// follow it; 0 is reserved.
func ApplyDelta(dst, base, delta []byte, limit int64) ([]byte, error) {
	baseSize, size, delta, err := DeltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if baseSize != int64(len(base)) {
		return nil, Corrupt("a difference to %d bytes, where the base has %d", baseSize, len(base))
	}
	if size > limit {
		return nil, fmt.Errorf("%w: a part of the object has %d bytes", ErrLimit, size)
	}
	out := slices.Grow(dst[:0], int(size))
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		var piece []byte
		if op&0x80 != 0 {
			var offset, length uint32
			for bit := range 7 {
				if op&(1<<bit) == 0 {
					continue
				}
				if len(delta) == 0 {
					return nil, Corrupt("a difference ends inside an instruction")
				}
				if bit < 4 {
					offset |= uint32(delta[0]) << (8 * bit)
				} else {
					length |= uint32(delta[0]) << (8 * (bit - 4))
				}
				delta = delta[1:]
			}
			if length == 0 {
				length = 0x10000
			}
			if uint64(offset)+uint64(length) > uint64(len(base)) {
				return nil, Corrupt("a difference copies from beyond its base")
			}
			piece = base[offset : offset+length]
		} else {
			if op == 0 || int(op) > len(delta) {
				return nil, Corrupt("a difference with a bad instruction")
			}
			piece, delta = delta[:op], delta[op:]
		}
		if int64(len(piece)) > size-int64(len(out)) {
			return nil, Corrupt("a difference makes more than it says")
		}
		out = append(out, piece...)
	}
	if int64(len(out)) != size {
		return nil, Corrupt("a difference makes less than it says")
	}
	return out, nil
}

// Package digest reads the digests that lockfiles, catalogues and registries write: an
// algorithm, and its value in hex or base64. It is a leaf: it imports nothing of ours.
package digest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Algorithm is a digest's algorithm, spelled as SRI spells it; H1 is go.sum's "h1:", a
// SHA-256 over the sorted list of a module's files (golang.org/x/mod/sumdb/dirhash).
type Algorithm uint8

// The algorithms that lockfiles use.
const (
	NoAlgorithm Algorithm = iota
	MD5
	SHA1
	SHA224
	SHA256
	SHA384
	SHA512
	BLAKE2b
	H1
)

var algorithms = [...]struct {
	name string
	size int // bytes
}{
	NoAlgorithm: {"", 0}, MD5: {"md5", 16}, SHA1: {"sha1", 20}, SHA224: {"sha224", 28}, SHA256: {"sha256", 32},
	SHA384: {"sha384", 48}, SHA512: {"sha512", 64}, BLAKE2b: {"blake2b", 32}, H1: {"h1", 32},
}

func (a Algorithm) String() string { return algorithms[a].name }

// Size is the length in bytes of a digest of a.
func (a Algorithm) Size() int { return algorithms[a].size }

// ParseAlgorithm gives the algorithm of a name, NoAlgorithm for a name of none of ours.
func ParseAlgorithm(name string) Algorithm {
	for a := MD5; int(a) < len(algorithms); a++ {
		if algorithms[a].name == name {
			return a
		}
	}
	return NoAlgorithm
}

// Digest is an algorithm and the digest's text, in hex or in standard base64 as the
// format writes it.
type Digest struct {
	Algorithm Algorithm
	Text      string
}

// Valid reports whether the text is a whole digest of its algorithm: hex in either letter
// case, or padded standard base64 whose unused bits are zero. It does not allocate.
func (d Digest) Valid() bool {
	size := d.Algorithm.Size()
	if size == 0 {
		return false
	}
	if len(d.Text) == 2*size {
		bad := byte(0)
		for i := 0; i < len(d.Text); i++ {
			bad |= hexValues[d.Text[i]]
		}
		return bad <= 15
	}
	return validBase64(d.Text, size)
}

// Bytes decodes the digest; ok is false for one that is not Valid.
func (d Digest) Bytes() (b []byte, ok bool) {
	if !d.Valid() {
		return nil, false
	}
	var err error
	if len(d.Text) == 2*d.Algorithm.Size() {
		b, err = hex.DecodeString(d.Text)
	} else {
		b, err = base64.StdEncoding.Strict().DecodeString(d.Text)
	}
	return b, err == nil
}

// String is the digest as algorithm:lower-case hex, the one form that two spellings of
// one digest share. An invalid digest is shown as it stands.
func (d Digest) String() string {
	b, ok := d.Bytes()
	if !ok {
		return d.Algorithm.String() + ":" + d.Text
	}
	return d.Algorithm.String() + ":" + hex.EncodeToString(b)
}

// Prefix is the first eight bytes of the digest as a big-endian number, mixed with its
// algorithm: a key to look digests up by without allocating. Equal digests have equal
// prefixes, however they are spelled. It reads the length and those bytes alone; ok is
// false when they are no digest's.
func (d Digest) Prefix() (prefix uint64, ok bool) {
	bad := byte(0)
	switch size := d.Algorithm.Size(); {
	case size == 0:
		return 0, false
	case len(d.Text) == 2*size:
		for i := range 16 {
			v := hexValues[d.Text[i]]
			prefix = prefix<<4 | uint64(v)
			bad |= v & 0xf0
		}
	case len(d.Text) == base64.StdEncoding.EncodedLen(size):
		for i := range 11 {
			v := base64Values[d.Text[i]]
			if i < 10 {
				prefix = prefix<<6 | uint64(v)
			} else {
				prefix = prefix<<4 | uint64(v>>2)
			}
			bad |= v & 0xc0
		}
	default:
		return 0, false
	}
	return prefix ^ uint64(d.Algorithm)<<56, bad == 0
}

// PrefixOf is Digest.Prefix of a digest of that algorithm that begins with those bytes; ok is
// false for fewer than eight.
func PrefixOf(a Algorithm, begin []byte) (prefix uint64, ok bool) {
	if a.Size() == 0 || len(begin) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(begin) ^ uint64(a)<<56, true
}

var hexValues = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(16) {
		t["0123456789abcdef"[i]], t["0123456789ABCDEF"[i]] = i, i
	}
	return t
}()

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

var base64Values = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := 0; i < len(base64Alphabet); i++ {
		t[base64Alphabet[i]] = byte(i)
	}
	return t
}()

func validBase64(s string, size int) bool {
	if len(s) != base64.StdEncoding.EncodedLen(size) {
		return false
	}
	body := strings.TrimRight(s, "=")
	if len(body) != base64.RawStdEncoding.EncodedLen(size) {
		return false
	}
	bad := byte(0)
	for i := 0; i < len(body); i++ {
		bad |= base64Values[body[i]]
	}
	if bad > 63 {
		return false
	}
	unused := len(body)*6 - size*8 // RFC 4648, section 3.5: bits that must be zero
	return base64Values[body[len(body)-1]]&(1<<unused-1) == 0
}

package source

import (
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"strconv"
)

// BlobID is the git blob id of a content, as File.Blob has it: the SHA-1 over the header
// "blob SIZE NUL" and the content (Pro Git, section 10.2, "Object Storage").
func BlobID(content []byte) string {
	h := NewBlobHash(int64(len(content)))
	h.Write(content)
	var sum [sha1.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0]))
}

// NewBlobHash starts the blob id of a content of size bytes that is written piece by piece;
// the id is the hex form of its Sum.
func NewBlobHash(size int64) hash.Hash {
	h := sha1.New()
	header := append(make([]byte, 0, 32), "blob "...)
	h.Write(append(strconv.AppendInt(header, size, 10), 0))
	return h
}

package npm_test

import (
	"crypto/sha1"
	"encoding/hex"
)

func sha1Hex(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

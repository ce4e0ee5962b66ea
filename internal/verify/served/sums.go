package served

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"slices"

	"github.com/wormsweep/wormsweep/pkg/digest"
)

// sums are the digests of what is written to them, by the algorithms that are asked for. Weak ones
// are compared as well: a registry that tells two digests of which one is wrong is wrong.
type sums map[digest.Algorithm]hash.Hash

func newSums(digests []digest.Digest) sums {
	s := sums{}
	for _, d := range digests {
		switch d.Algorithm {
		case digest.MD5:
			s[d.Algorithm] = md5.New()
		case digest.SHA1:
			s[d.Algorithm] = sha1.New()
		case digest.SHA256:
			s[d.Algorithm] = sha256.New()
		case digest.SHA384:
			s[d.Algorithm] = sha512.New384()
		case digest.SHA512:
			s[d.Algorithm] = sha512.New()
		}
	}
	return s
}

func (s sums) Write(p []byte) (int, error) {
	for _, h := range s {
		h.Write(p)
	}
	return len(p), nil
}

// differ names the first digest that is not that of what was written, "" for none.
func (s sums) differ(digests []digest.Digest) string {
	for _, d := range digests {
		h, known := s[d.Algorithm]
		if !known {
			continue
		}
		if want, ok := d.Bytes(); !ok || !slices.Equal(want, h.Sum(nil)) {
			return fmt.Sprintf("%s:%x, and not %s", d.Algorithm, h.Sum(nil), d)
		}
	}
	return ""
}

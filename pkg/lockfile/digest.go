package lockfile

import "github.com/wormsweep/wormsweep/pkg/digest"

// Digest and Algorithm are those of package digest.
type (
	Digest    = digest.Digest
	Algorithm = digest.Algorithm
)

// The algorithms.
const (
	MD5     = digest.MD5
	SHA1    = digest.SHA1
	SHA224  = digest.SHA224
	SHA256  = digest.SHA256
	SHA384  = digest.SHA384
	SHA512  = digest.SHA512
	BLAKE2b = digest.BLAKE2b
	H1      = digest.H1
)

// ParseAlgorithm is digest.ParseAlgorithm.
func ParseAlgorithm(name string) Algorithm { return digest.ParseAlgorithm(name) }

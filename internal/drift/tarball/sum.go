package tarball

import (
	"bytes"
	"crypto/sha1" // git's object ids
	"crypto/sha256"
	"fmt"
	"hash"
)

// summer takes what is written apart into digests and lines.
type summer struct {
	sha256, blob  hash.Hash
	longest, line int64  // bytes of the longest whole line, and of the one that has not ended
	keep          []byte // the content, where not nil
}

func newSummer(size int64) *summer {
	s := &summer{sha256: sha256.New(), blob: sha1.New()}
	fmt.Fprintf(s.blob, "blob %d\x00", size)
	return s
}

// Write implements io.Writer. It never fails.
func (s *summer) Write(p []byte) (int, error) {
	s.sha256.Write(p)
	s.blob.Write(p)
	if s.keep != nil {
		s.keep = append(s.keep, p...)
	}
	for rest := p; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			s.line += int64(len(rest))
			break
		}
		s.longest = max(s.longest, s.line+int64(i))
		s.line, rest = 0, rest[i+1:]
	}
	return len(p), nil
}

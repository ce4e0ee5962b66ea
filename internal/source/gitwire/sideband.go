package gitwire

import (
	"errors"
	"fmt"
	"io"
)

// maxAside bounds the bytes of an answer beside its pack: progress, lines without content.
const maxAside = 4 << 20

// errAside is the error of an answer that is no end of progress.
var errAside = fmt.Errorf("more than %d bytes of progress, and no pack", maxAside)

// band reads the pack out of the lines of a packfile section: the first byte of each is its
// band, 1 for the pack, 2 for progress, 3 for an error (gitprotocol-v2, "packfile").
type band struct {
	lines *lines
	left  []byte // of the line that is being read
	aside int
	end   error
}

func (b *band) Read(p []byte) (int, error) {
	for len(b.left) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		b.end = b.next()
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// next reads a line. It returns io.EOF at the mark that ends the section.
func (b *band) next() error {
	content, m, err := b.lines.next()
	switch {
	case err != nil:
		return err
	case m == flush, m == responseEnd:
		return io.EOF
	case m == delim:
		return errors.New("the pack is followed by another section")
	case len(content) == 0:
		content = []byte{2}
	}
	switch content[0] {
	case 1:
		b.left = content[1:]
	case 2:
	case 3:
		return &RefusedError{Text: string(content[1:])}
	default:
		return fmt.Errorf("a line of the unknown band %d", content[0])
	}
	if len(b.left) == 0 {
		if b.aside += len(content) + lineLength; b.aside > maxAside {
			return errAside
		}
	}
	return nil
}

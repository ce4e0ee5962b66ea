package gitwire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Marks that stand in the place of a line (gitprotocol-v2, "Packet-Line Framing").
type mark uint8

const (
	line        mark = iota // none: a line
	flush                   // 0000, the end of a message
	delim                   // 0001, the end of a section
	responseEnd             // 0002, the end of a response of a connection without state
)

const (
	maxLine    = 65_520 // bytes of a line with its length (gitprotocol-common, "pkt-line Format")
	lineLength = 4      // bytes of the length
)

// errForeign wraps the errors of answers that are not of this protocol.
var errForeign = errors.New("does the server speak version 2 of the protocol, and take filters?")

// errEmpty is the error of an answer without a byte: git's server program ends so where it
// does not like a request.
var errEmpty = fmt.Errorf("an empty answer: %w", errForeign)

// errCut wraps what ended an answer before its end: it may come whole another time.
var errCut = errors.New("the answer was cut short")

// lines reads pkt-lines.
type lines struct {
	r   *bufio.Reader
	any bool // whether a byte came
	buf [maxLine]byte
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 32<<10)} }

// next gives the content of the next line, which is valid until the call after it, or a
// mark. There is no io.EOF: an answer that ends before its flush was cut short.
func (l *lines) next() ([]byte, mark, error) {
	if _, err := io.ReadFull(l.r, l.buf[:lineLength]); err != nil {
		if err == io.EOF && !l.any {
			return nil, line, errEmpty
		}
		return nil, line, cut(err)
	}
	l.any = true
	n := 0
	for _, c := range l.buf[:lineLength] {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return nil, line, fmt.Errorf("a line whose length is %q", l.buf[:lineLength])
		}
		n = n<<4 | digit
	}
	switch {
	case n < int(responseEnd):
		return nil, mark(n + 1), nil
	case n < lineLength || n > maxLine:
		return nil, line, fmt.Errorf("a line of the length %d", n)
	}
	content := l.buf[:n-lineLength]
	if _, err := io.ReadFull(l.r, content); err != nil {
		return nil, line, cut(err)
	}
	return content, line, nil
}

// text is next for a line of text, without its line feed.
func (l *lines) text() (string, mark, error) {
	content, m, err := l.next()
	text := strings.TrimSuffix(string(content), "\n")
	if refusal, ok := strings.CutPrefix(text, "ERR "); ok && m == line && err == nil {
		return "", m, &RefusedError{Text: refusal}
	}
	return text, m, err
}

func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends too early", errCut)
	}
	return fmt.Errorf("%w: %w", errCut, err)
}

// appendLine appends a line of text.
func appendLine(b []byte, format string, args ...any) []byte {
	text := fmt.Sprintf(format, args...)
	return fmt.Appendf(b, "%04x%s\n", len(text)+lineLength+1, text)
}

// RefusedError is what a server says in the place of an answer.
type RefusedError struct {
	Text string // as it says, of any length and with any bytes
}

func (e *RefusedError) Error() string { return fmt.Sprintf("the server says %.200q", e.Text) }

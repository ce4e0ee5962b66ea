package report

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// page writes lines of text of a certain width. Its methods take strings that are escaped
// already. The first error of the writer stays, and is that of flush.
type page struct {
	w     *bufio.Writer
	width int
	color bool
}

func newPage(w io.Writer, width int, color bool) *page {
	if width <= 0 {
		width = 80
	}
	return &page{bufio.NewWriterSize(w, 32<<10), width, color}
}

func (p *page) flush() error { return p.w.Flush() }

// glue stands for a space at which no line is broken. Escaped text has none of its own.
const glue = "\u00a0"

// line writes one line, however long, without spaces at its end.
func (p *page) line(text string) {
	p.w.WriteString(strings.ReplaceAll(strings.TrimRight(text, " "), glue, " "))
	p.w.WriteByte('\n')
}

// wrap writes text in lines that fit the width, broken at spaces: the first begins with
// first, the others with as many spaces as hang. A word that is longer has a line alone.
func (p *page) wrap(first string, hang int, text string) {
	line, at := first, columns(first)
	empty := true
	for word := range strings.SplitSeq(text, " ") {
		n := columns(word)
		if !empty && at+1+n > p.width {
			p.line(line)
			line, at, empty = strings.Repeat(" ", hang), hang, true
		}
		if !empty {
			line += " "
			at++
		}
		line, at, empty = line+word, at+n, false
	}
	p.line(line)
}

// label writes a name, indented, and beside it the text that belongs to it; nothing for a
// text that is empty.
func (p *page) label(indent int, name, text string) {
	if text != "" {
		const width = 12 // of the column of names
		p.wrap(strings.Repeat(" ", indent)+pad(name, width-1)+" ", indent+width, text)
	}
}

// The colours. What is painted is our own, or escaped.
const (
	bold   = "1"
	red    = "1;31"
	green  = "1;32"
	yellow = "1;33"
)

func (p *page) paint(color, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// pad adds spaces up to n columns.
func pad(s string, n int) string {
	if c := columns(s); c < n {
		return s + strings.Repeat(" ", n-c)
	}
	return s
}

// columns is how many columns of a terminal s fills: CJK letters are two wide.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) && (r < 0xff61 || r > 0xffdc) ||
			0xff01 <= r && r <= 0xff60) {
			n++
		}
	}
	return n
}

// count is n with a separator between thousands and the noun that fits it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number is n with a separator between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// tally lists the counts of m by name: "go.mod 12, go.sum 3".
func tally[K ~string](m map[K]int) string {
	var parts []string
	for _, k := range sortedKeys(m) {
		parts = append(parts, textWord(string(k))+glue+number(m[k]))
	}
	return strings.Join(parts, ", ")
}

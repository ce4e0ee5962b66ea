package tomlscan

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// plain says in which parts of the text a byte stands for itself.
var plain = func() (t [256]byte) {
	for c := 0; c < 256; c++ {
		if c == '\t' || c >= ' ' && c != 0x7f {
			t[c] = inComment | inLiteral | inBasic
		}
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_' {
			t[c] |= bareKey | aboutKey | inWord
		}
	}
	t['"'] &^= inBasic
	t['\\'] &^= inBasic
	t['\''] &^= inLiteral
	for _, c := range ` ."'` {
		t[c] |= aboutKey
	}
	for _, c := range "+.:" {
		t[c] |= inWord
	}
	return t
}()

const (
	inComment byte = 1 << iota
	inLiteral      // between '
	inBasic        // between "
	bareKey
	aboutKey // in a key with its dots and quotes
	inWord   // a number, a date, true or false
)

// quoted reads the string whose opening quote is next. Its value is made only where it is
// wanted; where it is not, the string is checked all the same.
func (r *Reader) quoted(want bool) (value string, ok bool) {
	quote := r.text[r.pos]
	part := inBasic
	if quote == '\'' {
		part = inLiteral
	}
	i := plainEnd(r.text, r.pos+1, quote)
	for i < len(r.text) && plain[r.text[i]]&part != 0 {
		i++
	}
	if i == len(r.text) || r.text[i] != quote {
		return r.spelled(quote, part, r.pos+1, i, false, want)
	}
	if i == r.pos+1 && i+1 < len(r.text) && r.text[i+1] == quote {
		return r.multiLine(quote, part, want)
	}
	value = r.text[r.pos+1 : i]
	r.pos = i + 1
	return value, true
}

// plainEnd is an offset, from i on, before which a string has neither its quote nor a
// backslash nor a control character. It looks at eight bytes at a time.
func plainEnd(text string, i int, quote byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	quotes := uint64(quote) * ones
	for ; i+8 <= len(text); i += 8 {
		w := uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24 |
			uint64(text[i+4])<<32 | uint64(text[i+5])<<40 | uint64(text[i+6])<<48 | uint64(text[i+7])<<56
		// A byte b is zero where (b - 1) &^ b has its high bit set, and below a space where
		// (b - ' ') &^ b has.
		q, e, d := w^quotes, w^'\\'*ones, w^0x7f*ones
		if ((q-ones)&^q|(e-ones)&^e|(d-ones)&^d|(w-' '*ones)&^w)&highs != 0 {
			break
		}
	}
	return i
}

// multiLine reads the string whose three opening quotes are next.
func (r *Reader) multiLine(quote, part byte, want bool) (value string, ok bool) {
	r.pos += 3
	// "A newline immediately following the opening delimiter will be trimmed."
	r.newline()
	return r.spelled(quote, part, r.pos, r.pos, true, want)
}

// spelled reads the rest of a string that begins at begin and is plain up to i: escapes,
// and in a multi-line string line breaks and quotes.
func (r *Reader) spelled(quote, part byte, begin, i int, multi, want bool) (value string, ok bool) {
	r.buf = r.buf[:0]
	line := r.line
	asWritten := true // the value is a part of the text
	from := begin
	flush := func(end, next int) {
		asWritten = false
		if want {
			r.buf = append(r.buf, r.text[from:end]...)
		}
		from, i = next, next
	}
	finish := func(end, next int) (string, bool) {
		r.pos = next
		if asWritten {
			return r.text[begin:end], true
		}
		flush(end, next)
		return string(r.buf), true
	}
	for {
		for i < len(r.text) && plain[r.text[i]]&part != 0 {
			i++
		}
		if i == len(r.text) {
			r.pos, r.line = begin, line
			r.fault(lockfile.CodeTruncated, "the file ends inside a string")
			return "", false
		}
		switch c := r.text[i]; {
		case c == quote && !multi:
			return finish(i, i+1)
		case c == quote:
			n := 1
			for n < 5 && i+n < len(r.text) && r.text[i+n] == quote {
				n++
			}
			if n >= 3 { // "one or two quotation marks" may stand before those that close
				return finish(i+n-3, i+n)
			}
			i += n
		case c == '\\' && part == inBasic:
			escape, next := r.escape(i, multi, want)
			flush(i, next)
			r.buf = append(r.buf, escape...)
		case c == '\n' || c == '\r' && strings.HasPrefix(r.text[i:], "\r\n"):
			if !multi {
				r.pos = i
				r.fault(lockfile.CodeSyntax, "a line break inside a string of one line")
				return "", false
			}
			i += strings.IndexByte(r.text[i:], '\n') + 1
			r.line++
		default:
			r.problem(lockfile.CodeSyntax, "the control character %#02x inside a string", c)
			i++
		}
	}
}

// escape reads the escape at i, and gives what it stands for and the offset after it.
func (r *Reader) escape(i int, multi, want bool) (value string, next int) {
	if i+1 == len(r.text) {
		return "", i + 1
	}
	digits := 0
	switch c := r.text[i+1]; c {
	case 'b':
		return "\b", i + 2
	case 't':
		return "\t", i + 2
	case 'n':
		return "\n", i + 2
	case 'f':
		return "\f", i + 2
	case 'r':
		return "\r", i + 2
	case '"', '\\':
		return r.text[i+1 : i+2], i + 2
	case 'e':
		return "\x1b", i + 2
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		if end := r.foldedBreak(i + 1); multi && end > 0 {
			return "", end
		}
		r.problem(lockfile.CodeSyntax, "no such escape in a string")
		return "", i + 1 // what follows stands for itself
	}
	end := i + 2 + digits
	if end > len(r.text) {
		end = len(r.text)
	}
	// "The escape codes must be valid Unicode scalar values."
	n, err := strconv.ParseUint(r.text[i+2:end], 16, 32)
	if err != nil || end-i-2 != digits || !utf8.ValidRune(rune(n)) {
		r.problem(lockfile.CodeSyntax, "an escape that is no character in a string")
		return "", i + 1
	}
	if !want {
		return "", end
	}
	return string(rune(n)), end
}

// foldedBreak gives the offset of the next text after a line break that a backslash before
// offset i folds, 0 where there is none: "it will be trimmed along with all whitespace
// (including newlines) up to the next non-whitespace character".
func (r *Reader) foldedBreak(i int) int {
	breaks := 0
	for i < len(r.text) {
		switch {
		case r.text[i] == ' ' || r.text[i] == '\t':
			i++
		case r.text[i] == '\n':
			i++
			breaks++
		case strings.HasPrefix(r.text[i:], "\r\n"):
			i += 2
			breaks++
		default:
			r.line += breaks
			if breaks == 0 {
				return 0
			}
			return i
		}
	}
	r.line += breaks
	return i
}

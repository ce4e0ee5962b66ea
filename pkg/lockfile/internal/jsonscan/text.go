package jsonscan

import (
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Eight bytes are looked at as one number: ones times a byte is that byte eight times.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// word64 is the eight bytes at i, the first one lowest.
func word64(text string, i int) uint64 {
	b := text[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// plainEnd is the offset, from i on, of the first byte that a string does not hold as it
// stands: a quote, a backslash, a control character.
func plainEnd(text string, i int) int {
	for ; i+8 <= len(text); i += 8 {
		// A byte b is zero where (b - 1) &^ b has its high bit set; likewise it is below 0x20
		// where (b - 0x20) &^ b has. A borrow spoils only the bytes above the first one found,
		// and the first is what counts.
		w := word64(text, i)
		quote, escape := w^'"'*ones, w^'\\'*ones
		if found := ((quote-ones)&^quote | (escape-ones)&^escape | (w-' '*ones)&^w) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// readString reads the string whose opening quote is next. It allocates only for one with
// escapes or bytes that are not UTF-8.
func (s *Scanner) readString() (string, bool) {
	from := s.pos + 1
	end := plainEnd(s.text, from)
	if end == len(s.text) || s.text[end] != '"' {
		return s.unescape(from, end)
	}
	s.pos = end + 1
	raw := s.text[from:end]
	if s.checkUTF8 && !utf8.ValidString(raw) {
		s.problem(from, lockfile.CodeEncoding, "bytes that are not UTF-8 in %q", raw)
		raw = strings.ToValidUTF8(raw, "\ufffd")
	}
	return raw, true
}

// skipString is readString for a string that nobody wants.
func (s *Scanner) skipString() bool {
	end := plainEnd(s.text, s.pos+1)
	if end == len(s.text) || s.text[end] != '"' || s.checkUTF8 {
		_, ok := s.readString()
		return ok
	}
	s.pos = end + 1
	return true
}

// unescape reads the rest of a string that begins at from and has something else than
// plain bytes at end.
func (s *Scanner) unescape(from, end int) (string, bool) {
	var b strings.Builder
	part := from
	for {
		b.WriteString(s.text[part:end])
		s.pos = end
		if end == len(s.text) {
			s.fail(lockfile.CodeTruncated, "the file ends inside a string")
			return "", false
		}
		part = end + 1
		switch c := s.text[end]; c {
		case '"':
			s.pos = part
			raw := b.String()
			if s.checkUTF8 && !utf8.ValidString(raw) {
				s.problem(from, lockfile.CodeEncoding, "bytes that are not UTF-8 in %q", raw)
				raw = strings.ToValidUTF8(raw, "\ufffd")
			}
			return raw, true
		case '\\':
			part = s.escape(&b, end)
		case '\n', '\r':
			s.fail(lockfile.CodeSyntax, "the line ends inside a string")
			return "", false
		case 0:
			s.problem(end, lockfile.CodeEncoding, "a NUL byte in a string")
			part = end
		default:
			s.problem(end, lockfile.CodeSyntax, "the control character %#x in a string", c)
			part = end
		}
		skip := part
		if part == end {
			skip++ // the control character is kept
		}
		end = plainEnd(s.text, skip)
	}
}

// escape writes what the escape sequence at i stands for, and gives the offset after it.
func (s *Scanner) escape(b *strings.Builder, i int) int {
	if i+1 == len(s.text) {
		return i + 1
	}
	switch c := s.text[i+1]; c {
	case '"', '\\', '/':
		b.WriteByte(c)
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		return s.escapedRune(b, i)
	default:
		s.problem(i, lockfile.CodeSyntax, "a backslash before %q in a string", c)
		return i + 1
	}
	return i + 2
}

func (s *Scanner) escapedRune(b *strings.Builder, i int) int {
	r, ok := hexRune(s.text, i)
	if !ok {
		s.problem(i, lockfile.CodeSyntax, "an escape that is no \\u and four hexadecimal digits in a string")
		return i + 2
	}
	i += 6
	if utf16.IsSurrogate(r) {
		low, _ := hexRune(s.text, i)
		pair := utf16.DecodeRune(r, low)
		if pair == utf8.RuneError {
			s.problem(i-6, lockfile.CodeEncoding, "half a surrogate pair, \\u%04x, in a string", r)
		} else {
			i += 6
		}
		r = pair
	}
	b.WriteRune(r)
	return i
}

// hexRune reads \uXXXX at i.
func hexRune(text string, i int) (rune, bool) {
	if len(text) < i+6 || text[i] != '\\' || text[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[i+2:i+6], 16, 16)
	return rune(n), err == nil
}

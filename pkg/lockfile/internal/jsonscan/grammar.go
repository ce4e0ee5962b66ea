package jsonscan

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// space moves over white space and gives the byte after it, 0 at the end of the text.
func (s *Scanner) space() byte {
	text, i := s.text, s.pos
	for i < len(text) {
		switch c := text[i]; {
		case c > ' ' && c != '/':
			s.pos = i
			return c
		case c == '\n' || c == ' ':
			i = spacesEnd(text, i+1)
		case c == '\r' || c == '\t':
			i++
		default:
			if s.pos = i; c != '/' || !s.comment() {
				return c
			}
			i = s.pos
		}
	}
	s.pos = i
	return 0
}

// spacesEnd is the offset, from i on, of the first byte that is no space.
func spacesEnd(text string, i int) int {
	for ; i+8 <= len(text); i += 8 {
		if other := word64(text, i) ^ ' '*ones; other != 0 {
			return i + bits.TrailingZeros64(other)/8
		}
	}
	for i < len(text) && text[i] == ' ' {
		i++
	}
	return i
}

// conflict moves over a line that git puts around the two sides of an unfinished merge. npm
// reads a file with such lines and installs a mixture of both sides: they are read as if one
// stood behind the other.
func (s *Scanner) conflict() bool {
	rest := s.text[s.pos:]
	if s.pos > 0 && s.text[s.pos-1] != '\n' || !hasConflictMark(rest) {
		return false
	}
	s.problem(s.pos, lockfile.CodeSyntax, "the mark of a merge conflict")
	end := strings.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
	}
	s.pos += end
	return true
}

func hasConflictMark(text string) bool {
	for _, mark := range [...]string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"} {
		if strings.HasPrefix(text, mark) {
			return true
		}
	}
	return false
}

// comment moves over a comment: no tool writes one, but some would read past it.
func (s *Scanner) comment() bool {
	rest := s.text[s.pos:]
	end := -1
	switch {
	case strings.HasPrefix(rest, "//"):
		end = strings.IndexByte(rest, '\n')
	case strings.HasPrefix(rest, "/*"):
		if end = strings.Index(rest[2:], "*/"); end >= 0 {
			end += 4
		}
	default:
		return false
	}
	s.problem(s.pos, lockfile.CodeSyntax, "a comment")
	if end < 0 {
		end = len(rest)
	}
	s.pos += end
	return true
}

// enter reads an opening bracket.
func (s *Scanner) enter(closer byte) bool {
	s.due = false
	if len(s.open) == lockfile.MaxDepth {
		s.fail(lockfile.CodeDepth, "more than %d levels of nesting", lockfile.MaxDepth)
		return false
	}
	s.open = append(s.open, closer)
	s.pos++
	return true
}

// next moves to the next member or element within the innermost bracket. It is false at
// the bracket's end, which it reads, and at a fault.
func (s *Scanner) next(first, separated bool) bool {
	if s.dead {
		return false
	}
	c := s.space()
	for c == ',' || c != '"' && s.conflict() {
		if c == ',' {
			s.problem(s.pos, lockfile.CodeSyntax, "a comma too many")
			s.pos++
		}
		c = s.space()
	}
	closer := s.open[len(s.open)-1]
	switch {
	case c == closer:
		if separated && !first && !s.opt.TrailingCommas {
			s.problem(s.pos, lockfile.CodeSyntax, "a comma before %q", closer)
		}
		s.open = s.open[:len(s.open)-1]
		s.pos++
		return false
	case closer == '}' && c != '"':
		s.unexpected("a name or the end of an object")
		return false
	case closer == ']' && (s.pos == len(s.text) || c == '}' || c == ':'):
		s.unexpected("a value or the end of an array")
		return false
	case !separated:
		s.problem(s.pos, lockfile.CodeSyntax, "no comma before this")
	}
	return true
}

// comma reads the comma after a member or element, and reports whether one is there.
func (s *Scanner) comma() bool {
	if s.dead {
		return false
	}
	if s.pos < len(s.text) && s.text[s.pos] == ',' || s.space() == ',' {
		s.pos++
		return true
	}
	return false
}

// colon reads up to the value of a member.
func (s *Scanner) colon() bool {
	if rest := s.text[s.pos:]; len(rest) > 2 && rest[0] == ':' && rest[1] == ' ' && (rest[2] == '"' || rest[2] == '{') {
		s.pos += 2 // as every tool writes it
		return true
	}
	if s.space() != ':' {
		s.unexpected("a colon after a name")
		return false
	}
	s.pos++
	if c := s.space(); s.pos == len(s.text) || c == ',' || c == '}' || c == ']' || c == ':' {
		s.unexpected("a value")
		return false
	}
	return true
}

// Skip moves over the value that is due, whatever it is. It looks for every fault but a
// repeated name, and does not recurse.
func (s *Scanner) Skip() {
	if s.due {
		s.due = false
		s.skip(len(s.open), true)
	}
}

// abandon moves to the end of the innermost bracket, beyond the value that may be due.
func (s *Scanner) abandon(level int) {
	s.Skip()
	if !s.dead {
		s.skip(level, false)
	}
}

// skip moves over values until no more than level brackets are open. It begins before a
// value, or after one.
func (s *Scanner) skip(level int, before bool) {
	for {
		first := false
		if before {
			switch kinds[s.text[s.pos]] {
			case Object:
				first = s.enter('}')
			case Array:
				first = s.enter(']')
			case String:
				s.skipString()
			default:
				s.word()
			}
		}
		for {
			if s.dead || len(s.open) <= level {
				return
			}
			if s.next(first, first || s.comma()) {
				break
			}
			first = false
		}
		if s.open[len(s.open)-1] == '}' && !(s.skipString() && s.colon()) {
			return
		}
		before = true
	}
}

// word reads a number, true, false or null. Any other run of letters and digits is a
// problem; it is read as one word, and ok is false.
func (s *Scanner) word() (ok bool) {
	from := s.pos
	for s.pos < len(s.text) && inWord(s.text[s.pos]) {
		s.pos++
	}
	switch w := s.text[from:s.pos]; {
	case w == "":
		s.unexpected("a value")
	case w == "true", w == "false", w == "null", isNumber(w):
		return true
	case s.pos == len(s.text):
		s.fail(lockfile.CodeTruncated, "the file ends inside %q", w)
	default:
		s.problem(from, lockfile.CodeSyntax, "%q is no number, true, false or null", w)
	}
	return false
}

func inWord(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || c == '-' || c == '+' || c == '.' || c == '_'
}

// isNumber is RFC 8259, section 6: number = [ minus ] int [ frac ] [ exp ].
func isNumber(w string) bool {
	w = strings.TrimPrefix(w, "-")
	rest := digits(w)
	if len(rest) == len(w) || len(w)-len(rest) > 1 && w[0] == '0' {
		return false
	}
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if rest = digits(after); len(rest) == len(after) {
			return false
		}
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		exp := rest[1:]
		if exp != "" && (exp[0] == '+' || exp[0] == '-') {
			exp = exp[1:]
		}
		if rest = digits(exp); len(rest) == len(exp) {
			return false
		}
	}
	return rest == ""
}

// digits is w without its leading digits.
func digits(w string) string {
	for w != "" && '0' <= w[0] && w[0] <= '9' {
		w = w[1:]
	}
	return w
}

// problem records a fault that reading goes on after.
func (s *Scanner) problem(offset int, code lockfile.Code, format string, args ...any) {
	s.file.AddProblem(s.lineOf(offset), code, format, args...)
}

// fail records a fault at the present offset and stops.
func (s *Scanner) fail(code lockfile.Code, format string, args ...any) {
	s.problem(s.pos, code, format, args...)
	s.dead, s.due, s.damaged = true, false, true
}

// unexpected stops at the present byte, which cannot stand where want should.
func (s *Scanner) unexpected(want string) {
	rest := s.text[s.pos:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case rest == "":
		s.fail(lockfile.CodeTruncated, "the file ends where %s should be", want)
	case r == 0:
		s.fail(lockfile.CodeEncoding, "a NUL byte where %s should be", want)
	case r == utf8.RuneError && size == 1:
		s.fail(lockfile.CodeEncoding, "the byte %#x, which is not UTF-8, where %s should be", rest[0], want)
	case hasConflictMark(rest):
		s.fail(lockfile.CodeSyntax, "the mark of a merge conflict where %s should be", want)
	default:
		s.fail(lockfile.CodeSyntax, "%q where %s should be", r, want)
	}
}

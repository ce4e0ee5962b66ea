package tomlscan

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// blanks moves past spaces and tabs.
func (r *Reader) blanks() {
	for r.pos < len(r.text) && (r.text[r.pos] == ' ' || r.text[r.pos] == '\t') {
		r.pos++
	}
}

// newline moves past a line break (LF or CRLF) and reports whether there was one.
func (r *Reader) newline() bool {
	switch {
	case r.pos < len(r.text) && r.text[r.pos] == '\n':
		r.pos++
	case strings.HasPrefix(r.text[r.pos:], "\r\n"):
		r.pos += 2
	default:
		return false
	}
	r.lineBegins()
	return true
}

// lineBegins counts a line that begins at pos.
func (r *Reader) lineBegins() {
	r.line++
	r.lineStart, r.lineNumber = r.pos, r.line
}

// comment moves past a comment, up to the line break, and reports whether there was one.
func (r *Reader) comment() bool {
	if r.pos == len(r.text) || r.text[r.pos] != '#' {
		return false
	}
	end := strings.IndexByte(r.text[r.pos:], '\n')
	if end < 0 {
		end = len(r.text)
	} else {
		end += r.pos
	}
	body := strings.TrimSuffix(r.text[r.pos:end], "\r")
	for i := 0; i < len(body); i++ {
		if plain[body[i]]&inComment == 0 {
			// "Control characters other than tab (U+0000 to U+0008, U+000A to U+001F, U+007F)
			// are not permitted in comments." Python's str.splitlines, and so a careless tool,
			// ends a line at some of them.
			r.problem(lockfile.CodeSyntax, "the control character %#02x in a comment", body[i])
			break
		}
	}
	r.pos += len(body)
	return true
}

// lines moves past blanks, line breaks and comments.
func (r *Reader) lines() {
	for {
		r.blanks()
		if !r.newline() && !r.comment() {
			return
		}
	}
}

// lineEnd moves past the rest of a statement's line, on which nothing more may stand.
func (r *Reader) lineEnd() bool {
	r.blanks()
	r.comment()
	if r.pos == len(r.text) || r.newline() {
		return true
	}
	r.fault(lockfile.CodeSyntax, "%s after the end of a statement", r.found())
	return false
}

// problem adds a problem of the line being read.
func (r *Reader) problem(code lockfile.Code, format string, args ...any) {
	if !r.lost {
		r.file.AddProblem(r.line, code, format, args...)
	}
}

// fault adds a problem after which the text no longer means one thing, and looks for a
// line to go on with: this one, where it is not the first line of its statement, or a
// later one.
func (r *Reader) fault(code lockfile.Code, format string, args ...any) {
	r.problem(code, format, args...)
	r.lost = true
	for _, f := range r.stack {
		r.tables.drop(f.id)
	}
	r.stack = r.stack[:0]
	r.state = inDocument
	if r.startsInside() {
		r.pos, r.line = r.lineStart, r.lineNumber
		return
	}
	for r.skipLine() && !r.looksLikeStatement(r.pos) {
	}
}

// skipLine moves to the next line and reports whether there is one.
func (r *Reader) skipLine() bool {
	end := strings.IndexByte(r.text[r.pos:], '\n')
	if end < 0 {
		r.pos = len(r.text)
		return false
	}
	r.pos += end + 1
	r.lineBegins()
	return true
}

// startsInside reports whether the line being read looks like a statement, inside of one
// that began earlier. A line may be asked about at each of its words, and is judged once.
func (r *Reader) startsInside() bool {
	if r.lineStart <= r.begin {
		return false
	}
	if r.judged != r.lineStart {
		r.judged, r.isStatement = r.lineStart, r.looksLikeStatement(r.lineStart)
	}
	return r.isStatement
}

// looksLikeStatement reports whether the line that begins at an offset begins as a key with
// a value does, or begins and ends as a header does.
func (r *Reader) looksLikeStatement(line int) bool {
	rest := strings.TrimLeft(r.text[line:], " \t")
	if strings.HasPrefix(rest, "[") {
		return looksLikeHeader(rest)
	}
	i := 0
	for i < len(rest) && plain[rest[i]]&aboutKey != 0 {
		i++
	}
	return i > 0 && i < len(rest) && rest[i] == '='
}

func looksLikeHeader(rest string) bool {
	line, _, _ := strings.Cut(rest, "\n")
	line, _, _ = strings.Cut(line, "#")
	return strings.HasSuffix(strings.TrimRight(line, " \t\r"), "]")
}

// deeper reports whether a table or array may be opened at a depth.
func (r *Reader) deeper(depth int) bool {
	if depth < lockfile.MaxDepth {
		return true
	}
	r.fault(lockfile.CodeDepth, "nested deeper than %d", lockfile.MaxDepth)
	return false
}

// found names the next character, for problems.
func (r *Reader) found() string {
	if r.pos == len(r.text) {
		return "the end of the file"
	}
	c, size := utf8.DecodeRuneInString(r.text[r.pos:])
	if c == utf8.RuneError && size == 1 {
		return fmt.Sprintf("the byte %#02x", r.text[r.pos])
	}
	return fmt.Sprintf("%q", c)
}

package pypi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// logicalLine is a line of a requirements file after continuations are joined and comments
// are taken off: never empty, without space around it.
type logicalLine struct {
	text string
	line int // on which it begins
}

// logicalLines splits the text of a requirements file as pip's preprocess does: at each
// end of line that Python's str.splitlines knows, joined where a line ends in a backslash.
func logicalLines(text string, file *lockfile.File) []logicalLine {
	out := make([]logicalLine, 0, 1+strings.Count(text, "\n"))
	j := joiner{file: file}
	if strings.IndexByte(text, '\\') >= 0 {
		j.text.Grow(len(text))
	}
	add := func(text string, line int) {
		if text = trimSpace(text[:commentStart(text)]); text != "" {
			out = append(out, logicalLine{text, line})
		}
	}
	cut := cutLine
	if onlyNewlines(text) {
		cut = cutNewline
	}
	for number := 1; text != ""; {
		line, rest := cut(text)
		ended := text[len(line) : len(text)-len(rest)]
		text = rest
		if strings.HasSuffix(line, `\`) && !isComment(line) {
			j.part(line, number, add)
		} else if j.open {
			j.last(line, add)
		} else {
			add(line, number)
		}
		if strings.HasSuffix(ended, "\n") {
			number++
		}
	}
	if j.open {
		j.last("", add)
	}
	return out
}

// joiner joins lines that end in a backslash. Its lines are parts of one text, so that a
// file costs one allocation for them and not one a line.
type joiner struct {
	file  *lockfile.File
	text  strings.Builder
	begin int // of the line being joined, in text
	line  int
	open  bool
}

// part takes a line that another follows. pip strips backslashes from both of its ends.
func (j *joiner) part(line string, number int, add func(string, int)) {
	if !j.open {
		j.begin, j.line, j.open = j.text.Len(), number, true
	}
	line = strings.Trim(line, `\`)
	comment := commentStart(line)
	j.text.WriteString(line[:comment])
	if comment == len(line) {
		return
	}
	// pip joins first and then takes off the comment, and with it all lines that follow; uv
	// ends a comment at the end of its line, and installs from the next.
	j.file.AddProblem(number, lockfile.CodeSyntax, "a backslash ends a comment: pip skips the next line, and uv reads it")
	j.end(add)
}

// last takes the line that ends what is being joined.
func (j *joiner) last(line string, add func(string, int)) {
	if isComment(line) {
		j.text.WriteByte(' ') // "this ensures comments are always matched later"
	}
	j.text.WriteString(line)
	j.end(add)
}

func (j *joiner) end(add func(string, int)) {
	j.open = false
	add(j.text.String()[j.begin:], j.line)
}

// isComment reports whether a line has nothing else than a comment.
func isComment(line string) bool {
	return strings.HasPrefix(trimSpace(line), "#")
}

// commentStart is the offset at which a line's comment begins, with the space before its
// "#"; the line's length where it has none. A "#" inside of a word, as in a URL's
// fragment, begins no comment.
func commentStart(line string) int {
	for i := 0; ; i++ {
		next := strings.IndexByte(line[i:], '#')
		if next < 0 {
			return len(line)
		}
		i += next
		if before, _ := utf8.DecodeLastRuneInString(line[:i]); i == 0 || isSpace(before) {
			return i
		}
	}
}

// onlyNewlines reports whether lines end in LF alone, as cutNewline takes them to.
func onlyNewlines(text string) bool {
	for _, c := range []byte("\r\v\f\x1c\x1d\x1e\xc2\xe2") { // as in cutLine
		if strings.IndexByte(text, c) >= 0 {
			return false
		}
	}
	return true
}

// cutNewline cuts the first line off a text of which onlyNewlines is true.
func cutNewline(text string) (line, rest string) {
	end := strings.IndexByte(text, '\n')
	if end < 0 {
		return text, ""
	}
	return strings.TrimSuffix(text[:end], "\r"), text[end+1:]
}

// cutLine cuts the first line off a text, as str.splitlines does.
func cutLine(text string) (line, rest string) {
	for i := 0; i < len(text); i++ {
		if bytesAre[text[i]]&endsLine == 0 {
			continue
		}
		switch text[i] {
		case '\r':
			if strings.HasPrefix(text[i+1:], "\n") {
				return text[:i], text[i+2:]
			}
			return text[:i], text[i+1:]
		case '\n', '\v', '\f', 0x1c, 0x1d, 0x1e:
			return text[:i], text[i+1:]
		case 0xc2:
			if strings.HasPrefix(text[i:], "\u0085") {
				return text[:i], text[i+2:]
			}
		case 0xe2:
			if strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029") {
				return text[:i], text[i+3:]
			}
		}
	}
	return text, ""
}

// isSpace is Python's str.isspace: what its regular expressions and str.strip take for
// white space.
func isSpace(c rune) bool {
	if c < utf8.RuneSelf {
		return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x1f
	}
	return unicode.IsSpace(c)
}

// trimSpace is Python's str.strip.
func trimSpace(s string) string {
	for s != "" && s[0] < utf8.RuneSelf && isSpace(rune(s[0])) {
		s = s[1:]
	}
	for s != "" && s[len(s)-1] < utf8.RuneSelf && isSpace(rune(s[len(s)-1])) {
		s = s[:len(s)-1]
	}
	if s == "" || s[0] < utf8.RuneSelf && s[len(s)-1] < utf8.RuneSelf {
		return s
	}
	return strings.TrimFunc(s, isSpace)
}

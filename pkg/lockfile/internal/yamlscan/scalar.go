package yamlscan

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// isIndicator are the bytes that no plain scalar begins with (section 5.3); "-", "?" and ":"
// are among them only where a blank follows.
var isIndicator = func() (t [256]bool) {
	for _, c := range []byte(",[]{}#&*!|>'\"%@`") {
		t[c] = true
	}
	return t
}()

// blockKey reads the key that line begins with; behind is the index after its ":".
func (s *Scanner) blockKey(line string) (key string, behind int, ok bool) {
	if line[0] == '"' || line[0] == '\'' {
		return s.quotedKey(line)
	}
	behind = keyEnd(line)
	if behind < 0 {
		return "", 0, false
	}
	key = trimBlanks(line[:behind-1])
	if key == "" {
		s.problem(lockfile.CodeSyntax, "a line without a key")
		return "", behind, true
	}
	if isIndicator[key[0]] {
		key = s.oddStart(key)
	}
	if s.hashes && (strings.Contains(key, " #") || strings.Contains(key, "\t#")) {
		s.problem(lockfile.CodeSyntax, "a comment inside of a key")
	}
	return key, behind, true
}

func (s *Scanner) quotedKey(line string) (key string, behind int, ok bool) {
	key, behind, ok = s.quoted(line)
	if !ok {
		return "", 0, false
	}
	rest := strings.TrimLeft(line[behind:], " ")
	if rest == "" || rest[0] != ':' {
		return "", 0, false
	}
	behind = len(line) - len(rest) + 1
	if len(rest) > 1 && !isBlank(rest[1]) {
		s.problem(lockfile.CodeSyntax, "no space between a key and its value")
	}
	return key, behind, true
}

// keyEnd is the index after the ":" that ends a plain key, -1 where line has none.
func keyEnd(line string) int {
	for i := 0; ; {
		n := strings.IndexByte(line[i:], ':')
		if n < 0 {
			return -1
		}
		i += n + 1
		if i == len(line) || isBlank(line[i]) {
			return i
		}
	}
}

// looksLikeKey reports whether a line begins with a key. It adds no problem.
func looksLikeKey(line string) bool {
	if line[0] != '"' && line[0] != '\'' {
		return keyEnd(line) >= 0
	}
	n := closingQuote(line)
	return n >= 0 && strings.HasPrefix(strings.TrimLeft(line[n+1:], " "), ":")
}

// oddStart reports that a plain scalar begins as none can, and gives it without the anchor
// or tag before it.
func (s *Scanner) oddStart(text string) string {
	switch text[0] {
	case '&', '!':
		s.problem(lockfile.CodeReference, "an anchor or a tag")
		if _, rest, ok := strings.Cut(text, " "); ok {
			return strings.TrimLeft(rest, " ")
		}
	case '*':
		s.problem(lockfile.CodeReference, "an alias")
	default:
		s.problem(lockfile.CodeSyntax, "%q begins unquoted text", text[:1])
	}
	return text
}

// plainValue reads the plain scalar at offset i as the value of the current node, and the
// lines that continue it.
func (s *Scanner) plainValue(i int) {
	text := s.text[i:s.end]
	if isIndicator[text[0]] {
		text = s.oddStart(text)
	}
	if (text[0] == '-' || text[0] == '?') && opensNode(text) {
		s.problem(lockfile.CodeSyntax, "a sequence or a key beside a key")
	}
	s.Kind, s.Value = Scalar, s.plain(text)
	s.skipLine()
	if s.continues() {
		s.continuation()
	}
}

// plain is the plain scalar that a line ends with, without the comment behind it.
func (s *Scanner) plain(text string) string {
	if s.hashes {
		if n := strings.Index(text, " #"); n >= 0 {
			text = text[:n]
		} else if strings.Contains(text, "\t#") {
			s.problem(lockfile.CodeSyntax, "a comment behind a tab")
		}
	}
	if strings.IndexByte(text, ':') >= 0 && keyEnd(text) >= 0 {
		s.problem(lockfile.CodeSyntax, "a key beside a key")
	}
	return trimBlanks(text)
}

// trimBlanks cuts the blanks off the end of text. Text that has none, as nearly all has, costs
// one look.
func trimBlanks(text string) string {
	for len(text) > 0 && isBlank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

// continues reports whether the next line that is not blank is indented deeper than the
// current node, and no comment.
func (s *Scanner) continues() bool {
	column := s.frames[len(s.frames)-1].column
	if i := s.pos + column; i < len(s.text) && s.text[i] != ' ' && s.text[s.pos] != '\n' {
		return false // nearly always
	}
	for begin := s.pos; ; {
		i := begin
		for i < len(s.text) && s.text[i] == ' ' {
			i++
		}
		switch {
		case i == len(s.text):
			return false
		case s.text[i] != '\n':
			return i-begin > column && s.text[i] != '#'
		}
		begin = i + 1
	}
}

// continuation joins the lines that continue a plain scalar to the current node's value, as
// section 6.5 folds them. What looks like a key or has a comment is refused by YAML there, and
// is read as a line of its own.
func (s *Scanner) continuation() {
	var folded strings.Builder
	folded.WriteString(s.Value)
	for first := true; s.continues(); first = false {
		blank := s.skipBlankLines()
		text := strings.Trim(s.text[s.pos:s.end], " \t")
		if text == "" || keyEnd(text) >= 0 || strings.Contains(text, " #") {
			break
		}
		if first {
			s.severalLines()
		}
		fold(&folded, blank, text)
		s.skipLine()
	}
	s.Value = folded.String()
}

// skipBlankLines moves to the next line that is not blank and gives how many it skipped.
func (s *Scanner) skipBlankLines() (n int) {
	for s.end = lineEnd(s.text, s.pos); s.pos < len(s.text); s.end = lineEnd(s.text, s.pos) {
		if strings.Trim(s.text[s.pos:s.end], " ") != "" {
			break
		}
		s.skipLine()
		n++
	}
	return n
}

// fold appends a line of text behind a number of blank lines.
func fold(b *strings.Builder, blank int, text string) {
	if blank == 0 {
		b.WriteByte(' ')
	}
	for range blank {
		b.WriteByte('\n')
	}
	b.WriteString(text)
}

// severalLines reports text of several lines, which only prose has.
func (s *Scanner) severalLines() {
	if s.prose != AnyKey && (s.Key != s.prose || s.Item) {
		s.problem(lockfile.CodeSyntax, "text of several lines in %q", s.Key)
	}
}

// quotedValue reads the quoted scalar at offset i as the value of the current node. It may
// go over several lines, each indented deeper than the node.
func (s *Scanner) quotedValue(i int) {
	s.Kind = Scalar
	text := s.text[i:s.end]
	if closingQuote(text) < 0 {
		text = s.joinQuoted(text)
	}
	value, behind, ok := s.quoted(text)
	if !ok {
		s.problem(lockfile.CodeTruncated, "text without its closing quote")
		s.Value = strings.Trim(text, `"' `)
		s.skipLine()
		return
	}
	s.Value = value
	s.behind(text[behind:])
	s.skipLine()
}

// joinQuoted appends to the first line of a quoted scalar the lines up to its closing quote,
// or up to one that is not indented deeper than the node (section 7.3). It leaves s.end at the
// end of the last line it took.
func (s *Scanner) joinQuoted(first string) string {
	quote := first[:1]
	first = trimBlanks(first)
	var joined strings.Builder
	joined.WriteString(first)
	s.severalLines()
	for text, done := first, false; !done; {
		s.skipLine()
		begin, line, end := s.pos, s.line, s.end
		blank := s.skipBlankLines()
		before := text
		text = strings.Trim(s.text[s.pos:s.end], " \t")
		if text == "" || !strings.HasPrefix(s.text[s.pos:], strings.Repeat(" ", s.frames[len(s.frames)-1].column+1)) {
			s.pos, s.line, s.end = begin, line-1, end
			break
		}
		done = closingQuote(quote+text) >= 0
		if quote == `"` && blank == 0 && escapesEnd(before) {
			joined.WriteString("\n") // behind the backslash: section 7.3.1 joins the two lines
			joined.WriteString(text)
			continue
		}
		fold(&joined, blank, text)
	}
	return joined.String()
}

// escapesEnd reports whether a line of a double quoted scalar ends in a backslash that escapes
// the line's end.
func escapesEnd(line string) bool {
	rest := strings.TrimRight(line, `\`)
	return (len(line)-len(rest))%2 == 1
}

// blockScalar reads the block scalar whose "|" or ">" is at offset i as the value of the
// current node (section 8.1). The one line that one mostly has is given as it stands; several
// are joined with line feeds or spaces, more roughly than YAML folds them.
func (s *Scanner) blockScalar(i int) {
	s.Kind = Scalar
	parent := s.frames[len(s.frames)-1].column
	column := s.blockHeader(s.text[i+1:s.end], parent)
	joint := byte(' ')
	if s.text[i] == '|' {
		joint = '\n'
	}
	s.skipLine()
	lines := 0
	var joined strings.Builder
	for s.pos < len(s.text) {
		s.skipBlankLines()
		indent := 0
		for s.pos+indent < s.end && s.text[s.pos+indent] == ' ' {
			indent++
		}
		if indent <= parent {
			break
		}
		if column < 0 {
			column = indent
		}
		if indent < column {
			s.problem(lockfile.CodeSyntax, "indented less than the text above")
			break
		}
		text := s.text[s.pos+column : s.end]
		switch lines++; lines {
		case 1:
			s.Value = text
		case 2:
			s.severalLines()
			joined.WriteString(s.Value)
			fallthrough
		default:
			joined.WriteByte(joint)
			joined.WriteString(text)
		}
		s.skipLine()
	}
	if lines > 1 {
		s.Value = joined.String()
	}
}

// blockHeader reads what stands behind "|" or ">": the column that the text begins in, -1
// where its first line tells.
func (s *Scanner) blockHeader(header string, parent int) (column int) {
	column = -1
	indicators, rest := header, ""
	if i := strings.IndexAny(header, " \t"); i >= 0 {
		indicators, rest = header[:i], header[i:]
	}
	digit := strings.Trim(indicators, "+-")
	switch {
	case len(digit) == 1 && '1' <= digit[0] && digit[0] <= '9' && len(indicators) <= 2:
		column = parent + int(digit[0]-'0')
	case len(indicators) > 1 || digit != "":
		s.problem(lockfile.CodeSyntax, "%.60q behind the mark of a block of text", header)
	}
	s.behind(rest)
	return column
}

// behind reports what stands behind a quoted scalar or a flow collection, if it is more than
// a comment.
func (s *Scanner) behind(text string) {
	rest := strings.TrimLeft(text, " \t")
	if rest == "" || rest[0] == '#' && len(rest) < len(text) {
		return
	}
	s.problem(lockfile.CodeSyntax, "%.60q behind a value", rest)
}

// closingQuote is the index of the quote that closes text, which begins with one; -1 where
// there is none.
func closingQuote(text string) int {
	i := 1 + strings.IndexByte(text[1:], text[0])
	if i == 0 {
		return -1
	}
	if text[0] == '"' {
		if strings.IndexByte(text[1:i], '\\') < 0 {
			return i
		}
		return unescapedQuote(text)
	}
	for i+1 < len(text) && text[i+1] == '\'' { // '' stands for one quote
		n := strings.IndexByte(text[i+2:], '\'')
		if n < 0 {
			return -1
		}
		i += 2 + n
	}
	return i
}

// unescapedQuote is the index of the first " in text, after that which it begins with, that no
// backslash escapes.
func unescapedQuote(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// quoted reads the quoted scalar that text begins with; behind is the index after it.
func (s *Scanner) quoted(text string) (value string, behind int, ok bool) {
	n := closingQuote(text)
	if n < 0 {
		return "", 0, false
	}
	value = text[1:n]
	if text[0] == '\'' {
		if strings.IndexByte(value, '\'') >= 0 {
			value = strings.ReplaceAll(value, "''", "'")
		}
		return value, n + 1, true
	}
	if strings.IndexByte(value, '\\') >= 0 {
		value = s.unescape(value)
	}
	return value, n + 1, true
}

// simpleEscapes are the escapes of one letter (section 5.7).
var simpleEscapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f",
	'r': "\r", 'e': "\x1b", ' ': " ", '"': `"`, '/': "/", '\\': `\`,
	'\n': "", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// hexEscapes are the escapes that a number of hex digits follows.
var hexEscapes = map[byte]int{'x': 2, 'u': 4, 'U': 8}

func (s *Scanner) unescape(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	high := rune(-1) // the first half of a surrogate pair, as JSON writes what is beyond U+FFFF
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' || i+1 == len(text) {
			high = s.half(&b, high, -1)
			b.WriteByte(c)
			i++
			continue
		}
		letter := text[i+1]
		i += 2
		size := hexEscapes[letter]
		if size == 0 {
			high = s.half(&b, high, -1)
			plain, ok := simpleEscapes[letter]
			if !ok {
				s.problem(lockfile.CodeSyntax, "%q is no escape", `\`+string(rune(letter)))
			}
			b.WriteString(plain)
			continue
		}
		r, ok := hexRune(text[i:min(i+size, len(text))], size)
		if !ok {
			s.problem(lockfile.CodeSyntax, "a broken escape")
			continue
		}
		i += size
		if high = s.half(&b, high, r); high < 0 && !utf16.IsSurrogate(r) {
			b.WriteRune(r)
		}
	}
	s.half(&b, high, -1)
	return b.String()
}

// half joins two halves of a surrogate pair. It gives the first half of a pair that r begins,
// -1 for none, and reports a half that stands alone.
func (s *Scanner) half(b *strings.Builder, high, r rune) rune {
	if high >= 0 {
		if whole := utf16.DecodeRune(high, r); whole != utf8.RuneError {
			b.WriteRune(whole)
			return -1
		}
		s.problem(lockfile.CodeEncoding, "half of a surrogate pair")
		b.WriteRune(utf8.RuneError)
	}
	switch {
	case utf16.IsSurrogate(r) && r < 0xdc00:
		return r
	case utf16.IsSurrogate(r):
		s.problem(lockfile.CodeEncoding, "half of a surrogate pair")
		b.WriteRune(utf8.RuneError)
	}
	return -1
}

func hexRune(digits string, size int) (rune, bool) {
	n, err := strconv.ParseUint(digits, 16, 32)
	return rune(n), err == nil && len(digits) == size && n <= utf8.MaxRune
}

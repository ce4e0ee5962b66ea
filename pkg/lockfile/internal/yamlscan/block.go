package yamlscan

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// blockNode reads the node that begins at s.pos, in a line of a block collection, and what
// stands beside it. It is false for a line that gives no node of its own.
func (s *Scanner) blockNode() bool {
	line := s.text[s.pos:s.end]
	if s.simpleLine(line) {
		return true
	}
	switch c := line[0]; {
	case s.column == 0 && isMark(line):
		return s.mark(line)
	case c == '-' && opensNode(line):
		return s.item(line)
	case c == '?' && opensNode(line):
		return s.explicitKey(line)
	case c == '{' || c == '[':
		return s.bareFlow(c)
	case c == '%' && s.column == 0:
		s.problem(lockfile.CodeSyntax, "a YAML directive")
		s.skipLine()
		return false
	}
	key, behind, ok := s.blockKey(line)
	if !ok {
		s.problem(lockfile.CodeSyntax, "%.60q is neither a key nor an item", line)
		s.skipLine()
		return false
	}
	s.enter(Map)
	if s.dead {
		return false
	}
	s.note(key)
	s.Node = Node{Depth: len(s.frames) - 1, Key: key, Line: s.line}
	s.value(s.pos + behind)
	return true
}

// simpleLine reads a line that has nothing but a plain key and a plain value in it, or one
// pair in braces, or nothing behind the key. It is the short way through what blockNode does
// in more steps: most lines are of this kind. For any other line it does nothing and is false.
func (s *Scanner) simpleLine(line string) bool {
	behind := keyEnd(line)
	if behind < 2 || startsOddly[line[0]] || s.hashes || isBlank(line[behind-2]) {
		return false
	}
	node := Node{Kind: Open, Line: s.line}
	if value := line[behind:]; value != "" {
		if value[0] != ' ' || len(value) < 2 {
			return false
		}
		value = value[1:]
		switch {
		case value[0] == '{':
			if !s.simplePair(value) {
				return false
			}
			node.Kind = Map
		case startsOddly[value[0]] || isBlank(value[len(value)-1]) || keyEnd(value) >= 0:
			return false
		default:
			node.Kind, node.Value = Scalar, value
		}
	}
	if n := len(s.frames); n == 0 || s.frames[n-1].column != s.column || s.frames[n-1].kind != Map {
		if s.enter(Map); s.dead {
			s.paired = false
			return false
		}
	}
	node.Key, node.Depth = line[:behind-1], len(s.frames)-1
	s.note(node.Key)
	s.Node = node
	s.frames[node.Depth].open = node.Kind == Open
	s.skipLine()
	if node.Kind == Scalar && s.continues() {
		s.continuation()
	}
	return true
}

// simplePair reads a flow mapping of one pair, "{key: value}", whose value is plain or in
// single quotes. The pair is the node after the next.
func (s *Scanner) simplePair(text string) bool {
	end := len(text) - 1
	colon := strings.IndexByte(text, ':')
	if colon < 2 || colon+2 >= end || text[end] != '}' || text[colon+1] != ' ' {
		return false
	}
	key, value := text[1:colon], text[colon+2:end]
	if value[0] == '\'' {
		if value = value[1:]; strings.IndexByte(value, '\'') != len(value)-1 || value == "" {
			return false
		}
		value = value[:len(value)-1]
	} else if !isWord(value) {
		return false
	}
	if !isWord(key) {
		return false
	}
	s.pair = Node{Kind: Scalar, Key: key, Value: value, Flow: true, Line: s.line}
	s.paired = true
	return true
}

// isWord reports whether a plain scalar in a flow collection ends at none of the bytes of
// text, and begins as one may.
func isWord(text string) bool {
	for i := 0; i < len(text); i++ {
		if !inWord[text[i]] {
			return false
		}
	}
	return !startsOddly[text[0]]
}

// inWord are letters, digits and what versions and digests are made of.
var inWord = func() (t [256]bool) {
	for c := range t {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/=-_.", byte(c)) >= 0
	}
	return t
}()

// startsOddly are the bytes that no key or value of simpleLine begins with: an indicator, a
// blank, or what may begin a mark.
var startsOddly = func() (t [256]bool) {
	t = isIndicator
	for _, c := range []byte(" \t-?.") {
		t[c] = true
	}
	return t
}()

// isMark reports whether a line, which is not indented, marks where a document begins or
// ends.
func isMark(line string) bool {
	return (strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")) &&
		(len(line) == 3 || isBlank(line[3]))
}

// mark begins a new document.
func (s *Scanner) mark(line string) bool {
	for len(s.frames) > 0 {
		s.pop()
	}
	s.rooted = false
	s.Node = Node{Kind: Document, Line: s.line}
	if line[0] == '.' {
		s.problem(lockfile.CodeSyntax, "the mark of a document's end")
	}
	rest := strings.TrimLeft(line[3:], " \t")
	if len(line) > 3 {
		s.problem(lockfile.CodeSyntax, "%.60q beside the mark of a document", line[3:])
	}
	if rest == "" || rest[0] == '#' {
		s.skipLine()
		return true
	}
	s.goOnAt(s.end - len(rest))
	return true
}

// goOnAt has the rest of the line from offset i on read as a line of its own, indented as
// far as it stands.
func (s *Scanner) goOnAt(i int) {
	s.column += i - s.pos
	s.pos = i
	s.inLine = true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// opensNode reports whether the indicator that line begins with stands alone.
func opensNode(line string) bool { return len(line) == 1 || isBlank(line[1]) }

// enter makes the collection that the node at s.column belongs to the innermost one: it
// closes the deeper ones, and opens a new one where the node before has room for it.
func (s *Scanner) enter(kind Kind) {
	for len(s.frames) > 0 && s.frames[len(s.frames)-1].column > s.column {
		s.pop()
	}
	if len(s.frames) == 0 {
		s.root()
		s.push(frame{column: s.column, kind: kind})
		return
	}
	top := &s.frames[len(s.frames)-1]
	switch {
	case top.column < s.column:
		if !top.open {
			s.problem(lockfile.CodeSyntax, "indented to column %d, where nothing is open", s.column+1)
		}
		s.push(frame{column: s.column, kind: kind})
	case top.kind == kind:
	case kind == Seq && top.open: // items may stand as far left as the key they belong to
		s.push(frame{column: s.column, kind: kind})
	case kind == Map && len(s.frames) > 1 && s.frames[len(s.frames)-2].column == s.column:
		s.pop() // such items have ended
	default:
		s.problem(lockfile.CodeSyntax, "keys and items in one collection")
		s.pop()
		s.push(frame{column: s.column, kind: kind})
	}
}

// root reports a second collection beside the document's own.
func (s *Scanner) root() {
	if len(s.frames) > 0 {
		return
	}
	if s.rooted {
		s.problem(lockfile.CodeSyntax, "a second collection beside the document's own")
	}
	s.rooted = true
}

// item reads an item of a sequence, "- VALUE". A mapping may begin beside the dash.
func (s *Scanner) item(line string) bool {
	s.enter(Seq)
	if s.dead {
		return false
	}
	s.Node = Node{Depth: len(s.frames) - 1, Item: true, Line: s.line}
	s.compact(s.pos + 1)
	return true
}

// explicitKey reads a key behind "? ", which js-yaml and yarn write where the key is longer
// than the 1,024 characters that YAML allows a plain one (section 8.2.2), and the value that
// stands behind ":" in the next line.
func (s *Scanner) explicitKey(line string) bool {
	s.enter(Map)
	if s.dead {
		return false
	}
	text := strings.Trim(line[1:], " ")
	key, ok := text, true
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		var behind int
		if key, behind, ok = s.quoted(text); ok {
			ok = behind == len(text)
		}
	} else {
		ok = text != "" && !startsOddly[text[0]] && keyEnd(text) < 0 && !s.hashes
	}
	if !ok {
		s.problem(lockfile.CodeSyntax, "a key that is no plain text")
	}
	s.note(key)
	s.Node = Node{Kind: Open, Depth: len(s.frames) - 1, Key: key, Line: s.line}
	s.frames[len(s.frames)-1].open = false
	column := s.column
	s.skipLine()
	begin := s.pos
	if s.pos+column < len(s.text) && strings.Trim(s.text[begin:begin+column], " ") == "" && s.text[begin+column] == ':' {
		s.pos += column
		s.end = lineEnd(s.text, s.pos)
		if line = s.text[s.pos:s.end]; opensNode(line) {
			s.compact(s.pos + 1)
			return true
		}
		s.pos = begin
	}
	s.file.AddProblem(s.Line, lockfile.CodeSyntax, "a key behind \"?\" without a value")
	return true
}

// compact reads what stands beside "-" or ":" and begins at offset i: a value, or the first
// line of a collection.
func (s *Scanner) compact(i int) {
	i = s.skipBlanks(i)
	if rest := s.text[i:s.end]; rest != "" && rest[0] != '{' && rest[0] != '[' && rest[0] != '#' {
		if (rest[0] == '-' || rest[0] == '?') && opensNode(rest) || looksLikeKey(rest) {
			s.Kind = Open
			s.frames[len(s.frames)-1].open = true
			s.goOnAt(i)
			return
		}
	}
	s.value(i)
}

// skipBlanks gives the offset of the first byte of the line, from i on, that is no blank.
func (s *Scanner) skipBlanks(i int) int {
	for i < s.end && s.text[i] == ' ' {
		i++
	}
	if i < s.end && s.text[i] == '\t' {
		s.problem(lockfile.CodeSyntax, "a tab between two parts of a line")
		for i < s.end && isBlank(s.text[i]) {
			i++
		}
	}
	return i
}

// bareFlow begins a flow collection that stands in a line of its own: the document's own, as
// in JSON, or the value of the key in a line above.
func (s *Scanner) bareFlow(c byte) bool {
	for len(s.frames) > 0 && s.frames[len(s.frames)-1].column >= s.column {
		s.pop()
	}
	if n := len(s.frames); n > 0 && !s.frames[n-1].open {
		s.problem(lockfile.CodeSyntax, "a flow collection where nothing is open")
	}
	s.beginFlow(c)
	return false
}

// value reads the value of the current node, which begins behind blanks at offset i of its
// line, and moves to the line after it.
func (s *Scanner) value(i int) {
	top := &s.frames[len(s.frames)-1]
	top.open = false
	i = s.skipBlanks(i)
	for i < s.end && (s.text[i] == '&' || s.text[i] == '!') {
		s.problem(lockfile.CodeReference, "an anchor or a tag")
		for i < s.end && !isBlank(s.text[i]) {
			i++
		}
		i = s.skipBlanks(i)
	}
	if i == s.end || s.text[i] == '#' {
		s.Kind = Open
		top.open = true
		s.skipLine()
		return
	}
	switch c := s.text[i]; c {
	case '{', '[':
		s.Kind = Map
		if c == '[' {
			s.Kind = Seq
		}
		s.pos = i
		s.beginFlow(c)
	case '"', '\'':
		s.quotedValue(i)
	case '|', '>':
		s.blockScalar(i)
	default:
		s.plainValue(i)
	}
}

package yamlscan

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// beginFlow opens the flow collection whose bracket is at s.pos.
func (s *Scanner) beginFlow(bracket byte) {
	kind := Map
	if bracket == '[' {
		kind = Seq
	}
	s.root()
	s.push(frame{kind: kind, flow: true})
	s.pos++
}

// flowNode reads on inside of a flow collection, up to and with the next node; it is false
// where a comma or the end of the collection came first.
func (s *Scanner) flowNode() bool {
	top := &s.frames[len(s.frames)-1]
	c := s.flowSpace()
	switch c {
	case 0:
		s.problem(lockfile.CodeTruncated, "the file ends inside of a flow collection")
		s.dead = true
		return false
	case '}', ']':
		s.endFlow(c)
		return false
	case ',':
		if !top.comma {
			s.problem(lockfile.CodeSyntax, "a comma without an entry before it")
		}
		top.comma = false
		s.pos++
		return false
	case ':':
		if top.kind == Seq {
			s.problem(lockfile.CodeSyntax, "a key in a sequence")
			top.comma = false
			s.pos++
			return false
		}
	}
	if top.comma {
		if s.leaveFlow() {
			return false
		}
		s.problem(lockfile.CodeSyntax, "no comma between two entries")
	}
	top.comma = true
	s.Node = Node{Kind: Open, Depth: len(s.frames) - 1, Item: top.kind == Seq, Flow: true, Line: s.line}
	if top.kind == Map {
		if c == '{' || c == '[' {
			s.problem(lockfile.CodeSyntax, "a collection as a key")
		} else {
			s.Key = s.flowScalar(c)
			s.note(s.Key)
			if s.flowSpace() != ':' {
				return true
			}
			if s.line != s.Line {
				s.problem(lockfile.CodeSyntax, "a colon on another line than its key")
			}
			s.pos++
			c = s.flowSpace()
		}
	}
	switch c {
	case '{', '[':
		s.Kind = Map
		if c == '[' {
			s.Kind = Seq
		}
		s.beginFlow(c)
	case 0, ',', '}', ']':
	default:
		s.Kind = Scalar
		s.Value = s.flowScalar(c)
	}
	return true
}

// endFlow closes the innermost flow collection at its bracket, and with the outermost one the
// line.
func (s *Scanner) endFlow(bracket byte) {
	top := s.frames[len(s.frames)-1]
	if (bracket == '}') != (top.kind == Map) {
		s.problem(lockfile.CodeSyntax, "%q closes what another bracket opened", bracket)
	}
	s.pop()
	s.pos++
	if n := len(s.frames); n > 0 && s.frames[n-1].flow {
		return
	}
	s.end = lineEnd(s.text, s.pos)
	s.behind(s.text[s.pos:s.end])
	s.skipLine()
}

// leaveFlow ends a flow collection that lacks its bracket, where an entry without a comma
// before it is the first thing in a line that is indented no deeper than the key of the
// collection: the line is one of the block around it.
func (s *Scanner) leaveFlow() bool {
	if s.line == s.Line {
		return false
	}
	block := len(s.frames) - 1
	for block >= 0 && s.frames[block].flow {
		block--
	}
	begin := strings.LastIndexByte(s.text[:s.pos], '\n') + 1
	if block < 0 || begin == 0 || s.pos-begin > s.frames[block].column || strings.Trim(s.text[begin:s.pos], " ") != "" {
		return false
	}
	s.problem(lockfile.CodeTruncated, "a flow collection without its closing bracket")
	for len(s.frames) > block+1 {
		s.pop()
	}
	s.pos = begin
	return true
}

// flowSpace skips blanks, line ends and comments, and gives the byte after them, 0 at the
// end of the text: NUL bytes, which Text reports, are skipped too.
func (s *Scanner) flowSpace() byte {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', 0:
		case '\n':
			s.line++
		case '#':
			if before := s.text[s.pos-1]; !isBlank(before) && before != '\n' {
				s.problem(lockfile.CodeSyntax, "a comment without a space before it")
			}
			s.pos = lineEnd(s.text, s.pos) - 1
		default:
			return c
		}
	}
	return 0
}

// endsFlowScalar are the bytes at which a plain scalar in a flow collection may end; at ":"
// and "#" it does so only next to a blank.
var endsFlowScalar = [256]bool{',': true, '[': true, ']': true, '{': true, '}': true, '\n': true, ':': true, '#': true}

// flowScalar reads the scalar at s.pos, which begins with c, and moves behind it.
func (s *Scanner) flowScalar(c byte) string {
	begin := s.pos
	if c == '"' || c == '\'' {
		if begin >= s.end { // not for every scalar of a long line
			s.end = lineEnd(s.text, begin)
		}
		text := s.text[begin:s.end]
		value, behind, ok := s.quoted(text)
		if !ok {
			// YAML would go on in the next line, and take in all of it up to a quote. That a
			// tool does not write; the rest of the line is no text either.
			s.problem(lockfile.CodeSyntax, "text without its closing quote in a flow collection")
			value, behind = text[1:], len(text)
		}
		s.pos += behind
		return value
	}
	i := s.plainEnd(begin)
	s.pos = i
	text := trimBlanks(s.text[begin:i])
	switch {
	case text == "":
		s.problem(lockfile.CodeSyntax, "an entry without text")
		if i == begin && c != ':' {
			s.pos++
		}
	case isIndicator[text[0]]:
		text = s.oddStart(text)
	case text[0] == '?', text[0] == '-' && opensNode(text), strings.HasPrefix(text, "---"):
		s.problem(lockfile.CodeSyntax, "%.60q in a flow collection", text)
	}
	return text
}

// plainEnd is the offset at which the plain scalar in a flow collection ends that begins at
// begin.
func (s *Scanner) plainEnd(begin int) int {
	text := s.text
	for i := begin; i < len(text); i++ {
		c := text[i]
		if !endsFlowScalar[c] {
			continue
		}
		switch {
		case c == '#':
			if i == begin || !isBlank(text[i-1]) {
				continue
			}
		case c == ':' && i+1 < len(text):
			next := text[i+1]
			if !isBlank(next) && (next == ':' || next == '#' || !endsFlowScalar[next]) {
				continue
			}
			if !isBlank(next) && next != '\n' {
				s.problem(lockfile.CodeSyntax, "no space after a key") // YAML readers differ here
			}
		}
		return i
	}
	return len(text)
}

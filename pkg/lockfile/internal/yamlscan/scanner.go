package yamlscan

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Kind is what a node is.
type Kind uint8

// The kinds.
const (
	Document Kind = iota // a document mark, "---": what follows is a document of its own
	Open                 // nothing stands beside it: a block collection follows, or it is null
	Scalar               // text, a number, true, false or null: Value has it as written
	Map                  // a flow mapping follows, with a depth of one more
	Seq                  // a flow sequence follows
)

// Node is one node of a document.
type Node struct {
	Kind  Kind
	Depth int    // 0 for the entries of the document's own collection
	Key   string // "" for an item
	Value string // of a Scalar
	Item  bool   // an item of a sequence
	Flow  bool   // an entry of a flow collection
	Line  int    // 1-based line on which it begins
}

// Scanner gives the nodes of one text. Make it with New.
type Scanner struct {
	Node // the current one, after Next

	text  string
	prose string // the key whose text may go over several lines
	file  *lockfile.File

	pos    int // where reading goes on
	line   int // of pos
	end    int // of the line being read, once its indentation is: the index of its "\n"
	column int // of pos, for the rest of a line behind "- " or ": "
	inLine bool
	pair   Node // what simplePair read, to be given next
	paired bool

	frames []frame
	rooted bool     // the document has its own collection
	hashes bool     // the text has "#" behind a blank somewhere
	keys   []string // those of the open mappings, the innermost last
	dead   bool
}

// frame is an open collection.
type frame struct {
	column    int                 // of its keys or dashes; of no meaning in a flow collection
	keys      int                 // where its own begin in Scanner.keys
	names     map[string]struct{} // its keys, once many are out of order
	ascending int                 // how many keys come before those that ascend to the last
	kind      Kind                // Map or Seq
	flow      bool
	open      bool // block: nothing stands beside the last node, so deeper lines are its value
	comma     bool // flow: a comma or the end must come next
}

// AnyKey in the place of a key of prose stands for all keys and items: the text is a person's.
const AnyKey = "*"

// New makes a scanner over text, which comes from Text, that adds its problems to file. The
// text of the key prose may go over several lines.
func New(text, prose string, file *lockfile.File) Scanner {
	return Scanner{
		text: text, prose: prose, file: file, line: 1,
		hashes: hasHash(text),
		frames: make([]frame, 0, 16), keys: make([]string, 0, min(256, 8+len(text)/32)),
	}
}

// hasHash reports whether text has "#" behind a blank.
func hasHash(text string) bool {
	for i := 0; ; {
		n := strings.IndexByte(text[i:], '#')
		if n < 0 {
			return false
		}
		i += n + 1
		if i > 1 && isBlank(text[i-2]) {
			return true
		}
	}
}

// Next moves to the next node and reports whether there is one.
func (s *Scanner) Next() bool {
	if s.paired {
		s.paired = false
		s.pair.Depth = s.Depth + 1
		s.Node = s.pair
		return true
	}
	for !s.dead {
		if n := len(s.frames); n > 0 && s.frames[n-1].flow {
			if s.flowNode() {
				return true
			}
			continue
		}
		if !s.inLine && !s.nextLine() {
			return false
		}
		s.inLine = false
		if s.blockNode() {
			return true
		}
	}
	return false
}

func (s *Scanner) problem(code lockfile.Code, format string, args ...any) {
	s.file.AddProblem(s.line, code, format, args...)
}

// nextLine moves to the first byte of the next line that is neither blank nor a comment, and
// measures its indentation.
func (s *Scanner) nextLine() bool {
	text, pos := s.text, s.pos
	for pos < len(text) {
		i := pos
		for i < len(text) && text[i] == ' ' {
			i++
		}
		if i < len(text) && text[i] == '\t' {
			i = s.tabs(i)
		}
		if i == len(text) {
			break
		}
		switch text[i] {
		case '\n':
			pos = i + 1
		case '#':
			pos = min(lineEnd(text, i)+1, len(text))
		default:
			s.column, s.pos, s.end = i-pos, i, lineEnd(text, i)
			return true
		}
		s.line++
	}
	s.pos = len(text)
	return false
}

// tabs skips the blanks at offset i, where a tab stands in the indentation of a line, and
// gives the offset of what follows them.
func (s *Scanner) tabs(i int) int {
	for i < len(s.text) && isBlank(s.text[i]) {
		i++
	}
	if i < len(s.text) && s.text[i] != '\n' && s.text[i] != '#' {
		s.problem(lockfile.CodeSyntax, "a tab in the indentation")
	}
	return i
}

// skipLine moves behind the line that ends at s.end.
func (s *Scanner) skipLine() {
	s.pos = min(s.end+1, len(s.text))
	s.line++
}

// lineEnd is the index of the "\n" that ends the line of offset i, or the text's length.
func lineEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}

// push opens a collection below the current one. Nothing is read beyond the depth limit.
func (s *Scanner) push(f frame) {
	if len(s.frames) >= lockfile.MaxDepth {
		s.problem(lockfile.CodeDepth, "nested deeper than %d", lockfile.MaxDepth)
		s.dead = true
		return
	}
	if n := len(s.frames); n > 0 {
		s.frames[n-1].open = false
	}
	f.keys = len(s.keys)
	s.frames = append(s.frames, f)
}

func (s *Scanner) pop() {
	top := &s.frames[len(s.frames)-1]
	s.keys = s.keys[:top.keys]
	s.frames = s.frames[:len(s.frames)-1]
}

// fewKeys is how many keys of one mapping are compared one by one.
const fewKeys = 16

// note records a key of the innermost mapping; one that it has already is a problem. Keys
// that ascend are compared with their neighbour alone, and with the few before them that do
// not: the long mappings that tools write are in order.
func (s *Scanner) note(key string) {
	if key == "<<" {
		s.problem(lockfile.CodeReference, "a merge key")
	}
	top := &s.frames[len(s.frames)-1]
	own := s.keys[top.keys:]
	if len(own) > 0 && own[len(own)-1] >= key {
		top.ascending = len(own)
	}
	if top.ascending > 0 && s.repeated(top, own, key) {
		s.problem(lockfile.CodeRepeatedKey, "%q stands twice in one mapping", key)
	}
	s.keys = append(s.keys, key)
}

// repeated looks for key among those of its mapping that are out of order.
func (s *Scanner) repeated(top *frame, own []string, key string) bool {
	if top.ascending <= fewKeys {
		for _, other := range own[:top.ascending] {
			if other == key {
				return true
			}
		}
		return false
	}
	if top.names == nil {
		top.names = make(map[string]struct{}, 2*len(own))
		for _, other := range own {
			top.names[other] = struct{}{}
		}
	}
	_, found := top.names[key]
	top.names[key] = struct{}{}
	return found
}

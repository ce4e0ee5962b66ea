package jsonscan

import (
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Options are how a format departs from RFC 8259.
type Options struct {
	TrailingCommas bool // a comma may stand before } and ], as in bun.lock
}

// Kind is what a value is; the zero value is no value at all: the end of the text, or a
// byte that begins none.
type Kind uint8

// The kinds.
const (
	None Kind = iota
	Object
	Array
	String
	Number
	True
	False
	Null
)

var kindNames = [...]string{"nothing", "an object", "an array", "a string", "a number", "true", "false", "null"}

// String names k with its article: "an object".
func (k Kind) String() string { return kindNames[k] }

var kinds = [256]Kind{
	'{': Object, '[': Array, '"': String, '-': Number, 't': True, 'f': False, 'n': Null,
	'0': Number, '1': Number, '2': Number, '3': Number, '4': Number,
	'5': Number, '6': Number, '7': Number, '8': Number, '9': Number,
}

// Scanner reads one text. Make it with New.
type Scanner struct {
	text string
	pos  int // of the next byte
	mark int // where the member or element being read begins
	due  bool
	dead bool // see Failed

	opt       Options
	checkUTF8 bool // the text has bytes that are not UTF-8 somewhere

	open    []byte // the brackets that close what is open
	names   []span // of the open objects, the innermost last
	escaped []string
	sets    []*nameSet // to be used again

	line     int // of offset lineAt
	lineAt   int
	started  bool // the first document was begun
	damaged  bool // the scanner has stopped at a fault before, and was resumed or not
	searches int  // see maxSearches

	file *lockfile.File

	openRoom [32]byte // where open and names begin: most files need no more
	nameRoom [32]span
}

// New makes a scanner over text that adds its problems to file.
func New(text string, file *lockfile.File, opt Options) *Scanner {
	s := &Scanner{text: text, opt: opt, line: 1, file: file}
	s.open, s.names = s.openRoom[:0], s.nameRoom[:0]
	s.checkUTF8 = !utf8.ValidString(text)
	s.pos = len(text) - len(strings.TrimPrefix(text, "\ufeff"))
	return s
}

// Document moves to the next document of the text and reports whether there is one; its
// value is then due. A sound file has exactly one: a second is a problem, and is read.
func (s *Scanner) Document() bool {
	if s.due {
		s.Skip()
	}
	if s.dead {
		return false
	}
	c := s.space()
	for s.conflict() {
		c = s.space()
	}
	switch {
	case s.pos == len(s.text) && s.started:
		return false
	case s.pos == len(s.text):
		s.fail(lockfile.CodeTruncated, "the file is empty")
		return false
	case s.started:
		s.problem(s.pos, lockfile.CodeTwoDocs, "more text after the end of the document")
		if kinds[c] == None {
			s.dead = true
			return false
		}
	}
	s.started = true
	s.mark = s.pos
	s.due = true
	return true
}

// Failed reports whether the scanner has stopped at a fault that it cannot read beyond.
func (s *Scanner) Failed() bool { return s.dead }

// Line is the 1-based line on which the member (its name) or element being read begins.
func (s *Scanner) Line() int { return s.lineOf(s.mark) }

// lineOf counts from the last offset it was asked for, so that a reader that asks for one
// line an entry has the text counted once.
func (s *Scanner) lineOf(offset int) int {
	if offset >= s.lineAt {
		s.line += strings.Count(s.text[s.lineAt:offset], "\n")
	} else {
		s.line -= strings.Count(s.text[offset:s.lineAt], "\n")
	}
	s.lineAt = offset
	return s.line
}

// Kind tells what is due, without reading it.
func (s *Scanner) Kind() Kind {
	if !s.due || s.pos >= len(s.text) {
		return None
	}
	return kinds[s.text[s.pos]]
}

// Expect reports whether a value of kind k is due. Where it is another, Expect adds a
// problem that names what the value should have been, and skips it.
func (s *Scanner) Expect(k Kind, what string) bool {
	got := s.Kind()
	if got == k && s.due {
		return true
	}
	if s.due && got != None {
		s.file.AddProblem(s.Line(), lockfile.CodeEntry, "%s is %v, not %v", what, got, k)
	}
	s.Skip()
	return false
}

// Object ranges over the names of the object that is due, in order; the value of each is
// due in the body. A value of another kind is skipped without a problem: see Expect.
func (s *Scanner) Object() iter.Seq[string] {
	return func(yield func(string) bool) { s.object(yield, nil) }
}

// Salvage is Object for an object whose members are worth more than its structure. Where
// the scanner has failed inside, next is asked for the offset, at or after from, of the
// quote that opens a member's name, or -1; reading goes on there as if in this object, and
// does so again at the object's end, which after a fault may not be its own. NextMember is
// one such function.
func (s *Scanner) Salvage(next func(text string, from int) int) iter.Seq[string] {
	return func(yield func(string) bool) { s.object(yield, next) }
}

// NextMember finds, at or after from, the next name whose value begins with opener: '{'
// or '['. It gives the offset of the name's opening quote, -1 when there is none.
func NextMember(text string, from int, opener byte) int {
	for {
		i := strings.IndexByte(text[from:], opener)
		if i < 0 {
			return -1
		}
		before := trimSpace(text[from : from+i])
		if name, ok := strings.CutSuffix(before, ":"); ok {
			if name, ok = strings.CutSuffix(trimSpace(name), `"`); ok {
				if quote := strings.LastIndexByte(name, '"'); quote >= 0 {
					return from + quote
				}
			}
		}
		from += i + 1
	}
}

func trimSpace(text string) string { return strings.TrimRight(text, " \t\r\n") }

func (s *Scanner) object(yield func(string) bool, salvage func(string, int) int) {
	if s.Kind() != Object {
		s.Skip()
		return
	}
	if !s.enter('}') {
		return
	}
	level, mark, names := len(s.open), s.mark, s.openNames()
	for first, separated := true, true; ; first = false {
		more := s.next(first, separated) && s.name(&names)
		if more {
			if !yield(names.last) {
				s.abandon(level - 1)
				break
			}
			if s.due {
				s.Skip()
			}
			separated = s.comma()
		}
		if more && !s.dead {
			continue
		}
		// Behind a fault the end of the object may be that of another one.
		if salvage == nil || !s.damaged || !s.resume(salvage, level) {
			break
		}
		separated = true
	}
	s.closeNames(&names)
	s.mark = mark
}

// maxSearches is how many searches for a member may come to the end of the text: each
// costs as much as reading it, and every object within an object can have one.
const maxSearches = 64

// resume looks for a member after a fault and goes on there, in the object at level.
func (s *Scanner) resume(next func(string, int) int, level int) bool {
	if s.searches == maxSearches {
		return false
	}
	at := next(s.text, min(max(s.pos, s.mark+1), len(s.text)))
	if at < 0 {
		s.searches++
		return false
	}
	s.pos, s.dead, s.due = at, false, false
	s.open = s.open[:min(level, len(s.open))]
	for len(s.open) < level {
		s.open = append(s.open, '}')
	}
	return true
}

// name reads a member's name and the colon after it.
func (s *Scanner) name(names *openNames) bool {
	s.mark = s.pos
	key, ok := s.readString()
	if !ok {
		return false
	}
	at := s.spanOf(key)
	if !s.colon() {
		return false
	}
	if s.repeats(names, key, at) {
		s.problem(s.mark, lockfile.CodeRepeatedKey, "%q stands twice in one object", key)
	}
	s.due = true
	return true
}

// Array ranges over the indices of the array that is due; each element is due in the
// body. A value of another kind is skipped without a problem: see Expect.
func (s *Scanner) Array() iter.Seq[int] {
	return func(yield func(int) bool) { s.array(yield) }
}

func (s *Scanner) array(yield func(int) bool) {
	if s.Kind() != Array {
		s.Skip()
		return
	}
	if !s.enter(']') {
		return
	}
	level, mark := len(s.open), s.mark
	separated := true
	for i := 0; s.next(i == 0, separated); i++ {
		s.mark = s.pos
		s.due = true
		if !yield(i) {
			s.abandon(level - 1)
			break
		}
		if s.due {
			s.Skip()
		}
		separated = s.comma()
	}
	s.mark = mark
}

// Text reads the string that is due. A value of another kind is skipped, and ok false.
func (s *Scanner) Text() (text string, ok bool) {
	if s.Kind() != String {
		s.Skip()
		return "", false
	}
	s.due = false
	return s.readString()
}

// Number reads the number that is due, as it is written. A value of another kind is
// skipped, and ok false.
func (s *Scanner) Number() (digits string, ok bool) {
	from := s.pos
	if s.Kind() != Number {
		s.Skip()
		return "", false
	}
	s.due = false
	if !s.word() {
		return "", false
	}
	return s.text[from:s.pos], true
}

// Int reads the whole number that is due, written without a fraction or exponent. A value
// of another kind, or one that is too large, is skipped, and ok false.
func (s *Scanner) Int() (n int, ok bool) {
	digits, ok := s.Number()
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// Bool reads the true or false that is due. A value of another kind is skipped, and ok
// false.
func (s *Scanner) Bool() (b, ok bool) {
	k := s.Kind()
	if k != True && k != False {
		s.Skip()
		return false, false
	}
	s.due = false
	ok = s.word()
	return ok && k == True, ok
}

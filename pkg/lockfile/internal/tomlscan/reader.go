package tomlscan

import (
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Node is the caller's number for a place in the document.
type Node int

// The places that every schema has.
const (
	Ignored Node = iota // nobody wants what is here or below
	Root                // the document itself
)

// Schema gives the place of key in the table at parent. It is not asked below Ignored.
type Schema func(parent Node, key string) Node

// Kind is what stands at a place.
type Kind uint8

// The kinds. A Table is told each time that a header or a key leads into it, so that the
// values which follow are known to be in it; an Item begins one table of an array.
const (
	Table Kind = iota
	Item
	Array
	String
	Integer
	Float
	Bool
	Time
)

var kindNames = [...]string{"a table", "a table of an array", "an array", "a string", "an integer", "a float", "a boolean", "a date or time"}

// String names k with its article: "a table".
func (k Kind) String() string { return kindNames[k] }

// Event is one thing that stands at a place of the schema.
type Event struct {
	Node Node
	Kind Kind
	Key  string // the last key on the way to Node; for an element, that of its array
	Text string // a string's value; any other scalar as it is written
	Line int    // 1-based, of the key or element
}

// Reader reads one text. Make it with New.
type Reader struct {
	Event // the one that Next moved to

	text   string
	file   *lockfile.File
	schema Schema

	pos  int // of the next byte
	line int
	// The line begun last, that inside of a string aside, to go back to after a fault.
	lineStart, lineNumber int
	judged                int // the line of the last answer of startsInside, which is next
	isStatement           bool

	state state
	begin int   // of the statement being read
	lost  bool  // after a fault: until a statement is read whole, further faults are the same
	table scope // of the last header
	at    scope // where the key being read has led to
	key   string
	keyAt int  // line of the key or element being read
	array bool // the header being read is [[...]]
	stack []frame

	tables tables
	full   bool // of keys: that is a problem already

	buf []byte // of a string with escapes
}

// scope is a table that keys are read into.
type scope struct {
	node  Node
	id    tableID
	depth int
}

// frame is an open array or inline table.
type frame struct {
	scope        // what its elements or members are read into; id is of an inline table
	key   string // that led here
	line  int
	table bool // an inline table, not an array
}

// state is what the text is expected to go on with.
type state uint8

const (
	inDocument state = iota // a statement
	inHeader                // the next part of a header's key
	inKey                   // the next part of a key
	atValue                 // the value of the key that was read
	inElements              // an element of an array, or its end
	inMembers               // a member of an inline table, or its end
	afterValue              // what separates or ends values
)

// New makes a reader of text that adds its problems to file.
func New(text string, file *lockfile.File, schema Schema) *Reader {
	r := &Reader{
		text: text, line: 1, file: file, schema: schema,
		table: scope{node: Root, id: rootTable}, tables: newTables(), stack: make([]frame, 0, 4),
	}
	if !utf8.ValidString(text) {
		r.notUTF8()
	}
	if strings.HasPrefix(text, "\ufeff") {
		r.pos = len("\ufeff")
	}
	return r
}

// notUTF8 adds the problem of the first byte that is not UTF-8.
func (r *Reader) notUTF8() {
	valid := len(r.text)
	for i, c := range r.text {
		if c == utf8.RuneError && !strings.HasPrefix(r.text[i:], "\ufffd") {
			valid = i
			break
		}
	}
	line := 1 + strings.Count(r.text[:valid], "\n")
	r.file.AddProblem(line, lockfile.CodeEncoding, "bytes that are not UTF-8")
}

// Next moves to the next event and reports whether there is one.
func (r *Reader) Next() bool {
	for {
		told, more := false, true
		switch r.state {
		case inDocument:
			more = r.statement()
		case inHeader:
			told = r.header()
		case inKey:
			told = r.keyPart()
		case atValue:
			told = r.value(r.at, r.key, Table)
		case inElements:
			told = r.element()
		case inMembers:
			r.member()
		case afterValue:
			r.separator()
		}
		if told || !more {
			return told
		}
	}
}

// tell makes an event the current one, and reports whether anybody wants it.
func (r *Reader) tell(node Node, kind Kind, key, text string, line int) bool {
	if node == Ignored {
		return false
	}
	r.Event = Event{node, kind, key, text, line}
	return true
}

// statement begins a header or a key, or finds the end of the text.
func (r *Reader) statement() (more bool) {
	r.lines()
	if r.pos == len(r.text) {
		return false
	}
	r.begin, r.keyAt = r.pos, r.line
	if r.text[r.pos] != '[' {
		r.at, r.state = r.table, inKey
		return true
	}
	r.pos++
	r.array = r.pos < len(r.text) && r.text[r.pos] == '['
	if r.array {
		r.pos++
	}
	r.at, r.state = scope{node: Root, id: rootTable}, inHeader
	return true
}

// value reads the value that is due at a place: a scalar whole, an array or table up to
// what is in it. An inline table is told as kind.
func (r *Reader) value(at scope, key string, kind Kind) (told bool) {
	r.blanks()
	if r.pos == len(r.text) {
		r.fault(lockfile.CodeTruncated, "the file ends where a value is due")
		return false
	}
	switch c := r.text[r.pos]; c {
	case '[', '{':
		if !r.deeper(at.depth) {
			return false
		}
		r.pos++
		inside := scope{node: at.node, depth: at.depth + 1}
		if c == '[' {
			r.state, kind = inElements, Array
		} else {
			r.state, inside.id = inMembers, r.tables.make()
		}
		r.stack = append(r.stack, frame{inside, key, r.line, c == '{'})
		return r.tell(at.node, kind, key, "", r.keyAt)
	case '"', '\'':
		text, ok := r.quoted(at.node != Ignored)
		if !ok {
			return false
		}
		r.state = afterValue
		return r.tell(at.node, String, key, text, r.keyAt)
	}
	word, kind, ok := r.word()
	if !ok {
		return false
	}
	r.state = afterValue
	return r.tell(at.node, kind, key, word, r.keyAt)
}

// element begins the next element of the innermost array, or ends the array.
func (r *Reader) element() (told bool) {
	r.lines()
	top := &r.stack[len(r.stack)-1]
	if r.pos < len(r.text) && r.text[r.pos] == ']' {
		r.close()
		return false
	}
	if r.pos == len(r.text) {
		r.fault(lockfile.CodeTruncated, "the file ends inside an array that begins on line %d", top.line)
		return false
	}
	r.keyAt = r.line
	return r.value(top.scope, top.key, Item)
}

// member begins the next member of the innermost inline table, or ends the table.
func (r *Reader) member() {
	r.lines()
	top := &r.stack[len(r.stack)-1]
	if r.pos < len(r.text) && r.text[r.pos] == '}' {
		r.close()
		return
	}
	if r.pos == len(r.text) {
		r.fault(lockfile.CodeTruncated, "the file ends inside an inline table that begins on line %d", top.line)
		return
	}
	r.keyAt = r.line
	r.at, r.state = top.scope, inKey
}

// close ends the innermost array or inline table.
func (r *Reader) close() {
	r.pos++
	r.tables.drop(r.stack[len(r.stack)-1].id)
	r.stack = r.stack[:len(r.stack)-1]
	r.state = afterValue
}

// separator reads what follows a value.
func (r *Reader) separator() {
	if len(r.stack) == 0 {
		if r.lineEnd() {
			r.lost = false
			r.state = inDocument
		}
		return
	}
	top := &r.stack[len(r.stack)-1]
	end := byte(']')
	if top.table {
		end = '}'
	}
	r.lines()
	switch {
	case r.pos == len(r.text):
		r.fault(lockfile.CodeTruncated, "the file ends inside a value that begins on line %d", top.line)
	case r.text[r.pos] == ',':
		r.pos++
		r.state = inElements
		if top.table {
			r.state = inMembers
		}
	case r.text[r.pos] == end:
		r.close()
	default:
		r.fault(lockfile.CodeSyntax, "%s where a comma or %q is due", r.found(), end)
	}
}

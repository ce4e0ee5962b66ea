// Package strictyaml reads the YAML of files that decide something: one document of bounded
// size, without anchors, aliases and tags, whose mappings have known keys, each once. Whoever
// reads such a file and the program see the same.
//
// It is pure. A fault does not end the reading: each is kept with its line, so that a person
// repairs a file once.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Error is a fault of a file. Line is 0 where it is about no line.
type Error struct {
	Name   string
	Line   int
	Detail string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%q: %s", e.Name, e.Detail)
	}
	return fmt.Sprintf("%q: line %d: %s", e.Name, e.Line, e.Detail)
}

// File is a file that is being read, and its faults so far.
type File struct {
	name string
	errs []*Error
}

// Open reads the one value that a file holds. It is nil after a fault. The name is what errors
// call the file; max is its largest size in bytes.
func Open(name string, data []byte, max int) (*File, *yaml.Node) {
	f := &File{name: name}
	if len(data) > max {
		f.Fault(0, "%d bytes: larger than %d", len(data), max)
		return f, nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		f.Fault(0, "is empty")
		return f, nil
	case err != nil:
		f.syntax(err)
		return f, nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		f.Fault(second.Line, "a second document: the file has one")
		return f, nil
	}
	return f, doc.Content[0]
}

// syntaxError is the text of the YAML reader's errors.
var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (f *File) syntax(err error) {
	text := err.Error()
	line := 0
	if m := syntaxError.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		line, _ = strconv.Atoi(m[1]) // 0 where it names none
	}
	f.Fault(line, "%s", text)
}

// Fault adds a fault.
func (f *File) Fault(line int, format string, args ...any) {
	f.errs = append(f.errs, &Error{f.name, line, fmt.Sprintf(format, args...)})
}

// Faults is how many there are so far.
func (f *File) Faults() int { return len(f.errs) }

// Err joins an *Error for each fault, in the order of the lines; at most max, and one that
// counts the rest. It is nil without a fault.
func (f *File) Err(max int) error {
	var errs []error
	for _, e := range slices.SortedStableFunc(slices.Values(f.errs), func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) }) {
		errs = append(errs, e)
	}
	if len(errs) > max {
		more := len(errs) - max
		errs = append(errs[:max], &Error{Name: f.name, Detail: fmt.Sprintf("%d more faults", more)})
	}
	return errors.Join(errs...)
}

// Text is the value of a scalar of any type as it is written, false after a fault. A null
// is "".
func (f *File) Text(n *yaml.Node, what string) (string, bool) {
	switch {
	case !f.Plain(n, what):
		return "", false
	case n.Kind != yaml.ScalarNode:
		f.Fault(n.Line, "%s is not a text", what)
		return "", false
	case n.Tag == "!!null":
		return "", true
	}
	return n.Value, true
}

// Mapping gives the values of a mapping by key, nil after a fault of the mapping itself. A key
// that is not known or stands twice is a fault.
func (f *File) Mapping(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	if !f.Plain(n, what) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		f.Fault(n.Line, "%s is not a mapping with the keys %s", what, strings.Join(known, ", "))
		return nil
	}
	keys := make(map[string]*yaml.Node, len(known))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		name, ok := f.Text(key, "a key of "+what)
		switch {
		case !ok:
		case !slices.Contains(known, name):
			f.Fault(key.Line, "%q is no key of %s, which has %s", name, what, strings.Join(known, ", "))
		case keys[name] != nil:
			f.Fault(key.Line, "%q stands twice in %s", name, what)
		default:
			keys[name] = n.Content[i+1]
		}
	}
	return keys
}

// Plain reports whether a node is written out where it stands: anchors, aliases and tags
// would let a reader of the file and the program disagree.
func (f *File) Plain(n *yaml.Node, what string) bool {
	if n.Anchor != "" || n.Kind == yaml.AliasNode || n.Style&yaml.TaggedStyle != 0 {
		f.Fault(n.Line, "%s has an anchor, alias or tag: write it out", what)
		return false
	}
	return true
}

// Quote writes s as a YAML double-quoted scalar (YAML 1.2.2, section 5.7) on one line and
// in printable ASCII. A byte that is no UTF-8 becomes U+FFFD.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// OneLine writes s on one line of printable ASCII, as in a comment: what Quote escapes but
// quotes and backslashes.
func OneLine(s string) string {
	quoted := Quote(s)
	return strings.ReplaceAll(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`), `\\`, `\`)
}

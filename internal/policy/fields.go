package policy

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// fields are the values of a mapping of the file, by key. Each is asked for once; one that is
// missing is the zero value, and one with a fault too.
type fields struct {
	r    *reader
	line int
	what string // what the mapping is, for faults
	keys map[string]*yaml.Node
}

// fields reads a mapping, false after a fault of the mapping itself.
func (r *reader) fields(n *yaml.Node, what string, known []string) (fields, bool) {
	keys := r.Mapping(n, what, known...)
	return fields{r, n.Line, what, keys}, keys != nil
}

func (f fields) has(key string) bool { return f.keys[key] != nil }

// fault adds a fault at a key, or at the mapping where it has none.
func (f fields) fault(key, format string, args ...any) {
	line := f.line
	if n := f.keys[key]; n != nil {
		line = n.Line
	}
	f.r.Fault(line, format, args...)
}

// textForm is what texts of the file are of: printable ASCII, without space at either end. No
// two of them look alike and are not equal.
var textForm = regexp.MustCompile(`^[!-~](?:[ -~]*[!-~])?$`)

func (f fields) text(key string) string {
	n := f.keys[key]
	if n == nil {
		return ""
	}
	return f.r.text(n, key)
}

// needed is a text that the mapping is nothing without.
func (f fields) needed(key, hint string) string {
	if !f.has(key) {
		f.fault(key, "%s without %s (%s)", f.what, key, hint)
	}
	return f.text(key)
}

// text is a scalar that is a text, or a number that is quoted; "" after a fault.
func (r *reader) text(n *yaml.Node, what string) string {
	v, ok := r.Text(n, what)
	switch {
	case !ok:
	case v == "":
		r.Fault(n.Line, "%s is empty: fill it in or leave it out", what)
	case n.Tag != "!!str":
		r.Fault(n.Line, "%s %q is no text: put it in quotes", what, v)
	case len(v) > maxText:
		r.Fault(n.Line, "%s has %d bytes: longer than %d", what, len(v), maxText)
	case !textForm.MatchString(v):
		r.Fault(n.Line, "%s %q is not of printable ASCII, without space before or after", what, v)
	default:
		return v
	}
	return ""
}

// numberForm is GitHub's number of a repository or an owner.
var numberForm = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)

// number is a number, with quotes or without.
func (f fields) number(key string) string {
	n := f.keys[key]
	if n == nil {
		return ""
	}
	v, ok := f.r.Text(n, key)
	if ok && !numberForm.MatchString(v) {
		f.fault(key, "%s %q is no number", key, v)
		return ""
	}
	return v
}

// yes is true or false.
func (f fields) yes(key string) bool {
	n := f.keys[key]
	if n == nil {
		return false
	}
	v, ok := f.r.Text(n, key)
	if ok && (n.Tag != "!!bool" || v != "true" && v != "false") {
		f.fault(key, "%s is neither true nor false", key)
	}
	return ok && v == "true"
}

// list gives the items of a list that is not empty.
func (f fields) list(key string) []*yaml.Node {
	n := f.keys[key]
	switch {
	case n == nil || !f.r.Plain(n, key):
		return nil
	case n.Kind != yaml.SequenceNode:
		f.fault(key, "%s is not a list", key)
		return nil
	case len(n.Content) == 0:
		f.fault(key, "%s is an empty list: fill it in or leave it out", key)
	}
	return n.Content
}

// texts is a list of texts, each once.
func (f fields) texts(key string) []string {
	var out []string
	items := f.list(key)
	if len(items) > maxList {
		f.fault(key, "%s has %d entries: more than %d", key, len(items), maxList)
		return nil
	}
	for _, n := range items {
		switch v := f.r.text(n, "an entry of "+key); {
		case v == "":
		case slices.Contains(out, v):
			f.r.Fault(n.Line, "%q stands twice in %s", v, key)
		default:
			out = append(out, v)
		}
	}
	return out
}

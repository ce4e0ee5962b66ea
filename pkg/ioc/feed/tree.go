package feed

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// node is a value of a JSON or YAML document that knows its line.
type node struct {
	kind    jsontext.Kind // '{' '[' '"' '0' 't' 'f' 'n', as jsontext has them; 0 for no value
	text    string        // of a string or number
	line    int
	members []member // of an object, in their order
	items   []node   // of an array
}

type member struct {
	name  string
	line  int // of the name, in YAML
	value node
}

// get is the value of a member; its kind is 0 when there is none.
func (n node) get(name string) node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return node{line: n.line}
}

// str is the member's text when it is a string, else "".
func (n node) str(name string) string {
	if v := n.get(name); v.kind == '"' {
		return v.text
	}
	return ""
}

// strings are the texts of the member: of a string itself or of the strings of an array.
func (n node) strings(name string) []string {
	v := n.get(name)
	if v.kind == '"' {
		return []string{v.text}
	}
	var out []string
	for _, item := range v.items {
		if item.kind == '"' {
			out = append(out, item.text)
		}
	}
	return out
}

var (
	errNodes = fmt.Errorf("more than %d values", maxNodes)
	errDepth = fmt.Errorf("nested deeper than %d", maxDepth)
	errAlias = errors.New("an alias or merge key: write the value out")
)

// parseJSON reads the first value of data, and gives the bytes after it: another value of JSON
// Lines, or nothing. line is that on which data begins. Repeated keys and invalid UTF-8 are
// errors.
func parseJSON(file string, data []byte, line int) (root node, rest []byte, err error) {
	p := &jsonParser{data: data, line: line, dec: jsontext.NewDecoder(bytes.NewReader(data))}
	root, err = p.value(0)
	if err != nil {
		var syntactic *jsontext.SyntacticError
		if errors.As(err, &syntactic) {
			p.advance(syntactic.ByteOffset)
			err = syntactic.Err
		}
		return node{}, nil, &ioc.InputError{File: file, Line: p.line, Err: err}
	}
	return root, data[p.at:], nil
}

type jsonParser struct {
	dec  *jsontext.Decoder
	data []byte
	at   int64 // the bytes whose lines are counted
	line int
	seen int // values
}

// advance counts the lines up to offset.
func (p *jsonParser) advance(offset int64) {
	offset = min(offset, int64(len(p.data)))
	if offset > p.at {
		p.line += bytes.Count(p.data[p.at:offset], []byte("\n"))
		p.at = offset
	}
}

func (p *jsonParser) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, errDepth
	}
	if p.seen++; p.seen > maxNodes {
		return node{}, errNodes
	}
	token, err := p.dec.ReadToken()
	if err != nil {
		return node{}, err
	}
	p.advance(p.dec.InputOffset())
	n := node{kind: token.Kind(), line: p.line}
	switch n.kind {
	case '"', '0':
		n.text = token.String()
	case '{':
		for p.dec.PeekKind() != '}' {
			name, err := p.dec.ReadToken()
			if err != nil {
				return node{}, err
			}
			m := member{name: name.String()}
			if m.value, err = p.value(depth + 1); err != nil {
				return node{}, err
			}
			n.members = append(n.members, m)
		}
	case '[':
		for p.dec.PeekKind() != ']' {
			item, err := p.value(depth + 1)
			if err != nil {
				return node{}, err
			}
			n.items = append(n.items, item)
		}
	}
	if n.kind == '{' || n.kind == '[' {
		if _, err := p.dec.ReadToken(); err != nil {
			return node{}, err
		}
		p.advance(p.dec.InputOffset())
	}
	return n, nil
}

// parseYAML reads a YAML stream of one document as the JSON that it stands for. Aliases, merge
// keys, keys that are no strings and repeated keys are errors.
func parseYAML(file string, data []byte) (node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return node{}, &ioc.InputError{File: file, Err: err}
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return node{}, &ioc.InputError{File: file, Line: second.Line, Err: errors.New("more than one document")}
	}
	if len(doc.Content) != 1 {
		return node{}, &ioc.InputError{File: file, Line: 1, Err: errors.New("an empty document")}
	}
	root, line, err := fromYAML(doc.Content[0], 0)
	if err != nil {
		return node{}, &ioc.InputError{File: file, Line: line, Err: err}
	}
	return root, nil
}

// fromYAML converts one node; with an error comes its line.
func fromYAML(y *yaml.Node, depth int) (n node, line int, err error) {
	n = node{line: y.Line, text: y.Value}
	if depth > maxDepth {
		return n, y.Line, errDepth
	}
	switch {
	case y.Kind == yaml.AliasNode || y.Tag == "!!merge":
		return n, y.Line, errAlias
	case y.Kind == yaml.MappingNode:
		n.kind = '{'
		seen := map[string]bool{}
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := y.Content[i]
			switch {
			case key.Tag == "!!merge" || key.Kind == yaml.AliasNode:
				return n, key.Line, errAlias
			case key.Kind != yaml.ScalarNode || key.Tag != "!!str":
				return n, key.Line, fmt.Errorf("%.*q: a key that is not a string", maxShown, key.Value)
			case seen[key.Value]:
				return n, key.Line, fmt.Errorf("%.*q: a key that stands twice", maxShown, key.Value)
			}
			seen[key.Value] = true
			value, line, err := fromYAML(y.Content[i+1], depth+1)
			if err != nil {
				return n, line, err
			}
			n.members = append(n.members, member{key.Value, key.Line, value})
		}
	case y.Kind == yaml.SequenceNode:
		n.kind = '['
		for _, item := range y.Content {
			value, line, err := fromYAML(item, depth+1)
			if err != nil {
				return n, line, err
			}
			n.items = append(n.items, value)
		}
	default:
		n.kind = scalarKind(y)
	}
	return n, 0, nil
}

// scalarKind is the JSON kind of a scalar. What YAML reads as a number and JSON does not write
// so, as 0x10, stays a string: it is refused where a number belongs.
func scalarKind(y *yaml.Node) jsontext.Kind {
	switch {
	case y.Tag == "!!null":
		return 'n'
	case y.Tag == "!!bool" && y.Value == "true":
		return 't'
	case y.Tag == "!!bool" && y.Value == "false":
		return 'f'
	case (y.Tag == "!!int" || y.Tag == "!!float") && jsontext.Value(y.Value).IsValid():
		return '0'
	}
	return '"'
}

// appendJSON writes n so that each value stands on its line of the document that it came from,
// and the line of an error in the JSON is the line in the document. line is that of the end of
// out.
func (n node) appendJSON(out []byte, line *int) []byte {
	out = advanceTo(out, line, n.line)
	switch n.kind {
	case '{':
		out = append(out, '{')
		for i, m := range n.members {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendQuoted(advanceTo(out, line, m.line), m.name)
			out = append(out, ':')
			out = m.value.appendJSON(out, line)
		}
		return append(out, '}')
	case '[':
		out = append(out, '[')
		for i, item := range n.items {
			if i > 0 {
				out = append(out, ',')
			}
			out = item.appendJSON(out, line)
		}
		return append(out, ']')
	case '"':
		return appendQuoted(out, n.text)
	case '0':
		return append(out, n.text...)
	case 't':
		return append(out, "true"...)
	case 'f':
		return append(out, "false"...)
	}
	return append(out, "null"...)
}

func advanceTo(out []byte, line *int, want int) []byte {
	for *line < want {
		out = append(out, '\n')
		*line++
	}
	return out
}

func appendQuoted(out []byte, s string) []byte {
	quoted, err := jsontext.AppendQuote(out, s)
	if err != nil { // invalid UTF-8, which no parser let through
		return append(out, `""`...)
	}
	return quoted
}

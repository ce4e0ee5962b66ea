package gql

import "fmt"

// Document is a parsed request: its operations and fragments.
type Document struct {
	operations []*operation
	fragments  map[string]*fragment
}

type operation struct {
	kind       string // "query" or "mutation"
	name       string
	variables  []variable
	selections []selection
	at         Location
}

type variable struct {
	name     string
	typ      string // as written: "[ID!]!"
	value    any    // the default, or nil
	defaults bool
	at       Location
}

type fragment struct {
	name, on   string
	selections []selection
	at         Location
}

// selection is a field, a spread of a named fragment, or an inline fragment.
type selection struct {
	alias, name string // of a field
	arguments   []argument
	spread      string
	inline      *fragment
	directives  []directive
	selections  []selection
	at          Location
}

// key is the name under which the field stands in the answer.
func (s selection) key() string {
	if s.alias != "" {
		return s.alias
	}
	return s.name
}

type argument struct {
	name  string
	value any
	at    Location
}

type directive struct {
	name      string
	arguments []argument
}

// Values that are no Go value of their own.
type (
	variableRef string
	enum        string
)

// maxDepth bounds how deep selections and values may be nested.
const maxDepth = 50

type parser struct {
	lexer lexer
	token token
	depth int
}

// Parse reads a document of queries, mutations and fragments.
func Parse(source string) (*Document, error) {
	p := &parser{lexer: lexer{rest: source, line: 1, column: 1}}
	doc := &Document{fragments: map[string]*fragment{}}
	if err := p.next(); err != nil {
		return nil, err
	}
	for p.token.kind != tokenEnd {
		if p.token.kind == tokenName && p.token.text == "fragment" {
			f, err := p.fragment()
			if err != nil {
				return nil, err
			}
			doc.fragments[f.name] = f
			continue
		}
		op, err := p.operation()
		if err != nil {
			return nil, err
		}
		doc.operations = append(doc.operations, op)
	}
	if len(doc.operations) == 0 {
		return nil, fmt.Errorf("the document has no operation")
	}
	return doc, nil
}

func (p *parser) next() (err error) {
	p.token, err = p.lexer.next()
	return err
}

// unexpected is what GitHub says about a token that does not belong there.
func (p *parser) unexpected() error {
	return fmt.Errorf("Parse error on %q (%s) at [%d, %d]", p.token.text, p.token.kind, p.token.at.Line, p.token.at.Column)
}

// expect takes a token of the kind and gives its text.
func (p *parser) expect(kind string) (string, error) {
	if p.token.kind != kind {
		return "", p.unexpected()
	}
	text := p.token.text
	return text, p.next()
}

// accept takes the token if it is of the kind.
func (p *parser) accept(kind string) (bool, error) {
	if p.token.kind != kind {
		return false, nil
	}
	return true, p.next()
}

func (p *parser) operation() (*operation, error) {
	op := &operation{kind: "query", at: p.token.at}
	var err error
	if p.token.kind == tokenName {
		op.kind = p.token.text
		if op.kind != "query" && op.kind != "mutation" {
			return nil, p.unexpected()
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		if p.token.kind == tokenName {
			op.name = p.token.text
			if err := p.next(); err != nil {
				return nil, err
			}
		}
		if op.variables, err = p.variables(); err != nil {
			return nil, err
		}
	}
	op.selections, err = p.selections()
	return op, err
}

func (p *parser) variables() ([]variable, error) {
	open, err := p.accept("(")
	if !open || err != nil {
		return nil, err
	}
	var variables []variable
	for p.token.kind != ")" {
		v := variable{at: p.token.at}
		if _, err := p.expect("$"); err != nil {
			return nil, err
		}
		if v.name, err = p.expect(tokenName); err != nil {
			return nil, err
		}
		if _, err := p.expect(":"); err != nil {
			return nil, err
		}
		if v.typ, err = p.typ(); err != nil {
			return nil, err
		}
		if v.defaults, err = p.accept("="); err != nil {
			return nil, err
		}
		if v.defaults {
			if v.value, err = p.value(); err != nil {
				return nil, err
			}
		}
		variables = append(variables, v)
	}
	return variables, p.next()
}

// typ reads a type: a name or a list of a type, and whether it is required.
func (p *parser) typ() (string, error) {
	list, err := p.accept("[")
	if err != nil {
		return "", err
	}
	var text string
	if list {
		if p.depth++; p.depth > maxDepth {
			return "", p.unexpected()
		}
		inner, err := p.typ()
		if err != nil {
			return "", err
		}
		p.depth--
		if _, err := p.expect("]"); err != nil {
			return "", err
		}
		text = "[" + inner + "]"
	} else if text, err = p.expect(tokenName); err != nil {
		return "", err
	}
	required, err := p.accept("!")
	if required {
		text += "!"
	}
	return text, err
}

func (p *parser) fragment() (*fragment, error) {
	f := &fragment{at: p.token.at}
	if err := p.next(); err != nil { // "fragment"
		return nil, err
	}
	var err error
	if f.name, err = p.expect(tokenName); err != nil {
		return nil, err
	}
	if p.token.text != "on" {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if f.on, err = p.expect(tokenName); err != nil {
		return nil, err
	}
	f.selections, err = p.selections()
	return f, err
}

func (p *parser) selections() ([]selection, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.unexpected()
	}
	defer func() { p.depth-- }()
	if _, err := p.expect("{"); err != nil {
		return nil, err
	}
	var selections []selection
	for p.token.kind != "}" {
		s, err := p.selection()
		if err != nil {
			return nil, err
		}
		selections = append(selections, s)
	}
	if len(selections) == 0 {
		return nil, p.unexpected()
	}
	return selections, p.next()
}

func (p *parser) selection() (s selection, err error) {
	s.at = p.token.at
	dots, err := p.accept("...")
	switch {
	case err != nil:
		return s, err
	case dots && p.token.kind == tokenName && p.token.text != "on":
		s.spread = p.token.text
		if err := p.next(); err != nil {
			return s, err
		}
		s.directives, err = p.directives()
		return s, err
	case dots:
		s.inline = &fragment{at: s.at}
		if p.token.kind == tokenName {
			if err := p.next(); err != nil { // "on"
				return s, err
			}
			if s.inline.on, err = p.expect(tokenName); err != nil {
				return s, err
			}
		}
		if s.directives, err = p.directives(); err != nil {
			return s, err
		}
		s.inline.selections, err = p.selections()
		return s, err
	}
	return p.field(s)
}

func (p *parser) field(s selection) (_ selection, err error) {
	if s.name, err = p.expect(tokenName); err != nil {
		return s, err
	}
	aliased, err := p.accept(":")
	if err != nil {
		return s, err
	}
	if aliased {
		s.alias = s.name
		if s.name, err = p.expect(tokenName); err != nil {
			return s, err
		}
	}
	if s.arguments, err = p.arguments(); err != nil {
		return s, err
	}
	if s.directives, err = p.directives(); err != nil {
		return s, err
	}
	if p.token.kind == "{" {
		s.selections, err = p.selections()
	}
	return s, err
}

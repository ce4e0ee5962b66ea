package gql

import "strconv"

func (p *parser) directives() ([]directive, error) {
	var directives []directive
	for p.token.kind == "@" {
		if err := p.next(); err != nil {
			return nil, err
		}
		name, err := p.expect(tokenName)
		if err != nil {
			return nil, err
		}
		arguments, err := p.arguments()
		if err != nil {
			return nil, err
		}
		directives = append(directives, directive{name, arguments})
	}
	return directives, nil
}

func (p *parser) arguments() ([]argument, error) {
	open, err := p.accept("(")
	if !open || err != nil {
		return nil, err
	}
	var arguments []argument
	for p.token.kind != ")" {
		a := argument{at: p.token.at}
		if a.name, err = p.expect(tokenName); err != nil {
			return nil, err
		}
		if _, err := p.expect(":"); err != nil {
			return nil, err
		}
		if a.value, err = p.value(); err != nil {
			return nil, err
		}
		arguments = append(arguments, a)
	}
	return arguments, p.next()
}

// value reads a value: int64, float64, string, bool, nil, enum, variableRef, []any or
// map[string]any.
func (p *parser) value() (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.unexpected()
	}
	defer func() { p.depth-- }()
	t := p.token
	switch t.kind {
	case "[":
		return p.list()
	case "{":
		return p.object()
	case "$":
		if err := p.next(); err != nil {
			return nil, err
		}
		name, err := p.expect(tokenName)
		return variableRef(name), err
	case tokenInt:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			return nil, err
		}
		return n, p.next()
	case tokenFloat:
		x, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, err
		}
		return x, p.next()
	case tokenString:
		return t.text, p.next()
	case tokenName:
		switch t.text {
		case "true", "false":
			return t.text == "true", p.next()
		case "null":
			return nil, p.next()
		}
		return enum(t.text), p.next()
	}
	return nil, p.unexpected()
}

func (p *parser) list() (any, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	list := []any{}
	for p.token.kind != "]" {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, p.next()
}

func (p *parser) object() (any, error) {
	if err := p.next(); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for p.token.kind != "}" {
		name, err := p.expect(tokenName)
		if err != nil {
			return nil, err
		}
		if _, err := p.expect(":"); err != nil {
			return nil, err
		}
		if object[name], err = p.value(); err != nil {
			return nil, err
		}
	}
	return object, p.next()
}

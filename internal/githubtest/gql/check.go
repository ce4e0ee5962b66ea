package gql

import (
	"fmt"
	"slices"
	"strings"
)

// checker checks a query before it runs, and computes what it costs.
type checker struct {
	query  *Query
	given  map[string]any
	used   map[string]bool
	calls  int // the requests that GitHub would make for the connections
	depth  int
	errors []*Error
}

func (c *checker) fail(at Location, path []any, extensions map[string]any, format string, args ...any) {
	c.errors = append(c.errors, &Error{
		Path: slices.Clone(path), Extensions: extensions, Locations: []Location{at}, Message: fmt.Sprintf(format, args...),
	})
}

func (c *checker) check() {
	q := c.query
	op := q.operation
	name := strings.TrimSpace(op.kind + " " + op.name)
	c.bind(name)
	c.selections(op.selections, q.root(), []any{name}, 1)
	for _, v := range op.variables {
		if !c.used[v.name] {
			c.fail(v.at, []any{name}, map[string]any{"code": "variableNotUsed", "variableName": v.name},
				"Variable $%s is declared by %s but not used", v.name, c.operationName())
		}
	}
	q.Cost = max(1, (c.calls+50)/100)
	if q.Nodes > maxNodes {
		c.errors = append(c.errors, Errorf("MAX_NODE_LIMIT_EXCEEDED",
			"This query requests up to %d possible nodes which exceeds the maximum limit of %d.", q.Nodes, maxNodes))
	}
}

// operationName is how GitHub names the operation in what it says about variables.
func (c *checker) operationName() string {
	if c.query.operation.name == "" {
		return "anonymous " + c.query.operation.kind
	}
	return c.query.operation.name
}

// bind gives the variables their values.
func (c *checker) bind(name string) {
	for _, v := range c.query.operation.variables {
		value, given := c.given[v.name]
		switch {
		case given && value != nil:
			if !fits(value, strings.TrimSuffix(v.typ, "!")) {
				c.fail(v.at, nil, map[string]any{"value": value},
					"Variable $%s of type %s was provided invalid value", v.name, v.typ)
				continue
			}
			c.query.variables[v.name] = value
		case v.defaults:
			c.query.variables[v.name] = v.value
		case strings.HasSuffix(v.typ, "!"):
			c.fail(v.at, []any{name}, map[string]any{"value": nil},
				"Variable $%s of type %s was provided invalid value", v.name, v.typ)
		}
	}
}

// fits reports whether a value of JSON can be of a type. Enums and input objects are not
// known by name: a string fits an enum, and an object an input object.
func fits(value any, typ string) bool {
	if inner, list := strings.CutPrefix(typ, "["); list {
		inner = strings.TrimSuffix(strings.TrimSuffix(inner, "]"), "!")
		items, isList := value.([]any)
		if !isList {
			return fits(value, inner)
		}
		for _, item := range items {
			if !fits(item, inner) {
				return false
			}
		}
		return true
	}
	switch v := value.(type) {
	case string:
		return typ != "Int" && typ != "Float" && typ != "Boolean"
	case bool:
		return typ == "Boolean"
	case float64:
		return typ == "Float" || (typ == "Int" || typ == "ID") && v == float64(int64(v))
	case map[string]any:
		return typ != "Int" && typ != "Float" && typ != "Boolean" && typ != "String" && typ != "ID"
	}
	return false
}

// selections checks fields of a type. times is how often they are asked for, by the
// connections above them.
func (c *checker) selections(selections []selection, typ string, path []any, times int) {
	if c.depth++; c.depth > maxDepth {
		c.fail(c.query.operation.at, path, nil, "Query is too deep, or a fragment contains itself")
		return
	}
	defer func() { c.depth-- }()
	for _, s := range selections {
		for _, d := range s.directives {
			c.directive(s, d, path)
		}
		switch {
		case s.spread != "":
			f := c.query.doc.fragments[s.spread]
			if f == nil {
				c.fail(s.at, append(path, "... "+s.spread), map[string]any{"code": "useAndDefineFragment", "fragmentName": s.spread},
					"Fragment %s was used, but not defined", s.spread)
				continue
			}
			c.fragment(f, typ, append(path, "... "+s.spread), times)
		case s.inline != nil:
			c.fragment(s.inline, typ, append(path, "... on "+s.inline.on), times)
		default:
			c.field(s, typ, append(path, s.key()), times)
		}
	}
}

func (c *checker) directive(s selection, d directive, path []any) {
	if d.name != "include" && d.name != "skip" || len(d.arguments) != 1 || d.arguments[0].name != "if" {
		c.fail(s.at, path, map[string]any{"code": "undefinedDirective", "directiveName": d.name}, "Directive @%s is not defined", d.name)
		return
	}
	c.value(d.arguments[0].value, d.arguments[0].at, path)
}

func (c *checker) fragment(f *fragment, typ string, path []any, times int) {
	on := f.on
	if on == "" {
		on = typ
	}
	if c.query.schema[on] == nil {
		c.fail(f.at, path, map[string]any{"code": "undefinedType", "typeName": on}, "No such type %s, so it can't be a fragment condition", on)
		return
	}
	if !c.overlap(on, typ) {
		c.fail(f.at, path, map[string]any{"code": "cannotSpreadFragment", "typeName": on, "parentName": typ},
			"Fragment on %s can't be spread inside %s", on, typ)
		return
	}
	c.selections(f.selections, on, path, times)
}

// overlap reports whether a value can be of both types.
func (c *checker) overlap(a, b string) bool {
	for _, x := range c.query.schema.objects(a) {
		if slices.Contains(c.query.schema.objects(b), x) {
			return true
		}
	}
	return false
}

// objects gives the object types that a type stands for.
func (s Schema) objects(typ string) []string {
	if of := s[typ].Of; of != nil {
		return of
	}
	return []string{typ}
}

func (c *checker) field(s selection, typ string, path []any, times int) {
	if s.name == "__typename" {
		return
	}
	field, ok := c.query.schema[typ].Fields[s.name]
	if !ok {
		c.fail(s.at, path, map[string]any{"code": "undefinedField", "typeName": typ, "fieldName": s.name},
			"Field '%s' doesn't exist on type '%s'", s.name, typ)
		return
	}
	c.arguments(s, field, path)
	switch {
	case field.Type == "" && s.selections != nil:
		c.fail(s.at, path, map[string]any{"code": "selectionMismatch", "nodeName": "field '" + s.name + "'"},
			"Selections can't be made on scalars (field '%s' has selections)", s.name)
	case field.Type != "" && s.selections == nil:
		c.fail(s.at, path, map[string]any{"code": "selectionMismatch", "nodeName": "field '" + s.name + "'", "typeName": field.Type},
			"Field must have selections (field '%s' returns %s but has no selections. Did you mean '%s { ... }'?)", s.name, field.Type, s.name)
	case field.Type != "":
		if field.Connection {
			c.calls += times
			times *= c.page(s, path)
			c.query.Nodes += times
		}
		c.selections(s.selections, field.Type, path, times)
	}
}

func (c *checker) arguments(s selection, field Field, path []any) {
	given := map[string]bool{}
	for _, a := range s.arguments {
		given[a.name] = true
		if _, known := field.Args[a.name]; !known {
			c.fail(a.at, append(path, a.name),
				map[string]any{"code": "argumentNotAccepted", "name": s.name, "typeName": "Field", "argumentName": a.name},
				"Field '%s' doesn't accept argument '%s'", s.name, a.name)
		}
		c.value(a.value, a.at, path)
	}
	for name, arg := range field.Args {
		if arg.Required && !given[name] {
			c.fail(s.at, path, map[string]any{"code": "missingRequiredArguments", "className": "Field", "name": s.name, "arguments": name},
				"Field '%s' is missing required arguments: %s", s.name, name)
		}
	}
}

// value checks that the variables in a value are declared.
func (c *checker) value(value any, at Location, path []any) {
	switch v := value.(type) {
	case variableRef:
		name := string(v)
		c.used[name] = true
		if !slices.ContainsFunc(c.query.operation.variables, func(v variable) bool { return v.name == name }) {
			c.fail(at, path, map[string]any{"code": "variableNotDefined", "variableName": name},
				"Variable $%s is used by %s but not declared", name, c.operationName())
		}
	case []any:
		for _, item := range v {
			c.value(item, at, path)
		}
	case map[string]any:
		for _, item := range v {
			c.value(item, at, path)
		}
	}
}

// page gives the size of a connection's page. GitHub wants one to be given.
func (c *checker) page(s selection, path []any) int {
	args := c.query.args(s.arguments)
	for _, name := range []string{"first", "last"} {
		n, ok := args.Int(name)
		switch {
		case !ok:
			continue
		case n > maxPage:
			e := Errorf("EXCESSIVE_PAGINATION", "Requesting %d records on the `%s` connection exceeds the `%s` limit of %d records.", n, s.name, name, maxPage)
			e.Path, e.Locations = slices.Clone(path), []Location{s.at}
			c.errors = append(c.errors, e)
		case n < 0:
			e := Errorf("INVALID_CURSOR_ARGUMENTS", "`%s` on the `%s` connection cannot be less than zero.", name, s.name)
			e.Path, e.Locations = slices.Clone(path), []Location{s.at}
			c.errors = append(c.errors, e)
		}
		return n
	}
	e := Errorf("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to properly paginate the `%s` connection.", s.name)
	e.Path, e.Locations = slices.Clone(path), []Location{s.at}
	c.errors = append(c.errors, e)
	return 0
}

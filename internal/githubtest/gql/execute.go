package gql

import (
	"errors"
	"slices"
)

// execution is one run of a query.
type execution struct {
	query  *Query
	errors []*Error
}

// Run answers the query. An error of a resolver makes its field null and stands among the
// errors of the answer; the rest of the query is answered.
func (q *Query) Run() Answer {
	e := &execution{query: q}
	data := &Object{}
	if !e.selections(data, q.operation.selections, q.root(), nil, nil) {
		data = nil
	}
	return Answer{Data: data, Errors: e.errors}
}

// selections adds the selected fields of a value of an object type to out. It reports
// whether the value stands: where a field that is never null could not be had, it does not
// (GraphQL specification, October 2021, section 6.4.4).
func (e *execution) selections(out *Object, selections []selection, typ string, value any, path []any) bool {
	stands := true
	for _, s := range selections {
		if e.skipped(s) {
			continue
		}
		f := s.inline
		if s.spread != "" {
			f = e.query.doc.fragments[s.spread]
		}
		switch {
		case f != nil:
			if f.on == "" || slices.Contains(e.query.schema.objects(f.on), typ) {
				stands = e.selections(out, f.selections, typ, value, path) && stands
			}
		case s.name == "__typename":
			out.Set(s.key(), typ)
		default:
			field := e.query.schema[typ].Fields[s.name]
			e.field(out, s, field, value, append(slices.Clone(path), s.key()))
			stands = stands && !(field.NonNull && out.Value(s.key()) == nil)
		}
	}
	return stands
}

func (e *execution) skipped(s selection) bool {
	for _, d := range s.directives {
		condition, _ := e.query.args(d.arguments)["if"].(bool)
		if condition == (d.name == "skip") {
			return true
		}
	}
	return false
}

func (e *execution) field(out *Object, s selection, field Field, parent any, path []any) {
	value, err := field.Resolve(parent, e.query.args(s.arguments))
	if err != nil {
		var e2 *Error
		if !errors.As(err, &e2) {
			e2 = &Error{Message: err.Error()}
		}
		e2.Path, e2.Locations = path, []Location{s.at}
		e.errors = append(e.errors, e2)
		out.Set(s.key(), nil)
		return
	}
	completed := e.complete(s, field.Type, value, path)
	if before, merged := out.Value(s.key()).(*Object); merged {
		if now, ok := completed.(*Object); ok { // the field was selected twice
			for _, key := range now.keys {
				before.Set(key, now.values[key])
			}
			return
		}
	}
	out.Set(s.key(), completed)
}

// complete answers the selections of a value.
func (e *execution) complete(s selection, typ string, value any, path []any) any {
	if list, ok := value.([]any); ok {
		out := make([]any, len(list))
		for i, item := range list {
			out[i] = e.complete(s, typ, item, append(slices.Clone(path), i))
		}
		return out
	}
	if missing, ok := value.(*Error); ok { // an item of a list
		missing.Path, missing.Locations = path, []Location{s.at}
		e.errors = append(e.errors, missing)
		return nil
	}
	if typ == "" || value == nil {
		return value
	}
	if typed, ok := value.(Typed); ok {
		typ, value = typed.Type, typed.Value
	}
	out := &Object{}
	if !e.selections(out, s.selections, typ, value, path) {
		return nil
	}
	return out
}

// args fills the variables into arguments. A variable without a value is left out.
func (q *Query) args(arguments []argument) Args {
	args := Args{}
	for _, a := range arguments {
		if value, ok := q.fill(a.value); ok {
			args[a.name] = value
		}
	}
	return args
}

func (q *Query) fill(value any) (any, bool) {
	switch v := value.(type) {
	case variableRef:
		value, ok := q.variables[string(v)]
		return value, ok
	case []any:
		list := make([]any, 0, len(v))
		for _, item := range v {
			item, _ := q.fill(item)
			list = append(list, item)
		}
		return list, true
	case map[string]any:
		object := map[string]any{}
		for key, item := range v {
			if item, ok := q.fill(item); ok {
				object[key] = item
			}
		}
		return object, true
	}
	return value, true
}

// Package gql answers GraphQL queries from a table of types and resolvers, with the errors
// that GitHub gives. It knows queries with variables, aliases, arguments, fragments and
// the directives include and skip; it knows no subscriptions, no introspection but
// __typename, and no block strings.
package gql

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Schema is the types by name. The type "Query" is where a query starts, and "Mutation"
// where a mutation does.
type Schema map[string]*Type

// Type is an object, an interface or a union.
type Type struct {
	Fields map[string]Field
	Of     []string // the object types that an interface or union may be
}

// Field is one field of a type. Resolve gives nil, a scalar, a value of the field's type, or
// a []any of these, in which an *Error stands for an item that could not be resolved.
type Field struct {
	Type       string         // of what the field gives; empty for a scalar or enum
	Args       map[string]Arg // by name
	Connection bool           // takes first or last, and costs
	NonNull    bool           // where it fails, what it is a field of is null
	Resolve    func(parent any, args Args) (any, error)
}

// Arg is one argument of a field.
type Arg struct {
	Required bool
}

// Args are the arguments of a field as given, with variables filled in.
type Args map[string]any

// String gives a string, an ID or an enum, or "" when there is none.
func (a Args) String(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case enum:
		return string(v)
	}
	return ""
}

// Strings gives a list of strings or enums. A single one is a list of one.
func (a Args) Strings(name string) []string {
	var list []string
	switch v := a[name].(type) {
	case []any:
		for _, item := range v {
			if s := (Args{"": item}).String(""); s != "" {
				list = append(list, s)
			}
		}
	case string, enum:
		list = append(list, a.String(name))
	}
	return list
}

// Int gives a number and whether there is one.
func (a Args) Int(name string) (int, bool) {
	switch v := a[name].(type) {
	case int64:
		return int(v), true
	case float64: // of a JSON variable
		return int(v), true
	}
	return 0, false
}

// Object gives an input object, or nil.
func (a Args) Object(name string) Args {
	o, _ := a[name].(map[string]any)
	return o
}

// Typed is a value of an interface or union, with the object type that it is.
type Typed struct {
	Type  string
	Value any
}

// Error is one entry of the errors of an answer.
type Error struct {
	Type       string         `json:"type,omitempty"`
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
	Locations  []Location     `json:"locations,omitempty"`
	Message    string         `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an error with one of GitHub's types, as NOT_FOUND.
func Errorf(typ, format string, args ...any) *Error {
	return &Error{Type: typ, Message: fmt.Sprintf(format, args...)}
}

// Answer is the answer to a request. Data is absent when the query was not run.
type Answer struct {
	Data   *Object  `json:"data,omitempty"`
	Errors []*Error `json:"errors,omitempty"`
}

// Object is an object of an answer, with its fields in the order of the query.
type Object struct {
	keys   []string
	values map[string]any
}

// Set adds or replaces a field.
func (o *Object) Set(key string, value any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, there := o.values[key]; !there {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// Value gives a field, or nil.
func (o *Object) Value(key string) any { return o.values[key] }

// Keys gives the names of the fields in order.
func (o *Object) Keys() []string { return slices.Clone(o.keys) }

// MarshalJSON implements json.Marshaler.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[key])
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Query is a request that was checked and can be run.
type Query struct {
	Cost  int // points
	Nodes int // that it may give at most

	schema    Schema
	doc       *Document
	operation *operation
	variables map[string]any
}

// maxPage and maxNodes are GitHub's limits.
const (
	maxPage  = 100
	maxNodes = 500_000
)

// Prepare checks a request against the schema. It gives errors as GitHub words them.
func Prepare(schema Schema, source, operationName string, variables map[string]any) (*Query, []*Error) {
	doc, err := Parse(source)
	if err != nil {
		return nil, []*Error{{Message: err.Error()}}
	}
	q := &Query{schema: schema, doc: doc, variables: map[string]any{}}
	for _, op := range doc.operations {
		if operationName == "" && len(doc.operations) == 1 || op.name == operationName && operationName != "" {
			q.operation = op
		}
	}
	if q.operation == nil {
		return nil, []*Error{{Message: fmt.Sprintf("No operation named %q", operationName)}}
	}
	if schema[q.root()] == nil {
		return nil, []*Error{{Message: "Schema is not configured for mutations"}}
	}
	c := &checker{query: q, given: variables, used: map[string]bool{}}
	c.check()
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	return q, nil
}

// IsMutation reports whether the request changes something.
func (q *Query) IsMutation() bool { return q.operation.kind == "mutation" }

// root is the type where the operation starts.
func (q *Query) root() string {
	if q.IsMutation() {
		return "Mutation"
	}
	return "Query"
}

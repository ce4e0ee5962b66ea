package schematest

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// GraphQL checks exchanges against GitHub's schema.
type GraphQL struct {
	schema *ast.Schema
}

// LoadGraphQL reads a schema, of @octokit/graphql-schema.
func LoadGraphQL(file string) (*GraphQL, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: file, Input: string(text)})
	if err != nil {
		return nil, err
	}
	// The schema as published defines some fields twice, which the library refuses.
	for _, def := range doc.Definitions {
		seen := map[string]bool{}
		def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool {
			again := seen[f.Name]
			seen[f.Name] = true
			return again
		})
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return nil, err
	}
	return &GraphQL{schema}, nil
}

// semantic are the errors of queries that are sound by the schema alone.
var semantic = []string{
	"MISSING_PAGINATION_BOUNDARIES", "EXCESSIVE_PAGINATION", "INVALID_CURSOR_ARGUMENTS", "MAX_NODE_LIMIT_EXCEEDED", "ARGUMENT_LIMIT", "RATE_LIMITED",
}

// Check gives what is wrong with an exchange: a query that is not of the schema and that
// the simulator took, or the other way round, or an answer that is not the query's.
func (g *GraphQL) Check(e Exchange) error {
	var request struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	if err := json.Unmarshal([]byte(e.Body), &request); err != nil {
		return err
	}
	var answer struct {
		Data   map[string]any
		Errors []struct{ Type, Message string }
	}
	if e.Status != 200 {
		return nil // it was not looked at
	}
	if err := json.Unmarshal([]byte(e.Answer), &answer); err != nil {
		return err
	}
	taken := len(answer.Errors) == 0 || answer.Data != nil || slices.Contains(semantic, answer.Errors[0].Type)
	doc, errs := gqlparser.LoadQueryWithRules(g.schema, request.Query, nil)
	op, err := operation(doc, request.OperationName, errs)
	if err == nil {
		_, err = variables(g.schema, op, request.Variables)
	}
	switch {
	case err != nil && taken:
		return fmt.Errorf("GitHub would refuse the query: %w", err)
	case err == nil && !taken:
		return fmt.Errorf("GitHub would take the query that was refused: %s", answer.Errors[0].Message)
	case err != nil || answer.Data == nil:
		return nil
	}
	root := g.schema.Query
	if op.Operation == ast.Mutation {
		root = g.schema.Mutation
	}
	return g.object(op.SelectionSet, root, answer.Data, "")
}

func operation(doc *ast.QueryDocument, name string, errs gqlerror.List) (*ast.OperationDefinition, error) {
	if len(errs) > 0 {
		return nil, errs
	}
	op := doc.Operations.ForName(name)
	if op == nil {
		return nil, fmt.Errorf("no operation %q", name)
	}
	return op, nil
}

func variables(schema *ast.Schema, op *ast.OperationDefinition, given map[string]any) (map[string]any, error) {
	return validator.VariableValues(schema, op, given)
}

// object checks that a value of an object type has the fields that were asked for, each of
// its type, and no others.
func (g *GraphQL) object(selections ast.SelectionSet, typ *ast.Definition, v map[string]any, path string) error {
	fields := map[string]*ast.Field{}
	sets := map[string]ast.SelectionSet{}
	g.collect(selections, typ, v, fields, sets)
	for key, f := range fields {
		value, ok := v[key]
		if !ok {
			return fmt.Errorf("answer: %s/%s is missing", path, key)
		}
		if err := g.value(f.Definition.Type, sets[key], value, path+"/"+key); err != nil {
			return err
		}
	}
	for key := range v {
		if fields[key] == nil {
			return fmt.Errorf("answer: nobody asked for %s/%s", path, key)
		}
	}
	return nil
}

// collect finds the fields that were asked for of a value. Of an interface the fields of a
// fragment are asked for when the value has them, unless its type is in the answer.
func (g *GraphQL) collect(selections ast.SelectionSet, typ *ast.Definition, v map[string]any, fields map[string]*ast.Field, sets map[string]ast.SelectionSet) {
	inner := func(condition string, set ast.SelectionSet) {
		if condition == "" || condition == typ.Name || g.applies(condition, typ, set, v) {
			g.collect(set, typ, v, fields, sets)
		}
	}
	for _, s := range selections {
		switch s := s.(type) {
		case *ast.Field:
			fields[s.Alias] = s
			sets[s.Alias] = append(sets[s.Alias], s.SelectionSet...)
		case *ast.InlineFragment:
			inner(s.TypeCondition, s.SelectionSet)
		case *ast.FragmentSpread:
			inner(s.Definition.TypeCondition, s.Definition.SelectionSet)
		}
	}
}

func (g *GraphQL) applies(condition string, typ *ast.Definition, set ast.SelectionSet, v map[string]any) bool {
	if name, ok := v["__typename"].(string); ok {
		return name == condition || slices.ContainsFunc(g.schema.PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == name })
	}
	if typ.Kind == ast.Object {
		return slices.ContainsFunc(g.schema.PossibleTypes[condition], func(d *ast.Definition) bool { return d.Name == typ.Name })
	}
	for _, s := range set {
		if f, ok := s.(*ast.Field); ok {
			if _, there := v[f.Alias]; there {
				return true
			}
		}
	}
	return false
}

// value checks a value of any type. A field that may not be null is null where a resolver
// failed: GitHub itself puts null into the nearest field that may be.
func (g *GraphQL) value(typ *ast.Type, set ast.SelectionSet, v any, path string) error {
	if v == nil {
		if typ.NonNull {
			return fmt.Errorf("answer: %s is null, and its type is %s", path, typ)
		}
		return nil
	}
	if typ.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("answer: %s is %T, and its type is %s", path, v, typ)
		}
		for i, item := range list {
			if err := g.value(typ.Elem, set, item, fmt.Sprintf("%s/%d", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	def := g.schema.Types[typ.NamedType]
	switch def.Kind {
	case ast.Object, ast.Interface, ast.Union:
		object, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("answer: %s is %T, and its type is %s", path, v, typ)
		}
		return g.object(set, def, object, path)
	case ast.Enum:
		if name, ok := v.(string); !ok || def.EnumValues.ForName(name) == nil {
			return fmt.Errorf("answer: %s is %v, which is no %s", path, v, typ)
		}
		return nil
	}
	if !scalar(typ.NamedType, v) {
		return fmt.Errorf("answer: %s is %v, which is no %s", path, v, typ)
	}
	return nil
}

// scalar reports whether a value can be of a scalar type. GitHub's own are strings.
func scalar(typ string, v any) bool {
	switch v := v.(type) {
	case bool:
		return typ == "Boolean"
	case float64:
		return typ == "Float" || typ == "Int" && v == float64(int64(v)) && v < 1<<31
	case string:
		return typ != "Boolean" && typ != "Int" && typ != "Float"
	}
	return false
}

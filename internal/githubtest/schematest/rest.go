package schematest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// REST checks exchanges against an OpenAPI description of GitHub's.
type REST struct {
	doc *openapi3.T
}

// LoadREST reads a description, of @octokit/openapi.
func LoadREST(file string) (*REST, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	repair(doc)
	return &REST{doc}, nil
}

// repair mends what no answer of GitHub's own could meet: an account that is a user and an
// enterprise at once, where other operations say that it is either. And what refuses GitHub's own
// examples: the time of runs is a range, "FROM..TO" or ">=FROM", in the text of its description,
// and one date in its format.
func repair(doc *openapi3.T) {
	for _, p := range doc.Paths.Value("/repos/{owner}/{repo}/actions/runs").Get.Parameters {
		if p.Value.Name == "created" {
			p.Value.Schema.Value.Format = ""
		}
	}
	op := doc.Paths.Value("/app/installations").Get
	items := op.Responses.Status(http.StatusOK).Value.Content.Get("application/json").Schema.Value.Items.Value
	account := items.Properties["account"].Value
	account.AnyOf, account.AllOf = account.AllOf, nil
	// This list has its own copy of the permissions, without those that came since.
	items.Properties["permissions"] = doc.Components.Schemas["app-permissions"]
}

// Has reports whether the description has an operation, "GET /repos/{owner}/{repo}".
func (r *REST) Has(route string) bool {
	_, op := r.operation(route)
	return op != nil
}

func (r *REST) operation(route string) (*openapi3.PathItem, *openapi3.Operation) {
	method, path, _ := strings.Cut(route, " ")
	item := r.doc.Paths.Value(path)
	if item == nil {
		return nil, nil
	}
	return item, item.GetOperation(method)
}

// Check gives what is wrong with an exchange: a request that the description does not have
// or refuses, an answer that it does not have, a body that is not of its schema, a field of
// a body that the schema does not know.
func (r *REST) Check(e Exchange) error {
	item, op := r.operation(e.Route)
	if op == nil {
		return fmt.Errorf("there is no %s", e.Route)
	}
	input, err := r.request(e, item, op)
	if err != nil {
		return err
	}
	numbered := strings.HasPrefix(e.URL, restRoot+"/repositories/") // where an old name leads
	if e.Status < 400 && !numbered {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return fmt.Errorf("request: %w", err)
		}
		if err := knownQuery(input, op, item); err != nil {
			return err
		}
	}
	return r.answer(e, op, input)
}

// CheckWebhook gives what is wrong with the payload of a delivery, whose route is "webhook" with
// the event and the action.
func (r *REST) CheckWebhook(e Exchange) error {
	words := strings.Fields(e.Route)
	name := strings.ReplaceAll(strings.Join(words, "-"), "_", "-")
	schema := r.doc.Components.Schemas[name]
	if schema == nil {
		return fmt.Errorf("there is no schema %q", name)
	}
	var body any
	if err := json.Unmarshal([]byte(e.Body), &body); err != nil {
		return err
	}
	if err := schema.Value.VisitJSON(body); err != nil {
		return fmt.Errorf("payload: %w", short(err))
	}
	if unknown := unknownField(schema.Value, body, ""); unknown != "" {
		return fmt.Errorf("payload: GitHub does not send %s", unknown)
	}
	return nil
}

func (r *REST) request(e Exchange, item *openapi3.PathItem, op *openapi3.Operation) (*openapi3filter.RequestValidationInput, error) {
	request, err := http.NewRequest(e.Method, e.URL, strings.NewReader(e.Body))
	if err != nil {
		return nil, err
	}
	request.Header = e.Header.Clone()
	if e.Body != "" && !strings.HasPrefix(request.Header.Get("Content-Type"), "application/json") {
		request.Header.Set("Content-Type", "application/json") // GitHub reads any body as JSON
	}
	_, path, _ := strings.Cut(e.Route, " ")
	return &openapi3filter.RequestValidationInput{
		Request: request, PathParams: pathParams(path, request.URL),
		Route: &routers.Route{Spec: r.doc, Path: path, PathItem: item, Method: e.Method, Operation: op},
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: false,
		},
	}, nil
}

// pathParams takes the values of a path's parameters. The last one may hold slashes.
func pathParams(pattern string, u *url.URL) map[string]string {
	params := map[string]string{}
	names := strings.Split(pattern, "/")
	values := strings.SplitN(strings.TrimPrefix(u.EscapedPath(), restRoot), "/", len(names))
	for i, name := range names {
		if inner, ok := strings.CutPrefix(name, "{"); ok && i < len(values) {
			value, err := url.PathUnescape(values[i])
			if err != nil {
				value = values[i]
			}
			params[strings.TrimSuffix(inner, "}")] = value
		}
	}
	return params
}

// knownQuery refuses a parameter that GitHub would ignore in silence.
func knownQuery(input *openapi3filter.RequestValidationInput, op *openapi3.Operation, item *openapi3.PathItem) error {
	known := map[string]bool{}
	for _, list := range []openapi3.Parameters{op.Parameters, item.Parameters} {
		for _, p := range list {
			known[p.Value.Name] = true
		}
	}
	for name := range input.Request.URL.Query() {
		if !known[name] {
			return fmt.Errorf("request: there is no parameter %q", name)
		}
	}
	return nil
}

func (r *REST) answer(e Exchange, op *openapi3.Operation, input *openapi3filter.RequestValidationInput) error {
	response := op.Responses.Status(e.Status)
	switch {
	case response == nil && e.Status >= 400:
		// The description leaves errors out that every operation can give.
		return r.basicError(e)
	case response == nil && e.Status == http.StatusTemporaryRedirect, e.Status == http.StatusNotModified, e.Status == http.StatusMovedPermanently:
		return nil
	case response == nil:
		return fmt.Errorf("there is no answer with status %d", e.Status)
	case strings.Contains(e.AnswerHeader.Get("Content-Type"), "raw"):
		return nil // the content itself
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: e.Status, Header: e.AnswerHeader,
		Body: io.NopCloser(strings.NewReader(e.Answer)), Options: input.Options,
	})
	if err != nil {
		return fmt.Errorf("answer: %w", short(err))
	}
	media := response.Value.Content.Get("application/json")
	if media == nil || e.Answer == "" {
		return nil
	}
	var body any
	if err := json.Unmarshal([]byte(e.Answer), &body); err != nil {
		return err
	}
	if unknown := unknownField(media.Schema.Value, body, ""); unknown != "" {
		return fmt.Errorf("answer: GitHub does not send %s", unknown)
	}
	return nil
}

func (r *REST) basicError(e Exchange) error {
	var body any
	if err := json.Unmarshal([]byte(e.Answer), &body); err != nil {
		return err
	}
	return r.doc.Components.Schemas["basic-error"].Value.VisitJSON(body)
}

// short cuts an error of the library, which repeats the schema and the value in full.
func short(err error) error {
	var inner *openapi3.SchemaError
	if errors.As(err, &inner) {
		return fmt.Errorf("%s: %s", strings.Join(inner.JSONPointer(), "/"), inner.Reason)
	}
	text, _, _ := bytes.Cut([]byte(err.Error()), []byte("\n"))
	return errors.New(string(text[:min(len(text), 300)]))
}

// unknownField gives the path of a field that no alternative of the schema knows, or "".
func unknownField(s *openapi3.Schema, v any, path string) string {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			for _, items := range itemSchemas(s) {
				if unknown := unknownField(items, item, fmt.Sprintf("%s/%d", path, i)); unknown != "" {
					return unknown
				}
			}
		}
	case map[string]any:
		known, open := map[string]*openapi3.Schema{}, false
		collect(s, known, &open)
		for name, item := range v {
			field, ok := known[name]
			// "status" stands in every error, also where its schema leaves it out.
			if !ok && !open && len(known) > 0 && path+"/"+name != "/status" {
				return path + "/" + name
			}
			if ok {
				if unknown := unknownField(field, item, path+"/"+name); unknown != "" {
					return unknown
				}
			}
		}
	}
	return ""
}

// alternatives gives the schema and all that it is made of.
func alternatives(s *openapi3.Schema) []*openapi3.Schema {
	all := []*openapi3.Schema{s}
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, ref := range list {
			all = append(all, alternatives(ref.Value)...)
		}
	}
	return all
}

func itemSchemas(s *openapi3.Schema) []*openapi3.Schema {
	for _, a := range alternatives(s) {
		if a.Items != nil {
			return []*openapi3.Schema{a.Items.Value}
		}
	}
	return nil
}

// collect adds the properties of a schema. open is set when it takes any others. A property
// that alternatives describe differently is looked at in the first of them alone.
func collect(s *openapi3.Schema, known map[string]*openapi3.Schema, open *bool) {
	for _, a := range alternatives(s) {
		for name, ref := range a.Properties {
			if known[name] == nil {
				known[name] = ref.Value
			}
		}
		if a.AdditionalProperties.Schema != nil || a.AdditionalProperties.Has != nil && *a.AdditionalProperties.Has {
			*open = true
		}
	}
}

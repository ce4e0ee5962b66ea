package report_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

const streamSchema = "../../docs/schemas/sweep-stream.json"

// eventTypes are the events by their "type".
var eventTypes = map[string]finding.Event{
	"run": &finding.Run{}, "finding": &finding.Finding{}, "problem": &finding.Problem{},
	"explain": &finding.NonMatch{}, "coverage": &finding.Coverage{}, "summary": &finding.Summary{},
	"verification": &finding.Verification{},
}

func compile(t testing.TB, path string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(filepath.Base(path), doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile(filepath.Base(path))
}

// validate reports what the schema says against a JSON text.
func validate(t testing.TB, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return schema.Validate(v)
}

func lines(b []byte) [][]byte { return bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) }

// filled is an event with every field set, to what is valid where the schema is particular.
func filled(e finding.Event) finding.Event {
	v := reflect.New(reflect.TypeOf(e).Elem())
	fill(v.Elem(), "")
	return v.Interface().(finding.Event)
}

var validText = map[string]string{
	"stream": "1", "tool": "wormsweep", "fingerprint": strings.Repeat("0a", 16), "state": "latent", "severity": "high",
	"confidence": "probable", "purl": "pkg:npm/x@1", "direct": "no", "expires": "2027-01-31", "code": "syntax", "status": "hashed",
	"artifact": "pkg:npm/x", "kind": "npm", "verdict": "regression", "weight": "medium",
}

func fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				fill(v.Field(i), name)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), name)
		fill(v.Index(1), name)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key := "latent"
		if v.Type().Key() == reflect.TypeFor[verify.Verdict]() {
			key = "unknown"
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), reflect.ValueOf(7))
	case reflect.String:
		v.SetString("text")
		if s, ok := validText[name]; ok {
			v.SetString(s)
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// TestStreamValidates: every event with every field, and every golden stream.
func TestStreamValidates(t *testing.T) {
	schema := compile(t, streamSchema)
	events := []finding.Event{}
	for _, name := range slices.Sorted(maps.Keys(eventTypes)) {
		events = append(events, filled(eventTypes[name]))
	}
	streams := [][]byte{render(t, jsonLines, events)}
	for _, s := range scenarios {
		streams = append(streams, render(t, jsonLines, s.events))
	}
	for _, stream := range streams {
		for _, line := range lines(stream) {
			if err := validate(t, schema, line); err != nil {
				t.Errorf("%s\n%v", line, err)
			}
		}
	}
}

// TestNothingIsNull: a list or map that is empty is written as one, so that a reader need
// not tell null from none; and "type" stands first.
func TestNothingIsNull(t *testing.T) {
	for name, e := range eventTypes {
		line := render(t, jsonLines, []finding.Event{e})
		if !bytes.HasPrefix(line, []byte(`{"type":"`+name+`",`)) {
			t.Errorf("%s does not begin with its type", line)
		}
		if bytes.Contains(line, []byte("null")) {
			t.Errorf("%s has a null", line)
		}
	}
}

// TestSchemaHasEveryField: the schema and the Go types name the same fields, and require
// the same.
func TestSchemaHasEveryField(t *testing.T) {
	var doc struct {
		Defs map[string]node `json:"$defs"`
	}
	data, err := os.ReadFile(streamSchema)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var compare func(where string, typ reflect.Type, n node)
	compare = func(where string, typ reflect.Type, n node) {
		if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
			used[name] = true
			n = doc.Defs[name]
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ.String() == "time.Time" {
			return
		}
		var names, required []string
		for _, f := range reflect.VisibleFields(typ) {
			name, opt, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous || name == "-" {
				continue // its fields are listed in its place; or it is not written
			}
			names = append(names, name)
			if !strings.HasPrefix(opt, "omit") {
				required = append(required, name)
			}
			of, items := f.Type, n.Properties[name]
			if of.Kind() == reflect.Slice && items.Items != nil {
				of, items = of.Elem(), *items.Items
			}
			compare(where+"."+name, of, items)
		}
		if !strings.Contains(where, ".") {
			names, required = append(names, "type"), append(required, "type")
		}
		if d := cmp.Diff(sorted(names), slices.Sorted(maps.Keys(n.Properties))); d != "" {
			t.Errorf("%s: fields: -Go +schema:\n%s", where, d)
		}
		if d := cmp.Diff(sorted(required), sorted(n.Required)); d != "" {
			t.Errorf("%s: required: -Go +schema:\n%s", where, d)
		}
	}
	for name, e := range eventTypes {
		used[name] = true
		compare(name, reflect.TypeOf(e), doc.Defs[name])
	}
	for name, n := range doc.Defs {
		if !used[name] && n.Type == "object" {
			t.Errorf("$defs/%s belongs to no Go type", name)
		}
	}
}

// node is a part of a JSON Schema.
type node struct {
	Type       string          `json:"type"`
	Ref        string          `json:"$ref"`
	Required   []string        `json:"required"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
}

func sorted(s []string) []string {
	s = append([]string{}, s...)
	slices.Sort(s)
	return s
}

// TestSARIFValidates holds every golden against the schema of the standard.
func TestSARIFValidates(t *testing.T) {
	schema := compile(t, xtest.Data(t, "conformance/sarif/sarif-schema-2.1.0.json"))
	for _, s := range scenarios {
		if err := validate(t, schema, render(t, sarif, s.events)); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	for name, e := range eventTypes {
		for _, e := range []finding.Event{e, filled(e)} {
			if err := validate(t, schema, render(t, sarif, []finding.Event{e})); err != nil {
				t.Errorf("%s alone: %v", name, err)
			}
		}
	}
}

package iocs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func packSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../docs/schemas/ioc-pack.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// Every pack is valid by the published schema.
func TestSchema(t *testing.T) {
	schema := packSchema(t)
	names, err := filepath.Glob("*.json")
	if err != nil || len(names) < 50 {
		t.Fatalf("%d packs, %v", len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the schema refuses, the reader or Lint refuses too: the two say one thing.
func TestSchemaRefusesWhatLintRefuses(t *testing.T) {
	schema := packSchema(t)
	good, err := os.ReadFile("wormsweep-test.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new string }{
		{"unknown key", `"title"`, `"titel"`},
		{"another schema", "ioc-pack/1", "ioc-pack/2"},
		{"status that is none", `"status": "test"`, `"status": "open"`},
		{"date in prose", `"first_seen": "2026-11-22"`, `"first_seen": "in November"`},
		{"reference without https", `"url":"https://`, `"url":"http://`},
		{"field of another type", `"type":"file","confidence":"confirmed","sources":["wormsweep"],"name"`, `"type":"file","confidence":"confirmed","sources":["wormsweep"],"versions":["1.0.0"],"name"`},
		{"digest cut short", `"git_blob_sha1":"`, `"git_blob_sha1":"0`},
		{"kind of another type", `"kind":"branch_glob"`, `"kind":"domain"`},
		{"withdrawn without withdrawal", `"status":"disputed"`, `"status":"withdrawn"`},
		{"benign host alone", `"requires":["content"],`, ``},
		{"no source", `"sources":["wormsweep"],"literal"`, `"sources":[],"literal"`},
		{"defanged", `"kind":"domain","value":"wormsweep-test-indicator.`, `"kind":"domain","value":"wormsweep-test-indicator[.]`},
		{"path from the root", `"path":".github`, `"path":"/.github`},
		{"event that says two things", `{"introduced":"7.0.0-0"}`, `{"introduced":"7.0.0-0","fixed":"7.0.1"}`},
	} {
		data := strings.Replace(string(good), tt.old, tt.new, 1)
		if data == string(good) {
			t.Errorf("%s: %q is not in the pack", tt.name, tt.old)
			continue
		}
		if validate(t, schema, []byte(data)) == nil {
			t.Errorf("%s: valid by the schema", tt.name)
		}
		if p, err := ioc.ReadPack("x.json", []byte(data)); err == nil && len(ioc.Lint(p)) == 0 {
			t.Errorf("%s: no complaint of Lint", tt.name)
		}
	}
}

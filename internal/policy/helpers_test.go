package policy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/policy"
)

const schemaPath = "../../docs/schemas/wormsweep-policy.json"

const github = "https://token.actions.githubusercontent.com"

// base is the identity of a release of a tag, in the keys that each needs.
const base = `issuer: "` + github + `", san: "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/{tag}", repository-id: 1, owner-id: 2`

// file is a policy of one artifact, written as a flow mapping on line 4.
func file(artifact string) string {
	return "version: 1\norganisation: acme\nartifacts:\n  - {" + artifact + "}\n"
}

// sdk is the npm package that base signs, with more keys.
func sdk(more string) string {
	return file("artifact: \"npm:@acme/sdk\", source: acme/sdk, tag: \"v{version}\", " + more)
}

// signed is sdk with one identity.
func signed(identity string) string { return sdk("identities: [{" + identity + "}]") }

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parse reads a policy whose keys lie in testdata, whatever the folder they are said to be in.
func parse(name string, b []byte) (*policy.Policy, error) {
	return policy.ParseWithKeys(name, b, func(path string) ([]byte, error) {
		if path == "keys/old.pub" {
			path = "ed25519.pub"
		}
		return os.ReadFile("testdata/" + path)
	})
}

func mustParse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return p
}

var compiled *jsonschema.Schema

// validates reports what the schema says of a YAML text.
func validates(t testing.TB, text string) error {
	t.Helper()
	if compiled == nil {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, schemaPath)))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("policy.json", doc); err != nil {
			t.Fatal(err)
		}
		compiled = c.MustCompile("policy.json")
	}
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil || len(n.Content) == 0 {
		return os.ErrInvalid // the schema is asked about YAML alone
	}
	return compiled.Validate(value(&n))
}

// value is a YAML value as JSON has it: dates are texts.
func value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return value(n.Content[0])
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = value(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, value(c))
		}
		return list
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		return json.Number(n.Value)
	}
	return n.Value
}

package respond_test

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wormsweep/wormsweep/internal/respond"
)

// planSchema is docs/schemas/plan.json, and as a tree.
func planSchema(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	f, err := os.Open("../../docs/schemas/plan.json")
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
	if err := c.AddResource("plan.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("plan.json"), doc.(map[string]any)
}

func TestSchemaTakesPlans(t *testing.T) {
	schema, _ := planSchema(t)
	for _, p := range append(poisonedPins(t, "\xff\u202e"), respond.PinPlan(pinWorld(t)), respond.ScenarioC(oursWorld()), respond.PinPlan(respond.PinInput{})) {
		var ticks respond.Ticks
		if len(p.Steps) > 0 {
			ticks = ticked(p)
		}
		var b bytes.Buffer
		if err := respond.JSON(&b, p, ticks, at(10, 0)); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", p.Title, err)
		}
	}
}

// The schema has the fields of the types, each and no other.
func TestSchemaHasEveryField(t *testing.T) {
	_, doc := planSchema(t)
	defs := doc["$defs"].(map[string]any)
	step := defs["step"].(map[string]any)["properties"].(map[string]any)
	item := func(v any) any { return v.(map[string]any)["items"] }
	choice := step["choice"].(map[string]any)
	for _, tt := range []struct {
		value  any
		schema any
	}{
		{respond.Sheet{}, doc},
		{respond.Plan{}, defs["plan"]},
		{respond.Subject{}, defs["subject"]},
		{respond.Step{}, step},
		{respond.Command{}, defs["command"]},
		{respond.Check{}, defs["check"]},
		{respond.Document{}, defs["document"]},
		{respond.Tick{}, defs["tick"]},
		{respond.Standing{}, defs["standing"]},
		{respond.Gate{}, item(step["gates"])},
		{respond.Edit{}, item(step["edits"])},
		{respond.Probe{}, step["probe"]},
		{respond.Deadline{}, step["deadline"]},
		{respond.Choice{}, choice},
		{respond.Passed{}, item(choice["properties"].(map[string]any)["passed"])},
		{respond.Word{}, item(defs["command"].(map[string]any)["properties"].(map[string]any)["words"])},
	} {
		properties := tt.schema.(map[string]any)
		if p, ok := properties["properties"].(map[string]any); ok {
			properties = p
		}
		typ := reflect.TypeOf(tt.value)
		if typ.NumField() != len(properties) {
			t.Errorf("%s has %d fields, and the schema %d", typ, typ.NumField(), len(properties))
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if properties[name] == nil {
				t.Errorf("%s: the schema has no %q", typ, name)
			}
		}
	}
}

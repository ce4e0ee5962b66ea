package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// catalogue is the folder of the committed packs.
const catalogue = "../.."

// The committed packs are what the recipe makes of the lists, byte for byte, and nothing else.
func TestGenerateGivesTheCommittedPacks(t *testing.T) {
	made, err := generate(os.DirFS(xtest.Data(t, "ioc-sources")))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range made {
		committed, err := os.ReadFile(filepath.Join(catalogue, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(strings.Split(string(committed), "\n"), strings.Split(string(data), "\n")); diff != "" {
			t.Errorf("%s is not what mkpacks makes (-committed +made):\n%.2000s", name, diff)
		}
	}
	names, err := filepath.Glob(filepath.Join(catalogue, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if base := filepath.Base(name); made[base] == nil && base != "wormsweep-test.json" {
			t.Errorf("%s is committed and no recipe makes it", base)
		}
	}
}

// A recipe whose words no list bears out is stale, and says so.
func TestRecipeMustHold(t *testing.T) {
	r, err := readRecipe(recipeText)
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := readInputs(os.DirFS(xtest.Data(t, "ioc-sources")), r.Sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"section", "axios-2026-03\n    title", "axios-2026-03\n    titel", "unknown object member name"},
		{"unknown section", "MARCH 2026 - AXIOS", "MARCH 2027 - AXIOS", "takes nothing"},
		{"value that no row has", `{value: "92ff0877"`, `{value: "00000000"`, `adjust "00000000": no row says so`},
		{"version that no row has", `versions: ["1.11.21"]`, `versions: ["9.9.9"]`, `drop of "easy-day-js": no row says so`},
		{"unknown source", "{source: datadog/axios}", "{source: datadog/none}", "no such input"},
		{"required value that is none", "requires: [official334]", "requires: [official335]", `requires "official335"`},
		{"field that does not belong", "{value: nrwise@proton.me, set: {role: attacker}}", "{value: nrwise@proton.me, set: {name: x}}", "foreign-field"},
	} {
		text := strings.Replace(string(recipeText), tt.old, tt.new, 1)
		if text == string(recipeText) {
			t.Errorf("%s: %q is not in the recipe", tt.name, tt.old)
			continue
		}
		changed, err := readRecipe([]byte(text))
		if err == nil {
			_, err = changed.build(inputs)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestJudge(t *testing.T) {
	b := &builder{sources: map[string]*input{}}
	for _, s := range []source{{ID: "a"}, {ID: "copy-of-a", Kin: "a"}, {ID: "b"}, {ID: "osv", Official: true}} {
		b.sources[s.ID] = &input{source: &s}
	}
	pb := &packBuilder{builder: b}
	for _, tt := range []struct {
		sources string
		atom    atom
		want    ioc.Confidence
	}{
		{"a", atom{}, ioc.Probable},
		{"a copy-of-a", atom{}, ioc.Probable},
		{"a b", atom{}, ioc.Confirmed},
		{"osv", atom{}, ioc.Confirmed},
		{"a", atom{confirmed: true}, ioc.Confirmed},
		{"a b", atom{ind: ioc.Indicator{Confidence: ioc.Weak}}, ioc.Weak},
		{"a b", atom{judged: true, ind: ioc.Indicator{Confidence: ioc.Probable}}, ioc.Probable},
	} {
		a := tt.atom
		a.sources = strings.Fields(tt.sources)
		if pb.judge(&a); a.ind.Confidence != tt.want {
			t.Errorf("sources %q, %+v: %s, want %s", tt.sources, tt.atom, a.ind.Confidence, tt.want)
		}
	}
}

package iocs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// The pack in docs/catalogue.md is one, and every rule by which a pack of the catalogue differs
// from a list is explained there.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/catalogue.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	_, rest, _ := strings.Cut(doc, "```json\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("no example in docs/catalogue.md")
	}
	p, err := ioc.ReadPack("docs/catalogue.md", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range ioc.Lint(p) {
		t.Error(complaint)
	}
	if err := validate(t, packSchema(t), []byte(example)); err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for _, p := range packs(t) {
		for _, r := range p.Repairs {
			if !seen[r.Rule] && !strings.Contains(doc, "`"+r.Rule+"`") {
				t.Errorf("docs/catalogue.md does not explain the rule %q of %s", r.Rule, p.ID)
			}
			seen[r.Rule] = true
		}
	}
}

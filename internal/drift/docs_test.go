package drift_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/drift"
)

// rowOf is a rule in the table of docs/rules.md.
func rowOf(r *drift.Rule) string {
	about := "all"
	if len(r.Kinds) > 0 {
		var kinds []string
		for _, k := range r.Kinds {
			kinds = append(kinds, string(k))
		}
		about = strings.Join(kinds, ", ")
	}
	return fmt.Sprintf("| `%s` | %s | %s, %s | %s | %s | %s |", r.ID, r.Title, r.Weight, r.Class, about, r.Needs, r.Means)
}

// TestRulesDocument: docs/rules.md has the rows of the table Rules, in its order, and names no
// rule that there is not.
func TestRulesDocument(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	known := map[string]bool{}
	for i := range drift.Rules {
		want = append(want, rowOf(&drift.Rules[i]))
		known[drift.Rules[i].ID] = true
	}
	rows := regexp.MustCompile("(?m)^\\| `[a-z-]+` \\|.*$").FindAllString(string(page), -1)
	if d := cmp.Diff(want, rows); d != "" {
		t.Errorf("docs/rules.md: -table +page:\n%s", d)
	}
	for _, m := range regexp.MustCompile("rule `([a-z-]+)`").FindAllStringSubmatch(string(page), -1) {
		if !known[m[1]] {
			t.Errorf("docs/rules.md names the rule %q, which there is not", m[1])
		}
	}
}

package triage_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/triage"
)

var update = flag.Bool("update", false, "write the printed tree into docs/triage.md")

const page = "../../docs/triage.md"

// TestTriageDocument: docs/triage.md has the tree as it is printed, a row for each question that
// data answers, and one for each scenario.
func TestTriageDocument(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), "```text\n")
	shown, after, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatal("the page has no tree")
	}
	printed := triage.Print(triage.Runbook())
	if shown != printed {
		if *update {
			if err := os.WriteFile(page, []byte(before+"```text\n"+printed+"```\n"+after), 0o644); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Error("the tree of the page is another: go test ./internal/triage -run TestTriageDocument -update")
		}
	}
	for _, id := range triage.DataQuestions {
		n := triage.Runbook().Node(id)
		if n == nil || !n.Auto.Data {
			t.Errorf("no question of the tree is answered by the data of %q", id)
		}
		if !strings.Contains(string(data), "`"+id+"`") {
			t.Errorf("the page does not say how %q is answered", id)
		}
	}
	for s := triage.Undecided; s <= triage.C; s++ {
		if !strings.Contains(string(data), "\n| `"+s.String()+"` | ") {
			t.Errorf("the page has no row for the scenario %s", s)
		}
	}
}

// TestPrint: it fits a phone, every node is in it, and every branch.
func TestPrint(t *testing.T) {
	text := triage.Print(triage.Runbook())
	for i, line := range strings.Split(text, "\n") {
		if len([]rune(line)) > 60 && len(strings.Fields(line)) > 1 || strings.ContainsAny(line, "\t\r") || strings.TrimRight(line, " ") != line {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
	flat := strings.Join(strings.Fields(text), " ")
	for _, n := range triage.Runbook().Nodes {
		if !strings.Contains(flat, n.ID) || !strings.Contains(flat, strings.Join(strings.Fields(n.Question+n.Action), " ")) {
			t.Errorf("%s is not in it", n.ID)
		}
	}
	if got, want := len(regexp.MustCompile(`(?m)^  unknown ->`).FindAllString(text, -1)), len(questions(triage.Runbook())); got != want {
		t.Errorf("%d questions say where unknown leads, of %d", got, want)
	}
	for _, ref := range []string{"T1", "T2", "T2a", "T2b", "T2c", "T3", "T4", "T5", "T6", "T7", "T8"} {
		if !regexp.MustCompile(`(?m)^\s+` + ref + ` `).MatchString(text) {
			t.Errorf("the runbook's %s is not in it", ref)
		}
	}
}

package triage_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/triage"
)

// questions are the ids of those of a tree.
func questions(t *triage.Tree) []string {
	var out []string
	for _, n := range t.Nodes {
		if n.IsQuestion() {
			out = append(out, n.ID)
		}
	}
	return out
}

// anySignal is one of whatever source, alert and subject.
func anySignal(r *rand.Rand) triage.Signal {
	alerts := []string{
		"", triage.AlertIOC, triage.AlertMalware, triage.AlertAdvisory, triage.AlertPublish, triage.AlertVerify, triage.AlertSecret, triage.AlertPublicity,
		triage.AlertMember, triage.AlertReport, "K9", "FALCO:x",
	}
	s := signal(append([]triage.Source{""}, triage.Sources...)[r.IntN(len(triage.Sources)+1)], alerts[r.IntN(len(alerts))],
		append([]triage.Kind{""}, triage.Kinds...)[r.IntN(len(triage.Kinds)+1)])
	if r.IntN(2) == 0 {
		s.Subject.Parts["purl"] = "pkg:npm/a@1.0.0"
	}
	return s
}

// anyFacts answers some of the questions, by data and by persons.
func anyFacts(t *testing.T, r *rand.Rand, all []string) triage.Facts {
	f := triage.Facts{}
	for _, id := range all {
		if n := r.IntN(6); n < 3 {
			f = f.With(id, triage.Answer{Truth: triage.Truth(n), Source: "test", Detail: "so"})
		}
		if r.IntN(6) == 0 {
			var err error
			if f, err = f.Override(id, triage.Answer{Truth: triage.Truth(r.IntN(3)), Detail: "so", By: "wren", At: seen}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

const rounds = 5000

// TestUnknownIsNotNo: every answer that counts was given by somebody; what nobody answers is
// unknown, is open with who has to answer, and keeps the verdict from being final.
func TestUnknownIsNotNo(t *testing.T) {
	tree, r := triage.Runbook(), rand.New(rand.NewPCG(1, 2))
	all := questions(tree)
	for range rounds {
		s, f := anySignal(r), anyFacts(t, r, all)
		v := triage.Run(tree, s, f)
		open := map[string]bool{}
		for _, q := range v.Open {
			open[q.Node] = true
			if len(q.Ask) == 0 || q.Within <= 0 || !q.Due.Equal(seen.Add(q.Within)) {
				t.Fatalf("nobody has to answer %+v", q)
			}
		}
		for _, step := range v.Path {
			record := f[step.Node]
			var want triage.Truth
			switch n := len(record.Persons); {
			case n > 0:
				want = record.Persons[n-1].Truth
			case record.Data.Truth != triage.Unknown && tree.Node(step.Node).Auto.Data:
				want = record.Data.Truth
			case step.Answer.Source == triage.SourceSignal:
				want = step.Answer.Truth
			}
			if step.Answer.Truth != want || open[step.Node] != (want == triage.Unknown) {
				t.Fatalf("%+v: %s, and %s was said; open: %t", s, step.Node, want, open[step.Node])
			}
			if want == triage.Unknown && len(v.Page) == 0 {
				t.Fatalf("%+v: %s is open and nobody is paged", s, step.Node)
			}
		}
		if v.Final != (len(v.Open) == 0) || v.Scenario == triage.None && !v.Final || len(v.Outcomes) == 0 {
			t.Fatalf("%+v: %s", s, came(&v))
		}
	}
}

// TestNotOursDoesNotEndEarly: of a listed package, nothing is final as pin or none before it was
// answered no whether CI installed it, whether a person did, and whether we published it.
func TestNotOursDoesNotEndEarly(t *testing.T) {
	tree, r := triage.Runbook(), rand.New(rand.NewPCG(3, 4))
	all := questions(tree)
	ended := 0
	for range rounds {
		f := anyFacts(t, r, all).With(triage.Listed, triage.Said("test", true, "so"))
		v := triage.Run(tree, pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/a@1.0.0"), f)
		answers := map[string]triage.Truth{}
		for _, step := range v.Path {
			answers[step.Node] = step.Answer.Truth
		}
		if !v.Final || v.Scenario > triage.Pin || answers[triage.Listed] != triage.Yes {
			continue
		}
		ended++
		for _, id := range []string{triage.CIInstalled, triage.PublishedByUs, "person-installed"} {
			if answers[id] != triage.No {
				t.Fatalf("it ended as %s, and %s is %s: %s", v.Scenario, id, answers[id], path(&v))
			}
		}
	}
	if ended == 0 {
		t.Fatal("none ended: the test looks at nothing")
	}
}

// TestMoreKnowledge: an answer to what was unknown never takes back a scenario B or C, but for the
// answer that it is a known false positive.
func TestMoreKnowledge(t *testing.T) {
	tree, r := triage.Runbook(), rand.New(rand.NewPCG(5, 6))
	all := questions(tree)
	reached := map[triage.Scenario]int{}
	for range rounds {
		s, f := anySignal(r), anyFacts(t, r, all)
		before := triage.Run(tree, s, f)
		more := f
		for _, q := range before.Open {
			if r.IntN(2) == 0 {
				continue
			}
			truth := triage.No + triage.Truth(r.IntN(2))
			if q.Node == triage.KnownFalsePositive {
				truth = triage.No
			}
			var err error
			if more, err = more.Override(q.Node, triage.Answer{Truth: truth, Detail: "so", By: "ash", At: seen}); err != nil {
				t.Fatal(err)
			}
		}
		after := triage.Run(tree, s, more)
		for _, grave := range []triage.Scenario{triage.B, triage.C} {
			if slices.Contains(before.Scenarios, grave) {
				reached[grave]++
				if !slices.Contains(after.Scenarios, grave) {
					t.Fatalf("%+v: %s was lost:\n%s\n%s", s, grave, path(&before), path(&after))
				}
			}
		}
	}
	if reached[triage.B] == 0 || reached[triage.C] == 0 {
		t.Fatalf("%v: the test looks at nothing", reached)
	}
}

// TestSameOutput: the same input gives the same verdict, to the byte, and it reads back.
func TestSameOutput(t *testing.T) {
	tree, r := triage.Runbook(), rand.New(rand.NewPCG(7, 8))
	all := questions(tree)
	for range 500 {
		s, f := anySignal(r), anyFacts(t, r, all)
		kept, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		first, err := json.Marshal(triage.Run(tree, s, f))
		if err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(triage.Run(tree, s, f))
		if err != nil || string(first) != string(second) {
			t.Fatalf("%v:\n%s\n%s", err, first, second)
		}
		if after, _ := json.Marshal(f); string(after) != string(kept) {
			t.Fatalf("the facts were changed:\n%s\n%s", kept, after)
		}
		var v triage.Verdict
		if err := json.Unmarshal(first, &v); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(v); string(again) != string(first) {
			t.Fatalf("read back:\n%s\n%s", first, again)
		}
		var back triage.Facts
		if err := json.Unmarshal(kept, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(f, back); d != "" {
			t.Fatal(d)
		}
	}
}

func TestVerdictNamesItsTree(t *testing.T) {
	v := triage.Run(triage.Runbook(), triage.Signal{}, nil)
	if v.TreeVersion != triage.Runbook().Version || v.TreeDigest != triage.Runbook().Digest || len(v.TreeDigest) != len("sha256:")+64 {
		t.Errorf("%d, %q", v.TreeVersion, v.TreeDigest)
	}
}

// TestOverride: what a person overrides stays beside, and a person without a name, time or reason
// is not heard.
func TestOverride(t *testing.T) {
	f := facts(t, "listed=yes listed=no@wren listed=unknown@ash")
	v := triage.Run(triage.Runbook(), pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/a@1.0.0"), f)
	step := v.Path[slices.IndexFunc(v.Path, func(s triage.Step) bool { return s.Node == triage.Listed })]
	var beside []string
	for _, a := range step.Beside {
		beside = append(beside, fmt.Sprintf("%s %s %s", a.Source, a.Truth, a.By))
	}
	if d := cmp.Diff([]string{"test yes ", "signal yes ", "person no wren"}, beside); d != "" || step.Answer.By != "ash" || step.Answer.Truth != triage.Unknown {
		t.Errorf("%+v: %s", step.Answer, d)
	}
	for _, a := range []triage.Answer{{Truth: triage.No}, {By: "wren", At: seen}, {By: "wren", Detail: "x"}, {At: seen, Detail: "x"}, {By: " ", At: seen, Detail: "x"}, {Truth: 3, By: "wren", At: seen, Detail: "x"}} {
		if _, err := f.Override(triage.Listed, a); err == nil {
			t.Errorf("%+v is taken", a)
		}
	}
	// What a source could not say today does not take back what it said.
	if g := f.With(triage.Listed, triage.Unsaid("test", "no answer")); g[triage.Listed].Data.Truth != triage.Yes {
		t.Error("an unknown took back a yes")
	}
	if g := f.Merge(f); cmp.Diff(f, g) != "" {
		t.Error("merged with itself, it is something else")
	}
}

func TestMayClose(t *testing.T) {
	tree := triage.Runbook()
	done := triage.Run(tree, pkg(triage.FromDependabot, triage.AlertAdvisory, "pkg:npm/a@1.0.0"), facts(t, "listed=no"))
	open := triage.Run(tree, triage.Signal{}, nil)
	good := triage.Closing{By: "wren", Roles: []triage.Role{"owner", "on-call"}, Reason: "fixed by #7", Link: "https://github.example/acme/api/pull/7", At: seen}
	for _, tt := range []struct {
		what   string
		v      *triage.Verdict
		change func(c *triage.Closing)
		ok     bool
	}{
		{"as it should be", &done, func(*triage.Closing) {}, true},
		{"with a question open", &open, func(*triage.Closing) {}, false},
		{"in silence", &done, func(c *triage.Closing) { c.Reason = " " }, false},
		{"without a link", &done, func(c *triage.Closing) { c.Link = "" }, false},
		{"with a link to nowhere", &done, func(c *triage.Closing) { c.Link = "javascript:alert(1)" }, false},
		{"by somebody else", &done, func(c *triage.Closing) { c.Roles = []triage.Role{"owner"} }, false},
		{"by nobody", &done, func(c *triage.Closing) { c.By = "" }, false},
		{"at no time", &done, func(c *triage.Closing) { c.At = c.At.AddDate(-3000, 0, 0); c.At = triage.Closing{}.At }, false},
	} {
		c := good
		tt.change(&c)
		if err := tree.MayClose(tt.v, c); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}

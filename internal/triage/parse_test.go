package triage_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/triage"
)

// small is a tree of one question, ready to be spoilt.
const small = `version: 3
title: Small
roles: {on-call: whoever}
start: [listed]
otherwise: dig
close: {roles: [on-call], action: Say why.}
nodes:
  - {id: listed, question: 'Is it?', auto: {data: true, alert: {yes: [IOC]}}, ask: [on-call], deadline: 5m, yes: [ci-installed, pin], no: [end], unknown: [dig]}
  - {id: ci-installed, question: 'Did CI?', auto: {data: true}, ask: [on-call], deadline: 5m, yes: [b], no: [end], unknown: [dig]}
  - {id: pin, action: Pin it., scenario: pin}
  - {id: b, action: Go to B., scenario: B, page: [on-call], deadline: 5m}
  - {id: dig, action: Dig., page: [on-call], deadline: 1h}
`

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("../../docs/schemas/triage-tree.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("tree.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("tree.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validates(t testing.TB, s *jsonschema.Schema, text string) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestParse: what a tree must not be. Where schema is true, the schema refuses it as well.
func TestParse(t *testing.T) {
	s := schema(t)
	embedded, err := os.ReadFile("tree.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(embedded), small} {
		if err := validates(t, s, text); err != nil {
			t.Errorf("the schema refuses a tree: %v", err)
		}
		if _, err := triage.Parse("x.yaml", []byte(text)); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct {
		old, with string
		want      string
		schema    bool
	}{
		{"version: 3", "version: 0", "line 1: version is not a number", true},
		{"version: 3\n", "", "the tree has no version", true},
		{"title: Small", "title: ''", "title is empty", true},
		{"title: Small", "title: Small\nextra: 1", `"extra" is no key of the tree`, true},
		{"start: [listed]", "start: []", "start is not a list that names something", true},
		{"start: [listed]", "start: [nothing]", `leads to "nothing", which is no node`, false},
		{"start: [listed]", "start: [end]", `leads to "end", which is no node`, false},
		{"start: [listed]", "start: [listed, listed]", `"listed" stands twice`, true},
		{"start: [listed]", "start: &a [listed]", "start has an anchor", false},
		{"start: [listed]", "start: [ci-installed]", `the node "listed": no way leads to it`, false},
		{"otherwise: dig", "otherwise: pin", `otherwise is "pin"`, false},
		{"otherwise: dig", "otherwise: listed", `otherwise is "listed"`, false},
		{"otherwise: dig", "otherwise: b", `otherwise is "b"`, false}, // which decides something
		{"roles: [on-call]", "roles: [boss]", `"boss" is no role`, false},
		{"roles: [on-call], action: Say why.", "action: Say why.", "close does not say who", true},
		{"ask: [on-call], deadline: 5m, yes: [b]", "ask: [boss], deadline: 5m, yes: [b]", `the node "ci-installed": "boss" is no role`, false},
		{", unknown: [dig]}\n  - {id: pin", "}\n  - {id: pin", `"unknown" is of a question, and every question has it`, true},
		{"no: [end], unknown: [dig]}\n  - {id: pin", "no: [end], unknown: [end]}\n  - {id: pin", `the node "ci-installed": unknown does not lead to an outcome that pages somebody`, false},
		{"no: [end], unknown: [dig]}\n  - {id: pin", "no: [end], unknown: [dig, pin]}\n  - {id: pin", `unknown leads to "pin", which decides something`, false},
		{"no: [end], unknown: [dig]}\n  - {id: pin", "no: [end, dig], unknown: [dig]}\n  - {id: pin", `leads to "end", which is no node`, false},
		{"yes: [ci-installed, pin]", "yes: [pin]", `yes does not ask "ci-installed"`, false},
		{"yes: [b]", "yes: [listed]", `the node "listed": a way leads back to it`, false},
		{"deadline: 5m, yes: [b]", "yes: [b]", `"ci-installed": a question has a deadline`, true},
		{"deadline: 5m, yes: [b]", "deadline: soon, yes: [b]", "deadline is not a time", true},
		{"deadline: 5m, yes: [b]", "deadline: -5m, yes: [b]", "deadline is not a time", true},
		{"question: 'Did CI?'", "question: 'Did CI?', action: Do.", "either a question or an outcome", true},
		{"action: Pin it., scenario: pin", "scenario: pin", "either a question or an outcome", true},
		{"scenario: pin", "scenario: E", "scenario is none of", true},
		{"scenario: pin", "scenario: undecided", "scenario is none of", true},
		{"scenario: B, page: [on-call]", "scenario: B", "scenario B pages nobody", false},
		{"page: [on-call], deadline: 1h", "page: [on-call]", "it pages somebody and has no deadline", true},
		{"{id: pin", "{id: dig", `the node "dig" stands twice`, false},
		{"{id: pin", "{id: Pin", `"Pin" is no id`, true},
		{"{id: pin", "{id: end", `"end" is no id`, false},
		{"question: 'Did CI?'", `question: "Did\nCI?"`, "not on one line", true},
		{"auto: {data: true}, ask", "auto: {data: false}, ask", "data is true, or left out", true},
		{"id: ci-installed, question: 'Did CI?', auto: {data: true}", "id: ci-installed, question: 'Did CI?', auto: {alert: {}}", "alert lists nothing", true},
		{"auto: {data: true}, ask", "auto: {data: true, source: {yes: [radio]}}, ask", `"radio" is none of`, true},
		{"auto: {data: true}, ask", "auto: {data: true, subject: {no: [pod], else: yes}}, ask", "else is no, or left out", true},
		{"auto: {data: true}, ask", "auto: {data: true, subject: {no: [pod], yes: [pod]}}, ask", `"pod" means yes and no`, false},
		{"auto: {data: true}, ask", "auto: {data: true, severity: bad}, ask", "severity is none of", true},
		{"ci-installed", "ci-asked", `"ci-asked": no data answers it`, false},
		{"scenario: pin}", "scenario: pin, then: [pin]}", `the node "pin": a way leads back to it`, false},
		{"scenario: pin}", "scenario: pin, post-mortem: false}", "post-mortem is true, or left out", true},
		{"scenario: pin}", "scenario: pin, yes: [b]}", `"yes" is of a question`, true},
		{small, "", "is empty", false},
		{small, small + "---\na: b\n", "a second document", false},
		{small, "[" + strings.Repeat("[", 20_000), "x.yaml", false},
		{small, strings.Repeat("# x\n", 100_000), "larger than", false},
	} {
		text := strings.ReplaceAll(small, tt.old, tt.with)
		if text == small {
			t.Errorf("%q is not in the tree", tt.old)
		}
		_, err := triage.Parse("x.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q for %q: %v, want %q", tt.with, tt.old, err, tt.want)
		}
		if got := validates(t, s, text) != nil; tt.schema && !got {
			t.Errorf("%q for %q: the schema accepts it", tt.with, tt.old)
		}
	}
}

// FuzzParse: no panic, the same twice; what is taken can be printed, takes every signal to an
// outcome, and lets no unknown end in silence.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small)) // the tree of the program is large for a seed, and has the same grammar
	f.Add([]byte(strings.ReplaceAll(small, "yes: [IOC]", "no: [IOC], else: no")))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := triage.Parse("x.yaml", data)
		again, err2 := triage.Parse("x.yaml", data)
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("%v, then %v", err, err2)
		}
		if err != nil {
			return
		}
		if triage.Print(tree) != triage.Print(again) {
			t.Fatal("printed otherwise")
		}
		for _, s := range []triage.Signal{{}, pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/a@1.0.0")} {
			v := triage.Run(tree, s, nil)
			if len(v.Outcomes) == 0 || len(v.Open) > 0 && len(v.Page) == 0 || v.Scenario == triage.None && !v.Final {
				t.Fatal(came(&v))
			}
			if d := cmp.Diff(v, triage.Run(again, s, nil)); d != "" {
				t.Fatal(d)
			}
		}
	})
}

package exclusion_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/exclusion"
)

var now = time.Date(2026, 11, 22, 13, 30, 0, 0, time.UTC)

const (
	blobA = "0123456789abcdef0123456789abcdef01234567"
	blobB = "fedcba9876543210fedcba9876543210fedcba98"
)

// entry is a file with one exclusion of the given target.
func entry(target string) string {
	return "schema: exclusions/1\nexclusions:\n  - {owner: o, reason: r, expires: 2027-01-31, " + target + "}\n"
}

func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		in   string
		line int
		want string // in the error
		form bool   // the schema has no say in it
	}{
		{in: "", want: "is empty"},
		{in: "# only a comment\n", want: "is empty"},
		{in: "schema: [\n", want: "did not find"},
		{in: "- 1\n", line: 1, want: "the file is not a mapping"},
		{in: "exclusions: []\n", line: 1, want: "no schema"},
		{in: "schema: exclusions/2\nexclusions: []\n", line: 1, want: `"exclusions/2"`},
		{in: "schema: exclusions/1\n", line: 1, want: "no exclusions"},
		{in: "schema: exclusions/1\nexclusions: {}\n", line: 2, want: "not a list"},
		{in: "schema: exclusions/1\nexclusions: []\nextra: 1\n", line: 3, want: `"extra" is no key`},
		{in: "schema: exclusions/1\nexclusions: []\n---\nschema: exclusions/1\nexclusions: []\n", want: "second document", form: true},
		{in: "schema: exclusions/1\nexclusions: []\nexclusions: []\n", line: 3, want: "stands twice", form: true},
		{in: "schema: exclusions/1\nexclusions: &a []\n", line: 2, want: "anchor", form: true},
		{in: "schema: !!str exclusions/1\nexclusions: []\n", line: 1, want: "tag", form: true},
		{in: "schema: exclusions/1\nexclusions:\n  - just text\n", line: 3, want: "not a mapping"},
		{in: "schema: exclusions/1\nexclusions:\n  - {reason: r, expires: 2027-01-31, problem: {repository: a, path: b}}\n", line: 3, want: "without owner"},
		{in: "schema: exclusions/1\nexclusions:\n  - {owner: o, expires: 2027-01-31, problem: {repository: a, path: b}}\n", line: 3, want: "without reason"},
		{in: "schema: exclusions/1\nexclusions:\n  - {owner: o, reason: r, problem: {repository: a, path: b}}\n", line: 3, want: "without expires"},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: \"\"\n    reason: r\n    expires: 2027-01-31\n    problem: {repository: a, path: b}\n", line: 3, want: "owner is empty"},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: o\n    reason: \"  \"\n    expires: 2027-01-31\n    problem: {repository: a, path: b}\n", line: 4, want: "reason is empty"},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: o\n    reason: ~\n    expires: 2027-01-31\n    problem: {repository: a, path: b}\n", line: 4, want: "reason is empty"},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: o\n    reason: r\n    expires:\n    problem: {repository: a, path: b}\n", line: 5, want: "expires is empty"},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: o\n    reason: r\n    expires: never\n    problem: {repository: a, path: b}\n", line: 5, want: `"never" is not a date`},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: o\n    reason: r\n    expires: 2027-02-30\n    problem: {repository: a, path: b}\n", line: 5, want: "not a date", form: true},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: o\n    reason: r\n    expires: 2027-11-24\n    problem: {repository: a, path: b}\n", line: 5, want: "more than 366 days", form: true},
		{in: "schema: exclusions/1\nexclusions:\n  - owner: [o]\n    reason: r\n    expires: 2027-01-31\n    problem: {repository: a, path: b}\n", line: 3, want: "owner is not a text"},
		{in: entry("note: x, problem: {repository: a, path: b}"), line: 3, want: `"note" is no key`},
		{in: "schema: exclusions/1\nexclusions:\n  - {owner: o, reason: r, expires: 2027-01-31}\n", line: 3, want: "either one problem or one finding"},
		{in: entry("problem: {repository: a, path: b}, finding: {campaign: c, repository: a, path: b}"), line: 3, want: "either one problem or one finding"},
		{in: entry("problem: {}"), line: 3, want: "named by its code"},
		{in: entry("problem: {repository: a}"), line: 3, want: "named by its code"},
		{in: entry("problem: {path: b}"), line: 3, want: "no repository"},
		{in: entry("problem: {code: truncated}"), line: 3, want: "no repository"},
		{in: entry("problem: {repository: a, path: b, glob: c}"), line: 3, want: "write one of them"},
		{in: entry("problem: {repository: a, path: b, campaign: c}"), line: 3, want: `"campaign" is no key of problem`},
		{in: entry("problem: {repository: a, path: \"\"}"), line: 3, want: "path is empty"},
		{in: entry("problem: {repository: a, path: /b}"), line: 3, want: "not relative", form: true},
		{in: entry("problem: {repository: a, path: ./b}"), line: 3, want: "not relative", form: true},
		{in: entry("problem: {repository: a, path: b/}"), line: 3, want: "not relative", form: true},
		{in: entry("problem: {repository: a, path: b/../../c}"), line: 3, want: "not relative", form: true},
		{in: entry("problem: {repository: a, glob: \"**\"}"), line: 3, want: "covers everything", form: true},
		{in: entry("problem: {repository: a, glob: \"*/?*.*\"}"), line: 3, want: "covers everything", form: true},
		{in: entry("problem: {blob: 0123}"), line: 3, want: "not a git blob id"},
		{in: entry("problem: {blob: " + strings.ToUpper(blobA) + "}"), line: 3, want: "not a git blob id"},
		{in: entry("problem: {repository: a, code: Truncated!}"), line: 3, want: "not a code"},
		{in: entry("finding: {}"), line: 3, want: "named by its fingerprint"},
		{in: entry("finding: {repository: a, path: b}"), line: 3, want: "named by its fingerprint"},
		{in: entry("finding: {campaign: c}"), line: 3, want: "path, glob or blob"},
		{in: entry("finding: {campaign: c, repository: a}"), line: 3, want: "path, glob or blob"},
		{in: entry("finding: {campaign: c, path: b}"), line: 3, want: "no repository"},
		{in: entry("finding: {fingerprint: 0123}"), line: 3, want: "not 32 hex digits"},
		{in: entry("finding: {fingerprint: 0123456789abcdef0123456789abcdef, repository: a}"), line: 3, want: "no other key"},
		{in: entry("finding: {campaign: c, code: x, repository: a, path: b}"), line: 3, want: `"code" is no key of finding`},
		{in: entry("<<: {x: y}, problem: {repository: a, path: b}"), line: 3, want: `"<<" is no key`, form: true},
	} {
		_, err := exclusion.Load("x.yaml", []byte(tt.in), now)
		var e *exclusion.Error
		switch {
		case err == nil:
			t.Errorf("Load(%q) has no error; want %q", tt.in, tt.want)
			continue
		case !errors.As(err, &e):
			t.Errorf("Load(%q): %v is no *Error", tt.in, err)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `"x.yaml"`) {
			t.Errorf("Load(%q) = %v; want %q in it", tt.in, err, tt.want)
		}
		if tt.line != 0 && e.Line != tt.line {
			t.Errorf("Load(%q) = %v; want line %d", tt.in, err, tt.line)
		}
		if !tt.form && validates(t, tt.in) {
			t.Errorf("docs/schemas/exclusions.json accepts %q, which Load refuses: %v", tt.in, err)
		}
	}
}

// TestLoadTellsEveryFault: a person repairs a file once, not fault by fault.
func TestLoadTellsEveryFault(t *testing.T) {
	var b strings.Builder
	b.WriteString("schema: exclusions/1\nexclusions:\n")
	for range 30 {
		b.WriteString("  - {owner: \"\", reason: r, expires: 2027-01-31, problem: {repository: a, path: b}}\n")
	}
	_, err := exclusion.Load("x.yaml", []byte(b.String()), now)
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != 21 || !strings.Contains(lines[1], "line 4") || !strings.Contains(lines[20], "10 more faults") {
		t.Errorf("30 faults: got %d lines:\n%v", len(lines), err)
	}
}

func TestLoadAccepts(t *testing.T) {
	for _, in := range []string{
		"schema: exclusions/1\nexclusions: []\n",
		"\xef\xbb\xbfschema: exclusions/1\r\nexclusions: []\r\n",
		"{\n\t\"schema\": \"exclusions/1\",\n\t\"exclusions\": [\n\t\t{\"owner\": \"o\", \"reason\": \"r\", \"expires\": \"2027-01-31\",\n\t\t\"problem\": {\"repository\": \"a\", \"path\": \"b\"}}\n\t]\n}\n",
		entry("problem: {repository: a, path: b}"),
		entry("problem: {repository: a, path: \"b/[id]/c*\"}"),
		entry("problem: {repository: a, glob: \"b/**/c*.lock\", code: syntax}"),
		entry("problem: {blob: " + blobA + "}"),
		entry("problem: {repository: a, code: sha256-repo}"),
		entry("finding: {fingerprint: 0123456789abcdef0123456789abcdef}"),
		entry("finding: {campaign: c, repository: a, path: b}"),
		entry("finding: {campaign: c, blob: " + blobA + "}"),
		strings.ReplaceAll(entry("problem: {repository: a, path: b}"), "2027-01-31", "2027-11-23"), // 366 days ahead
		strings.ReplaceAll(entry("problem: {repository: a, path: b}"), "2027-01-31", "2019-01-01"), // ended
	} {
		if _, err := exclusion.Load("x.yaml", []byte(in), now); err != nil {
			t.Errorf("Load(%q): %v", in, err)
		}
		if !validates(t, in) {
			t.Errorf("docs/schemas/exclusions.json refuses %q, which Load accepts", in)
		}
	}
}

func TestLoadTooLarge(t *testing.T) {
	data := []byte("schema: exclusions/1\nexclusions: []\n" + strings.Repeat("#\n", exclusion.MaxBytes/2))
	if _, err := exclusion.Load("x.yaml", data, now); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("Load of %d bytes: %v", len(data), err)
	}
}

// validates reports whether the published schema accepts a YAML text.
func validates(t *testing.T, in string) bool {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(in), &v); err != nil {
		return false
	}
	return schema(t).Validate(datesAsText(v)) == nil
}

// datesAsText undoes what YAML makes of a bare date, which the schema has as text.
func datesAsText(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = datesAsText(v[k])
		}
	case []any:
		for i := range v {
			v[i] = datesAsText(v[i])
		}
	case time.Time:
		return v.Format(time.DateOnly)
	}
	return v
}

var compiled *jsonschema.Schema

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	if compiled != nil {
		return compiled
	}
	f, err := os.Open("../../docs/schemas/exclusions.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("exclusions.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled = c.MustCompile("exclusions.json")
	return compiled
}

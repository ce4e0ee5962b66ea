package actions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/actions"
)

// show writes entries one a line: line, name, version, source.
func show(f lockfile.File) string {
	var b strings.Builder
	for _, p := range f.Packages {
		fmt.Fprintf(&b, "%d %s", p.Line, p.Name)
		if p.Version != "" {
			b.WriteString(" " + p.Version)
		}
		if p.Source.Kind != lockfile.Registry {
			b.WriteString(" " + p.Source.Kind.String())
		}
		if p.Source.URL != "" {
			b.WriteString(" at " + p.Source.URL)
		}
		if p.Source.Commit != "" {
			b.WriteString(" commit")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func codes(f lockfile.File) string {
	var list []string
	for _, p := range f.Problems {
		list = append(list, fmt.Sprintf("%d %s", p.Line, p.Code))
	}
	return strings.Join(list, ", ")
}

func check(t *testing.T, parse func([]byte, lockfile.Options) lockfile.File, name, in, want, problems string) {
	t.Helper()
	f := parse([]byte(in), lockfile.Options{})
	if got := show(f); got != want {
		t.Errorf("%s: %q\nentries:\n%swant:\n%s", name, in, got, want)
	}
	if got := codes(f); got != problems {
		t.Errorf("%s: %q\nproblems %q, want %q: %v", name, in, got, problems, f.Problems)
	}
	for _, p := range f.Packages {
		if p.Ecosystem != ecosystem.Actions || p.Direct != lockfile.Yes {
			t.Errorf("%s: entry %+v", name, p)
		}
	}
}

// steps makes a workflow whose one job has the steps, from line 4 on.
func steps(lines ...string) string {
	return "jobs:\n  a:\n    steps:\n" + strings.Join(lines, "\n") + "\n"
}

const commit = "8f4b7f84864484a7bf31766abe9204da3cbe65b3"

func TestUses(t *testing.T) {
	for _, tt := range []struct{ uses, want, problems string }{
		{"actions/checkout@v4", "4 actions/checkout v4\n", ""},
		{"Actions/Checkout@V4 # pinned", "4 actions/checkout V4\n", ""},
		{"actions/checkout@" + commit, "4 actions/checkout " + commit + " commit\n", ""},
		{"actions/checkout@8f4b7f8", "4 actions/checkout 8f4b7f8\n", ""},
		{"github/codeql-action/Init@v3", "4 github/codeql-action v3 at github/codeql-action/Init\n", ""},
		{"a/b/.github/workflows/x.yml@refs/heads/main", "4 a/b refs/heads/main at a/b/.github/workflows/x.yml\n", ""},
		{"'a/b@v1'", "4 a/b v1\n", ""},
		{`"a\x2fb@v1"`, "4 a/b v1\n", ""},
		{">-\n          a/b@v1", "4 a/b v1\n", ""},
		{"|\n          a/b@v1", "4 a/b v1\n", ""},
		{"./local/action", "4 ./local/action file at ./local/action\n", ""},
		{"$/local/action", "4 $/local/action file at $/local/action\n", ""},
		{"$/.github/workflows/x.yml", "4 $/.github/workflows/x.yml file at $/.github/workflows/x.yml\n", ""},
		{"$", "", "4 entry"},
		{`.\local`, "4 .\\local file at .\\local\n", ""},
		{"docker://alpine:3.8", "4 alpine 3.8 url at docker://alpine:3.8\n", ""},
		{"DOCKER://ghcr.io:443/a/b", "4 ghcr.io:443/a/b url at DOCKER://ghcr.io:443/a/b\n", ""},
		{"docker://a/b@sha256:00", "4 a/b sha256:00 url at docker://a/b@sha256:00\n", ""},
		{"a//b@v1", "4 a/b v1 at a//b\n", "4 name"},
		{`a\b@v1`, "4 a/b v1\n", "4 name"},
		{"a/b/../c@v1", "4 a/b v1 at a/b/../c\n", "4 name"},
		{"a/b@v1@v2", "4 a/b v1@v2\n", "4 version"},
		{"a/b@v 1", "4 a/b v 1\n", "4 version"},
		{"a/b", "4 a/b no-version\n", "4 entry"},
		{"a/b@", "4 a/b no-version\n", "4 entry"},
		{"checkout@v4", "", "4 entry"},
		{"''", "", "4 entry"},
		{"12", "", "4 entry"},
		{"a/b@${{ github.sha }}", "", "4 entry"},
		{"${{ matrix.action }}", "", "4 entry"},
		{"[a/b@v1]", "", "4 entry"},
		{"{a: b}", "", "4 entry"},
		{"", "", "4 entry"},
		{"!!str a/b@v1", "4 a/b v1\n", "4 reference"},
		{"!x a/b@v1", "4 a/b v1\n", "4 reference"},
	} {
		check(t, actions.ParseWorkflow, tt.uses, steps("      - uses: "+tt.uses), tt.want, tt.problems)
	}
}

func TestWorkflow(t *testing.T) {
	for _, tt := range []struct{ name, in, want, problems string }{
		{
			"sound", "name: CI\non: [push]\nenv: {uses: x/y@v1}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" +
				"      - uses: a/b@v1\n        with: {uses: x/y@v1}\n      - run: |\n          uses: x/y@v1\n  call:\n    uses: c/d/.github/workflows/w.yml@v2\n",
			"8 a/b v1\n13 c/d v2 at c/d/.github/workflows/w.yml\n", "",
		},
		{"empty", "", "", ""},
		{"comments only", "# nothing\n", "", ""},
		{"byte order mark, CRLF", "\ufeffjobs:\r\n  a:\r\n    steps:\r\n      - uses: a/b@v1\r\n", "4 a/b v1\n", ""},
		{"flow style", `{"jobs": {"a": {"steps": [{"uses": "a/b@v1"}, {"run": "x", "\u0075ses": "c/d@v1"}]}}}`, "1 a/b v1\n1 c/d v1\n", ""},
		{"matrix and more", steps("      - run: x", "      - {name: n, uses: a/b@v1, if: always()}"), "5 a/b v1\n", ""},
		{
			"aliases", "jobs:\n  a:\n    steps: &s\n      - &one\n        uses: a/b@v1\n      - uses: &u c/d@v1\n  b:\n    steps: *s\n  c:\n    steps:\n      - *one\n      - uses: *u\n  d: &j\n    uses: e/f/w.yml@v1\n  e: *j\n",
			"5 a/b v1\n6 c/d v1\n6 c/d v1\n14 e/f v1 at e/f/w.yml\n", "",
		},
		{"anchor after its alias is none", "jobs:\n  a:\n    steps: *s\n  b:\n    steps: &s\n      - uses: a/b@v1\n", "6 a/b v1\n", "0 syntax"},
		{"anchor of itself", "jobs: &j\n  a: *j\n  b:\n    steps: &s\n      - *s\n      - uses: a/b@v1\n", "6 a/b v1\n", "1 entry"},

		{"other letter case", "Jobs:\n  a:\n    steps:\n      - uses: a/b@v1\n", "", "0 header"},
		{"damaged keys", "jobs:\n  a:\n    stepz:\n      - uses: a/b@v1\n  b:\n    steps:\n      - usez: c/d@v1\n", "", "3 entry, 7 entry"},
		{"other shapes", "jobs:\n  a: x\n  b:\n    steps: {uses: a/b@v1}\n  c:\n    steps:\n      - x\n      - [uses]\n", "", "2 entry, 4 entry, 7 entry, 8 entry"},
		{"jobs of another shape", "jobs: []\n", "", "1 entry"},
		{"a list", "- uses: a/b@v1\n", "", "1 entry"},
		{"repeated key", steps("      - uses: a/b@v1", "        uses: c/d@v1"), "4 a/b v1\n5 c/d v1\n", "5 repeated-key"},
		{
			"repeated jobs", "jobs:\n  a:\n    uses: a/b/w.yml@v1\njobs:\n  a:\n    uses: c/d/w.yml@v1\n",
			"3 a/b v1 at a/b/w.yml\n6 c/d v1 at c/d/w.yml\n", "4 repeated-key",
		},
		{"repeated key elsewhere", "env: {A: 1, A: 2}\n" + steps("      - uses: a/b@v1"), "5 a/b v1\n", "1 repeated-key"},
		{"merge key", "x: &x\n  uses: a/b@v1\n" + steps("      - <<: *x"), "2 a/b v1\n", "6 reference, 6 entry"},
		{"key of another shape", "[a]: b\n" + steps("      - uses: a/b@v1"), "5 a/b v1\n", "1 entry"},
		{"second document", steps("      - uses: a/b@v1") + "---\n" + steps("      - uses: c/d@v1"), "4 a/b v1\n9 c/d v1\n", "5 documents"},
		{"damaged second document", steps("      - uses: a/b@v1") + "---\n[", "4 a/b v1\n", "6 syntax"},
		{"tag of the file", "!!map\n" + steps("      - uses: a/b@v1"), "5 a/b v1\n", "1 reference"},
		{"merge conflict", "jobs:\n  a:\n    steps:\n<<<<<<< HEAD\n      - uses: a/b@v1\n=======\n      - uses: a/b@v2\n>>>>>>> x\n", "5 a/b v1\n7 a/b v2\n", "4 syntax"},
		{"tabs", "jobs:\n\ta:\n\t\tsteps:\n\t\t\t- uses: a/b@v1\n\t\t\t- {'uses' : 'c/d/e@v1', with: {reuses: x/y@v1}}\n", "4 a/b v1\n5 c/d v1 at c/d/e\n", "2 syntax"},
		{"value on the next line", "jobs:\n\tuses:\n\t\ta/b@v1\n\tuses: >-\n\t\tc/d@v1\n", "3 a/b v1\n5 c/d v1\n", "2 syntax"},
		{"nothing to salvage", "jobs:\n\tuses: ./x\n\tuses: ${{ x }}\n\tuses: a/b\n\tuses x/y@v1\n\tuses: docker://x/y@v1\n\tuses", "", "2 syntax"},
		{"not UTF-8", "a: \xff\n" + steps("      - uses: a/b@v1"), "5 a/b v1\n", "0 encoding"},
		{"NUL", "a: \x00\n" + steps("      - uses: a/b@v1"), "5 a/b v1\n", "0 encoding"},
		{"depth", strings.Repeat("[", 20_000) + "\nuses: a/b@v1\n", "2 a/b v1\n", "0 depth"},
		{"size", "uses: a/b@v1\n" + strings.Repeat("#", 1<<20), "1 a/b v1\n", "0 limit"},
		{"marks", "uses: a/b@v1\n" + strings.Repeat("- ", 100_001), "1 a/b v1\n", "0 limit"},
	} {
		check(t, actions.ParseWorkflow, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestAction(t *testing.T) {
	for _, tt := range []struct{ name, in, want, problems string }{
		{"composite", "name: x\nruns:\n  using: composite\n  steps:\n    - uses: a/b@v1\n    - run: x\n      shell: bash\n", "5 a/b v1\n", ""},
		{"JavaScript", "name: x\nruns:\n  using: node20\n  main: index.js\n", "", ""},
		{"container", "runs:\n  using: docker\n  image: docker://alpine:3.8\n", "3 alpine 3.8 url at docker://alpine:3.8\n", ""},
		{"Dockerfile", "runs:\n  using: docker\n  image: Dockerfile\n", "", ""},
		{"no runs", "name: x\n", "", "0 header"},
		{"no steps", "runs:\n  using: composite\n", "", "2 entry"},
		{"runs of another shape", "runs: x\n", "", "1 entry"},
		{"no YAML", "runs: [\n  uses: a/b@v1\n", "2 a/b v1\n", "2 syntax"},
	} {
		check(t, actions.ParseAction, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestSamples(t *testing.T) {
	check(t, actions.ParseWorkflow, "workflow", actions.WorkflowSample("owner/planted", "v6"), "6 owner/planted v6\n", "")
	check(t, actions.ParseAction, "action", actions.ActionSample("owner/planted", "v6"), "5 owner/planted v6\n", "")
}

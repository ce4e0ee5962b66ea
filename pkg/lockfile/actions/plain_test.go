package actions

import (
	"bytes"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// kinds are the kinds of files, with both ways to read them.
var kinds = []struct {
	in   layout
	read func(r *reader, root *yaml.Node)
}{
	{layout{root: "jobs", jobs: true}, (*reader).workflow},
	{layout{root: "runs"}, (*reader).metadata},
}

// sameBothWays checks that what the short way takes, the long way reads alike and without a
// problem. It reports whether the short way took it.
func sameBothWays(t *testing.T, name string, data []byte) (short bool) {
	t.Helper()
	for _, kind := range kinds {
		got, ok := plain(data, lockfile.Options{}, kind.in)
		if !ok {
			continue
		}
		short = true
		if bytes.Contains(data, []byte(`\/`)) {
			continue // an escape of YAML 1.2 that yaml.v3 does not know
		}
		want := parseAny(data, kind.read)
		if !reflect.DeepEqual(got.Packages, want.Packages) || len(want.Problems) > 0 {
			t.Errorf("%s: %q\nthe short way reads %+v\nthe long way %+v, %v", name, data, got.Packages, want.Packages, want.Problems)
		}
	}
	return short
}

func TestPlain(t *testing.T) {
	for _, tt := range []struct {
		in    string
		short bool
	}{
		{WorkflowSample("a/b", "v1"), true},
		{ActionSample("a/b", "v1"), true},
		{"---\n# x\non: [push]\njobs:\n  a:\n    steps:\n    - uses: 'a/b@v1'  # x\n      with: {a: [b]}\n    - run: |\n        uses: x/y@v1\n        b: c\n  b: {uses: ./c}\n", true},
		{`{"jobs": {"a": {"steps": [{"uses": "a\/b@v1"}]}}}`, true},
		{"jobs:\n  a:\n    steps:\n      - name: x\n        uses: docker://a:b\nenv: {jobs: 1}\n", true},

		{"", false},
		{"jobs:\n", false},
		{"jobs:\n  a:\n", false},
		{"jobs:\n  a: {}\n", false},
		{"jobs:\n  a:\n    steps:\n", false},
		{"jobs:\n  a:\n    steps: []\n", false},
		{"jobs:\n  a:\n    steps:\n      -\n", false},
		{"jobs:\n  a:\n    steps:\n      - name: x\n", false},
		{"jobs:\n  a:\n    steps:\n      - uses:\n", false},
		{"jobs:\n  a:\n    steps:\n      - - uses: a/b@v1\n", false},
		{"jobs:\n  - a:\n      steps:\n        - uses: a/b@v1\n", false},
		{"jobs:\n  a:\n    steps:\n      b:\n        uses: a/b@v1\n", false},
		{"jobs:\n  a:\n    uses: a/b\n", false},
		{"jobs:\n  a:\n    steps:\n      - uses: a/b@${{ x }}\n", false},
		{"jobs: &a\n  a:\n    uses: a/b@v1\n", false},
		{"jobs:\n  a:\n    uses: a/b@v1\n---\na: b\n", false},
		{"- jobs:\n    a:\n      uses: a/b@v1\n", false},
		{"runs:\n  uses: a/b@v1\n", false},
		{"runs:\n  using: docker\n  image: docker://a:b\n  steps: [{run: x}]\n", false},
	} {
		if short := sameBothWays(t, "table", []byte(tt.in)); short != tt.short {
			t.Errorf("%q: the short way took it: %v, want %v", tt.in, short, tt.short)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add([]byte(WorkflowSample("a/b", "v1")))
	f.Add([]byte(ActionSample("a/b/c", "v1")))
	f.Add([]byte("---\non: [push]\njobs:\n  a:\n    steps:\n    - uses: 'a/b@v1' # x\n      with: {a: [b]}\n    - run: >-\n        x\n\n        y\n  b: {uses: ./c}\n"))
	f.Add([]byte("{\"jobs\": {a: {steps: [{uses: \"a\\/b@v1\", ? x : y}]}}}\n..."))
	f.Add([]byte("runs:\n  \x10:\n  steps:\n  - uses: 0/0@0"))
	f.Add([]byte("runs:\n  \u0080:\n  steps:\n  - uses: 0/0@0"))
	f.Add([]byte("runs:\n  \x7f:\n  steps:\n  - uses: 0/0@0"))
	f.Add([]byte("runs:\n  \uffff:\n  steps:\n  - uses: 0/0@0"))
	f.Add([]byte("jobs:\n  a:\n    steps:\n    uses: 0/0@0\n"))
	f.Fuzz(func(t *testing.T, data []byte) { sameBothWays(t, "fuzz", data) })
}

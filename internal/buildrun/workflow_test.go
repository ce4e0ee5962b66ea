package buildrun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

func TestParseWorkflow(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	for _, tt := range []struct{ in, want string }{
		{"jobs: {a: {steps: [{run: x}]}}", "a: Run x"},
		{"jobs:\n  a:\n    name: Build\n    steps:\n      - uses: b/c@v1\n      - name: N\n        run: |\n          one\n          two\n      - run: |\n          first\n          second", "Build: Run b/c@v1, N, Run first"},
		{"jobs: {a: {uses: ./.github/workflows/b.yml}}", "a calls ./.github/workflows/b.yml:"},
		{"runs: {using: composite, steps: [{uses: actions/cache@v4, with: {Key: a-b}}]}", ": Run actions/cache@v4 key=a-b"},
		{"jobs:\n  a: &x {steps: [{run: y}]}\n  b: *x", "a: Run y; b: Run y"},
		{"on: push", "error: no jobs"},
		{"jobs: []", "error: no jobs"},
		{"- a", "error: not a mapping"},
		{"", "error"},
		{"jobs: {a: {steps: {run: x}}}", "error: line 1: steps are no list"},
		{"jobs: {a: {steps: [x]}}", "error: line 1: a step that is no mapping"},
		{"jobs: {a: {}}\njobs: {b: {}}", "error: line 2: the key \"jobs\" is repeated"},
		{"jobs: {a: {steps: [{run: x, run: y}]}}", "error: line 1: the key \"run\" is repeated"},
		{"x: &x {jobs: {}}\n<<: *x", "error: line 2: the key \"<<\""},
		{"jobs: {a: {}}\n---\njobs: {}", "error: a second document"},
		{"jobs: {a: " + deep, "error"},
		{strings.Repeat("a: b\n", 60_000), "error: 300000 bytes with 120000 marks: over the limit"},
		{"jobs: {a: {steps: [" + strings.Repeat("{run: x},", 5001) + "]}}", "error: more than 5000 steps"},
	} {
		jobs, err := parseWorkflow([]byte(tt.in))
		got := fmt.Sprint("error: ", err)
		if err == nil {
			got = shown(jobs)
		}
		if !strings.HasPrefix(got, tt.want) || err == nil && got != tt.want {
			t.Errorf("%.80q: %.200s, want %s", tt.in, got, tt.want)
		}
	}
}

func shown(jobs []job) string {
	var all []string
	for _, j := range jobs {
		text := j.name
		if j.uses != "" {
			text += " calls " + j.uses
		}
		var steps []string
		for _, s := range j.steps {
			name := s.shown()
			if key := s.with["key"]; key != "" {
				name += " key=" + key
			}
			steps = append(steps, name)
		}
		all = append(all, strings.TrimRight(text+": "+strings.Join(steps, ", "), " "))
	}
	return strings.Join(all, "; ")
}

// TestPublishes: which step of a workflow publishes what.
func TestPublishes(t *testing.T) {
	for _, tt := range []struct {
		kind registry.Kind
		step string // of a flow that also tests and builds
		want bool
	}{
		{registry.NPM, "run: npm publish --provenance --access public", true},
		{registry.NPM, "run: pnpm -r publish", true},
		{registry.NPM, "run: pnpm run changeset:publish", true},
		{registry.NPM, "run: yarn npm publish", true},
		{registry.NPM, "run: 'cd dist && npm publish'", true},
		{registry.NPM, "run: npx semantic-release", true},
		{registry.NPM, "uses: changesets/action@v1", true},
		{registry.NPM, "run: npm run release", true}, // by its name
		{registry.NPM, "run: npm run test", false},
		{registry.NPM, "uses: pypa/gh-action-pypi-publish@release/v1", false},
		{registry.PyPI, "uses: pypa/gh-action-pypi-publish@release/v1", true},
		{registry.PyPI, "uses: PyPA/gh-action-pypi-publish@release/v1", true},
		{registry.PyPI, "run: python -m twine upload dist/*", true},
		{registry.PyPI, "run: uv publish", true},
		{registry.OCI, "run: docker push x", true},
		{registry.OCI, "run: docker buildx build --push .", true},
		{registry.OCI, "uses: docker/build-push-action@v6", true},
		{registry.OCI, "run: docker build .", false},
		{registry.Release, "run: gh release create v1 dist/*", true},
		{registry.Release, "uses: softprops/action-gh-release@v2", true},
		{registry.Release, "uses: actions/checkout@v4", false},
	} {
		jobs, err := parseWorkflow([]byte("jobs: {a: {steps: [{run: make test}, {" + tt.step + "}]}}"))
		if err != nil {
			t.Fatalf("%q: %v", tt.step, err)
		}
		f := flow{jobs: jobs}
		if got := f.publishes(tt.kind); len(got) > 0 != tt.want {
			t.Errorf("%s, %q: %d steps", tt.kind, tt.step, len(got))
		}
	}
	// A known way is preferred to a name that only looks like one.
	jobs, err := parseWorkflow([]byte("jobs: {a: {steps: [{name: Prepare release, run: ./prepare}, {name: Out, run: npm publish}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	f := flow{jobs: jobs}
	if got := f.publishes(registry.NPM); len(got) != 1 || got[0].step.name != "Out" {
		t.Errorf("%+v", got)
	}
}

func TestRestores(t *testing.T) {
	for _, tt := range []struct{ step, want string }{
		{"run: x", `[]`},
		{"uses: actions/checkout@v4", `[]`},
		{"{uses: actions/cache@v4, with: {key: 'npm-${{ runner.os }}-x', restore-keys: \"npm-\\nold-\"}}", `["npm-" "old-"]`},
		{"{uses: actions/cache/restore@v4, with: {key: a}}", `["a"]`},
		{"{uses: actions/cache/save@v4, with: {key: a}}", `[]`},
		{"{uses: actions/setup-node@v4, with: {cache: npm}}", `["node-cache-"]`},
		{"{uses: actions/setup-node@v6}", `["node-cache-"]`},
		{"{uses: actions/setup-node@v6, with: {package-manager-cache: false}}", `[]`},
		{"{uses: actions/setup-go@v5}", `["setup-go-"]`},
		{"{uses: actions/setup-go@v5, with: {cache: false}}", `[]`},
		{"{uses: actions/setup-python@v5}", `[]`},
		{"{uses: Ruby/setup-ruby@v1, with: {bundler-cache: true}}", `["setup-ruby-bundler-cache-"]`},
		{"{uses: docker/build-push-action@v6, with: {cache-from: type=gha}}", `[""]`}, // under any key
		{"{uses: docker/build-push-action@v6, with: {push: true}}", `[]`},
		{"uses: 'docker://alpine@sha256:00'", `[]`},
	} {
		in := tt.step
		if !strings.HasPrefix(in, "{") {
			in = "{" + in + "}"
		}
		jobs, err := parseWorkflow([]byte("jobs: {a: {steps: [" + in + "]}}"))
		if err != nil {
			t.Fatalf("%q: %v", tt.step, err)
		}
		r := (&Reader{}).restores(t.Context(), "acme/sdk", "main", flow{jobs: jobs})
		if got := fmt.Sprintf("%q", r.prefixes); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.step, got, tt.want)
		}
	}
	any := restored{prefixes: []string{""}}
	if !any.may("whatever") || any.none() || !any.shares(&restored{prefixes: []string{"x"}}) {
		t.Error("a cache under a key that is not written out can be any")
	}
}

// FuzzParseWorkflow: no panic, the same answer twice, and every name can be looked for.
func FuzzParseWorkflow(f *testing.F) {
	f.Add([]byte("jobs: {a: {name: 'x ${{ y }}', steps: [{run: npm publish}, {uses: a/b@c, with: {key: d}}]}}"), "x 1")
	f.Add([]byte("runs: {using: composite, steps: [{uses: ./x}]}"), "")
	f.Add([]byte("a: &a [*a]\njobs: {b: *a}"), "b")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		jobs, err := parseWorkflow(data)
		again, err2 := parseWorkflow(data)
		if fmt.Sprint(jobs, err) != fmt.Sprint(again, err2) {
			t.Fatalf("%v, %v\n%v, %v", jobs, err, again, err2)
		}
		fl := flow{jobs: jobs}
		for _, kind := range registry.Kinds {
			for _, p := range fl.publishes(kind) {
				ran(p, []jobJSON{{Name: name}})
			}
		}
		for _, j := range jobs {
			if !strings.Contains(j.name, "${{") && len(j.name) < 500 && strings.ToValidUTF8(j.name, "") == j.name && !like("", j.name, "").MatchString(j.name) {
				t.Fatalf("%q is not like itself", j.name)
			}
		}
	})
}

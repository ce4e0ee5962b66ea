package buildrun

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/workflow"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

func jobsOf(file *workflow.File) (jobs []job) {
	for _, j := range file.Jobs {
		jobs = append(jobs, job{Job: j})
	}
	return jobs
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
		file, err := workflow.Parse([]byte("jobs: {a: {steps: [{run: make test}, {" + tt.step + "}]}}"))
		if err != nil {
			t.Fatalf("%q: %v", tt.step, err)
		}
		f := flow{jobs: jobsOf(file)}
		if got := f.publishes(tt.kind); len(got) > 0 != tt.want {
			t.Errorf("%s, %q: %d steps", tt.kind, tt.step, len(got))
		}
	}
	// A known way is preferred to a name that only looks like one.
	file, err := workflow.Parse([]byte("jobs: {a: {steps: [{name: Prepare release, run: ./prepare}, {name: Out, run: npm publish}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	f := flow{jobs: jobsOf(file)}
	if got := f.publishes(registry.NPM); len(got) != 1 || got[0].step.Name != "Out" {
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
		file, err := workflow.Parse([]byte("jobs: {a: {steps: [" + in + "]}}"))
		if err != nil {
			t.Fatalf("%q: %v", tt.step, err)
		}
		r := (&Reader{}).restores(t.Context(), flow{jobs: jobsOf(file)})
		if got := fmt.Sprintf("%q", r.prefixes); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.step, got, tt.want)
		}
	}
	any := restored{prefixes: []string{""}}
	if !any.may("whatever") || any.none() || !any.shares(&restored{prefixes: []string{"x"}}) {
		t.Error("a cache under a key that is not written out can be any")
	}
}

// FuzzPublishes: whatever a workflow holds, its jobs and steps can be looked for.
func FuzzPublishes(f *testing.F) {
	f.Add([]byte("jobs: {a: {name: 'x ${{ y }}', steps: [{run: npm publish}, {uses: a/b@c, with: {key: d}}]}}"), "x 1")
	f.Add([]byte("runs: {using: composite, steps: [{uses: ./x}]}"), "")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		file, err := workflow.Parse(data)
		if err != nil {
			return
		}
		fl := flow{jobs: jobsOf(file)}
		for _, kind := range registry.Kinds {
			for _, p := range fl.publishes(kind) {
				ran(p, []ghread.Job{{Name: name}})
			}
		}
	})
}

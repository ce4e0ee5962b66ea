package buildrun_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// TestCalls: workflows that call others, and actions of other repositories, are followed to where
// their files are. A pull request's run was there before the run, and its caches are gone: a
// workflow that restores none is not poisoned, of one that does it is gone.
func TestCalls(t *testing.T) {
	const (
		release  = ".github/workflows/release.yml"
		one      = ".github/workflows/one.yml"
		two      = ".github/workflows/two.yml"
		setup    = "setup/action.yml"
		shared   = "acme/shared/.github/workflows/one.yml@"
		publish  = "jobs: {publish: {steps: [{run: npm publish}]}}"
		cached   = "jobs: {publish: {steps: [{run: npm publish}, {uses: actions/cache@v4, with: {key: a}}]}}"
		restores = "runs: {using: composite, steps: [{uses: actions/cache@v4, with: {key: a}}]}"
		nothing  = "runs: {using: composite, steps: [{run: make}]}"
		none     = "published=yes poisoned=no"
		gone     = "published=yes poisoned=gone"
		unsure   = "published=unsupported poisoned=unsupported"
	)
	calls := func(uses string) string { return "jobs: {a: {uses: '" + uses + "'}}" }
	steps := func(uses string) string {
		return "jobs: {publish: {steps: [{run: npm publish}, {uses: '" + uses + "'}]}}"
	}
	after := func(checkout, uses string) string {
		return "jobs: {publish: {steps: [{uses: actions/checkout@v4, with: " + checkout + "}, {run: npm publish}, {uses: '" + uses + "'}]}}"
	}
	composite := func(uses string) string { return "runs: {using: composite, steps: [{uses: '" + uses + "'}]}" }
	type files map[string]string
	for _, tt := range []struct {
		what   string
		router files // COMMIT is that of shared
		shared files
		told   map[string]string // the refs at which its workflow was called, and their commits
		job    string
		then   func(p *place)
		ask    func(q *buildrun.Question)
		want   string
		detail string
	}{
		{what: "a workflow of one called", router: files{release: calls("./" + one), one: calls("./" + two), two: publish}, job: "a / a / publish", want: none},
		{what: "one that restores a cache", router: files{release: calls("./" + one), one: calls("$/" + two), two: cached}, job: "a / a / publish", want: gone},
		{what: "one that is not there", router: files{release: calls("./" + one), one: calls("./" + two)}, want: "published=denied poisoned=unsupported", detail: "two.yml"},
		{what: "one that calls itself", router: files{release: calls("./" + one), one: calls("./" + one)}, want: unsure, detail: "more than 10 deep"},
		{
			what: "ones that call themselves time and again", router: files{release: calls("./" + one), one: "jobs: {a: {uses: ./" + one + "}, b: {uses: ./" + one + "}, c: {uses: ./" + one + "}}"},
			want: unsure, detail: "workflows call each other",
		},
		{
			what: "more jobs than are read", router: files{release: "jobs:\n  publish: {steps: [{run: npm publish}]}\n" + manyJobs(501)},
			job: "publish", want: "published=yes poisoned=unsupported", detail: "more than 500 jobs",
		},
		{what: "an action as a workflow", router: files{release: calls("./" + one), one: nothing}, want: unsure, detail: "is no workflow"},
		{what: "what is no workflow", router: files{release: calls("one@v1")}, want: unsure, detail: `"one@v1" is no workflow`},

		{what: "of another repository", router: files{release: calls(shared + "COMMIT")}, shared: files{one: calls("./" + two), two: publish}, job: "a / a / publish", want: none},
		{
			what: "of another repository, where ./ is its own", router: files{release: calls(shared + "COMMIT"), two: publish},
			shared: files{one: calls("./" + two), two: cached}, job: "a / a / publish", want: gone,
		},
		{
			what: "of another repository, where $/ is its own", router: files{release: calls(shared + "COMMIT"), two: publish},
			shared: files{one: calls("$/" + two), two: cached}, job: "a / a / publish", want: gone,
		},
		{what: "at a tag that was moved since", router: files{release: calls(shared + "v1")}, shared: files{one: publish}, job: "a / publish", want: unsure, detail: "at which commit"},
		{what: "at a tag, and GitHub tells its commit", router: files{release: calls(shared + "v1")}, shared: files{one: publish}, told: files{"v1": "COMMIT"}, job: "a / publish", want: none},
		{what: "at a tag that GitHub tells in full", router: files{release: calls(shared + "v1")}, shared: files{one: publish}, told: files{"refs/tags/v1": "COMMIT"}, job: "a / publish", want: none},
		{what: "at a tag, and GitHub tells that of another", router: files{release: calls(shared + "v1")}, shared: files{one: publish}, told: files{"v2": "COMMIT"}, job: "a / publish", want: unsure},
		{
			what: "at a tag, and GitHub tells of a branch of its name", router: files{release: calls(shared + "v1")}, shared: files{one: publish},
			told: files{"refs/heads/v1": strings.Repeat("1", 40), "refs/tags/v1": "COMMIT"}, job: "a / publish", want: unsure,
		},
		{
			what: "at a tag, and the certificate tells its commit", router: files{release: calls(shared + "v1")}, shared: files{one: publish},
			ask: signedBy("acme/shared/" + one + "@refs/tags/v1"), job: "a / publish", want: none,
		},
		{
			what: "at a tag, and the certificate tells that of another", router: files{release: calls(shared + "v1")}, shared: files{one: publish},
			ask: signedBy("acme/shared/" + one + "@refs/tags/v2"), job: "a / publish", want: unsure,
		},

		{
			what: "a called workflow's step of the workspace", router: files{release: calls(shared + "COMMIT"), setup: restores},
			shared: files{one: steps("./setup"), setup: nothing}, job: "a / publish", want: gone,
		},
		{
			what: "a called workflow's step of its own", router: files{release: calls(shared + "COMMIT"), setup: restores},
			shared: files{one: steps("$/setup"), setup: nothing}, job: "a / publish", want: none,
		},
		{
			what: "an action's step of the workspace", router: files{release: steps("acme/shared/outer@COMMIT"), setup: restores},
			shared: files{"outer/action.yml": composite("./setup"), setup: nothing}, job: "publish", want: gone,
		},
		{
			what: "an action's step of its own", router: files{release: steps("acme/shared/outer@COMMIT"), setup: nothing},
			shared: files{"outer/action.yml": composite("$/setup"), setup: restores}, job: "publish", want: gone,
		},
		{
			what: "the workspace is not where the workflow is from", router: files{release: steps("./setup"), setup: restores},
			then: func(p *place) {
				p.head = p.repo.Memory().Commit("refs/heads/main", "no cache", gitstore.Text(files{release: steps("./setup"), setup: nothing})).String()
			},
			ask: func(q *buildrun.Question) { q.Identity.BuildConfigDigest = "BEFORE" }, job: "publish", want: none,
		},
		{what: "a workspace of another commit", router: files{release: after("{ref: v1}", "./setup"), setup: nothing}, job: "publish", want: "published=yes poisoned=unsupported", detail: `"./setup"`},
		{what: "a workspace of another repository", router: files{release: after("{repository: acme/x}", "./setup"), setup: nothing}, job: "publish", want: "published=yes poisoned=unsupported"},
		{what: "a workspace of the run's commit", router: files{release: after("{ref: '${{ github.sha }}', repository: '${{github.repository}}'}", "./setup"), setup: nothing}, job: "publish", want: none},
		{what: "its own, whatever the workspace is of", router: files{release: after("{ref: v1}", "$/setup"), setup: nothing}, job: "publish", want: none},
		{
			what: "the workspace of another job", job: "publish", want: none,
			router: files{release: "jobs: {a: {steps: [{uses: actions/checkout@v4, with: {ref: v1}}]}, publish: {steps: [{run: npm publish}, {uses: ./setup}]}}", setup: nothing},
		},
		{what: "an action at a commit", router: files{release: steps("acme/shared/setup@COMMIT")}, shared: files{setup: nothing}, job: "publish", want: none},
		{
			what: "an action at a tag that was moved since", router: files{release: steps("acme/shared/setup@v1")}, shared: files{setup: nothing},
			job: "publish", want: "published=yes poisoned=unsupported", detail: `"acme/shared/setup@v1"`,
		},
		{
			what: "an action that is a workflow", router: files{release: steps("./setup"), setup: publish},
			job: "publish", want: "published=yes poisoned=unsupported", detail: `"./setup"`,
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			p := newPlace(t, nil)
			repo := p.server.AddFiles("shared", tt.shared)
			id, _ := gitstore.Lookup(repo.Content, "refs/heads/main")
			repo.Memory().SetRef("refs/tags/v1", id)
			own := map[string]string{}
			for name, text := range tt.router {
				own[name] = strings.ReplaceAll(text, "COMMIT", id.String())
			}
			before := p.repo.Memory().Commit("refs/heads/main", "calls", gitstore.Text(own)).String()
			if p.head = before; tt.then != nil {
				tt.then(p)
			}
			p.repo.Change(func(r *githubtest.Repository) {
				run := &r.Actions.Runs[0]
				run.Head, run.Jobs = p.head, []githubtest.Job{{Name: tt.job, Steps: []githubtest.Step{{Name: "Run npm publish"}}}}
				run.Referenced = map[string]string{}
				for ref, commit := range tt.told {
					run.Referenced[shared+ref] = strings.ReplaceAll(commit, "COMMIT", id.String())
				}
			})
			p.repo.AddRun(outside(start.Add(-9*time.Hour), start.Add(-8*time.Hour)))
			run := p.ask(func(q *buildrun.Question) {
				if tt.ask != nil {
					tt.ask(q)
				}
				q.Identity.BuildConfigDigest = strings.ReplaceAll(q.Identity.BuildConfigDigest, "BEFORE", before)
				q.Identity.BuildSignerDigest = strings.ReplaceAll(q.Identity.BuildSignerDigest, "COMMIT", id.String())
			})
			said := func(a drift.Answer) string {
				if a.Truth == drift.Unknown {
					return a.Gap.Code
				}
				return a.Truth.String()
			}
			if d := cmp.Diff(tt.want, fmt.Sprintf("published=%s poisoned=%s", said(run.Published), said(run.Poisoned))); d != "" {
				t.Errorf("-want +got:\n%s\n%+v\n%+v", d, run.Published, run.Poisoned)
			}
			if all := fmt.Sprintf("%+v", run); !strings.Contains(all, tt.detail) || strings.Contains(all, "\n") {
				t.Errorf("%s\ndoes not say %q in one line", all, tt.detail)
			}
		})
	}
}

// signedBy has the certificate of a called workflow, with COMMIT for its commit.
func signedBy(workflow string) func(q *buildrun.Question) {
	return func(q *buildrun.Question) {
		q.Identity.BuildSignerURI, q.Identity.BuildSignerDigest = "https://github.com/"+workflow, "COMMIT"
	}
}

func manyJobs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  j%d: {runs-on: ubuntu-latest}\n", i)
	}
	return b.String()
}

// A run from outside whose workflow calls another uses the caches of that.
func TestRacedByCalled(t *testing.T) {
	for _, tt := range []struct {
		called string
		want   drift.Truth
	}{
		{"jobs: {size: {steps: [{uses: ./.github/setup}]}}", drift.Yes},
		{"jobs: {size: {steps: [{run: make}]}}", drift.No},
		{"", drift.Unknown},
	} {
		p := newPlace(t, func(_ *githubtest.Run, files map[string]string) {
			files[".github/workflows/bench.yml"] = "on: pull_request_target\njobs: {call: {uses: ./.github/workflows/size.yml}}"
			files[".github/workflows/size.yml"] = tt.called
		})
		p.repo.AddRun(outside(start.Add(-time.Minute), start.Add(time.Minute)))
		if run := p.ask(nil); run.Raced.Truth != tt.want {
			t.Errorf("%q: %+v, want %v", tt.called, run.Raced, tt.want)
		}
	}
}

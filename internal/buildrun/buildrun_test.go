package buildrun_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const releaseYAML = `on:
  push:
    branches: [main]
jobs:
  release:
    name: Release
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/setup
      - name: Test
        run: pnpm test
      - name: Publish Packages
        if: steps.test.outcome == 'success'
        run: pnpm run changeset:publish
`

// setupYAML restores a cache, as TanStack's own setup action did.
const setupYAML = `name: setup
runs:
  using: composite
  steps:
    - uses: actions/setup-node@v4
      with:
        package-manager-cache: false
    - uses: actions/cache@v4
      with:
        path: store
        key: Linux-pnpm-store-${{ hashFiles('**/pnpm-lock.yaml') }}
`

const benchYAML = `on: pull_request_target
jobs:
  size:
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/setup
      - run: pnpm build
`

var (
	files = map[string]string{
		".github/workflows/release.yml": releaseYAML, ".github/workflows/bench.yml": benchYAML,
		".github/setup/action.yml": setupYAML, "README.md": "x",
	}
	start = time.Date(2026, 5, 11, 19, 15, 0, 0, time.UTC)
	end   = start.Add(10 * time.Minute)
)

// place is a repository with a run that published by right.
type place struct {
	t      *testing.T
	server *githubtest.Server
	repo   *githubtest.Repo
	head   string
	run    githubtest.Run
	opts   ghclient.Options
}

func newPlace(t *testing.T, change func(run *githubtest.Run, files map[string]string)) *place {
	t.Helper()
	s := githubtest.Start(t, githubtest.Options{})
	in := s.Installation()
	s.Update(func() { in.Permissions["actions"] = "read" })
	s.AddMembers(s.Organization("acme"), "wren")
	own := map[string]string{}
	for name, text := range files {
		own[name] = text
	}
	p := &place{t: t, server: s, run: githubtest.Run{
		ID: 500, Workflow: ".github/workflows/release.yml", Branch: "main", Actor: "wren", Start: start, End: end,
		Jobs: []githubtest.Job{{Name: "Release", Steps: []githubtest.Step{
			{Name: "Set up job"}, {Name: "Run actions/checkout@v4"}, {Name: "Test"}, {Name: "Publish Packages"},
		}}},
	}}
	if change != nil {
		change(&p.run, own)
	}
	p.repo = s.AddFiles("router", own)
	id, _ := gitstore.Lookup(p.repo.Content, "refs/heads/main")
	p.head = id.String()
	if p.run.Head == "" {
		p.run.Head = p.head
	}
	p.repo.Change(func(r *githubtest.Repository) { r.Actions.Protected = []string{"main"} })
	p.run = p.repo.AddRun(p.run)
	p.opts = ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key}}
	return p
}

func (p *place) reader() *buildrun.Reader {
	p.t.Helper()
	app, err := ghclient.New(p.opts)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := app.Installation(p.t.Context(), "acme", buildrun.Permissions())
	if err != nil {
		p.t.Fatal(err)
	}
	return buildrun.New(c, func() time.Time { return end.Add(24 * time.Hour) })
}

func (p *place) identity() verify.Identity {
	return verify.Identity{
		RunURI:             fmt.Sprintf("%s/acme/router/actions/runs/500/attempts/1", p.server.URL()),
		SourceRepositoryID: fmt.Sprint(p.repo.ID), SourceDigest: p.head, SourceRef: "refs/heads/main", Trigger: "push",
		BuildConfigURI: p.server.URL() + "/acme/router/.github/workflows/release.yml@refs/heads/main",
	}
}

func (p *place) ask(change func(q *buildrun.Question)) drift.Run {
	p.t.Helper()
	q := buildrun.Question{Identity: p.identity(), Signed: end.Add(-time.Minute), Kind: registry.NPM}
	if change != nil {
		change(&q)
	}
	run := p.reader().Run(p.t.Context(), q)
	if !run.Known {
		p.t.Fatalf("not known: %+v", run.Gap)
	}
	return run.Value
}

// short is the answers of a run in one line: "found=yes same=yes ...", a gap by its code.
func short(r drift.Run) string {
	var b strings.Builder
	for _, a := range []struct {
		name string
		drift.Answer
	}{
		{"found", r.Found},
		{"same", r.Same},
		{"succeeded", r.Succeeded},
		{"published", r.Published},
		{"untrusted", r.Untrusted},
		{"on-branch", r.OnBranch},
		{"protected", r.Protected},
		{"poisoned", r.Poisoned},
		{"raced", r.Raced},
	} {
		said := a.Truth.String()
		if a.Truth == drift.Unknown {
			said = a.Gap.Code
		}
		fmt.Fprintf(&b, "%s=%s ", a.name, said)
	}
	return strings.TrimSpace(b.String())
}

// outside is a run of bench.yml that somebody's pull request started.
func outside(from, to time.Time) githubtest.Run {
	return githubtest.Run{Workflow: ".github/workflows/bench.yml", Event: "pull_request_target", Branch: "patch-1", Start: from, End: to}
}

func TestRun(t *testing.T) {
	const well = "found=yes same=yes succeeded=yes published=yes untrusted=no on-branch=yes protected=yes poisoned=no raced=no"
	with := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(well) }
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	store := func(at time.Time) githubtest.Cache {
		return githubtest.Cache{Ref: "refs/heads/main", Key: "Linux-pnpm-store-" + strings.Repeat("6", 64), Created: at, Accessed: start.Add(time.Minute)}
	}
	for _, tt := range []struct {
		what   string
		change func(run *githubtest.Run, files map[string]string)
		then   func(p *place)
		ask    func(q *buildrun.Question)
		want   string
		detail string // somewhere in the answers
	}{
		{what: "by right", want: well, detail: `the step "Publish Packages" of the job "Release" ended with "success"`},
		{
			what: "another attempt published, and this one failed",
			then: func(p *place) {
				again := p.run
				again.Attempt, again.Conclusion, again.Jobs = 2, "failure", []githubtest.Job{{Name: "Release", Conclusion: "failure", Steps: []githubtest.Step{{Name: "Test", Conclusion: "failure"}, {Name: "Publish Packages", Conclusion: "skipped"}}}}
				p.repo.AddRun(again)
			},
			ask:    func(q *buildrun.Question) { q.Identity.RunURI = strings.TrimSuffix(q.Identity.RunURI, "1") + "2" },
			want:   with("succeeded=yes", "succeeded=no", "published=yes", "published=no"),
			detail: `"Publish Packages" of the job "Release" ended with "skipped"`,
		},
		{
			what: "the job was skipped", change: func(run *githubtest.Run, _ map[string]string) {
				run.Jobs = []githubtest.Job{{Name: "Release", Conclusion: "skipped"}}
			},
			want: with("published=yes", "published=no"), detail: "was skipped",
		},
		{
			what: "its jobs do not show the step", change: func(run *githubtest.Run, _ map[string]string) { run.Jobs = nil },
			want: with("published=yes", "published=no-answer"),
		},
		{
			what: "a workflow that publishes by no known way", change: func(_ *githubtest.Run, files map[string]string) {
				files[".github/workflows/release.yml"] = "jobs: {a: {steps: [{run: make all}]}}"
			},
			want: with("published=yes", "published=unsupported"),
		},
		{
			what: "a workflow that is read in two ways", change: func(_ *githubtest.Run, files map[string]string) {
				files[".github/workflows/release.yml"] = releaseYAML + "jobs: {}\n"
			},
			want: with("published=yes", "published=unsupported"), detail: "no run from outside",
		},
		{
			what: "names with expressions, in a matrix", change: func(run *githubtest.Run, files map[string]string) {
				files[".github/workflows/release.yml"] = "jobs: {a: {name: 'Go ${{ matrix.x }}', steps: [{name: 'Push ${{ github.ref }}', run: npm publish}]}}"
				run.Jobs = []githubtest.Job{{Name: "Go 1.26 (linux)", Steps: []githubtest.Step{{Name: "Push refs/heads/main"}}}}
			},
			want: with(), detail: `"Push refs/heads/main"`,
		},
		{
			what: "in a reusable workflow", change: func(run *githubtest.Run, files map[string]string) {
				files[".github/workflows/release.yml"] = "jobs: {call: {uses: ./.github/workflows/inner.yml}}"
				files[".github/workflows/inner.yml"] = "jobs: {publish: {steps: [{run: 'npm publish --provenance'}]}}"
				run.Jobs = []githubtest.Job{{Name: "call / publish", Steps: []githubtest.Step{{Name: "Run npm publish --provenance"}}}}
			},
			want: with(),
		},
		{
			what: "it failed", change: func(run *githubtest.Run, _ map[string]string) { run.Conclusion = "failure" },
			want: with("succeeded=yes", "succeeded=no"), detail: `ended with "failure"`,
		},
		{
			what: "it is still going", change: func(run *githubtest.Run, _ map[string]string) { run.Status, run.End = "in_progress", time.Time{} },
			want: with("succeeded=yes", "succeeded=no-answer"),
		},
		{
			what: "another workflow", change: func(run *githubtest.Run, files map[string]string) {
				run.Workflow = ".github/workflows/shai-hulud.yml"
				files[run.Workflow] = releaseYAML
			},
			want: with("same=yes", "same=no"), detail: "the workflow is",
		},
		{
			what: "another repository", ask: func(q *buildrun.Question) { q.Identity.SourceRepositoryID = "1" },
			want: with("same=yes", "same=no"), detail: "the number of the repository",
		},
		{
			what: "of a pull request's word", change: func(run *githubtest.Run, _ map[string]string) { run.Event = "pull_request_target" },
			ask:  func(q *buildrun.Question) { q.Identity.Trigger = "pull_request_target" },
			want: with("untrusted=no", "untrusted=yes"), detail: `"pull_request_target" started it`,
		},
		{
			what: "a commit that nobody merged", then: func(p *place) {
				id := p.repo.Memory().Commit("refs/heads/side", "orphan", gitstore.Text(files))
				p.head = id.String()
				p.repo.Change(func(r *githubtest.Repository) { r.Actions.Runs[0].Head = p.head })
			},
			want: with("on-branch=yes", "on-branch=no"), detail: "1 commits beside",
		},
		{
			what: "a commit that is not there", ask: func(q *buildrun.Question) { q.Identity.SourceDigest = strings.Repeat("1", 40) },
			want: "found=yes same=no succeeded=yes published=denied untrusted=no on-branch=no protected=yes poisoned=no raced=no",
		},
		{
			what: "a branch that is not protected", then: func(p *place) { p.repo.Change(func(r *githubtest.Repository) { r.Actions.Protected = nil }) },
			want: with("protected=yes", "protected=no"),
		},
		{
			what: "a branch of a ruleset", then: func(p *place) {
				p.repo.Change(func(r *githubtest.Repository) { r.Actions.Protected, r.Actions.Rules = nil, []string{"main"} })
			},
			want: with(),
		},
		{
			what: "a branch that is not there", ask: func(q *buildrun.Question) { q.Branch = "stable/1.x" },
			want: with("on-branch=yes", "on-branch=denied", "protected=yes", "protected=denied"),
		},
		{
			what: "the run was deleted", then: func(p *place) { p.repo.Change(func(r *githubtest.Repository) { r.Actions.Runs = nil }) },
			want: "found=no same= succeeded= published= untrusted= on-branch= protected= poisoned= raced=", detail: "it was deleted, or never was",
		},
		{
			what: "the run is of last year", then: func(p *place) { p.repo.Change(func(r *githubtest.Repository) { r.Actions.Runs = nil }) },
			ask:  func(q *buildrun.Question) { q.Signed = start.AddDate(-1, 0, 0) },
			want: "found=gone same= succeeded= published= untrusted= on-branch= protected= poisoned= raced=",
		},
		{ // TanStack, 2026-05-11
			what: "a cache that a pull request wrote", then: func(p *place) {
				p.repo.AddRun(outside(hour(-9), hour(-8)))
				p.repo.AddCache(store(hour(-8).Add(-time.Minute)))
			},
			want: with("poisoned=no", "poisoned=yes"), detail: `when run 1`,
		},
		{
			what: "a cache that a pull request wrote, and that is gone", then: func(p *place) { p.repo.AddRun(outside(hour(-9), hour(-8))) },
			want: with("poisoned=no", "poisoned=gone"),
		},
		{
			what: "a pull request ran, and the cache is our own", then: func(p *place) {
				p.repo.AddRun(outside(hour(-9), hour(-8)))
				p.repo.AddCache(store(hour(-30)))
			},
			want: with(),
		},
		{
			what: "a pull request wrote a cache after the run", then: func(p *place) {
				p.repo.AddRun(outside(hour(-9), hour(2)))
				p.repo.AddCache(store(hour(1)))
			},
			want: with("poisoned=no", "poisoned=gone", "raced=no", "raced=yes"),
		},
		{
			what: "a pull request's cache of its own scope", then: func(p *place) {
				run := outside(hour(-9), hour(-8))
				run.Event = "pull_request"
				p.repo.AddRun(run)
				c := store(hour(-8).Add(-time.Minute))
				c.Ref = "refs/pull/7/merge"
				p.repo.AddCache(c)
			},
			want: with(),
		},
		{
			what: "a pull request's run at the same time", then: func(p *place) { p.repo.AddRun(outside(start.Add(-time.Minute), start.Add(time.Minute))) },
			want: with("poisoned=no", "poisoned=gone", "raced=no", "raced=yes"), detail: "uses a cache with the same key",
		},
		{
			what: "an action of which nobody knows whether it restores a cache", change: func(_ *githubtest.Run, files map[string]string) {
				files[".github/workflows/release.yml"] = strings.Replace(releaseYAML, "./.github/setup", "somebody/setup@v1", 1)
			},
			then: func(p *place) { p.repo.AddRun(outside(hour(-9), hour(-8))) },
			want: with("poisoned=no", "poisoned=unsupported"), detail: `it is not known whether "somebody/setup@v1"`,
		},
		{
			what: "a workflow without caches", change: func(_ *githubtest.Run, files map[string]string) {
				files[".github/workflows/release.yml"] = strings.Replace(releaseYAML, "      - uses: ./.github/setup\n", "", 1)
			},
			then: func(p *place) {
				p.repo.AddRun(outside(hour(-9), hour(1)))
				p.repo.AddCache(store(hour(-8)))
			},
			want: with(), detail: "its workflow restores no cache",
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			p := newPlace(t, tt.change)
			if tt.then != nil {
				tt.then(p)
			}
			run := p.ask(tt.ask)
			if d := cmp.Diff(tt.want, short(run)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if all := fmt.Sprintf("%+v", run); !strings.Contains(all, tt.detail) || strings.ContainsAny(all, "\n") {
				t.Errorf("%s\ndoes not say %q in one line", all, tt.detail)
			}
		})
	}
}

// Without the permission nothing is No, and the gap names it.
func TestWithoutPermission(t *testing.T) {
	p := newPlace(t, nil)
	in := p.server.Installation()
	p.server.Update(func() { delete(in.Permissions, "actions") })
	app, err := ghclient.New(p.opts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Installation(t.Context(), "acme", ghclient.Permissions{"contents": "read", "metadata": "read"})
	if err != nil {
		t.Fatal(err)
	}
	r := buildrun.New(c, nil)
	run := r.Run(t.Context(), buildrun.Question{Identity: p.identity(), Kind: registry.NPM, Signed: end})
	if f := run.Value.Found; f.Truth != drift.Unknown || f.Gap.Code != verify.GapDenied || !strings.Contains(f.Gap.Detail, `"actions=read"`) {
		t.Errorf("%+v", f)
	}
	s := r.Source(t.Context(), buildrun.Wanted{Repository: "acme/router", RunsFrom: start})
	if s.Runs.Known || s.Runs.Gap.Code != verify.GapDenied || !s.Tags.Known {
		t.Errorf("%+v", s)
	}
}

// Of a run of another GitHub, or none, nothing is asked.
func TestRunURI(t *testing.T) {
	p := newPlace(t, nil)
	r := p.reader()
	p.server.ForgetLog()
	for _, uri := range []string{
		"", "https://github.com/acme/router/actions/runs/500/attempts/1", p.server.URL() + "/acme/router/actions/runs/500",
		p.server.URL() + "/acme/../router/actions/runs/500/attempts/1", p.server.URL() + "/acme/router/actions/runs/-5/attempts/1",
		p.server.URL() + "/acme/router/actions/runs/500/attempts/1/../..", "http://127.0.0.1:1/acme/router/actions/runs/500/attempts/1",
		p.server.URL() + "/x/acme/router/actions/runs/500/attempts/1",
	} {
		if run := r.Run(t.Context(), buildrun.Question{Identity: verify.Identity{RunURI: uri}}); run.Known || run.Gap.Code == "" {
			t.Errorf("%q: %+v", uri, run)
		}
	}
	if n := len(p.server.Log()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// One run that published many packages is asked about once.
func TestAskedOnce(t *testing.T) {
	p := newPlace(t, nil)
	r := p.reader()
	p.server.ForgetLog()
	q := buildrun.Question{Identity: p.identity(), Kind: registry.NPM, Signed: end}
	first := r.Run(t.Context(), q)
	n := len(p.server.Log())
	var done sync.WaitGroup
	for range 5 {
		done.Go(func() {
			if d := cmp.Diff(first, r.Run(t.Context(), q)); d != "" {
				t.Error(d)
			}
		})
	}
	done.Wait()
	if again := len(p.server.Log()); again != n || n == 0 {
		t.Errorf("%d requests, then %d", n, again)
	}
}

// Many versions at once are asked about as one after the other.
func TestAtOnce(t *testing.T) {
	p := newPlace(t, nil)
	p.repo.AddRun(outside(start.Add(-time.Hour), end))
	one, r := p.reader(), p.reader()
	q := buildrun.Question{Identity: p.identity(), Kind: registry.NPM, Signed: end}
	want := one.Run(t.Context(), q)
	p.server.ForgetLog()
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			if d := cmp.Diff(want, r.Run(t.Context(), q)); d != "" {
				t.Error(d)
			}
		})
	}
	done.Wait()
	asked := map[string]int{}
	for _, e := range p.server.Log() {
		if asked[e.Path]++; asked[e.Path] > 1 && e.Kind == githubtest.REST {
			t.Errorf("%s is asked %d times", e.Path, asked[e.Path])
		}
	}
}

func TestSource(t *testing.T) {
	p := newPlace(t, nil)
	tag := p.repo.Memory().Tag("v1.0.0", mustID(t, p.head))
	p.repo.Memory().SetRef("refs/tags/v0.9.0", mustID(t, p.head))
	side := p.repo.Memory().Commit("refs/heads/side", "x", gitstore.Text(files))
	fork := p.repo.Memory().Add(gitstore.Object{Kind: gitstore.Commit, Data: gitstore.CommitInfo{Author: gitstore.DefaultAuthor, Message: "payload", When: start}.Encode()})
	p.repo.Memory().SetRef("refs/tags/v2.0.0", fork)
	p.repo.Change(func(r *githubtest.Repository) {
		r.Releases = []githubtest.Release{{ID: 1, Tag: "v1.0.0", At: start}, {ID: 2, Tag: "v9", Draft: true, At: start}}
	})
	run := outside(start, end)
	p.repo.AddRun(run)
	absent := strings.Repeat("2", 40)
	s := p.reader().Source(t.Context(), buildrun.Wanted{
		Repository: "acme/router", Branch: "main", Tags: []string{"v1.0.0", "v0.9.0", "v2.0.0", "v3.0.0"},
		Heads: []string{p.head, strings.ToUpper(side.String()), absent, "not-a-commit"}, RunsFrom: start.Add(-time.Hour),
	})
	plain := registry.None[time.Time]()
	want := map[string]drift.Tag{"v1.0.0": {Commit: p.head}, "v0.9.0": {Commit: p.head, Time: plain}, "v2.0.0": {Commit: fork.String(), Time: plain}}
	one := want["v1.0.0"]
	one.Time = s.Tags.Value["v1.0.0"].Time
	want["v1.0.0"] = one
	if d := cmp.Diff(want, s.Tags.Value); d != "" || one.Time.Knowledge != registry.Present || tag.IsZero() {
		t.Errorf("tags, %v: -want +got:\n%s", one.Time, d)
	}
	if d := cmp.Diff([]drift.Release{{Tag: "v1.0.0", Time: start}}, s.Releases.Value); d != "" {
		t.Errorf("releases: -want +got:\n%s", d)
	}
	if d := cmp.Diff([]drift.RunSeen{{Workflow: ".github/workflows/release.yml", Event: "push", Start: start, End: end}}, s.Runs.Value); d != "" {
		t.Errorf("runs: -want +got:\n%s", d)
	}
	for commit, want := range map[string]drift.Truth{p.head: drift.Yes, side.String(): drift.Yes, absent: drift.No, "not-a-commit": drift.No} {
		if got := s.Commits[commit]; got.Truth != want {
			t.Errorf("commit %s: %+v, want %v", commit, got, want)
		}
	}
	for commit, want := range map[string]drift.Truth{p.head: drift.Yes, fork.String(): drift.No} {
		if got := s.OnBranch[commit]; got.Truth != want {
			t.Errorf("%s on main: %+v, want %v", commit, got, want)
		}
	}
	odd := p.reader().Source(t.Context(), buildrun.Wanted{Repository: "../x", RunsFrom: start})
	if odd.Tags.Known || odd.Releases.Known || odd.Runs.Known || odd.Tags.Gap.Code != verify.GapUnsupported {
		t.Errorf("%+v", odd)
	}
	gone := p.reader().Source(t.Context(), buildrun.Wanted{Repository: "acme/nothing", RunsFrom: start})
	if gone.Tags.Known || gone.Tags.Gap.Code != verify.GapDenied {
		t.Errorf("%+v", gone)
	}
}

// Where there are more runs than GitHub lists, those that it does not list are not none.
func TestManyRuns(t *testing.T) {
	p := newPlace(t, nil)
	for i := range 1100 {
		at := start.Add(-time.Duration(i) * time.Minute)
		p.repo.AddRun(outside(at, at))
	}
	run := p.ask(nil)
	if run.Poisoned.Truth != drift.Unknown || run.Raced.Truth != drift.Unknown || !strings.Contains(run.Raced.Gap.Detail, "more runs by pull_request_target in that time than GitHub lists") {
		t.Errorf("%+v, %+v", run.Poisoned, run.Raced)
	}
	s := p.reader().Source(t.Context(), buildrun.Wanted{Repository: "acme/router", RunsFrom: start.AddDate(0, -1, 0)})
	if first := start.Add(-998 * time.Minute); !s.Runs.Known || !s.RunsFrom.Equal(first) {
		t.Errorf("known %v, from %s, want %s", s.Runs.Known, s.RunsFrom, first)
	}
}

func TestTree(t *testing.T) {
	p := newPlace(t, nil)
	got := p.reader().Tree(t.Context(), "acme/router", strings.ToUpper(p.head))
	blob := gitstore.Object{Kind: gitstore.Blob, Data: []byte("x")}.ID().String()
	if !got.Known || len(got.Value) != len(files) || got.Value["README.md"] != blob {
		t.Errorf("%+v", got)
	}
	for _, tt := range []struct{ repo, commit, code string }{
		{"acme/router", "main", verify.GapUnsupported},
		{"acme/../x", p.head, verify.GapUnsupported},
		{"acme/router", strings.Repeat("1", 40), verify.GapDenied},
	} {
		if got := p.reader().Tree(t.Context(), tt.repo, tt.commit); got.Known || got.Gap.Code != tt.code {
			t.Errorf("%s, %s: %+v", tt.repo, tt.commit, got)
		}
	}
	cut := githubtest.Start(t, githubtest.Options{TreeEntries: 2})
	repo := cut.AddFiles("big", map[string]string{"a": "1", "b": "2", "c": "3"})
	head, _ := gitstore.Lookup(repo.Content, "refs/heads/main")
	app, err := ghclient.New(ghclient.Options{BaseURL: cut.URL(), Auth: ghclient.Auth{Token: cut.InstallationToken(cut.Installation())}})
	if err != nil {
		t.Fatal(err)
	}
	if got := buildrun.New(app, nil).Tree(t.Context(), "acme/big", head.String()); got.Known || !strings.Contains(got.Gap.Detail, "more than GitHub lists") {
		t.Errorf("%+v", got)
	}
}

func mustID(t *testing.T, s string) gitstore.ID {
	t.Helper()
	id, err := gitstore.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

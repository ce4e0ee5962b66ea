package exposure_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// quiet adds runs that have no job, each a step later than the last.
func quiet(r *githubtest.Repo, n int, commit string, from time.Time, step time.Duration) {
	for i := range n {
		at := from.Add(time.Duration(i) * step)
		r.AddRun(githubtest.Run{Workflow: ".github/workflows/ci.yml", Head: commit, Branch: "main", Start: at, End: at.Add(time.Second)})
	}
}

// TestManyRuns: a time with more runs than GitHub lists is asked for in parts.
func TestManyRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("2,600 runs")
	}
	w := newWorld(t)
	web := w.add("web", nil)
	clean := head(web, "refs/heads/main")
	w.sweep()
	broken := web.Push("main", files(bad)).String()
	web.Push("main", files(nil))
	w.sweep()
	ran(web, broken, day(0, 1), nil) // the earliest: a list that is cut does not have it
	quiet(web, 2600, clean, day(0, 2), 10*time.Second)
	r := w.ask(nil)
	if got, want := said(r), "yes no no yes yes yes yes"; got != want || r.Looked.Runs != 2601 || r.Looked.Commits != 2 {
		t.Errorf("answers %s, want %s; %+v %+v", got, want, r.Looked, r.Gaps)
	}
	// The parts are the same the next time.
	const lists = "GET /repos/{owner}/{repo}/actions/runs"
	before := w.server.Totals().Routes[lists]
	w.now = w.now.Add(2 * time.Second)
	if r = w.ask(nil); len(r.Runs) != 1 || r.Looked.Runs != 2601 {
		t.Errorf("the next time: %+v", r.Looked)
	}
	if n := w.server.Totals().Routes[lists] - before; before == 0 || n > 0 {
		t.Errorf("the next time: %d requests", n)
	}
}

// TestBounds: what is over a bound is not known, and says so.
func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		what   string
		do     func(w *world, web *githubtest.Repo, clean, broken string)
		limits exposure.Limits
		want   string // installed
		detail string
	}{
		{what: "nothing", want: "no", detail: "none of the 0 runs of 1 repositories"},
		{
			what: "more runs in one second than GitHub lists",
			do: func(_ *world, web *githubtest.Repo, clean, _ string) {
				quiet(web, 1200, clean, day(0, 2), 0)
			},
			want: "unknown", detail: "more than GitHub lists",
		},
		{
			what: "more runs than are looked at", limits: exposure.Limits{Runs: 5},
			do:   func(_ *world, web *githubtest.Repo, clean, _ string) { quiet(web, 6, clean, day(0, 2), time.Minute) },
			want: "unknown", detail: "6, of which 5 may be looked at",
		},
		{
			what: "more commits than are looked at", limits: exposure.Limits{Commits: 1},
			do: func(_ *world, web *githubtest.Repo, clean, broken string) {
				quiet(web, 1, clean, day(0, 2), time.Minute)
				quiet(web, 1, broken, day(0, 3), time.Minute)
			},
			want: "unknown", detail: "whose jobs are not known",
		},
		{
			what: "more lockfiles than are read", limits: exposure.Limits{Contents: 1},
			do: func(_ *world, web *githubtest.Repo, _, _ string) {
				for _, v := range []string{"2.0.0", "3.0.0"} {
					quiet(web, 1, web.Push("x"+v, files(map[string]string{"package-lock.json": lock(badName, v)})).String(), day(0, 2), 0)
				}
			},
			want: "unknown", detail: "whose jobs are not known",
		},
		{
			what: "more repositories than are looked at", limits: exposure.Limits{Repositories: 1},
			do:   func(w *world, _ *githubtest.Repo, _, _ string) { w.add("api", nil); w.sweep() },
			want: "unknown", detail: "2 repositories, of which 1 were looked at",
		},
		{
			what: "more runs whose jobs are listed", limits: exposure.Limits{Jobs: 1},
			do: func(_ *world, web *githubtest.Repo, _, broken string) {
				ran(web, broken, day(0, 2), func(run *githubtest.Run) { run.Jobs = run.Jobs[2:] })
				ran(web, broken, day(0, 3), nil)
			},
			want: "unknown", detail: "over the 1 runs whose jobs may be looked at",
		},
		{
			what: "an inventory that begins too late",
			do:   func(w *world, _ *githubtest.Repo, _, _ string) { w.set = early(w.t); w.asker.Set = w.set },
			want: "unknown", detail: "the inventory begins on 2026-05-10, and the package was bad from 2026-04-01 on",
		},
		{
			what: "a sweep that did not come to its end",
			do: func(w *world, _ *githubtest.Repo, _, _ string) {
				if _, _, err := w.store.Begin(w.t.Context(), inventory.Run{Scope: "other", Started: w.now}); err != nil {
					w.t.Fatal(err)
				}
			},
			want: "unknown", detail: "did not come to its end",
		},
		{
			what: "a range that admits it, and nothing that locks",
			do: func(w *world, _ *githubtest.Repo, _, _ string) {
				w.add("loose", map[string]string{"package-lock.json": "", "package.json": `{"name": "loose", "dependencies": {"left-pad-plus": "^6.0.0"}}`})
				w.sweep()
			},
			want: "unknown", detail: `"acme/loose" locks nothing, and its range admits the version`,
		},
		{
			what: "a range that does not admit it",
			do: func(w *world, _ *githubtest.Repo, _, _ string) {
				w.add("loose", map[string]string{"package-lock.json": "", "package.json": `{"name": "loose", "dependencies": {"left-pad-plus": "^5.0.0"}}`})
				w.sweep()
			},
			want: "no",
		},
		{what: "a repository that is gone", do: func(_ *world, web *githubtest.Repo, _, _ string) { web.Remove() }, want: "unknown", detail: "not found"},
		{what: "nobody to ask", do: func(w *world, _ *githubtest.Repo, _, _ string) { w.asker.GitHub = nil }, want: "unknown", detail: "GitHub is not asked"},
		{what: "no inventory", do: func(w *world, _ *githubtest.Repo, _, _ string) { w.asker.Store = nil }, want: "unknown", detail: "no inventory"},
		{
			what: "GitHub is down", do: func(w *world, _ *githubtest.Repo, _, _ string) { w.server.Close() }, want: "unknown",
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			web := w.add("web", nil)
			clean := head(web, "refs/heads/main")
			w.sweep()
			broken := web.Push("main", files(bad)).String()
			web.Push("main", files(nil))
			w.sweep()
			if tt.do != nil {
				tt.do(w, web, clean, broken)
			}
			w.asker.Limits = tt.limits
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := w.asker.Ask(ctx, exposure.Question{Signal: signal(badPURL)})
			if err != nil {
				t.Fatal(err)
			}
			a := r.Facts[triage.CIInstalled].Data
			if a.Truth.String() != tt.want || !strings.Contains(a.Detail, tt.detail) {
				t.Errorf("%s: %s, want %s: %s", a.Truth, a.Detail, tt.want, tt.detail)
			}
			for _, id := range []string{triage.CISelfHosted, triage.CISecrets, triage.CIPublishes} {
				if got := r.Facts[id].Data.Truth; a.Truth == triage.Unknown && got == triage.No {
					t.Errorf("%s is no, and whether it was installed is not known", id)
				}
			}
		})
	}
}

// TestHostileWorkflows: workflows that would take for ever, or that no honest one looks like.
func TestHostileWorkflows(t *testing.T) {
	var calls strings.Builder // each of which calls the next a hundred times, and the last has no job
	fan := map[string]string{"package-lock.json": bad["package-lock.json"]}
	for i := range 9 {
		calls.Reset()
		calls.WriteString("jobs:\n")
		for k := range 100 {
			fmt.Fprintf(&calls, "  j%d: {uses: ./.github/workflows/w%d.yml, secrets: inherit}\n", k, i+1)
		}
		fan[fmt.Sprintf(".github/workflows/w%d.yml", i)] = calls.String()
	}
	fan[".github/workflows/w9.yml"] = "jobs: {}"
	fan[".github/workflows/ci.yml"] = "jobs: {test: {uses: ./.github/workflows/w0.yml}}"
	matrix := func(run *githubtest.Run) {
		run.Jobs = nil
		for i := range 80 {
			run.Jobs = append(run.Jobs, githubtest.Job{Name: fmt.Sprintf("test (%d)", i), Steps: []githubtest.Step{{Name: "Run ./.github/setup"}}})
		}
	}
	one := func(name, step string) func(run *githubtest.Run) {
		return func(run *githubtest.Run) {
			run.Jobs = []githubtest.Job{{Name: name, Steps: []githubtest.Step{{Name: step}}}}
		}
	}
	circle := "runs: {using: composite, steps: [{uses: ./.github/setup}]}"
	for _, tt := range []struct {
		what   string
		files  map[string]string
		change func(run *githubtest.Run)
		want   string
		yes    int // jobs
	}{
		{"calls that multiply", fan, one("test / j0", "Run npm ci"), "unknown", 0},
		{"a workflow that calls itself", map[string]string{".github/workflows/ci.yml": "jobs: {test: {uses: ./.github/workflows/ci.yml, secrets: inherit}}"}, one("test / test", "x"), "unknown", 0},
		{"a job that has steps and calls", map[string]string{".github/workflows/ci.yml": "jobs: {test: {uses: ./gone.yml, steps: [{run: npm ci}]}}"}, one("test / x", "Run npm ci"), "unknown", 0},
		{"an action that uses itself", map[string]string{".github/workflows/ci.yml": "jobs: {test: {steps: [{uses: ./.github/setup}]}}", ".github/setup/action.yml": circle}, one("test", "Run ./.github/setup"), "unknown", 0},
		{"an action that is not there", map[string]string{".github/workflows/ci.yml": "jobs: {test: {steps: [{uses: ./.github/gone}]}}"}, one("test", "Run ./.github/gone"), "unknown", 0},
		{"a path that leads out", map[string]string{".github/workflows/ci.yml": "jobs: {test: {steps: [{uses: ./../../setup}, {uses: a}, {uses: 'a/b/../../c@v1'}, {uses: '@'}]}}"}, one("test", "Run ./../../setup"), "unknown", 0},
		{"many jobs with one action", map[string]string{".github/workflows/ci.yml": "jobs: {test: {steps: [{uses: ./.github/setup}]}}"}, matrix, "yes", 80},
	} {
		t.Run(tt.what, func(t *testing.T) {
			w := newWorld(t)
			web := w.add("web", nil)
			w.sweep()
			more := map[string]string{"package-lock.json": bad["package-lock.json"]}
			for name, text := range tt.files {
				more[name] = text
			}
			broken := web.Push("main", files(more)).String()
			w.sweep()
			ran(web, broken, badFrom, tt.change)
			began := time.Now()
			r := w.ask(nil)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			yes := 0
			for _, run := range r.Runs {
				for _, j := range run.Jobs {
					if j.Installed.Truth == triage.Yes {
						yes++
					}
				}
			}
			if got := r.Facts[triage.CIInstalled].Data; got.Truth.String() != tt.want || yes != tt.yes {
				t.Errorf("%+v, %d jobs; want %s, %d", got, yes, tt.want, tt.yes)
			}
		})
	}
}

// early is a catalogue that says that the package was bad since a month ago.
func early(t *testing.T) *ioc.Set {
	return compile(t, ioc.Indicator{Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: badName, Versions: []string{"6.6.6"}, Window: &ioc.Window{From: "2026-04"}})
}

// TestListedAndPublished: what the catalogue and the policy say.
func TestListedAndPublished(t *testing.T) {
	w := newWorld(t)
	w.set = compile(t,
		ioc.Indicator{Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: badName, Versions: []string{"6.6.6"}},
		ioc.Indicator{Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "weak", Versions: []string{"1.0.0"}, Confidence: ioc.Weak},
		ioc.Indicator{Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "withdrawn", Versions: []string{"1.0.0"}, Status: ioc.Withdrawn, Withdrawal: &ioc.Withdrawal{Reason: "not so", At: "2026-01-01"}},
		ioc.Indicator{Type: ioc.TypePackage, Ecosystem: ecosystem.PyPI, Name: "bad-py", Versions: []string{"1.0"}},
	)
	w.asker.Set = w.set
	w.sweep()
	for _, tt := range []struct{ purl, listed, ours string }{
		{"pkg:npm/left-pad-plus@6.6.6", "yes", "no"},
		{"pkg:npm/left-pad-plus@6.6.7", "no", "no"},
		{"pkg:npm/left-pad-plus", "unknown", "no"},
		{"pkg:npm/weak@1.0.0", "unknown", "no"},
		{"pkg:npm/withdrawn@1.0.0", "no", "no"},
		{"pkg:pypi/Bad_Py@1.0", "yes", "no"},
		{"pkg:npm/%40acme/sdk@1.0.0", "no", "yes"},
		{"pkg:npm/%40acme/other@1.0.0", "no", "unknown"}, // in our scope, and not in the policy
		{"pkg:npm/%40acme2/other@1.0.0", "no", "no"},
		{"pkg:golang/github.com/Acme/thing@v1.0.0", "no", "yes"},
		{"pkg:golang/github.com/acme2/thing@v1.0.0", "no", "no"},
		{"pkg:golang/example.com/acme/thing@v1.0.0", "no", "no"},
		{"pkg:github/acme/action@v1", "no", "yes"},
		{"pkg:oci/api@sha256%3Aaa", "unknown", "yes"},
		{"pkg:oci/else@sha256%3Aaa", "unknown", "unknown"},
		{"pkg:cargo/serde@1.0.0", "unknown", "unknown"},
		{"nonsense", "unknown", "unknown"},
	} {
		r := w.ask(func(q *exposure.Question) { q.Signal = signal(tt.purl) })
		if got := r.Facts[triage.Listed].Data.Truth.String(); got != tt.listed {
			t.Errorf("%s: listed %s, want %s: %+v", tt.purl, got, tt.listed, r.Facts[triage.Listed])
		}
		if got := r.Facts[triage.PublishedByUs].Data.Truth.String(); got != tt.ours {
			t.Errorf("%s: ours %s, want %s: %+v", tt.purl, got, tt.ours, r.Facts[triage.PublishedByUs])
		}
	}
	// Without a catalogue or a policy, nothing is no.
	w.asker.Set, w.asker.Policy = nil, nil
	r := w.ask(nil)
	if r.Facts[triage.Listed].Data.Truth != triage.Unknown || r.Facts[triage.PublishedByUs].Data.Truth != triage.Unknown {
		t.Errorf("%+v", r.Facts)
	}
	// Another source knows more than the policy, and one that does not know takes a no back.
	for _, truth := range []triage.Truth{triage.Yes, triage.Unknown, triage.No} {
		w := newWorld(t)
		w.asker.Published = func(context.Context, ecosystem.Ecosystem, string) triage.Answer {
			return triage.Answer{Truth: truth, Source: "registry", Detail: "so"}
		}
		if got := w.ask(nil).Facts[triage.PublishedByUs].Data.Truth; got != truth {
			t.Errorf("with another source that says %s: %s", truth, got)
		}
	}
	// A signal about no package asks nothing.
	if r := w.ask(func(q *exposure.Question) { q.Signal.Subject = triage.Subject{Kind: triage.Pod} }); len(r.Facts) > 0 {
		t.Errorf("%+v", r.Facts)
	}
}

// TestEcosystems: what installs a package of each.
func TestEcosystems(t *testing.T) {
	sample := func(id, name, version string) string { return formats.ByID(id).Sample(name, version) }
	for _, tt := range []struct {
		purl, path, text string
		step             string // of the workflow
		shown            string
		want             string
	}{
		{"pkg:pypi/evil@1.0.0", "poetry.lock", sample("poetry.lock", "evil", "1.0.0"), "run: poetry install", "Run poetry install", "yes"},
		{"pkg:pypi/evil@1.0.0", "requirements.txt", "evil==1.0.0\n", "run: python3 -m pip install -r requirements.txt", "Run python3 -m pip install -r requirements.txt", "yes"},
		{"pkg:pypi/evil@1.0.0", "requirements.txt", "evil==1.0.0\n", "run: npm ci", "Run npm ci", "unknown"},
		{"pkg:golang/example.com/evil@v1.0.0", "go.mod", "module example.com/m\n\ngo 1.26\n\nrequire example.com/evil v1.0.0\n", "run: go test ./...", "Run go test ./...", "yes"},
		{"pkg:golang/example.com/evil@v1.0.0", "go.mod", "module example.com/m\n\ngo 1.26\n\nrequire example.com/evil v1.0.0\n", "uses: golangci/golangci-lint-action@v6", "Run golangci/golangci-lint-action@v6", "yes"},
		{"pkg:github/tj-actions/changed-files@v45", "x.txt", "x", "uses: tj-actions/changed-files@v45", "Run tj-actions/changed-files@v45", "yes"},
		{"pkg:github/tj-actions/changed-files@v45", "x.txt", "x", "uses: tj-actions/changed-files@v46", "Run tj-actions/changed-files@v46", "no"},
		{"pkg:github/tj-actions/changed-files@v45", "x.txt", "x", "run: make", "Run make", "no"},
	} {
		w := newWorld(t)
		w.sweep()
		r := w.server.AddFiles("app", map[string]string{
			tt.path: tt.text, ".github/workflows/ci.yml": "on: push\njobs: {test: {steps: [{" + tt.step + "}]}}\n",
		})
		commit := head(r, "refs/heads/main")
		ran(r, commit, day(0, 2), func(run *githubtest.Run) {
			run.Jobs = []githubtest.Job{{Name: "test", Steps: []githubtest.Step{{Name: tt.shown}}}}
		})
		w.sweep()
		got := w.ask(func(q *exposure.Question) {
			q.Signal = signal(tt.purl)
			q.Window.From = badFrom
		})
		if truth := got.Facts[triage.CIInstalled].Data.Truth.String(); truth != tt.want {
			t.Errorf("%s, %q: %s, want %s: %+v\n%s", tt.purl, tt.step, truth, tt.want, got.Facts[triage.CIInstalled].Data, jobs(got))
		}
	}
}

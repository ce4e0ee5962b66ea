package exposure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// secrets gives the organisation and a repository the secrets that ciYAML names, and more.
func (w *world) secrets(r *githubtest.Repo) {
	in := w.server.Installation()
	w.server.Update(func() {
		in.Account.Secrets = []githubtest.Secret{{Name: "SENTRY_DSN", Updated: day(0, 0)}, {Name: "ELSEWHERE", Visibility: "selected"}}
	})
	r.Change(func(r *githubtest.Repository) {
		r.Actions.Secrets = []githubtest.Secret{{Name: "NPM_TOKEN", Updated: day(-30, 0)}, {Name: "OTHER", Updated: day(-30, 0)}}
		r.Actions.Environments = []githubtest.Environment{{Name: "npm", Secrets: []githubtest.Secret{{Name: "NPM_TOKEN", Updated: day(-7, 0)}}}}
	})
}

// TestOrganisation: a lockfile was bad between two commits, runs went in that time on hosted and
// self-hosted runners, and secrets were there to be read.
func TestOrganisation(t *testing.T) {
	w := newWorld(t)
	web := w.add("web", nil)
	w.add("docs", map[string]string{"package-lock.json": lock("other", "1.0.0")})
	w.secrets(web)
	clean := head(web, "refs/heads/main")
	w.sweep()
	broken := web.Push("main", files(bad)).String()
	w.sweep()
	fixed := web.Push("main", files(map[string]string{"package-lock.json": lock(badName, "6.6.7")})).String()
	w.sweep()

	ran(web, clean, day(0, 1), nil)
	ran(web, broken, day(0, 2), nil)
	again := ran(web, broken, day(0, 3), func(run *githubtest.Run) {
		run.Jobs = run.Jobs[:1]
		run.Jobs[0].Conclusion, run.Jobs[0].Steps[2].Conclusion = "failure", "failure" // it failed, and had run
	})
	again.Attempt, again.Jobs = 2, []githubtest.Job{{Name: "test", Conclusion: "skipped", Runner: "-"}}
	web.AddRun(again)
	ran(web, fixed, day(1, 2), nil)
	ran(w.server.Repo("acme/docs"), head(w.server.Repo("acme/docs"), "refs/heads/main"), day(0, 2), nil)

	r := w.ask(nil)
	if got, want := said(r), "yes no no yes yes yes yes"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	want := `acme/web push had=yes
  test installed=yes hosted organisation:SENTRY_DSN
  publish installed=yes self-hosted environment:NPM_TOKEN organisation:SENTRY_DSN id-token publishes:[npm]
  lint installed=no hosted
acme/web push had=yes
  test installed=yes hosted organisation:SENTRY_DSN
  test installed=no none
`
	if d := cmp.Diff(want, jobs(r)); d != "" {
		t.Errorf("jobs: %s", d)
	}
	if len(r.Gaps) > 0 {
		t.Errorf("gaps: %+v", r.Gaps)
	}
	if r.Looked.Repositories != 1 || r.Looked.Runs != 4 || !r.Window.From.Equal(badFrom) {
		t.Errorf("%+v %+v", r.Looked, r.Window)
	}
	if s := r.Runs[0].Jobs[1].Secrets[0]; !s.Updated.Equal(day(-7, 0)) {
		t.Errorf("%+v: not when the environment's was changed", s)
	}
	for id, record := range r.Facts {
		if record.Data.Source == "" || record.Data.Detail == "" || !record.Data.At.Equal(w.now) {
			t.Errorf("%s: %+v", id, record.Data)
		}
	}
	// Of a time that ended before, a run is none that counts, though its commit is known.
	if r := w.ask(func(q *exposure.Question) { q.Window.Until = day(0, 1) }); r.Facts[triage.CIInstalled].Data.Truth != triage.No {
		t.Errorf("%+v", r.Facts[triage.CIInstalled])
	}
	// And so the tree comes to B, and says what is to be asked.
	v := triage.Run(triage.Runbook(), signal(badPURL), r.Facts)
	if v.Scenario != triage.B || v.Final {
		t.Errorf("%+v", v)
	}
}

// TestNobodyRanIt: no run had it, everything could be asked, and so the answer is no.
func TestNobodyRanIt(t *testing.T) {
	w := newWorld(t)
	web := w.add("web", nil)
	clean := head(web, "refs/heads/main")
	w.sweep()
	web.Push("main", files(bad))
	w.sweep()
	ran(web, clean, day(0, 1), nil)
	r := w.ask(nil)
	if got, want := said(r), "yes no yes no no no no"; got != want {
		t.Errorf("answers %s, want %s; %+v", got, want, r.Gaps)
	}
	if a := r.Facts[triage.Locked].Data; !strings.Contains(a.Detail, `"acme/web" "refs/heads/main", "package-lock.json" line`) {
		t.Errorf("%+v", a)
	}
	facts, err := r.Facts.Override("person-installed", triage.Answer{Truth: triage.No, By: "wren", Detail: "asked all", At: w.now})
	if err != nil {
		t.Fatal(err)
	}
	if v := triage.Run(triage.Runbook(), signal(badPURL), facts); v.Scenario != triage.Pin || !v.Final {
		t.Errorf("%+v", v)
	}
}

// TestOthersMayHave: one run installed it, with nothing to be read, and another repository could
// not be looked at: nothing about runners, secrets or publishing is no.
func TestOthersMayHave(t *testing.T) {
	w := newWorld(t)
	web := w.add("web", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {test: {steps: [{run: npm ci}]}}", "package-lock.json": lock(badName, "6.6.6")})
	gone := w.add("gone", nil)
	w.sweep()
	w.sweep()
	ran(web, head(web, "refs/heads/main"), day(0, 2), func(run *githubtest.Run) {
		run.Jobs = []githubtest.Job{{Name: "test", Steps: []githubtest.Step{{Name: "Run npm ci"}}}}
	})
	if got, want := said(w.ask(nil)), "yes no yes yes no no no"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	gone.Remove()
	w.now = w.now.Add(time.Hour) // what was said just now is believed
	if got, want := said(w.ask(nil)), "yes no yes yes unknown unknown unknown"; got != want {
		t.Errorf("with a repository that is gone: answers %s, want %s", got, want)
	}
}

// TestAsItWasThen: what a run called or used is read as it was, and what nobody tells of it leaves the question open.
func TestAsItWasThen(t *testing.T) {
	const (
		file     = ".github/workflows/x.yml"
		uses     = "acme/shared/" + file
		install  = "jobs: {test: {steps: [{run: npm ci}]}}"
		harmless = "jobs: {test: {steps: [{run: echo fine}]}}"
	)
	action := func(step string) string {
		return "runs: {using: composite, steps: [{run: " + step + ", shell: bash}]}\n"
	}
	calls := func(ref string) string { return "permissions: {}\njobs: {call: {uses: " + uses + "@" + ref + "}}\n" }
	for _, tt := range []struct {
		what     string
		files    map[string]string // of the repository
		then, is map[string]string // of the other one
		told     string            // how GitHub names the workflow whose commit it tells
		event    string
		step     string // that GitHub shows
		want     string
	}{
		{"a branch", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: install}, map[string]string{file: harmless}, uses + "@main", "", "Run npm ci", "yes"},
		{"a branch, told in full", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: install}, map[string]string{file: harmless}, uses + "@refs/heads/main", "", "Run npm ci", "yes"},
		{"a branch, written in full", map[string]string{".github/workflows/ci.yml": calls("refs/heads/main")}, map[string]string{file: install}, map[string]string{file: harmless}, uses + "@main", "", "Run npm ci", "yes"},
		{"another name of the owner", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: install}, map[string]string{file: harmless}, "Acme/Shared/" + file + "@main", "", "Run npm ci", "yes"},
		{"a branch that nobody tells", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: install}, map[string]string{file: harmless}, "", "", "Run npm ci", "unknown"},
		{"a branch that nobody tells, and whose steps have kept their names", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: install}, map[string]string{file: harmless}, "", "", "Run echo fine", "unknown"},
		{"a branch that has not changed", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: harmless}, map[string]string{file: harmless}, uses + "@main", "", "Run echo fine", "no"},
		{"a step that the workflow does not have", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: harmless}, map[string]string{file: harmless}, uses + "@main", "", "Run npm ci", "unknown"},
		{"an action of the workspace, of a workflow of another repository", map[string]string{".github/workflows/ci.yml": calls("main"), "act/action.yml": action("npm ci")}, map[string]string{file: "jobs: {test: {steps: [{uses: ./act}]}}", "act/action.yml": action("echo fine")}, nil, uses + "@main", "", "Run ./act", "yes"},
		{"an action of the workspace, in which something else was checked out", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {call / test: {steps: [{uses: actions/checkout@v4, with: {repository: acme/shared}}, {uses: ./act}]}}", "act/action.yml": action("echo fine")}, map[string]string{"x": "x"}, nil, "", "", "Run ./act", "unknown"},
		{"one that names it, where something else was checked out", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {call / test: {steps: [{uses: actions/checkout@v4, with: {ref: release}}, {uses: $/outer}]}}", "outer/action.yml": "runs: {using: composite, steps: [{uses: ./act}]}\n", "act/action.yml": action("echo fine")}, map[string]string{"x": "x"}, nil, "", "", "Run $/outer", "unknown"},
		{"one that checks something else out and names it", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {call / test: {steps: [{uses: $/outer}]}}", "outer/action.yml": "runs: {using: composite, steps: [{uses: actions/checkout@v4, with: {ref: release}}, {uses: ./act}]}\n", "act/action.yml": action("echo fine")}, map[string]string{"x": "x"}, nil, "", "", "Run $/outer", "unknown"},
		{"a step of somebody's own that the workflow does not have", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: harmless}, map[string]string{file: harmless}, uses + "@main", "", "Build app", "unknown"},
		{"a step that GitHub adds", map[string]string{".github/workflows/ci.yml": calls("main")}, map[string]string{file: harmless}, map[string]string{file: harmless}, uses + "@main", "", "Build acme/tool@v1", "no"},
		{"an action of the workspace, in which the run's commit was checked out", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {call / test: {steps: [{uses: actions/checkout@v4, with: {ref: '${{ github.sha }}'}}, {uses: ./act}]}}", "act/action.yml": action("echo fine")}, map[string]string{"x": "x"}, nil, "", "", "Run ./act", "no"},
		{"an action of that workflow's own repository", map[string]string{".github/workflows/ci.yml": calls("main"), "act/action.yml": action("echo fine")}, map[string]string{file: "jobs: {test: {steps: [{uses: $/act}]}}", "act/action.yml": action("npm ci")}, nil, uses + "@main", "", "Run $/act", "yes"},
		{"an action under a branch", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {call / test: {steps: [{uses: acme/shared/act@main}]}}"}, map[string]string{"act/action.yml": action("npm ci")}, map[string]string{"act/action.yml": action("echo fine")}, "", "", "Run acme/shared/act@main", "unknown"},
		{"a fork's pull request, whose workflow is that of a branch", map[string]string{".github/workflows/ci.yml": "permissions: {}\njobs: {call / test: {steps: [{run: echo fine}]}}"}, map[string]string{"x": "x"}, nil, "", "pull_request_target", "Run echo fine", "unknown"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			shared := w.server.AddFiles("shared", tt.then)
			commit := head(shared, "refs/heads/main")
			if tt.is != nil {
				shared.Push("main", tt.is)
			}
			more := map[string]string{"package-lock.json": bad["package-lock.json"]}
			for name, text := range tt.files {
				more[name] = text
			}
			web := w.server.AddFiles("web", more)
			w.sweep()
			w.sweep()
			ran(web, head(web, "refs/heads/main"), day(0, 2), func(run *githubtest.Run) {
				run.Jobs = []githubtest.Job{{Name: "call / test", Steps: []githubtest.Step{{Name: "Set up job"}, {Name: tt.step}, {Name: "Post " + tt.step}}}}
				if tt.told != "" {
					run.Referenced = map[string]string{tt.told: commit, uses + "@v9": strings.Repeat("c", 40)}
				}
				if tt.event != "" {
					run.Event, run.Fork = tt.event, "wren/web"
				}
			})
			got := w.ask(nil)
			if truth := got.Facts[triage.CIInstalled].Data.Truth.String(); truth != tt.want {
				t.Errorf("%s, want %s: %+v\n%s", truth, tt.want, got.Facts[triage.CIInstalled].Data, jobs(got))
			}
		})
	}
}

// TestAttemptsCalledOthers: what GitHub tells of the workflows that a run called is of its last attempt.
func TestAttemptsCalledOthers(t *testing.T) {
	w := newWorld(t)
	const file, uses = ".github/workflows/x.yml", "acme/shared/.github/workflows/x.yml@main"
	shared := w.server.AddFiles("shared", map[string]string{file: "jobs: {test: {steps: [{name: prepare, run: npm ci}]}}"})
	shared.Push("main", map[string]string{file: "jobs: {test: {steps: [{name: prepare, run: echo fine}]}}"})
	web := w.server.AddFiles("web", map[string]string{"package-lock.json": bad["package-lock.json"], ".github/workflows/ci.yml": "permissions: {}\njobs: {call: {uses: " + uses + "}}"})
	w.sweep()
	w.sweep()
	run := ran(web, head(web, "refs/heads/main"), day(0, 2), func(run *githubtest.Run) {
		run.Jobs = []githubtest.Job{{Name: "call / test", Steps: []githubtest.Step{{Name: "prepare"}}}}
	})
	run.Attempt, run.Start, run.End, run.Referenced = 2, day(0, 3), day(0, 4), map[string]string{uses: head(shared, "refs/heads/main")}
	web.AddRun(run)
	r := w.ask(nil)
	if got := r.Facts[triage.CIInstalled].Data; got.Truth != triage.Unknown {
		t.Errorf("%+v\n%s", got, jobs(r))
	}
}

// TestStartedAgain: a run of a commit that holds the package, created before it went bad and started again since.
func TestStartedAgain(t *testing.T) {
	w := newWorld(t)
	web := w.add("web", bad)
	w.sweep()
	w.sweep()
	run := ran(web, head(web, "refs/heads/main"), day(-3, 0), nil)
	if got, want := said(w.ask(nil)), "yes no yes no no no no"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	run.Attempt, run.Start, run.End = 2, day(0, 5), day(0, 6)
	web.AddRun(run)
	w.now = w.now.Add(time.Minute)
	r := w.ask(nil)
	if got, want := said(r), "yes no yes yes yes yes yes"; got != want || len(r.Runs) != 1 {
		t.Errorf("started again: answers %s, want %s; %d runs", got, want, len(r.Runs))
	}
}

// TestNotOver: while a run is not over, more jobs may come than GitHub lists.
func TestNotOver(t *testing.T) {
	w := newWorld(t)
	web := w.add("web", bad)
	w.sweep()
	w.sweep()
	run := ran(web, head(web, "refs/heads/main"), day(0, 2), func(run *githubtest.Run) {
		run.Status, run.Conclusion, run.End, run.Jobs = "in_progress", "", time.Time{}, run.Jobs[2:] // lint
	})
	if got, want := said(w.ask(nil)), "yes no yes unknown unknown unknown unknown"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	run.Status, run.Conclusion, run.End = "completed", "success", day(0, 3)
	web.Change(func(r *githubtest.Repository) { r.Actions.Runs[len(r.Actions.Runs)-1] = run })
	w.now = w.now.Add(time.Minute)
	if got, want := said(w.ask(nil)), "yes no yes no no no no"; got != want {
		t.Errorf("once it is over: answers %s, want %s", got, want)
	}
}

// TestBetweenSweeps: no sweep saw the bad lockfile; the run's commit shows it all the same.
func TestBetweenSweeps(t *testing.T) {
	w := newWorld(t)
	web := w.add("web", nil)
	w.sweep()
	broken := web.Push("main", files(bad)).String()
	web.Push("main", files(nil))
	w.sweep()
	ran(web, broken, day(0, 2), nil)
	r := w.ask(nil)
	if got, want := said(r), "yes no no yes yes yes yes"; got != want {
		t.Errorf("answers %s, want %s; %+v", got, want, r.Gaps)
	}
	if len(r.Holdings) != 0 || r.Looked.Commits != 1 {
		t.Errorf("%+v, %+v", r.Holdings, r.Looked)
	}
}

// TestRuns: single runs, told by what is special about them.
func TestRuns(t *testing.T) {
	const (
		yes     = "yes yes yes yes"
		no      = "no no no no"
		unknown = "unknown unknown unknown unknown"
	)
	type place struct {
		*world
		web           *githubtest.Repo
		clean, broken string
		then          string // a commit of a called workflow
	}
	only := func(job int) func(run *githubtest.Run) {
		return func(run *githubtest.Run) { run.Jobs = run.Jobs[job : job+1] }
	}
	workflow := func(text string) map[string]string {
		return map[string]string{".github/workflows/ci.yml": text, "package-lock.json": bad["package-lock.json"]}
	}
	oneStep := func(name string) func(run *githubtest.Run) {
		return func(run *githubtest.Run) {
			run.Jobs = []githubtest.Job{{Name: "test", Steps: []githubtest.Step{{Name: name}}}}
		}
	}
	for _, tt := range []struct {
		what   string
		push   map[string]string // the bad commit's files, if not usual
		do     func(p *place)
		change func(run *githubtest.Run)
		want   string // installed, self-hosted, secrets, publishes
		detail string // somewhere in the answers
	}{
		{what: "as usual", want: yes},
		{what: "on GitHub's runner alone", change: only(0), want: "yes no yes unknown", detail: "SENTRY_DSN"}, // who knows what that is for
		{what: "a job that installs nothing", change: only(2), want: no, detail: "none of the 1 runs"},
		{what: "before it was bad", change: func(run *githubtest.Run) { run.Start = badFrom.Add(-time.Hour); run.End = badFrom.Add(-time.Minute) }, want: no},
		{what: "started before, and still running", change: func(run *githubtest.Run) { run.Start = badFrom.Add(-time.Hour); run.End = badFrom.Add(time.Hour) }, want: yes},
		{what: "the step was skipped", change: func(run *githubtest.Run) {
			run.Jobs = run.Jobs[:1]
			run.Jobs[0].Steps[2].Conclusion, run.Jobs[0].Steps[3].Conclusion = "skipped", "skipped"
		}, want: no},
		{what: "the step is not shown", change: func(run *githubtest.Run) { run.Jobs = run.Jobs[:1]; run.Jobs[0].Steps = run.Jobs[0].Steps[:1] }, want: unknown, detail: "not known"},
		{what: "a job that the workflow does not have", change: func(run *githubtest.Run) { run.Jobs = run.Jobs[:1]; run.Jobs[0].Name = "else" }, want: unknown, detail: "no job of that name"},
		{what: "its jobs are not kept", change: func(run *githubtest.Run) { run.Jobs = nil }, want: unknown, detail: "whose jobs are not known"},
		{what: "a script of the repository's own", push: workflow("jobs: {test: {steps: [{run: ./build.sh}]}}"), change: oneStep("Run ./build.sh"), want: unknown, detail: "./build.sh"},
		{what: "an action that nobody knows", push: workflow("jobs: {test: {steps: [{uses: some/thing@v1}]}}"), change: oneStep("Run some/thing@v1"), want: unknown},
		{what: "a tool for the machine", push: workflow("jobs: {test: {steps: [{run: npm install -g serve}]}}"), change: oneStep("Run npm install -g serve"), want: unknown},
		{what: "a workflow that is read in two ways", push: workflow("jobs: {test: {steps: [{run: npm ci}]}}\njobs: {}"), change: oneStep("Run npm ci"), want: unknown, detail: "repeated"},
		{what: "a workflow that is not there", push: map[string]string{".github/workflows/ci.yml": "", "package-lock.json": bad["package-lock.json"]}, want: unknown},
		{
			what: "a lockfile that cannot be read whole", push: map[string]string{"package-lock.json": `{"lockfileVersion": 3, "packages": {"node_modules/left-pad-plus": {"version": "1.0.0"}}, "packages": {}}`},
			want: unknown, detail: "not read whole",
		},
		{what: "a lockfile in a folder, as pnpm has it", push: map[string]string{"package-lock.json": "", "apps/a/pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      left-pad-plus:\n        specifier: 6.6.6\n        version: 6.6.6\npackages:\n  left-pad-plus@6.6.6:\n    resolution: {integrity: sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==}\nsnapshots:\n  left-pad-plus@6.6.6: {}\n"}, want: yes},
		{
			what: "dynamic names of secrets", push: workflow("permissions: {}\njobs: {test: {steps: [{run: npm ci, env: {A: '${{ secrets[matrix.x] }}'}}]}}"),
			change: oneStep("Run npm ci"), want: "yes no yes yes", detail: "all that there are, by steps.env.A",
		},
		{
			what: "no secret, and a token that may only read", push: workflow("permissions: {contents: read}\njobs: {test: {steps: [{run: npm ci}]}}"),
			change: oneStep("Run npm ci"), want: "yes no no no",
		},
		{
			what: "no secret, and a token as the repository has it", push: workflow("jobs: {test: {steps: [{run: npm ci}]}}"),
			change: oneStep("Run npm ci"), want: "yes no no yes",
		},
		{
			what: "the same, where tokens may only read", push: workflow("jobs: {test: {steps: [{run: npm ci}]}}"),
			do: func(p *place) { p.web.Change(func(r *githubtest.Repository) { r.Actions.ReadToken = true }) }, change: oneStep("Run npm ci"), want: "yes no no no",
		},
		{
			what: "a secret that there is not", push: workflow("permissions: {}\njobs: {test: {steps: [{run: npm ci, env: {A: '${{ secrets.NOTHING }}'}}]}}"),
			change: oneStep("Run npm ci"), want: "yes no no no",
		},
		{
			what: "a workflow that calls another, which inherits", push: map[string]string{
				".github/workflows/ci.yml":    "permissions: {}\njobs: {call: {uses: ./.github/workflows/inner.yml, secrets: inherit}}",
				".github/workflows/inner.yml": "jobs: {test: {steps: [{run: npm ci, env: {A: '${{ secrets.OTHER }}'}}]}}", "package-lock.json": bad["package-lock.json"],
			},
			change: func(run *githubtest.Run) {
				run.Jobs = []githubtest.Job{{Name: "call / test (20)", Steps: []githubtest.Step{{Name: "Run npm ci"}}}}
			},
			want: "yes no yes unknown", detail: "OTHER",
		},
		{
			what: "a workflow that calls another of its own repository and commit", push: map[string]string{
				".github/workflows/ci.yml":    "permissions: {}\njobs: {call: {uses: $/.github/workflows/inner.yml, secrets: inherit}}",
				".github/workflows/inner.yml": "jobs: {test: {steps: [{uses: $/.github/setup, env: {A: '${{ secrets.OTHER }}'}}]}}", "package-lock.json": bad["package-lock.json"],
			},
			change: func(run *githubtest.Run) {
				run.Jobs = []githubtest.Job{{Name: "call / test", Steps: []githubtest.Step{{Name: "Run $/.github/setup"}}}}
			},
			want: "yes no yes unknown", detail: "OTHER",
		},
		{
			what: "a workflow that calls another, which is given one under another name", push: map[string]string{
				".github/workflows/ci.yml":    "permissions: {}\njobs: {call: {uses: ./.github/workflows/inner.yml, secrets: {token: '${{ secrets.NPM_TOKEN }}'}}}",
				".github/workflows/inner.yml": "jobs: {test: {steps: [{run: npm ci, env: {A: '${{ secrets.token }}', B: '${{ secrets.OTHER }}'}}]}}", "package-lock.json": bad["package-lock.json"],
			},
			change: func(run *githubtest.Run) {
				run.Jobs = []githubtest.Job{{Name: "call / test", Steps: []githubtest.Step{{Name: "Run npm ci"}}}}
			},
			want: "yes no yes yes", detail: ": NPM_TOKEN",
		},
		{
			what: "a workflow that calls one that has changed since", push: workflow("permissions: {}\njobs: {call: {uses: Acme/Shared/.github/workflows/x.yml@main}}"),
			do: func(p *place) {
				shared := p.server.AddFiles("shared", map[string]string{".github/workflows/x.yml": "jobs: {test: {steps: [{run: npm ci}]}}"})
				p.then = head(shared, "refs/heads/main")
				shared.Push("main", map[string]string{".github/workflows/x.yml": "jobs: {test: {steps: [{run: echo fine}]}}"})
			},
			change: func(run *githubtest.Run) {
				run.Jobs = []githubtest.Job{{Name: "call / test", Steps: []githubtest.Step{{Name: "Run npm ci"}}}}
				run.Referenced = map[string]string{"acme/shared/.github/workflows/x.yml@main": ""}
			},
			want: "yes no no no",
		},
		{
			what: "a workflow that calls one that is not there", push: workflow("jobs: {call: {uses: acme/gone/.github/workflows/x.yml@v1, secrets: inherit}}"),
			change: func(run *githubtest.Run) {
				run.Jobs = []githubtest.Job{{Name: "call / test", Steps: []githubtest.Step{{Name: "Run npm ci"}}}}
			},
			want: unknown,
		},
		{what: "a runner of which nobody knows whose it is", change: func(run *githubtest.Run) {
			run.Jobs = run.Jobs[1:2]
			run.Jobs[0].Labels = []string{"arc-set"}
		}, want: "yes unknown yes yes", detail: "arc-build-1"},
		{
			what: "a runner that is in the list of our own", do: func(p *place) {
				in := p.server.Installation()
				p.server.Update(func() {
					in.Account.Runners = []githubtest.Runner{{ID: 31, Name: "arc-build-1"}}
				})
			},
			change: func(run *githubtest.Run) { run.Jobs = run.Jobs[1:2]; run.Jobs[0].Labels = []string{"arc-set"} }, want: yes,
		},
		{
			what: "a pull request that brings it in", change: func(run *githubtest.Run) { run.Event, run.Pull = "pull_request", 7; run.Base = strings.Repeat("b", 40) }, want: yes,
		},
		{
			what: "a pull request of a fork: it is given nothing", change: func(run *githubtest.Run) {
				run.Event, run.Fork = "pull_request", "wren/web"
				run.Jobs = run.Jobs[:1]
			},
			want: "yes no no no",
		},
		{
			what: "a pull request without it, onto a base that has it", change: func(run *githubtest.Run) {
				run.Event, run.Pull, run.Head = "pull_request", 7, "clean"
				run.Base = "broken"
			},
			want: unknown, detail: "what was merged is not kept",
		},
		{
			what: "a pull request without it, onto a base without it", change: func(run *githubtest.Run) {
				run.Event, run.Pull, run.Head = "pull_request", 7, "clean"
				run.Base = "clean"
			},
			want: no,
		},
		{
			what: "a fork's pull request without it, whose base is not told", change: func(run *githubtest.Run) { run.Event, run.Fork, run.Head = "pull_request", "wren/web", "clean" },
			want: unknown, detail: "is not told",
		},
		{
			what: "pull_request_target, whose base has it", change: func(run *githubtest.Run) {
				run.Event, run.Pull, run.Head, run.Base = "pull_request_target", 7, "clean", "broken"
			},
			want: yes,
		},
		{
			what: "pull_request_target, whose head alone has it", change: func(run *githubtest.Run) {
				run.Event, run.Pull, run.Base = "pull_request_target", 7, "clean"
			},
			want: unknown,
		},
		{
			what: "Dependabot's own run is given Dependabot's secrets", do: func(p *place) {
				p.web.Change(func(r *githubtest.Repository) {
					r.Actions.DependabotSecrets = []githubtest.Secret{{Name: "SENTRY_DSN"}}
				})
			},
			change: func(run *githubtest.Run) { run.Actor = "dependabot[bot]"; run.Jobs = run.Jobs[1:2] }, want: "yes yes yes yes", detail: " dependabot:SENTRY_DSN",
		},
		{what: "a commit that is gone", change: func(run *githubtest.Run) { run.Head = strings.Repeat("d", 40) }, want: unknown},
		{what: "without the permission for runs", do: func(p *place) { p.deny("actions") }, want: unknown, detail: `"actions=read"`},
		{what: "without the permission for files", do: func(p *place) { p.deny("contents") }, want: unknown, detail: `"contents=read"`},
		{what: "without the permission for the names of secrets", do: func(p *place) { p.deny("secrets") }, change: only(0), want: "yes no yes unknown"},
		{
			what: "without the permission for settings", push: workflow("jobs: {test: {steps: [{run: npm ci}]}}"), do: func(p *place) { p.deny("administration") },
			change: oneStep("Run npm ci"), want: "yes no no unknown", detail: `"administration=read"`,
		},
		{
			what: "without the permission for runners", do: func(p *place) { p.deny("organization_self_hosted_runners") },
			change: func(run *githubtest.Run) {
				run.Jobs = run.Jobs[1:2]
				run.Jobs[0].Labels = nil
				run.Jobs[0].Labels = []string{"x"}
			}, want: "yes unknown yes yes", detail: `"organization_self_hosted_runners=read"`,
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			w := newWorld(t)
			p := &place{world: w, web: w.add("web", nil)}
			w.secrets(p.web)
			p.clean = head(p.web, "refs/heads/main")
			w.sweep()
			if tt.push == nil {
				tt.push = bad
			}
			p.broken = p.web.Push("main", files(tt.push)).String()
			p.web.Push("main", files(nil))
			w.sweep()
			if tt.do != nil {
				tt.do(p)
			}
			ran(p.web, p.broken, day(0, 2), func(run *githubtest.Run) {
				if tt.change != nil {
					tt.change(run)
				}
				for _, commit := range []*string{&run.Head, &run.Base} {
					switch *commit {
					case "clean":
						*commit = p.clean
					case "broken":
						*commit = p.broken
					}
				}
				for uses := range run.Referenced {
					run.Referenced[uses] = p.then
				}
			})
			r := w.ask(func(q *exposure.Question) {
				q.Commits = []exposure.Commit{{Repository: "acme/web", ID: p.broken}} // as a push told
				if strings.Contains(tt.what, "cannot be read whole") || strings.HasPrefix(tt.what, "without the permission for files") {
					q.Commits = nil
				}
			})
			got := strings.Join(strings.Fields(said(r))[3:], " ")
			if got != tt.want {
				t.Errorf("%s, want %s\n%s\n%+v", got, tt.want, jobs(r), r.Gaps)
			}
			details := jobs(r)
			for _, id := range []string{triage.CIInstalled, triage.CISelfHosted, triage.CISecrets, triage.CIPublishes} {
				details += r.Facts[id].Data.Detail + "\n"
			}
			if !strings.Contains(details, tt.detail) {
				t.Errorf("%q is not in\n%s", tt.detail, details)
			}
		})
	}
}

func (w *world) deny(permission string) {
	in := w.server.Installation()
	w.server.Update(func() { delete(in.Permissions, permission) })
}

// TestPermittedOnce: which of the permissions an installation lacks is found out once, and not for
// each question.
func TestPermittedOnce(t *testing.T) {
	w := newWorld(t)
	in := w.server.Installation()
	w.server.Update(func() { delete(in.Permissions, "secrets"); delete(in.Permissions, "administration") })
	tokens := func() int { return w.server.Totals().Requests[githubtest.Token] }
	read := exposure.Reader(w.client(), nil)
	for i := range 5 {
		if _, err := read(t.Context(), "acme", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if n := tokens(); i > 0 && n > 3 {
			t.Errorf("%d tokens were asked for after %d questions", n, i+1)
		}
	}
}

package exposure_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// paid are the requests to REST since the last look that count for the hour's limit.
type paid struct{ all, free int }

func (p *paid) since(w *world) (n int) {
	t := w.server.Totals()
	all, free := t.Requests[githubtest.REST], t.Conditional
	n = all - p.all - (free - p.free)
	p.all, p.free = all, free
	return n
}

// worm makes repositories that all hold the bad version, each with a run that installed it.
func worm(w *world, n int) {
	for i := range n {
		r := w.add(fmt.Sprintf("web-%d", i), bad)
		w.secrets(r)
		ran(r, head(r, "refs/heads/main"), day(0, 2), nil)
	}
	w.sweep()
	w.sweep()
}

// TestAskedAgain: who asks about a worm in many repositories again and again is answered the same, and spends
// next to nothing of the hour's requests on it; and what is new is seen.
func TestAskedAgain(t *testing.T) {
	const many = 30
	w := newWorld(t)
	worm(w, many)
	var p paid
	p.since(w)
	first := w.ask(nil)
	if n := p.since(w); n < 6*many || n > 12*many {
		t.Errorf("the first time: %d requests", n)
	}
	if got, want := said(first), "yes no yes yes yes yes yes"; got != want || len(first.Runs) != many {
		t.Fatalf("answers %s, %d runs", got, len(first.Runs))
	}
	again := func(what string, after time.Duration, most, runs int, change func(q *exposure.Question)) *exposure.Report {
		t.Helper()
		w.now = w.now.Add(after)
		r := w.ask(change)
		if n := p.since(w); n > most {
			t.Errorf("%s: %d requests, want at most %d", what, n, most)
		}
		if got, want := said(r), said(first); got != want || len(r.Runs) != runs {
			t.Errorf("%s: answers %s, want %s; %d runs, want %d", what, got, want, len(r.Runs), runs)
		}
		return r
	}
	same := again("at once", 20*time.Second, 0, many, nil)
	if diff := cmp.Diff(first.Runs, same.Runs); diff != "" {
		t.Error(diff)
	}
	if got, want := same.Window.Until, w.now.Add(-20*time.Second); !got.Equal(want) {
		t.Errorf("runs were looked at until %s, want %s", got, want)
	}
	if same := again("after an hour in which nothing happened", time.Hour, 0, many, nil); !same.Window.Until.Equal(w.now) {
		t.Errorf("runs were looked at until %s", same.Window.Until)
	}

	// A run that has begun since: at once where the question is of a commit of it, else a little later.
	web := w.server.Repo("acme/web-7")
	commit := head(web, "refs/heads/main")
	ran(web, commit, w.now, nil)
	again("a run that has just begun", time.Second, 0, many, nil)
	again("the same, of its commit", time.Second, 10, many+1, func(q *exposure.Question) {
		q.Commits = []exposure.Commit{{Repository: "acme/web-7", ID: commit}}
	})
	web = w.server.Repo("acme/web-8")
	ran(web, head(web, "refs/heads/main"), w.now, nil)
	again("a run that began a minute ago", time.Minute, 10, many+2, nil)

	// Other packages of the campaign are asked about the same runs.
	again("another version", 0, 0, many+2, func(q *exposure.Question) {
		q.Signal = signal(badPURL)
		q.Window.From = badFrom.Add(time.Hour)
	})
}

// TestSeenSince: what GitHub said before the runs can have begun that come of what a signal saw is not
// believed, however many repositories there are.
func TestSeenSince(t *testing.T) {
	if testing.Short() {
		t.Skip("400 repositories")
	}
	w := newWorld(t)
	worm(w, 400)
	seen := w.now
	of := func(q *exposure.Question) { q.Signal.LastSeen = seen }
	w.ask(of)
	web := w.server.Repo("acme/web-7")
	ran(web, head(web, "refs/heads/main"), w.now, nil)
	for _, tt := range []struct {
		after time.Duration
		runs  int
	}{{5 * time.Minute, 400}, {6 * time.Minute, 401}} {
		w.now = w.now.Add(tt.after)
		if r := w.ask(of); len(r.Runs) != tt.runs {
			t.Errorf("after %s: %d runs, want %d", tt.after, len(r.Runs), tt.runs)
		}
	}
}

// TestAskedAgainByAnotherToken: where GitHub's ETags are of one token, what cannot change is still not asked
// for again.
func TestAskedAgainByAnotherToken(t *testing.T) {
	const many = 10
	w := newWorld(t)
	w.server.Close()
	w.server = githubtest.Start(t, githubtest.Options{TagsByToken: true})
	in := w.server.Installation()
	w.server.Update(func() {
		for name, level := range exposure.Permissions() {
			in.Permissions[name] = level
		}
	})
	w.asker.GitHub = exposure.Reader(w.client(), func() time.Time { return w.now })
	worm(w, many)
	var p paid
	first := w.ask(nil)
	p.since(w)
	w.now = w.now.Add(2 * time.Hour) // over the token, and over what the installation is believed to be permitted
	r := w.ask(nil)
	if diff := cmp.Diff(first.Runs, r.Runs); diff != "" {
		t.Error(diff)
	}
	if n := p.since(w); n > 7*many {
		t.Errorf("%d requests", n)
	}
}

// TestFaultsAreForgotten: what GitHub did not tell is asked for again, whatever was believed meanwhile.
func TestFaultsAreForgotten(t *testing.T) {
	for _, path := range []string{"/actions/runs", "/git/trees/*", "/actions/runs/*/jobs", "/contents/*", "/actions/secrets"} {
		w := newWorld(t)
		worm(w, 2)
		mend := w.server.Break(githubtest.Rule{Path: "/api/v3/repos/*/*" + path, Fault: githubtest.NotFound()})
		if r := w.ask(nil); len(r.Gaps) == 0 && r.Facts[triage.CIInstalled].Data.Truth != triage.Unknown {
			t.Errorf("without %s: %s", path, said(r))
		}
		mend()
		if r := w.ask(nil); len(r.Runs) != 2 || len(r.Runs[0].Jobs) != 3 || len(r.Gaps) > 0 || said(r) != "yes no yes yes yes yes yes" {
			t.Errorf("with %s again: %s, %d runs, %v", path, said(r), len(r.Runs), r.Gaps)
		}
	}
}

// TestMovedNames: what stands under a name that only looks like a commit is asked for again.
func TestMovedNames(t *testing.T) {
	w := newWorld(t)
	name := strings.Repeat("ab", 32)
	action := func(step string) map[string]string {
		return map[string]string{"action.yml": "runs: {using: composite, steps: [{run: " + step + ", shell: bash}]}\n"}
	}
	tool := w.server.AddFiles("tool", action("echo hello"))
	tool.Push(name, action("echo hello"))
	web := w.add("web", map[string]string{
		"package-lock.json": lock(badName, "6.6.6"), ".github/workflows/ci.yml": "jobs: {test: {steps: [{uses: acme/tool@" + name + "}]}}\n",
	})
	w.sweep()
	w.sweep()
	ran(web, head(web, "refs/heads/main"), day(0, 2), func(run *githubtest.Run) {
		run.Jobs = []githubtest.Job{{Name: "test", Steps: []githubtest.Step{{Name: "Run acme/tool@" + name}}}}
	})
	for _, tt := range []struct{ step, want string }{{"echo hello", "no"}, {"npm ci", "yes"}} {
		tool.Push(name, action(tt.step))
		w.now = w.now.Add(time.Minute)
		if got := w.ask(nil).Facts[triage.CIInstalled].Data; got.Truth.String() != tt.want {
			t.Errorf("%q: %+v, want %s", tt.step, got, tt.want)
		}
	}
}

// TestBrokenOff: what goes wrong in looking at one repository leaves the question open, and the others are told.
func TestBrokenOff(t *testing.T) {
	w := newWorld(t)
	worm(w, 3)
	read := w.asker.GitHub
	w.asker.GitHub = func(ctx context.Context, owner string, since time.Time) (*ghread.Reader, error) {
		if since.Equal(w.now) { // of the repository that the question names
			return ghread.New(nil), nil // which panics
		}
		return read(ctx, owner, since)
	}
	r := w.ask(func(q *exposure.Question) {
		q.Commits = []exposure.Commit{{Repository: "acme/web-1", ID: head(w.server.Repo("acme/web-1"), "refs/heads/main")}}
	})
	if len(r.Runs) != 2 || len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0].Detail, `looking at "acme/web-1" broke off`) {
		t.Errorf("%d runs, gaps %v", len(r.Runs), r.Gaps)
	}
}

// TestLimited: a fourth of what GitHub allows is left to others, what that keeps back is open, and each question
// goes on where the one before it ended.
func TestLimited(t *testing.T) {
	t.Parallel()
	const many, core = 12, 60
	w := newWorld(t)
	worm(w, many)
	w.asker.GitHub = exposure.Reader(w.client(), func() time.Time { return w.now })
	w.server.SetLimits(githubtest.Limits{Core: core, Window: 2 * time.Second})
	rounds := 0
	for ; rounds < 10; rounds++ {
		r := w.ask(func(q *exposure.Question) { q.Patient = true })
		if r.Later.IsZero() {
			if len(r.Gaps) > 0 || len(r.Runs) != many || said(r) != "yes no yes yes yes yes yes" {
				t.Errorf("whole: %s, %d runs, %v", said(r), len(r.Runs), r.Gaps)
			}
			break
		}
		if left, _ := w.server.Bucket(w.server.Installation(), "core"); len(r.Gaps) == 0 || left < core/4 {
			t.Errorf("round %d: %d requests left, gaps %v", rounds, left, r.Gaps)
		}
		time.Sleep(time.Until(r.Later))
	}
	if rounds == 0 || rounds > 4 {
		t.Errorf("whole after %d rounds", rounds)
	}
}

// TestRunningNow: the jobs of a run that is not over, or has only just ended, are asked for each time, also when
// the time has come in which what is asked for the first time holds.
func TestRunningNow(t *testing.T) {
	w := newWorld(t)
	w.server.Break(githubtest.Rule{Kind: githubtest.REST, Fault: func(e *githubtest.Exchange) {
		e.Serve()
		e.Header.Set("Date", w.now.UTC().Format(http.TimeFormat))
	}})
	web := w.add("web", bad)
	w.sweep()
	w.sweep()
	run := ran(web, head(web, "refs/heads/main"), w.now, func(run *githubtest.Run) {
		run.End = time.Time{}
		run.Jobs = run.Jobs[:1]
		run.Jobs[0].Steps = run.Jobs[0].Steps[:2]
	})
	had := func() string {
		var out []string
		for _, run := range w.ask(nil).Runs {
			for _, j := range run.Jobs {
				out = append(out, j.Installed.Truth.String())
			}
		}
		return strings.Join(out, " ")
	}
	change := func(do func(run *githubtest.Run), then time.Duration) {
		do(&run)
		web.Change(func(r *githubtest.Repository) { r.Actions.Runs[len(r.Actions.Runs)-1] = run })
		w.now = w.now.Add(then)
	}
	for _, tt := range []struct {
		what string
		do   func(run *githubtest.Run)
		then time.Duration
		want string
	}{
		{"while it runs", func(*githubtest.Run) {}, 10 * time.Second, "unknown"},
		{"once it has ended, and GitHub does not say yet of each step how", func(run *githubtest.Run) { run.End = w.now }, 10 * time.Second, "unknown"},
		{"when GitHub says so", func(run *githubtest.Run) {
			run.Jobs = []githubtest.Job{{Name: "test", Steps: append(run.Jobs[0].Steps, githubtest.Step{Name: "Run npm ci"})}}
		}, time.Second, "unknown"}, // of seconds ago
		{"and once nothing changes any more", func(*githubtest.Run) {}, time.Hour, "yes"},
		{"which holds", func(run *githubtest.Run) { run.Jobs = nil }, time.Hour, "yes"},
	} {
		change(tt.do, tt.then)
		if got := had(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

package planner_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// world is a registry, what is kept of it, and a clock.
type world struct {
	*testing.T
	registry *registrytest.Server
	records  *store.Records
	now      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	w := &world{T: t, registry: registrytest.New(t), records: st.Records("registry"), now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.registry.NPM().Publish(name, registrytest.NPMVersion{Version: "1.0.0", Time: w.now.AddDate(-1, 0, 0)})
	}
	return w
}

// kept is for a plan of now.
func (w *world) kept(ask bool) *planner.Kept {
	k := &planner.Kept{Records: w.records, Most: 100, Now: func() time.Time { return w.now }}
	if ask {
		k.Asker = planner.NewAsker(planner.AskerOptions{Addresses: map[registry.Kind]string{registry.NPM: w.registry.NPM().URL}})
	}
	return k
}

func (w *world) ask(k *planner.Kept, name string) planner.Answer {
	w.Helper()
	a, err := k.Theirs(context.Background(), ecosystem.NPM, name, []string{"9.9.9"})
	if err != nil {
		w.Fatal(err)
	}
	if (a.Listing == nil) == (a.Gap == "") {
		w.Errorf("%s: a listing or a gap: %+v", name, a)
	}
	return a
}

func (w *world) asked() int { return w.registry.Counts()["npm packument"].Requests }

// TestKept: what a registry said is good for an hour, and used for a day where it does not answer then;
// after that it is a gap.
func TestKept(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		about  string
		after  time.Duration
		ask    bool
		broken bool
		told   bool // a listing
		gap    string
		open   bool
		asked  int // so far
	}{
		{about: "nobody asked yet", gap: "its registry has not been asked yet", open: true},
		{about: "it fails", ask: true, broken: true, gap: "its registry did not say: it did not answer", open: true},
		{about: "nobody asks, and it failed", gap: "its registry did not say: it did not answer", open: true},
		{about: "it answers", ask: true, told: true, asked: 1},
		{about: "within the hour", after: 59 * time.Minute, ask: true, told: true, asked: 1},
		{about: "an hour later, nobody asks", after: 2 * time.Minute, told: true, open: true, asked: 1},
		{about: "an hour later", ask: true, told: true, asked: 2},
		{about: "two hours later it fails", after: 2 * time.Hour, ask: true, broken: true, told: true, open: true, asked: 2},
		{about: "a day later it still fails", after: 23 * time.Hour, ask: true, broken: true, gap: "its registry did not say: it did not answer", open: true, asked: 2},
		{about: "it answers again", ask: true, told: true, asked: 3},
		{about: "the clock was wrong", after: -48 * time.Hour, ask: true, told: true, asked: 4},
	} {
		w.now = w.now.Add(step.after)
		mend := func() {}
		if step.broken {
			mend = w.registry.Break(registrytest.Rule{Path: "/npm/a", Fault: registrytest.Reset()})
		}
		k := w.kept(step.ask)
		a := w.ask(k, "a")
		mend()
		if (a.Listing != nil) != step.told || a.Gap != step.gap || k.Open() != step.open || w.asked() != step.asked {
			t.Errorf("%s: listing %t, gap %q, open %t, asked %d; want %+v", step.about, a.Listing != nil, a.Gap, k.Open(), w.asked(), step)
		}
	}
}

// TestKeptFinal: that a registry has none of a name is an answer.
func TestKeptFinal(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		k := w.kept(true)
		if a := w.ask(k, "none"); a.Gap != "its registry has none of that name" || k.Open() {
			t.Errorf("%+v, open %t", a, k.Open())
		}
	}
	if w.asked() != 1 {
		t.Errorf("asked %d times", w.asked())
	}
	k := w.kept(true)
	k.Unasked = "nobody is asked"
	if a := w.ask(k, "a"); a.Gap != "nobody is asked" || k.Open() {
		t.Errorf("%+v", a)
	}
	a, err := k.Theirs(t.Context(), ecosystem.Actions, "acme/action", nil)
	if err != nil || a.Listing != nil || a.Gap == "" || k.Open() {
		t.Errorf("an action: %+v, %v", a, err)
	}
}

// TestKeptBounds: so many names are asked for one plan, and a registry that fails is soon left alone.
func TestKeptBounds(t *testing.T) {
	w := newWorld(t)
	k := w.kept(true)
	k.Most = 2
	gaps := 0
	for _, name := range []string{"a", "b", "c"} {
		if w.ask(k, name).Gap != "" {
			gaps++
		}
	}
	if w.asked() != 2 || gaps != 1 || !k.Open() {
		t.Errorf("asked %d times, %d gaps, open %t", w.asked(), gaps, k.Open())
	}
	w = newWorld(t)
	w.registry.Break(registrytest.Rule{Fault: registrytest.Reset()})
	var failed []string
	k = w.kept(true)
	k.Asker = planner.NewAsker(planner.AskerOptions{Addresses: map[registry.Kind]string{registry.NPM: w.registry.NPM().URL}, Failed: func(artifact string, _ error) { failed = append(failed, artifact) }})
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.ask(k, name)
	}
	if got := strings.Join(failed, " "); got != "npm:a npm:b npm:c" {
		t.Errorf("asked about %s", got)
	}
}

// TestExposed: what a report of CI runs says, and does not say, for a plan.
func TestExposed(t *testing.T) {
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	report := &exposure.Report{
		Facts: triage.Facts{},
		Runs: []exposure.Run{
			{Repository: "acme/web", ID: 7, Workflow: "ci.yml", Started: began, Jobs: []exposure.Job{
				{
					Name: "test", Installed: triage.Said("github", true, "it ran"), Runner: exposure.SelfHosted, RunnerName: "pool-3", Token: []string{"contents"}, IDToken: true,
					Secrets: []exposure.Secret{{Name: "OLD", Scope: "repository", Updated: began.Add(-time.Hour)}, {Name: "NEW", Updated: began.Add(time.Hour)}},
				},
				{Name: "lint", Installed: triage.Said("github", false, "no step installs")},
				{Name: "other", Installed: triage.Unsaid("github", "a script"), Unknown: "the workflow \"x\": GET: 502", AllSecrets: "toJSON(secrets)"},
			}},
			{Repository: "acme/api", ID: 8},
		},
		Gaps: []exposure.Gap{
			{Question: triage.CIInstalled, Gap: verify.Gap{Code: verify.GapNoAnswer, Detail: "runs of \"acme/api\": read tcp 127.0.0.1:4711: reset"}},
			{Question: triage.CISecrets, Gap: verify.Gap{Code: verify.GapDenied, Detail: "the names of secrets: the token lacks the permission \"secrets\""}},
			{Question: triage.Locked, Gap: verify.Gap{Code: verify.GapNotServed, Detail: "of another question"}},
		},
	}
	jobs, gaps, open := planner.Exposed("pkg:npm/x@1", report)
	if len(jobs) != 2 || !open {
		t.Fatalf("%+v, open %t", jobs, open)
	}
	test, other := jobs[0], jobs[1]
	if test.Installed != respond.Yes || test.Runner != "self-hosted" || !test.Secrets[0].Changed.IsZero() || !test.Secrets[1].Changed.Equal(began.Add(time.Hour)) || !test.IDToken || test.Run != 7 {
		t.Errorf("%+v", test)
	}
	if other.Installed != respond.Unknown || other.Runner != "" || other.AllSecrets == "" || other.Gap != "the workflow \"x\": not all of it was told" {
		t.Errorf("%+v", other)
	}
	want := []string{"runs of \"acme/api\": not all of it was told", "the jobs of run 8 of acme/api", "the names of secrets: the token lacks the permission \"secrets\""}
	if !slices.Equal(gaps, want) {
		t.Errorf("%q, want %q", gaps, want)
	}
	if _, gaps, _ := planner.Exposed("pkg:npm/x@1", &exposure.Report{}); len(gaps) != 1 {
		t.Errorf("a report that answers nothing: %q", gaps)
	}
	no := triage.Facts{}.With(triage.CIInstalled, triage.Said("github", false, "none of the runs"))
	if jobs, gaps, open := planner.Exposed("pkg:npm/x@1", &exposure.Report{Facts: no}); len(jobs)+len(gaps) != 0 || open {
		t.Errorf("nobody installed it: %+v, %q, %t", jobs, gaps, open)
	}
}

func verification(name, version string, verdict verify.Verdict) *finding.Verification {
	return &finding.Verification{Source: "acme/sdk", Result: verify.Result{Kind: registry.NPM, Name: name, Version: version, Verdict: verdict}}
}

// TestKeep: what was bad stays bad while nobody can look, and no longer.
func TestKeep(t *testing.T) {
	before := []respond.Ours{{Kind: registry.NPM, Name: "@acme/sdk", PURL: "pkg:npm/%40acme/sdk", Source: "acme/sdk", Bad: []respond.BadVersion{{Version: "1.1.1"}}}}
	for _, tt := range []struct {
		about, good, unknown string
		bad                  int
	}{
		{"nothing is told of it", "", "", 1},
		{"the version is not known", "1.0.0", "1.1.1", 1},
		{"it was verified", "1.1.1", "", 0},
		{"it is gone", "1.0.0", "", 0},
	} {
		o := planner.Ours{}
		for version, verdict := range map[string]verify.Verdict{tt.good: verify.Verified, tt.unknown: verify.Unknown} {
			if version != "" {
				o.Verified(verification("@acme/sdk", version, verdict))
			}
		}
		o.Keep(before)
		bad := o.Bad()
		if len(bad) != tt.bad || tt.bad > 0 && (len(bad[0].Bad) != 1 || bad[0].Source != "acme/sdk" || slices.Contains(bad[0].Unknown, "1.1.1")) {
			t.Errorf("%s: %+v", tt.about, bad)
		}
	}
}

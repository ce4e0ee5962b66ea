package buildrun_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// TestFaults breaks each kind of request that a run costs, in each way: an answer that was had
// becomes unknown, with a reason, and none becomes another answer.
func TestFaults(t *testing.T) {
	newOne := func() *place {
		p := newPlace(t, nil)
		p.opts.Sleep = func(context.Context, time.Duration) error { return nil }
		p.repo.AddRun(outside(start.Add(-time.Hour), start.Add(time.Minute)))
		p.repo.AddCache(githubtest.Cache{Ref: "refs/heads/main", Key: "Linux-pnpm-store-6", Created: start.Add(-30 * time.Hour), Accessed: end})
		return p
	}
	p := newOne()
	p.server.ForgetLog()
	well := answers(p.ask(nil))
	paths := map[string]bool{}
	for _, e := range p.server.Log() {
		if e.Kind == githubtest.REST && strings.Contains(e.Path, "/repos/") {
			path, _, _ := strings.Cut(e.Path, "?")
			paths[path] = true
		}
	}
	if len(paths) < 8 {
		t.Fatalf("only %v", paths)
	}
	faults := map[string]githubtest.Fault{
		"502":     func(e *githubtest.Exchange) { e.Status = 502 },
		"HTML":    func(e *githubtest.Exchange) { e.Answer.WriteString("<title>Unicorn!</title>") },
		"nothing": func(e *githubtest.Exchange) { e.Answer.WriteString("{}") },
		"null":    func(e *githubtest.Exchange) { e.Answer.WriteString("null") },
		"a list":  func(e *githubtest.Exchange) { e.Answer.WriteString("[]") },
	}
	for path := range paths {
		for what, fault := range faults {
			p := newOne()
			// The commit differs from run to run of the test, and nothing else does.
			p.server.Break(githubtest.Rule{Path: path, Fault: fault})
			broken := answers(p.ask(nil))
			changed := false
			for name, a := range broken {
				if a.Truth == well[name].Truth {
					continue
				}
				changed = true
				if a.Truth != drift.Unknown || well["found"].Truth == broken["found"].Truth && (a.Gap.Code == "" || a.Gap.Detail == "") {
					t.Errorf("%s of %s: %s is %v (%+v), and was %v", what, path, name, a.Truth, a, well[name].Truth)
				}
			}
			raw := strings.Contains(path, "/contents/")
			lists := what == "a list" && strings.Contains(path, "/rules/")
			if !changed && !raw && !lists {
				t.Errorf("%s of %s changes nothing", what, path)
			}
		}
	}
}

func answers(r drift.Run) map[string]drift.Answer {
	return map[string]drift.Answer{
		"found": r.Found, "same": r.Same, "succeeded": r.Succeeded, "published": r.Published, "untrusted": r.Untrusted,
		"on-branch": r.OnBranch, "protected": r.Protected, "poisoned": r.Poisoned, "raced": r.Raced,
	}
}

// TestTanStack goes all the way: a pull request's run writes the cache, a release restores it and
// fails its tests, its step that publishes is skipped, and a version with valid provenance is in
// the registry.
func TestTanStack(t *testing.T) {
	p := newPlace(t, func(run *githubtest.Run, _ map[string]string) {
		run.Conclusion = "failure"
		run.Jobs = []githubtest.Job{{Name: "Release", Conclusion: "failure", Steps: []githubtest.Step{
			{Name: "Run actions/checkout@v4"}, {Name: "Test", Conclusion: "failure"}, {Name: "Publish Packages", Conclusion: "skipped"},
		}}}
	})
	p.repo.AddRun(outside(start.Add(-9*time.Hour), start.Add(-8*time.Hour)))
	p.repo.AddCache(githubtest.Cache{Ref: "refs/heads/main", Key: "Linux-pnpm-store-6f9233a5", Created: start.Add(-8 * time.Hour), Accessed: start.Add(time.Minute)})
	id := p.identity()
	r := p.reader()
	published := start.Add(5 * time.Minute)
	a := drift.Artifact{
		Policy:  policy.Artifact{Kind: registry.NPM, Name: "@tanstack/history", Source: "acme/router", Branch: "main", Run: true},
		Listing: registry.Listing{Kind: registry.NPM, Name: "@tanstack/history", Releases: []registry.Published{{Version: "1.161.9", Time: registry.Known(published), TrustedPublisher: registry.Known("github"), Head: registry.Known(p.head)}}},
		Source:  r.Source(t.Context(), buildrun.Wanted{Repository: "acme/router", Branch: "main", Heads: []string{p.head}, RunsFrom: start.AddDate(0, 0, -1)}),
		Subjects: []drift.Subject{{
			Attested: registry.Present, Proofs: []verify.Proof{{Kind: verify.KindProvenance, Identity: &id, Time: published}},
			Run: r.Run(t.Context(), buildrun.Question{Identity: id, Signed: published, Kind: registry.NPM, Branch: "main"}),
		}},
	}
	result := drift.Results([]drift.Artifact{a})[0].Versions[0]
	var fired []string
	for _, s := range result.Signals {
		fired = append(fired, s.Rule)
	}
	if got, want := fmt.Sprint(result.Verdict, fired), "suspicious[run-failed publish-step cache-untrusted]"; got != want {
		t.Errorf("%s, want %s: %+v", got, want, result)
	}
}

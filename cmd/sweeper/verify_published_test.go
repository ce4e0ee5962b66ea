package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// Everything was published well, and nothing is new on the second day: no signature is checked,
// nothing but whether there is news is asked, and the answer is the same. On the third day there
// is a new version of everything, which alone is checked.
func TestPublishedWell(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) string{
		"SQLite":     func(*testing.T) string { return "inventory.db" },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Start(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.args = append(w.args, "--inventory", open(t))
			first := w.run()
			first.is(t, 0)
			if len(first.verdicts) != 21 || first.counts.Good != 7 || first.counts.Checked != 24 { // of Go two proofs each
				t.Errorf("%d versions, %+v", len(first.verdicts), first.counts)
			}

			w.registry.Forget()
			w.harbor.Forget()
			w.github.ForgetLog()
			second := w.run()
			second.is(t, 0)
			if second.counts.Checked != 0 || second.counts.Requests != 7 || second.counts.Unchanged != 7 || !maps.Equal(first.verdicts, second.verdicts) {
				t.Errorf("on the second day: %+v, %v", second.counts, second.verdicts)
			}
			counts := w.registry.Counts()
			for kind, c := range counts {
				switch {
				case kind == "oci tags" && c.Requests == 2, kind == "oci manifests" && c.Requests == 6: // two images of three tags: each tag is resolved
				case c.Requests != 1 || c.NotModified != 1:
					t.Errorf("on the second day, %s: %+v", kind, c)
				}
			}
			if h := w.harbor.Counts(); len(counts) != 5 || len(h) != 1 || h["harbor artifacts"].Requests != 1 {
				t.Errorf("on the second day: %v, %v", counts, h)
			}
			// Tags and releases of each repository, what cli publishes and from which tags, and what the App is on.
			if asked := w.github.Totals(); asked.Requests[githubtest.REST] > 2*7+3 {
				t.Errorf("on the second day, of GitHub: %v: %v", asked, asked.Routes)
			}

			w.publish("1.3.0", time.Now())
			third := w.run()
			third.is(t, 0)
			if len(third.verdicts) != 28 || third.counts.Checked != 8 {
				t.Errorf("on the third day: %d versions, %+v", len(third.verdicts), third.counts)
			}
		})
	}
}

// attack is what somebody does to the world, and what is said of it then. mend takes it back.
type attack struct {
	name string
	do   func(w *world) (mend func())
	exit int
	bad  []string
	// after is what is left when it was taken back; nil: everything is verified again.
	exitAfter int
	after     []string
	gone      []string
}

// TestAttacks lets each attack happen on a day of its own, after a good one, and takes it back.
func TestAttacks(t *testing.T) {
	rogue := func(id func(w *world, at time.Time) (signer func() registrytest.NPMVersion)) func(w *world) func() {
		return func(w *world) func() {
			v := id(w, time.Now())()
			w.npm.Publish("@acme/sdk", v)
			return func() { w.npm.Unpublish("@acme/sdk", v.Version) }
		}
	}
	// signed is a version with provenance by a run of acme/sdk.
	signed := func(version string, change func(run *githubtest.Run), then func(w *world, at time.Time)) func(w *world) func() {
		return rogue(func(w *world, at time.Time) func() registrytest.NPMVersion {
			return func() registrytest.NPMVersion {
				id := w.tag("sdk", version, at, change)
				if then != nil {
					then(w, at)
				}
				tarball := registrytest.Tarball("@acme/sdk", version)
				return registrytest.NPMVersion{
					Version: version, Time: at, User: "acme-releases", Email: "releases@acme.example", TrustedPublisher: "github", Tarball: tarball, GitHead: id.SourceDigest,
					Attestations: []registrytest.NPMAttestation{{PredicateType: "https://slsa.dev/provenance/v1", Bundle: w.provenance(version, tarball, id, at)}},
				}
			}
		})
	}
	gone := []string{"sdk 1.2.1"}
	for _, tt := range []attack{
		{
			name: "a rogue version by a token", exit: 1, bad: []string{"sdk 1.2.1 suspicious no-release-nearby tag-missing token-publish provenance-dropped"}, gone: gone,
			do: rogue(func(_ *world, at time.Time) func() registrytest.NPMVersion {
				return func() registrytest.NPMVersion {
					return registrytest.NPMVersion{
						Version: "1.2.1", Time: at, User: "acme-releases", Email: "releases@acme.example",
						Scripts: map[string]string{"postinstall": "node setup.js"},
					}
				}
			}),
		},
		{
			name: "provenance of another workflow", exit: 1, bad: []string{"sdk 1.2.1 identity-mismatch wrong-identity"}, gone: gone,
			do: signed("1.2.1", func(run *githubtest.Run) { run.Workflow = setupWorkflow }, nil),
		},
		{
			name: "a run by pull_request_target", exit: 1, bad: []string{"sdk 1.2.1 identity-mismatch wrong-identity"}, gone: gone,
			do: signed("1.2.1", func(run *githubtest.Run) { run.Event = "pull_request_target" }, nil),
		},
		{
			name: "the step that publishes was skipped", exit: 1, bad: []string{"sdk 1.2.1 suspicious publish-step"}, gone: gone,
			do: signed("1.2.1", func(run *githubtest.Run) { run.Jobs[0].Steps[3].Conclusion = "skipped" }, nil),
		},
		{
			name: "a poisoned cache", exit: 1, bad: []string{"sdk 1.2.1 suspicious cache-untrusted"}, gone: gone,
			do: signed("1.2.1", nil, func(w *world, at time.Time) {
				w.repo("sdk").AddRun(githubtest.Run{Workflow: setupWorkflow, Event: "pull_request_target", Branch: "patch-1", Head: w.head("sdk"), Actor: "wren", Start: at.Add(-3 * time.Hour), End: at.Add(-2 * time.Hour)})
				w.repo("sdk").AddCache(githubtest.Cache{Ref: "refs/heads/main", Key: "store-" + strings.Repeat("6", 64), Created: at.Add(-2*time.Hour - time.Minute), Accessed: at.Add(-time.Minute)})
			}),
		},
		{
			name: "a wheel is added late", exit: 1, bad: []string{"lib 1.2.0 suspicious late-file missing-required"},
			do: func(w *world) func() {
				w.uploadWheel("acme_lib-1.2.0-cp313-none-any.whl", "1.2.0", nil, time.Now())
				return func() { w.pypi.DeleteFile("acme-lib", "acme_lib-1.2.0-cp313-none-any.whl") }
			},
		},
		{
			name: "an image's tag is moved to one that is not signed", exit: 1, bad: []string{"app 1.2.0 regression image-tag-unsigned image-tag-moved"},
			do: func(w *world) func() {
				old := w.resolve("app", "1.2.0")
				w.pushUnsigned("app", "1.2.0", "evil", time.Now())
				return func() { w.move("app", "1.2.0", old) }
			},
		},
		{
			name: "a stranger signs beside us", exit: 0,
			do: func(w *world) func() {
				digest := w.pushUnsigned("app", "1.3.0", "app 1.3.0", time.Now())
				id := w.tag("app", "1.3.0", time.Now(), nil)
				for _, by := range []sigtest.Signing{{Identity: id}, {Identity: sigtest.Workflow("eve/app", "release.yml", "refs/tags/v1.3.0")}} {
					if err := w.images("app").Sign(w.Context(), digest, w.sigstore, by); err != nil {
						w.Fatal(err)
					}
				}
				return func() {}
			},
		},
		{
			name: "a Go tag is moved", exit: 1, bad: []string{"gomod v1.2.0 suspicious git-tag-moved"},
			do: func(w *world) func() {
				old := w.ref("gomod", "refs/tags/v1.2.0")
				evil := w.repo("gomod").Push("main", w.files("gomod", publishing["gomod"], "evil"))
				w.repo("gomod").Memory().SetRef("refs/tags/v1.2.0", evil)
				return func() { w.repo("gomod").Memory().SetRef("refs/tags/v1.2.0", old) }
			},
		},
		{
			name: "a Go tag is deleted", exit: 1, bad: []string{"gomod v1.2.0 suspicious tag-missing"},
			do: func(w *world) func() {
				old := w.ref("gomod", "refs/tags/v1.2.0")
				w.repo("gomod").Memory().SetRef("refs/tags/v1.2.0", [20]byte{})
				return func() { w.repo("gomod").Memory().SetRef("refs/tags/v1.2.0", old) }
			},
		},
		{
			name: "a registry is down", exit: 3, bad: []string{"sdk 1.0.0 unknown no-answer", "sdk 1.1.0 unknown no-answer", "sdk 1.2.0 unknown no-answer"},
			do: func(w *world) func() {
				return w.registry.Break(registrytest.Rule{Path: "/npm/*", Fault: registrytest.Fails(503, "text/plain", "down")})
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.args = append(w.args, "--inventory", "inventory.db")
			w.run().is(t, 0)
			mend := tt.do(w)
			bad := w.run()
			bad.is(t, tt.exit, tt.bad...)
			w.run().is(t, tt.exit, tt.bad...) // an alarm lasts
			mend()
			after := w.run()
			after.is(t, tt.exitAfter, tt.after...)
			if !slices.Equal(after.gone, tt.gone) {
				t.Errorf("gone: %q; want %q", after.gone, tt.gone)
			}
		})
	}
}

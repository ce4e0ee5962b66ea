package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
	note string   // what is said of a version that is verified
	gone []string // when it was taken back, and everything else is verified again
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
			name: "a stranger signs beside us", exit: 0, note: "app 1.3.0 other-signer",
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
			name: "an image is signed after it was looked at", exit: 1, bad: []string{"app 1.3.0 regression missing-required"},
			do: func(w *world) func() {
				now := time.Now()
				digest, id := w.pushUnsigned("app", "1.3.0", "app 1.3.0", now), w.tag("app", "1.3.0", now, nil)
				return func() {
					if err := w.images("app").Sign(w.Context(), digest, w.sigstore, sigtest.Signing{Identity: id, At: now}); err != nil {
						w.Fatal(err)
					}
				}
			},
		},
		{
			name: "an image is signed with another key", exit: 1, bad: []string{"keyed 1.3.0 identity-mismatch wrong-key"}, gone: []string{"keyed 1.3.0"},
			do: func(w *world) func() {
				key, now := w.key, time.Now()
				var err error
				if w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
					w.Fatal(err)
				}
				w.pushImage("keyed", "1.3.0", w.tag("keyed", "1.3.0", now, nil), now)
				w.key = key
				return func() { w.delete("keyed", "1.3.0") }
			},
		},
		{
			name: "an image behind Harbor is by another workflow", exit: 1, bad: []string{"box 1.3.0 identity-mismatch wrong-identity"}, gone: []string{"box 1.3.0"},
			do: func(w *world) func() {
				now := time.Now()
				w.pushImage("box", "1.3.0", w.tag("box", "1.3.0", now, func(run *githubtest.Run) { run.Workflow = setupWorkflow }), now)
				return func() { w.artifacts.Remove("acme/box", w.resolve("box", "1.3.0")) }
			},
		},
		{
			name: "an asset that nobody attested is added to a release", exit: 1, bad: []string{"cli v1.2.0 regression missing-required"},
			do: func(w *world) func() {
				add := func(assets []githubtest.Asset) []githubtest.Asset {
					return append(assets, githubtest.Asset{ID: 99_999, Name: "evil.tgz", Data: []byte("evil"), At: time.Now()})
				}
				w.assets("v1.2.0", add)
				return func() { w.assets("v1.2.0", func(a []githubtest.Asset) []githubtest.Asset { return a[:1] }) }
			},
		},
		{
			name: "an asset of a release is replaced", exit: 1, bad: []string{"cli v1.2.0 suspicious digest-changed"},
			do: func(w *world) func() {
				data := []byte("cli 1.2.0")
				put := func(data []byte) func(a []githubtest.Asset) []githubtest.Asset {
					return func(a []githubtest.Asset) []githubtest.Asset {
						a[0].Data = data
						return a
					}
				}
				w.assets("v1.2.0", put([]byte("evil")))
				return func() { w.assets("v1.2.0", put(data)) }
			},
		},
		{
			name: "a run that has not ended", exit: 3, bad: []string{"sdk 1.3.0 unknown no-answer"},
			do: func(w *world) func() {
				now := time.Now()
				w.publishNPM("1.3.0", w.tag("sdk", "1.3.0", now, func(run *githubtest.Run) { run.Status = "in_progress" }), now)
				return func() {
					w.repo("sdk").Change(func(r *githubtest.Repository) {
						last := &r.Actions.Runs[len(r.Actions.Runs)-1]
						last.Status, last.Conclusion = "completed", "success"
					})
				}
			},
		},
		{
			name: "the registry serves other bytes", exit: 1, bad: []string{"sdk 1.3.0 identity-mismatch wrong-digest"},
			do: func(w *world) func() {
				now := time.Now()
				w.publishNPM("1.3.0", w.tag("sdk", "1.3.0", now, nil), now)
				evil := registrytest.Tarball("@acme/sdk", "6.6.6")
				return w.registry.Break(registrytest.Rule{Path: "/npm/@acme/sdk/-/*", Fault: registrytest.Edited(func([]byte) []byte { return evil })})
			},
		},
		{
			name: "the proxy serves other bytes", exit: 1, bad: []string{"gomod v1.3.0 identity-mismatch wrong-digest"},
			do: func(w *world) func() {
				now := time.Now()
				w.tag("gomod", "1.3.0", now, nil)
				w.publishGo("1.3.0", now)
				evil, err := registrytest.MakeGoModule(modulePath, "v1.3.0", now, "go.mod", "module "+modulePath+"\n", "m.go", "package evil\n")
				if err == nil {
					err = w.proxy.PublishUnlogged(evil)
				}
				if err != nil {
					w.Fatal(err)
				}
				return func() { w.publishGo("1.3.0", now) }
			},
		},
		{
			name: "the checksum database has another history", exit: 1, bad: []string{"gomod v1.3.0 identity-mismatch log-fork"},
			do: func(w *world) func() {
				lines, err := registrytest.GoSum(w.module("1.0.0", w.began))
				if err != nil {
					w.Fatal(err)
				}
				if err := w.proxy.Log.Rewrite(0, strings.ReplaceAll(lines, "h1:", "h1:AAAA")); err != nil {
					w.Fatal(err)
				}
				now := time.Now()
				w.tag("gomod", "1.3.0", now, nil)
				w.publishGo("1.3.0", now)
				return func() {
					if err := w.proxy.Log.Rewrite(0, lines); err != nil {
						w.Fatal(err)
					}
				}
			},
		},
		{
			name: "the checksum database forgets", exit: 1, bad: []string{"gomod v1.3.0 identity-mismatch log-fork"},
			do: func(w *world) func() {
				now := time.Now()
				w.tag("gomod", "1.3.0", now, nil)
				if err := w.proxy.Log.RollBack(1); err != nil {
					w.Fatal(err)
				}
				w.publishGo("1.3.0", now)
				return func() {
					if err := w.proxy.Log.RollBack(1); err != nil {
						w.Fatal(err)
					}
					for _, version := range []string{"1.1.0", "1.2.0", "1.3.0"} {
						w.publishGo(version, now)
					}
				}
			},
		},
		{
			name: "the checksum database is down", exit: 3, bad: []string{"gomod v1.3.0 unknown no-answer"},
			do: func(w *world) func() {
				now := time.Now()
				w.tag("gomod", "1.3.0", now, nil)
				w.publishGo("1.3.0", now)
				return w.registry.Break(registrytest.Rule{Path: "/go/sumdb/*", Fault: registrytest.Fails(503, "text/plain", "down")})
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
			again := w.run()
			again.is(t, tt.exit, tt.bad...) // an alarm lasts
			if i := strings.LastIndex(tt.note, " "); i > 0 && !(slices.Contains(bad.why[tt.note[:i]], tt.note[i+1:]) && slices.Contains(again.why[tt.note[:i]], tt.note[i+1:])) {
				t.Errorf("%q is not said: %q, then %q", tt.note, bad.why, again.why)
			}
			mend()
			after := w.run()
			after.is(t, 0)
			if !slices.Equal(after.gone, tt.gone) {
				t.Errorf("gone: %q; want %q", after.gone, tt.gone)
			}
		})
	}
}

package drift_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// stolen publishes the newest version as a thief with a token does: at another time than
// anything in the repository, with no tag, release, run or signature.
func stolen(a *drift.Artifact) (*registry.Published, *drift.Subject) {
	p, s := last(a)
	p.Time = registry.Known(day(9).Add(3 * time.Hour))
	p.TrustedPublisher, p.Publisher = registry.None[string](), registry.Known(registry.Person{Name: "wren"})
	p.Head = registry.None[string]()
	unsigned(s)
	s.Tree = drift.Untold[map[string]string](verify.Gap{Code: verify.GapNotServed, Detail: "there is no tag"})
	a.Source.Tags.Value = without(a.Source.Tags.Value, "v1.5.0")
	a.Source.Releases.Value, a.Source.Runs.Value = a.Source.Releases.Value[:4], a.Source.Runs.Value[:4]
	return p, s
}

func without(tags map[string]drift.Tag, name string) map[string]drift.Tag {
	out := map[string]drift.Tag{}
	for n, tag := range tags {
		if n != name {
			out[n] = tag
		}
	}
	return out
}

// scenarios replay known cases as far as they are public: which rules must see each, and the
// verdict for the bad version.
var scenarios = []struct {
	name    string
	make    func() []drift.Artifact
	rules   []string // at least
	verdict verify.Verdict
}{
	{
		// September and November 2025: a token that was stolen, a new script, many packages.
		"shai-hulud", func() []drift.Artifact {
			var all []drift.Artifact
			for i, name := range []string{"@acme/a", "@acme/b", "@acme/c"} {
				a := good(name)
				p, s := stolen(&a)
				p.Time = registry.Known(p.Time.Value.Add(time.Duration(i) * 40 * time.Second))
				p.Scripts = registry.Known(map[string]string{"postinstall": "node bundle.js"})
				long := archive(`{"scripts":{"postinstall":"node bundle.js"}}`, "index.js", "bundle.js")
				long.Listing.Entries[2].Longest = 3 << 20
				s.Archives = []drift.Archive{long}
				all = append(all, a)
			}
			return all
		},
		[]string{
			drift.ProvenanceDropped, drift.TokenPublish, drift.NoReleaseNearby, drift.TagMissing, drift.ReleaseMissing, drift.HeadUnknown,
			drift.InstallScript, drift.LongScript, drift.Burst,
		},
		verify.Suspicious,
	},
	{
		// May 2026: provenance by the right workflow, whose step that publishes was skipped, after
		// a pull request's run had written its cache; two versions of each package within minutes.
		"tanstack", func() []drift.Artifact {
			run := goodRun(5)
			run.Succeeded = drift.Said(false, `it ended with "failure"`)
			run.Published = drift.Said(false, `the step "Publish Packages" of the job "Release" ended with "skipped"`)
			run.Poisoned = drift.Said(true, `the cache "Linux-pnpm-store-66" of "refs/heads/main" was written when run 9 of ".github/workflows/bundle-size.yml" was going`)
			run.URL = goodRun(5).URL
			var all []drift.Artifact
			for i := range 42 {
				a := good(fmt.Sprintf("@tanstack/p%d", i))
				p, s := last(&a)
				p.Time = registry.Known(day(5).Add(time.Duration(i) * 5 * time.Second))
				s.Run = drift.Told(run)
				long := archive(`{"optionalDependencies":{"@tanstack/setup":"github:tanstack/router#79ac49eedf774dd4b0cfa308722bc463cfe5885c"}}`, "index.js", "dist/a.js", "router_init.js")
				long.Listing.Entries[3].Longest = 2 << 20
				s.Archives = []drift.Archive{long}
				all = append(all, a)
			}
			return all
		},
		[]string{drift.RunFailed, drift.PublishStep, drift.CacheUntrusted, drift.GitDependency, drift.LongScript, drift.FileNotInTree, drift.Burst},
		verify.Suspicious,
	},
	{
		// June 2026: 144 packages without the provenance of before, with a new dependency that a
		// registry has.
		"mastra", func() []drift.Artifact {
			var all []drift.Artifact
			for i := range 4 {
				a := good(fmt.Sprintf("@mastra/p%d", i))
				p, _ := stolen(&a)
				p.Time = registry.Known(day(17).Add(time.Duration(i) * time.Minute))
				all = append(all, a)
			}
			return all
		},
		[]string{drift.ProvenanceDropped, drift.TokenPublish, drift.NoReleaseNearby, drift.Burst},
		verify.Suspicious,
	},
	{
		// August 2026: a release commit and its tag by somebody else's hand, no provenance, and a
		// preinstall script.
		"keyv", func() []drift.Artifact {
			a := good("keyv")
			p, s := last(&a)
			unsigned(s)
			p.TrustedPublisher, p.Publisher = registry.None[string](), registry.Known(registry.Person{Name: "wren"})
			s.Archives = []drift.Archive{archive(`{"scripts":{"preinstall":"node setup.mjs"}}`, "index.js", "setup.mjs", "Math_Symbol.js")}
			return []drift.Artifact{a}
		},
		[]string{drift.ProvenanceDropped, drift.TokenPublish, drift.InstallScript, drift.FileNotInTree},
		verify.Suspicious,
	},
	{
		// Provenance dropped, and all else as always.
		"provenance dropped alone", func() []drift.Artifact {
			a := good("@acme/sdk")
			_, s := last(&a)
			unsigned(s)
			return []drift.Artifact{a}
		},
		[]string{drift.ProvenanceDropped},
		verify.Regression,
	},
	{
		// March 2026: uploaded with a token that a poisoned action of another project stole, the
		// payload in the wheel alone.
		"litellm", func() []drift.Artifact {
			a := good("litellm")
			a.Policy.Attestations = nil
			for i := range a.Subjects {
				a.Subjects[i].Archives = wheelAndSource([]string{"litellm/main.py"}, []string{"litellm/main.py"})
			}
			pypi(&a)
			_, s := stolen(&a)
			s.Archives = wheelAndSource([]string{"litellm/main.py", "litellm_init.pth"}, []string{"litellm/main.py"})
			return []drift.Artifact{a}
		},
		[]string{drift.ProvenanceDropped, drift.TokenPublish, drift.NoReleaseNearby, drift.TagMissing, drift.WheelOnly},
		verify.Suspicious,
	},
	{
		// March 2026: the tags of trivy-action were moved to a thief's commit.
		"trivy tags", func() []drift.Artifact {
			a := good("acme/sdk")
			a.Policy.Kind, a.Listing.Kind, a.Policy.Tag = registry.Release, registry.Release, "{version}"
			for i := range a.Listing.Releases {
				a.Listing.Releases[i].Version = "v" + a.Listing.Releases[i].Version
			}
			a.Yesterday = yesterdayOf(a, 5)
			for i := 1; i <= 5; i++ {
				a.Source.Tags.Value[fmt.Sprintf("v1.%d.0", i)] = drift.Tag{Commit: commit(0xee)}
			}
			a.Source.OnBranch[commit(0xee)] = drift.Said(false, "1 commits beside it")
			return []drift.Artifact{a}
		},
		[]string{drift.GitTagMoved, drift.CommitOffBranch},
		verify.Suspicious,
	},
	{
		// A pushed image without a signature behind a tag that had one.
		"image tag moved", func() []drift.Artifact {
			a := good("registry.example/acme/app")
			s := image(&a)
			unsigned(s)
			var built []string
			for _, r := range a.Listing.Releases[:4] {
				built = append(built, r.Files[0].Digests[0].String())
			}
			a.Source.Digests = drift.Told(built)
			return []drift.Artifact{a}
		},
		[]string{drift.ImageTagMoved, drift.ImageTagUnsigned, drift.DigestNotBuilt, drift.ProvenanceDropped},
		verify.Suspicious,
	},
	{
		// A stolen OIDC token of another workflow: the verifier refuses its identity.
		"another workflow", func() []drift.Artifact {
			a := good("@acme/sdk")
			_, s := last(&a)
			s.Proofs = s.Proofs[:1]
			s.Refusals = []verify.Refusal{{Code: verify.WrongIdentity, What: "identity", Detail: `san is ".../shai-hulud.yml@refs/heads/main"`}}
			return []drift.Artifact{a}
		},
		[]string{drift.Identity},
		verify.Mismatch,
	},
	{
		// The account was taken over: a new address, a new maintainer, nothing published yet.
		"account taken over", func() []drift.Artifact {
			a := good("@acme/sdk")
			a.Listing.Maintainers = registry.Known([]registry.Person{{Name: "wren", Email: "w@evil.example"}, {Name: "thief"}})
			return []drift.Artifact{a}
		},
		[]string{drift.NewMaintainer, drift.MaintainerEmail},
		verify.Suspicious,
	},
	{
		// What was bad is gone on the next day.
		"unpublished", func() []drift.Artifact {
			a := good("@acme/sdk")
			a.Yesterday = yesterdayOf(a, 5)
			a.Listing.Releases, a.Subjects, a.Listing.Tags["latest"] = a.Listing.Releases[:4], a.Subjects[:4], "1.4.0"
			return []drift.Artifact{a}
		},
		[]string{drift.Vanished, drift.DistTagBack},
		verify.Suspicious,
	},
	{
		// A deleted tag of a Go module, which the proxy serves on.
		"go tag deleted", func() []drift.Artifact {
			a := good("example.com/acme/sdk")
			a.Policy = policy.Artifact{Kind: registry.Go, Name: a.Policy.Name, Source: "acme/sdk", Tag: "{version}"}
			a.Listing.Kind = registry.Go
			for i := range a.Listing.Releases {
				a.Listing.Releases[i].Version = "v" + a.Listing.Releases[i].Version
				a.Subjects[i] = drift.Subject{Proofs: []verify.Proof{{Kind: verify.KindChecksumDatabase}, {Kind: verify.KindTagTree}}}
			}
			_, s := last(&a)
			s.Proofs = s.Proofs[:1]
			s.Gaps = []verify.Gap{{Code: verify.GapNoAnswer, Detail: "there is no tag"}}
			a.Yesterday = nil
			delete(a.Source.Tags.Value, "v1.5.0")
			return []drift.Artifact{a}
		},
		[]string{drift.TagMissing},
		verify.Suspicious,
	},
}

func TestScenarios(t *testing.T) {
	for _, tt := range scenarios {
		for _, first := range []bool{false, true} {
			all := tt.make()
			if first { // without yesterday: what needs it is quiet
				for i := range all {
					all[i].Yesterday = nil
				}
			}
			for _, j := range drift.Results(all) {
				r := j.Versions[len(j.Versions)-1]
				var fired []string
				for _, s := range r.Signals {
					fired = append(fired, s.Rule)
				}
				if first {
					if r.Verdict == verify.Verified && !needsYesterday(tt.rules) {
						t.Errorf("%s, first run: verified", tt.name)
					}
					continue
				}
				if r.Verdict != tt.verdict {
					t.Errorf("%s: %s, want %s; fired %v", tt.name, r.Verdict, tt.verdict, fired)
				}
				for _, rule := range tt.rules {
					if !slices.Contains(fired, rule) {
						t.Errorf("%s: %s did not fire; fired %v", tt.name, rule, fired)
					}
				}
				for _, earlier := range j.Versions[:len(j.Versions)-1] {
					if tt.name != "trivy tags" && earlier.Verdict != verify.Verified {
						t.Errorf("%s: %q before it is %s: %+v", tt.name, earlier.Version, earlier.Verdict, earlier.Signals)
					}
				}
			}
		}
	}
}

// needsYesterday reports whether all rules of a scenario that are enough by themselves compare
// with yesterday.
func needsYesterday(rules []string) bool {
	return !slices.ContainsFunc(rules, func(id string) bool {
		r := drift.RuleOf(id)
		return r.Weight != verify.Medium && !strings.Contains(r.Needs, "esterday")
	})
}

// TestDaysAfter: a verdict stays the same on the days that follow, though the run and the files
// are no longer asked for. Only what is medium is said on its day alone.
func TestDaysAfter(t *testing.T) {
	for _, tt := range scenarios {
		all := tt.make()
		today := drift.Results(all)
		for day := range 3 {
			for i := range all {
				seen := roundTrip(t, today[i].Seen)
				all[i].Yesterday = &seen
				for k := range all[i].Subjects {
					all[i].Subjects[k].Run, all[i].Subjects[k].Archives = drift.Asked[drift.Run]{}, nil
				}
			}
			later := drift.Results(all)
			for i, j := range later {
				now, was := j.Versions[len(j.Versions)-1], today[i].Versions[len(j.Versions)-1]
				if now.Verdict != was.Verdict && tt.name != "account taken over" {
					t.Errorf("%s: %s, and %d days later %s: %+v", tt.name, was.Verdict, day+1, now.Verdict, now)
				}
			}
			today = later
		}
	}
}

// TestBadDay: a day on which the registry and GitHub tell nothing hides nothing that changed on it.
func TestBadDay(t *testing.T) {
	a := good("@acme/sdk")
	a.Yesterday = yesterdayOf(a, 5)
	bad := a
	bad.Listing.Releases, bad.Listing.Faults = a.Listing.Releases[1:], []string{"cut"}
	bad.Subjects = make([]drift.Subject, 4)
	bad.Listing.Maintainers, bad.Listing.Publishing = registry.Fact[[]registry.Person]{}, registry.Fact[map[string]string]{}
	bad.Source = drift.Source{}
	bad.Listing.Releases = slices.Clone(bad.Listing.Releases)
	for i := range bad.Listing.Releases {
		r := bad.Listing.Releases[i]
		bad.Listing.Releases[i] = registry.Published{Version: r.Version, Files: []registry.File{{Name: r.Files[0].Name}}}
	}
	seen := roundTrip(t, drift.Results([]drift.Artifact{bad})[0].Seen)
	for _, v := range seen.Versions {
		if v.Verdict == verify.Verified && v.Version != "1.1.0" {
			t.Errorf("%q is %s on a day that tells nothing", v.Version, v.Verdict)
		}
	}

	next := good("@acme/sdk")
	next.Yesterday = &seen
	p, s := last(&next)
	p.Files = slices.Clone(p.Files)
	p.Files[0].Digests = sha("other")
	unsigned(s)
	next.Source.Tags.Value["v1.5.0"] = drift.Tag{Commit: commit(9)}
	next.Policy.Maintainers = nil
	next.Listing.Maintainers = registry.Known([]registry.Person{{Name: "thief"}})
	next.Listing.Publishing = registry.Known(map[string]string{"github": "thief/sdk"})
	next.Listing.Releases, next.Subjects = next.Listing.Releases[1:], next.Subjects[1:]
	fired, _ := rulesOf(drift.Apply([]drift.Artifact{next})[0])
	for _, rule := range []string{drift.DigestChanged, drift.AttestationGone, drift.GitTagMoved, drift.NewMaintainer, drift.PublishingChanged, drift.Vanished} {
		if !slices.Contains(fired, rule) {
			t.Errorf("%s is hidden by a bad day; fired %v", rule, fired)
		}
	}
}

// TestKnown: the files and the run of a version are asked for until all is known, and again where
// its files change.
func TestKnown(t *testing.T) {
	a := good("@acme/sdk")
	seen := yesterdayOf(a, 5)
	p, _ := last(&a)
	if files, run := seen.Known(p); !files || !run {
		t.Errorf("%v, %v", files, run)
	}
	a.Subjects[4].Run.Value.Poisoned, a.Subjects[4].Archives = drift.Answer{}, nil
	later := yesterdayOf(a, 5)
	if files, run := later.Known(p); files || run {
		t.Errorf("%v, %v", files, run)
	}
	// The next day tells what was missing.
	a.Yesterday = later
	a.Subjects[4].Run.Value.Poisoned, a.Subjects[4].Run.Value.Same = drift.Said(false, "no"), drift.Answer{}
	last := drift.Results([]drift.Artifact{a})[0].Seen
	if _, run := last.Known(p); !run {
		t.Errorf("%+v", last.Versions[4].Run)
	}
	p.Files = []registry.File{{Name: p.Files[0].Name, Digests: sha("other")}}
	if files, run := seen.Known(p); files || run {
		t.Errorf("of other files: %v, %v", files, run)
	}
	if files, run := (*drift.Seen)(nil).Known(p); files || run {
		t.Error("nothing was kept, and something is known")
	}
}

// TestHeavyRulesGoOn: what a heavy rule says has changed since yesterday, it says on the next days,
// too.
func TestHeavyRulesGoOn(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		change func(a *drift.Artifact)
	}{
		{drift.GitTagMoved, func(a *drift.Artifact) { a.Source.Tags.Value["v1.5.0"] = drift.Tag{Commit: commit(9)} }},
		{drift.AttestationGone, func(a *drift.Artifact) {
			_, s := last(a)
			unsigned(s)
		}},
		{drift.DigestChanged, func(a *drift.Artifact) {
			p, _ := last(a)
			p.Files = []registry.File{{Name: p.Files[0].Name, Digests: sha("other")}}
		}},
		{drift.LateFile, func(a *drift.Artifact) {
			pypi(a)
			p, _ := last(a)
			p.Files = append(slices.Clone(p.Files), registry.File{Name: "late.whl"})
		}},
		{drift.ImageTagUnsigned, func(a *drift.Artifact) { unsigned(image(a)) }},
		{drift.ImageTagIdentity, func(a *drift.Artifact) {
			image(a).Proofs = []verify.Proof{{Kind: verify.KindImageSignature, Key: "SHA256:thief"}}
		}},
		{drift.Vanished, func(a *drift.Artifact) { a.Listing.Releases, a.Subjects = a.Listing.Releases[1:], a.Subjects[1:] }},
	} {
		a := good("@acme/sdk")
		a.Yesterday = yesterdayOf(a, 5)
		tt.change(&a)
		for day := range 3 {
			j := drift.Results([]drift.Artifact{a})[0]
			var fired []string
			for _, s := range j.Versions[len(j.Versions)-1].Signals {
				fired = append(fired, s.Rule)
			}
			if !slices.Contains(fired, tt.rule) {
				t.Errorf("%s on day %d: fired %v", tt.rule, day, fired)
			}
			a.Yesterday = &j.Seen
		}
	}
}

// TestAccept: what was accepted is what is expected then.
func TestAccept(t *testing.T) {
	a := good("@acme/sdk")
	a.Yesterday = yesterdayOf(a, 5)
	p, _ := last(&a)
	p.Files = slices.Clone(p.Files)
	p.Files[0].Digests = sha("other")
	seen := drift.Results([]drift.Artifact{a})[0].Seen
	for _, accepted := range []bool{false, true} {
		if accepted {
			seen.Accept("1.5.0")
		}
		a.Yesterday = &seen
		fired, _ := rulesOf(drift.Apply([]drift.Artifact{a})[0])
		if slices.Contains(fired, drift.DigestChanged) == accepted {
			t.Errorf("accepted %v: fired %v", accepted, fired)
		}
	}
}

// TestSeenComesBack: what is kept is read as it was written.
func TestSeenComesBack(t *testing.T) {
	for _, tt := range scenarios {
		for _, j := range drift.Results(tt.make()) {
			if d := cmp.Diff(j.Seen, roundTrip(t, j.Seen)); d != "" {
				t.Errorf("%s: -kept +read:\n%s", tt.name, d)
			}
		}
	}
}

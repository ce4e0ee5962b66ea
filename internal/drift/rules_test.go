package drift_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// A row changes a good artifact, and says what one rule makes of its newest version then.
type row struct {
	rule     string
	says     string // "fires", "quiet" or "unknown"
	change   func(a *drift.Artifact, p *registry.Published, s *drift.Subject)
	evidence string // somewhere in what the rule says
}

// unsigned takes away what was proved of a subject, by the origin's word.
func unsigned(s *drift.Subject) {
	s.Proofs, s.Attested, s.Run = nil, registry.Absent, drift.Asked[drift.Run]{}
}

var denied = verify.Gap{Code: verify.GapDenied, Detail: `the token lacks the permission "actions=read"`}

// answer sets one answer of the newest version's run.
func answer(set func(*drift.Run)) func(*drift.Artifact, *registry.Published, *drift.Subject) {
	return func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { set(&s.Run.Value) }
}

func pypi(a *drift.Artifact) {
	a.Policy.Kind, a.Listing.Kind = registry.PyPI, registry.PyPI
}

// image makes an image of the artifact whose tag 1.4.0 moved since yesterday, and gives its
// subject.
func image(a *drift.Artifact) *drift.Subject {
	a.Policy.Kind, a.Listing.Kind, a.Policy.Run, a.Policy.Attestations = registry.OCI, registry.OCI, false, nil
	a.Listing.Tags = nil
	*a.Yesterday = *yesterdayOf(*a, 5)
	p, s := last(a)
	p.Files[0].Digests = sha("another image")
	return s
}

var ruleRows = []row{
	{drift.Identity, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		unsigned(s)
		s.Refusals = []verify.Refusal{{Code: verify.WrongIdentity, What: "identity", Detail: `workflow is "evil.yml"`}}
	}, `workflow is "evil.yml"`},
	{drift.Identity, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Refusals = []verify.Refusal{{Code: verify.WrongDigest}}
	}, ""},

	{drift.ProvenanceDropped, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { unsigned(s) }, "4 earlier versions have it"},
	{drift.ProvenanceDropped, "quiet", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		unsigned(s)
		for i := range 3 { // one earlier version is not enough
			unsigned(&a.Subjects[i])
		}
	}, ""},
	{drift.ProvenanceDropped, "unknown", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		unsigned(s)
		s.Attested, s.Gaps = registry.Unknown, []verify.Gap{{Code: verify.GapNoAnswer, Detail: "status 502"}}
	}, "status 502"},
	{drift.ProvenanceDropped, "unknown", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		unsigned(s)
		s.Attested, a.Listing.Role = registry.Unknown, registry.Mirror
	}, "a mirror does not say"},

	{drift.ProvenanceDropped, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { // it is there, and refused
		unsigned(s)
		s.Attested, s.Refusals = registry.Present, []verify.Refusal{{Code: verify.Malformed}}
	}, ""},
	{drift.ProvenanceDropped, "unknown", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) { // of three before, two were refused
		unsigned(s)
		a.Listing.Releases, a.Subjects, a.Yesterday = a.Listing.Releases[1:], a.Subjects[1:], nil
		for i := range 2 {
			unsigned(&a.Subjects[i])
			a.Subjects[i].Attested, a.Subjects[i].Refusals = registry.Present, []verify.Refusal{{Code: verify.Malformed}}
		}
	}, "provenance of earlier versions"},

	{drift.AttestationGone, "fires", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		unsigned(s)
	}, "today there is nothing"},
	{drift.AttestationGone, "fires", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		other := oidc(5)
		other.SourceRepositoryID = "99"
		s.Proofs[1].Identity = &other
	}, "repository 99"},
	{drift.AttestationGone, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { unsigned(s) }, ""},
	{drift.AttestationGone, "unknown", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		unsigned(s)
		s.Attested = registry.Unknown
	}, ""},

	{drift.TokenPublish, "fires", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher, p.Publisher = registry.None[string](), registry.Known(registry.Person{Name: "wren"})
	}, `by "wren" with a token; "1.4.0" was published by a workflow`},
	{drift.TokenPublish, "quiet", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher, a.Policy.TokensAllowed = registry.None[string](), true
	}, ""},
	{drift.TokenPublish, "unknown", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher = registry.Fact[string]{}
	}, "the registry does not say whether a workflow or a token"},

	{drift.TokenPublish, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		pypi(a)
		p.TrustedPublisher = registry.Fact[string]{}
	}, "the registry does not say whether"},
	{drift.TokenPublish, "quiet", func(a *drift.Artifact, p *registry.Published, s *drift.Subject) { // PyPI's attestation says it
		pypi(a)
		p.TrustedPublisher, s.Proofs[1].Kind = registry.Fact[string]{}, verify.KindPublish
	}, ""},

	{drift.PublisherChanged, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		id := oidc(5)
		id.BuildConfigURI = "https://github.com/acme/sdk/.github/workflows/other.yml@refs/heads/main"
		s.Proofs[1].Identity = &id
	}, "other.yml"},
	{drift.PublisherChanged, "fires", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher = registry.Known("gitlab")
	}, `"gitlab"`},
	{drift.PublisherChanged, "quiet", nil, ""},

	{drift.NewKey, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { s.Proofs[0].Key = "SHA256:other" }, "SHA256:other (of the registry)"},
	{drift.NewKey, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { s.Proofs = s.Proofs[1:] }, ""},

	{drift.NewPublisher, "fires", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher, p.Publisher = registry.None[string](), registry.Known(registry.Person{Name: "thief"})
	}, `by "thief"`},
	{drift.NewPublisher, "quiet", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher, p.Publisher = registry.None[string](), registry.Known(registry.Person{Name: "wren"}) // of the policy
	}, ""},
	{drift.NewPublisher, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.TrustedPublisher, p.Publisher = registry.Fact[string]{}, registry.Fact[registry.Person]{}
		a.Listing.Role = registry.Mirror
	}, "a mirror does not say who"},

	{drift.NoReleaseNearby, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Time = registry.Known(day(9))
		delete(a.Source.Tags.Value, "v1.5.0")
	}, `"acme/sdk" has no tag for it, no release, no run`},
	{drift.NoReleaseNearby, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { // the run is enough
		a.Source.Releases.Value, a.Source.Tags.Value = nil, map[string]drift.Tag{}
	}, ""},
	{drift.NoReleaseNearby, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Time, a.Source.Runs = registry.Known(day(9)), drift.Untold[[]drift.RunSeen](denied)
	}, `"actions=read"`},
	{drift.NoReleaseNearby, "unknown", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) { p.Time = registry.Fact[time.Time]{} }, "when it was published"},
	{drift.NoReleaseNearby, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) { // a plain tag of unknown age
		p.Time = registry.Known(day(9))
		a.Source.Tags.Value["v1.5.0"] = drift.Tag{Commit: commit(5)}
	}, "does not say when"},
	{drift.NoReleaseNearby, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		delete(a.Source.Tags.Value, "v1.5.0")
		a.Source.Releases.Value, a.Source.Runs.Value, a.Source.RunsFrom = nil, nil, day(20)
	}, "no longer looked at"},
	{drift.NoReleaseNearby, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) { // 31 minutes after
		p.Time = registry.Known(day(5).Add(32 * time.Minute))
	}, ""},
	{drift.NoReleaseNearby, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) { // a run of another workflow
		a.Source.Runs.Value[4].Workflow = ".github/workflows/ci.yml"
		a.Source.Tags.Value, a.Source.Releases.Value = map[string]drift.Tag{}, nil
	}, ""},

	{drift.TagMissing, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		delete(a.Source.Tags.Value, "v1.5.0")
	}, `no tag "v1.5.0"`},
	{drift.TagMissing, "fires", func(a *drift.Artifact, p *registry.Published, s *drift.Subject) { // a Go version whose tag was deleted
		a.Policy.Kind, a.Listing.Kind, a.Policy.Tag = registry.Go, registry.Go, "{version}"
		for i := range a.Listing.Releases {
			r := &a.Listing.Releases[i]
			r.Version = "v" + r.Version
		}
		*a.Yesterday = *yesterdayOf(*a, 5)
		delete(a.Source.Tags.Value, "v1.5.0")
	}, "yesterday it led to 050505"},
	{drift.TagMissing, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Policy.SignedFrom = "2.0.0" // older versions are history
		delete(a.Source.Tags.Value, "v1.5.0")
	}, ""},
	{drift.TagMissing, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Source.Tags = drift.Untold[map[string]drift.Tag](denied)
	}, "tag-missing: the token lacks"},

	{drift.GitTagMoved, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		a.Source.Tags.Value["v1.5.0"] = drift.Tag{Commit: commit(9)}
	}, "led to 050505050505 yesterday, and leads to 090909090909"},
	{drift.GitTagMoved, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Source.Tags.Value["v1.5.0"] = drift.Tag{Commit: commit(9)} // it is new today
	}, ""},
	{drift.GitTagMoved, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		a.Source.Tags = drift.Untold[map[string]drift.Tag](denied)
	}, "actions=read"},

	{drift.ReleaseMissing, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Source.Releases.Value = a.Source.Releases.Value[:4]
	}, `no release of the tag "v1.5.0"`},
	{drift.ReleaseMissing, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Policy.Release, a.Source.Releases.Value = false, nil
	}, ""},
	{drift.ReleaseMissing, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Source.Releases = drift.Asked[[]drift.Release]{}
	}, "not asked"},

	{drift.CommitOffBranch, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Source.OnBranch[commit(5)] = drift.Said(false, "1 commits beside it")
	}, `not on "main": 1 commits beside it`},
	{drift.CommitOffBranch, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Policy.Branch, a.Source.OnBranch = "", nil
	}, ""},
	{drift.CommitOffBranch, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { a.Source.OnBranch = nil }, "not asked"},

	{drift.HeadUnknown, "fires", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) { p.Head = registry.None[string]() }, `no gitHead; "1.4.0" has one`},
	{drift.HeadUnknown, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Source.Commits[commit(5)] = drift.Said(false, "only in a fork")
	}, "only in a fork"},
	{drift.HeadUnknown, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		for i := range a.Listing.Releases {
			a.Listing.Releases[i].Head = registry.None[string]()
		}
	}, ""},
	{drift.HeadUnknown, "unknown", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) { p.Head = registry.Fact[string]{} }, "which commit"},
	{drift.HeadUnknown, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { a.Source.Commits = nil }, "not asked"},

	{drift.RunMissing, "fires", answer(func(r *drift.Run) { *r = drift.Run{URL: r.URL, Found: drift.Said(false, "it was deleted")} }), "it was deleted"},
	{drift.RunMissing, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { unsigned(s) }, ""},
	{drift.RunMissing, "unknown", answer(func(r *drift.Run) { *r = drift.Run{URL: r.URL, Found: drift.Unsaid(denied)} }), "actions=read"},
	{drift.RunMissing, "unknown", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { s.Run = drift.Asked[drift.Run]{} }, "not asked"},
	{drift.RunMismatch, "fires", answer(func(r *drift.Run) { r.Same = drift.Said(false, "the workflow is another") }), "another"},
	{drift.RunMismatch, "quiet", answer(func(r *drift.Run) { r.Found = drift.Said(false, "no"); r.Same = drift.Answer{} }), ""},
	{drift.RunMismatch, "unknown", answer(func(r *drift.Run) { r.Same = drift.Answer{} }), "not asked"},
	{drift.RunFailed, "fires", answer(func(r *drift.Run) { r.Succeeded = drift.Said(false, "it ended with failure") }), "failure"},
	{drift.RunFailed, "quiet", nil, ""},
	{drift.RunFailed, "unknown", answer(func(r *drift.Run) { r.Succeeded = drift.Unsaid(denied) }), "actions=read"},
	{drift.PublishStep, "fires", answer(func(r *drift.Run) { r.Published = drift.Said(false, "skipped") }), "skipped"},
	{drift.PublishStep, "quiet", nil, ""},
	{drift.PublishStep, "unknown", answer(func(r *drift.Run) {
		r.Published = drift.Unsaid(verify.Gap{Code: verify.GapGone, Detail: "no longer kept"})
	}), "no longer kept"},
	{drift.UntrustedTrigger, "fires", answer(func(r *drift.Run) {
		r.Event, r.Untrusted = "issue_comment", drift.Said(true, "issue_comment started it")
	}), "issue_comment"},
	{drift.UntrustedTrigger, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Proofs[1].Identity.Trigger, s.Run = "pull_request_target", drift.Asked[drift.Run]{}
	}, "the certificate says"},
	{drift.UntrustedTrigger, "quiet", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		a.Policy.Identities[0].Triggers, s.Proofs[1].Identity.Trigger = []string{"workflow_run"}, "workflow_run"
	}, ""},
	{drift.UntrustedTrigger, "unknown", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Proofs[1].Identity.Trigger, s.Run.Value.Untrusted = "", drift.Answer{}
	}, "not asked"},
	{drift.CacheUntrusted, "fires", answer(func(r *drift.Run) { r.Poisoned = drift.Said(true, "the cache of main") }), "the cache of main"},
	{drift.CacheUntrusted, "quiet", nil, ""},
	{drift.CacheUntrusted, "unknown", answer(func(r *drift.Run) { r.Poisoned = drift.Unsaid(denied) }), "actions=read"},
	{drift.CacheRace, "fires", answer(func(r *drift.Run) { r.Raced = drift.Said(true, "run 9 was going") }), "run 9"},
	{drift.CacheRace, "quiet", nil, ""},
	{drift.CacheRace, "unknown", answer(func(r *drift.Run) { r.Raced = drift.Answer{} }), ""},
	{drift.RunOffBranch, "fires", answer(func(r *drift.Run) { r.OnBranch = drift.Said(false, "3 commits beside") }), "beside"},
	{drift.RunOffBranch, "quiet", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		a.Policy.Branch, s.Run.Value.OnBranch = "", drift.Said(false, "x")
	}, ""},
	{drift.RunOffBranch, "unknown", answer(func(r *drift.Run) { r.OnBranch = drift.Unsaid(denied) }), ""},
	{drift.BranchUnprotected, "fires", answer(func(r *drift.Run) { r.Protected = drift.Said(false, "main is not protected") }), "main is not"},
	{drift.BranchUnprotected, "quiet", nil, ""},
	{drift.BranchUnprotected, "unknown", answer(func(r *drift.Run) { r.Protected = drift.Unsaid(denied) }), ""},

	{drift.InstallScript, "fires", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Scripts = registry.Known(map[string]string{"postinstall": "node bundle.js"})
	}, "postinstall: node bundle.js"},
	{drift.InstallScript, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { // the tarball says what the registry does not
		s.Archives = []drift.Archive{archive(`{"scripts":{"preinstall":"node setup.mjs"}}`, "index.js")}
	}, "preinstall: node setup.mjs"},
	{drift.InstallScript, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) { // another body than before
		for i := range a.Listing.Releases {
			a.Listing.Releases[i].Scripts = registry.Known(map[string]string{"install": "node-gyp rebuild"})
		}
		p.Scripts = registry.Known(map[string]string{"install": "node-gyp rebuild && node x.js"})
	}, "node x.js"},
	{drift.InstallScript, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		for i := range a.Listing.Releases {
			a.Listing.Releases[i].Scripts = registry.Known(map[string]string{"install": "node-gyp rebuild"})
		}
	}, ""},
	{drift.InstallScript, "quiet", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Scripts, a.Policy.Scripts = registry.Known(map[string]string{"install": "x"}), []string{"install"}
	}, ""},
	{drift.InstallScript, "unknown", func(a *drift.Artifact, p *registry.Published, s *drift.Subject) {
		p.Scripts, s.Archives, a.Listing.Role = registry.Fact[map[string]string]{}, nil, registry.Mirror
	}, "a mirror does not say"},

	{drift.NativeBuild, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Archives = []drift.Archive{archive(manifest, "index.js", "binding.gyp")}
	}, `"binding.gyp" makes npm build on installation; "1.4.0" has none`},
	{drift.NativeBuild, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		for i := range a.Subjects {
			a.Subjects[i].Archives = []drift.Archive{archive(manifest, "index.js", "binding.gyp")}
		}
	}, ""},
	{drift.NativeBuild, "unknown", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { s.Archives = nil }, "were not looked at"},

	{drift.GitDependency, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Archives = []drift.Archive{archive(`{"optionalDependencies":{"@tanstack/setup":"github:tanstack/router#79ac49eedf774dd4b0cfa308722bc463cfe5885c"}}`)}
	}, "@tanstack/setup: github:tanstack/router#79ac49"},
	{drift.GitDependency, "fires", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Git = registry.Known(map[string]string{"x": "git+ssh://git@github.com/a/b.git"})
	}, "git+ssh"},
	{drift.GitDependency, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Archives = []drift.Archive{archive(`{"dependencies":{"a":"npm:b@1","c":"workspace:*","d":"~1.0"},"devDependencies":{"e":"a/b"}}`, "index.js")}
	}, ""},
	{drift.GitDependency, "unknown", func(_ *drift.Artifact, p *registry.Published, s *drift.Subject) {
		p.Git, s.Archives = registry.Fact[map[string]string]{}, nil
	}, "its dependencies"},

	{drift.LongScript, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		long := archive(manifest, "index.js", "router_init.js")
		long.Listing.Entries[2].Longest = 1 << 20
		s.Archives = []drift.Archive{long}
	}, "router_init.js"},
	{drift.LongScript, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { // built files are
		for i := range a.Subjects {
			long := archive(manifest, "dist/app-"+string(rune('a'+i))+".js")
			long.Listing.Entries[1].Longest = 1 << 20
			a.Subjects[i].Archives = []drift.Archive{long}
		}
	}, ""},
	{drift.LongScript, "unknown", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { s.Archives = nil }, "were not looked at"},

	{drift.FileNotInTree, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Archives = []drift.Archive{archive(manifest, "index.js", "dist/a.js", "router_init.js")}
	}, `"router_init.js" are not in the commit`},
	{drift.FileNotInTree, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) { // a file of the tree, changed
		s.Tree = tree("package.json")
	}, `"index.js"`},
	{drift.FileNotInTree, "quiet", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Archives = []drift.Archive{archive(manifest, "index.js", "dist/b.js")} // built, as dist/a.js was
	}, ""},
	{drift.FileNotInTree, "unknown", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Tree = drift.Untold[map[string]string](denied)
	}, "actions=read"},

	{drift.WheelOnly, "fires", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		pypi(a)
		s.Archives = wheelAndSource([]string{"x/a.py", "litellm_init.pth"}, []string{"x/a.py"})
		for i := range a.Subjects[:4] {
			a.Subjects[i].Archives = wheelAndSource([]string{"x/a.py"}, []string{"x/a.py"})
		}
	}, "litellm_init.pth"},
	{drift.WheelOnly, "quiet", func(a *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		pypi(a)
		s.Archives = wheelAndSource([]string{"x/a.py", "x/_version.py", "x-1.dist-info/RECORD"}, []string{"x/a.py"})
	}, ""},
	{drift.WheelOnly, "unknown", func(a *drift.Artifact, p *registry.Published, s *drift.Subject) {
		pypi(a)
		p.Files, s.Archives = append(p.Files, registry.File{Name: "x.whl"}), nil
	}, "were not looked at"},

	{drift.OddArchive, "fires", func(_ *drift.Artifact, _ *registry.Published, s *drift.Subject) {
		s.Archives[0].Fault = `the path "../x"`
	}, "../x"},
	{drift.OddArchive, "quiet", nil, ""},

	{drift.RapidVersions, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		for i, v := range []string{"1.4.1", "1.4.2"} {
			a.Listing.Releases[2+i].Version, a.Listing.Releases[2+i].Time = v, registry.Known(day(5).Add(time.Duration(i-3)*10*time.Minute))
		}
		p.Version = "1.4.3"
	}, "1.4.1, 1.4.2, 1.4.3"},
	{drift.RapidVersions, "quiet", nil, ""},
	{drift.RapidVersions, "unknown", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) { p.Time = registry.Fact[time.Time]{} }, "when"},
	{drift.Burst, "quiet", nil, ""},
	{drift.Burst, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { a.Listing.Role = registry.Mirror }, "a mirror"},

	{drift.DigestChanged, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		p.Files = slices.Clone(p.Files)
		p.Files[0].Digests = sha("other")
	}, "yesterday, and is sha256:"},
	{drift.DigestChanged, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { *a.Yesterday = *yesterdayOf(*a, 5) }, ""},
	{drift.DigestChanged, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		p.Files = []registry.File{{Name: p.Files[0].Name}}
	}, "which it said yesterday"},

	{drift.LateFile, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		pypi(a)
		p.Files[0].Time = registry.Known(day(1))
		p.Files = append(p.Files, registry.File{Name: "late.whl", Time: registry.Known(day(5))})
	}, `"late.whl" was added 96 hours after`},
	{drift.LateFile, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) { // no time, but yesterday
		pypi(a)
		*a.Yesterday = *yesterdayOf(*a, 5)
		p.Files = append(slices.Clone(p.Files), registry.File{Name: "late.whl"})
	}, "was not there yesterday"},
	{drift.LateFile, "quiet", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		pypi(a)
		p.Files[0].Time = registry.Known(day(5))
		p.Files = append(p.Files, registry.File{Name: "x.whl", Time: registry.Known(day(5).Add(3 * time.Hour))})
	}, ""},
	{drift.LateFile, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		pypi(a)
		p.Files = append(p.Files, registry.File{Name: "x.whl"})
	}, "when its files were uploaded"},

	{drift.ImageTagMoved, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { image(a) }, `"1.5.0" named sha256:`},
	{drift.ImageTagMoved, "quiet", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Version = "latest" // is meant to move
		image(a)
	}, ""},
	{drift.ImageTagUnsigned, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { unsigned(image(a)) }, "which is not"},
	{drift.ImageTagUnsigned, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { image(a) }, ""},
	{drift.ImageTagUnsigned, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		s := image(a)
		unsigned(s)
		s.Attested, s.Gaps = registry.Unknown, []verify.Gap{{Code: verify.GapNotServed, Detail: "no referrers"}}
	}, "no referrers"},
	{drift.ImageTagIdentity, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		s := image(a)
		id := oidc(5)
		id.SourceRepositoryID = "666"
		s.Proofs = []verify.Proof{{Kind: verify.KindImageSignature, Identity: &id}}
	}, "repository 666"},
	{drift.ImageTagIdentity, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		image(a).Proofs = []verify.Proof{{Kind: verify.KindImageSignature, Key: "SHA256:thief"}}
	}, "SHA256:thief"},
	{drift.ImageTagIdentity, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { image(a) }, ""},
	{drift.DigestNotBuilt, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		image(a)
		a.Source.Digests = drift.Told([]string{"sha256:00"})
	}, "is not among the 1 digests"},
	{drift.DigestNotBuilt, "quiet", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		image(a)
		a.Source.Digests = drift.Told([]string{p.Files[0].Digests[0].String()})
	}, ""},
	{drift.DigestNotBuilt, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		image(a)
		a.Source.Digests = drift.Untold[[]string](denied)
	}, "actions=read"},

	{drift.Withdrawn, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		p.Deprecated = registry.Known("do not use")
	}, `it is "deprecated: do not use" since yesterday`},
	{drift.Withdrawn, "quiet", func(_ *drift.Artifact, p *registry.Published, _ *drift.Subject) { p.Yanked = registry.Known("") }, ""},
	{drift.Withdrawn, "unknown", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		p.Yanked = registry.Known("bad")
		*a.Yesterday = *yesterdayOf(*a, 5)
		p.Yanked, a.Listing.Role = registry.Fact[string]{}, registry.Mirror
	}, "a mirror"},

	{drift.Vanished, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		a.Listing.Releases, a.Subjects = a.Listing.Releases[1:], a.Subjects[1:]
	}, `"1.1.0" were there at`},
	{drift.Vanished, "fires", func(a *drift.Artifact, p *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		p.Files = nil
	}, `"sdk-1.5.0.tgz of 1.5.0"`},
	{drift.Vanished, "quiet", nil, ""},
	{drift.Vanished, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		*a.Yesterday = *yesterdayOf(*a, 5)
		a.Listing.Releases, a.Subjects, a.Listing.Faults = a.Listing.Releases[1:], a.Subjects[1:], []string{"version 1: damaged"}
	}, "version 1: damaged"},

	{drift.NewMaintainer, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Maintainers = registry.Known([]registry.Person{{Name: "wren"}, {Name: "thief"}})
	}, `"thief" may publish, and is not in the policy`},
	{drift.NewMaintainer, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Policy.Maintainers = nil
		a.Listing.Maintainers = registry.Known([]registry.Person{{Name: "thief"}})
	}, "yesterday's list"},
	{drift.NewMaintainer, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Maintainers = registry.Known([]registry.Person{{Name: "Wren"}})
	}, ""},
	{drift.NewMaintainer, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Maintainers = registry.Fact[[]registry.Person]{}
	}, "who maintains it"},
	{drift.MaintainerEmail, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Maintainers = registry.Known([]registry.Person{{Name: "wren", Email: "wren@evil.example"}})
	}, "wren@evil.example"},
	{drift.MaintainerEmail, "quiet", nil, ""},
	{drift.MaintainerEmail, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Maintainers = registry.Fact[[]registry.Person]{}
	}, ""},
	{drift.PublishingChanged, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Publishing = registry.Known(map[string]string{"github": "thief/sdk release.yml"})
	}, "thief/sdk"},
	{drift.PublishingChanged, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Publishing = registry.None[map[string]string]()
	}, "github was taken away"},
	{drift.PublishingChanged, "quiet", nil, ""},
	{drift.PublishingChanged, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Listing.Publishing = registry.Fact[map[string]string]{}
	}, "how it may be published"},
	{drift.DistTagBack, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) { a.Listing.Tags["latest"] = "1.1.0" }, "latest from 1.4.0 to 1.1.0"},
	{drift.DistTagBack, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		a.Yesterday.Tags["latest"], a.Yesterday.Versions[3].Verdict = "1.3.0", verify.Suspicious
		a.Listing.Tags["latest"] = "1.4.0"
	}, "which was suspicious"},
	{drift.DistTagBack, "quiet", nil, ""},
	{drift.Quarantined, "fires", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		pypi(a)
		a.Listing.Status = registry.Known("quarantined")
	}, "quarantined"},
	{drift.Quarantined, "quiet", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		pypi(a)
		a.Listing.Status = registry.Known("active")
	}, ""},
	{drift.Quarantined, "unknown", func(a *drift.Artifact, _ *registry.Published, _ *drift.Subject) {
		pypi(a)
		a.Yesterday.Status = registry.Known("active")
	}, "status"},
}

func wheelAndSource(wheel, source []string) []drift.Archive {
	w, s := drift.Archive{Name: "x-1-py3-none-any.whl"}, drift.Archive{Name: "x-1.tar.gz"}
	for _, name := range wheel {
		w.Listing.Entries = append(w.Listing.Entries, entry(name, name))
	}
	for _, name := range source {
		s.Listing.Entries = append(s.Listing.Entries, entry("x-1/"+name, name))
	}
	return []drift.Archive{w, s}
}

func TestRules(t *testing.T) {
	rows := map[string]map[string]bool{}
	for _, tt := range ruleRows {
		a := good("@acme/sdk")
		if tt.change != nil {
			p, s := last(&a)
			tt.change(&a, p, s)
		}
		f := drift.Apply([]drift.Artifact{a})[0]
		fired, open := rulesOf(f)
		says := "quiet"
		switch {
		case slices.Contains(fired, tt.rule):
			says = "fires"
		case slices.Contains(open, tt.rule):
			says = "unknown"
		}
		if says != tt.says {
			t.Errorf("%s is %s, want %s; fired %v, unknown %v", tt.rule, says, tt.says, fired, open)
			continue
		}
		if text := wordsOf(f, tt.rule); tt.evidence != "" && !strings.Contains(text, tt.evidence) || strings.Contains(text, "\n") {
			t.Errorf("%s says %q, without %q", tt.rule, text, tt.evidence)
		}
		if rows[tt.rule] == nil {
			rows[tt.rule] = map[string]bool{}
		}
		rows[tt.rule][tt.says] = true
	}
	// What has nothing to ask for cannot be unknown: yesterday is there or not, and both sides
	// of what is compared were asked for by another rule.
	never := []string{drift.Identity, drift.PublisherChanged, drift.NewKey, drift.OddArchive, drift.ImageTagMoved, drift.ImageTagIdentity, drift.DistTagBack}
	for _, rule := range drift.Rules {
		for _, says := range []string{"fires", "quiet", "unknown"} {
			elsewhere := rule.ID == drift.Burst && says == "fires" // TestBurst
			if !rows[rule.ID][says] && !elsewhere && !(says == "unknown" && slices.Contains(never, rule.ID)) {
				t.Errorf("no row shows when %s %s", rule.ID, says)
			}
		}
	}
}

// wordsOf is all that a rule says.
func wordsOf(f drift.Findings, rule string) string {
	var words []string
	for _, finding := range append(slices.Clone(f.Versions), f.Artifact) {
		for _, s := range finding.Signals {
			if s.Rule == rule {
				words = append(words, s.Evidence)
			}
		}
		for _, g := range finding.Gaps {
			if g.Rule == rule {
				words = append(words, g.Detail)
			}
		}
	}
	return strings.Join(words, " | ")
}

// TestTable: every row of the table says what it is.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range drift.Rules {
		if seen[r.ID] || r.ID == "" || r.Title == "" || r.Needs == "" || r.Means == "" || strings.ContainsAny(r.Title+r.Needs+r.Means, "|\n") {
			t.Errorf("%+v", r)
		}
		if !slices.Contains([]verify.Weight{verify.Critical, verify.High, verify.Medium, verify.Note}, r.Weight) ||
			!slices.Contains([]drift.Class{drift.Odd, drift.Weaker, drift.Wrong}, r.Class) {
			t.Errorf("%s: %q, %q", r.ID, r.Weight, r.Class)
		}
		seen[r.ID] = true
		if got := drift.RuleOf(r.ID); got == nil || got.ID != r.ID {
			t.Errorf("RuleOf(%q): %v", r.ID, got)
		}
	}
}

// released gives three packages of which each version was published with the others.
func released(n int) []drift.Artifact {
	var all []drift.Artifact
	for _, name := range []string{"@acme/a", "@acme/b", "@acme/c"}[:n] {
		a := good(name)
		a.Policy.Run, a.Yesterday = false, nil
		for i := range a.Subjects {
			a.Subjects[i].Run = drift.Asked[drift.Run]{}
			// Each has its own day, but for the last.
			shift := time.Duration(len(all)) * 5 * time.Hour
			if i == 4 {
				shift = time.Duration(len(all)) * time.Minute
			}
			a.Listing.Releases[i].Time = registry.Known(day(i + 1).Add(shift))
		}
		all = append(all, a)
	}
	return all
}

func TestBurst(t *testing.T) {
	for _, tt := range []struct {
		what   string
		n      int
		change func(all []drift.Artifact)
		fires  bool
	}{
		{"three at once", 3, nil, true},
		{"two at once", 2, nil, false},
		{"three in eleven minutes", 3, func(all []drift.Artifact) {
			all[2].Listing.Releases[4].Time = registry.Known(day(5).Add(11 * time.Minute))
		}, false},
		{"always together", 3, func(all []drift.Artifact) {
			for _, a := range all {
				for i := range a.Listing.Releases {
					a.Listing.Releases[i].Time = registry.Known(day(i + 1))
				}
			}
		}, false},
		{"once before together", 3, func(all []drift.Artifact) {
			for _, a := range all {
				a.Listing.Releases[3].Time = registry.Known(day(4))
			}
		}, true},
		{"always together, and within the day", 3, func(all []drift.Artifact) {
			for _, a := range all {
				for i := range a.Listing.Releases {
					a.Listing.Releases[i].Time = registry.Known(day(5).Add(time.Duration(i-4) * time.Hour))
				}
			}
		}, true},
		{"one run that published by right", 3, func(all []drift.Artifact) {
			for _, a := range all {
				a.Subjects[4].Run = drift.Told(goodRun(5))
			}
		}, false},
		{"one run that did not", 3, func(all []drift.Artifact) {
			run := goodRun(5)
			run.Published = drift.Said(false, "skipped")
			for _, a := range all {
				a.Subjects[4].Run = drift.Told(run)
			}
		}, true},
		{"of a mirror", 3, func(all []drift.Artifact) {
			for i := range all {
				all[i].Listing.Role = registry.Mirror
			}
		}, false},
		{"history", 3, func(all []drift.Artifact) {
			for i := range all {
				all[i].Policy.SignedFrom = "2.0.0"
			}
		}, false},
	} {
		all := released(tt.n)
		if tt.change != nil {
			tt.change(all)
		}
		for i, f := range drift.Apply(all) {
			fired, _ := rulesOf(f)
			if slices.Contains(fired, drift.Burst) != tt.fires {
				t.Errorf("%s: %s: fired %v", tt.what, all[i].Policy.Name, fired)
			}
			if text := wordsOf(f, drift.Burst); tt.fires && !strings.Contains(text, "3 of our packages between 2026-03-05T10:00:00Z") {
				t.Errorf("%s: %q", tt.what, text)
			}
		}
	}
}

package drift

import (
	"slices"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Class is what a rule that fires makes of a version, where its weight is enough.
type Class string

// The classes.
const (
	Odd    Class = "suspicious"        // how it was published is odd
	Weaker Class = "regression"        // earlier versions, or yesterday, had more
	Wrong  Class = "identity-mismatch" // what was presented is wrong
)

// Rule is one row of the table Rules.
type Rule struct {
	ID     string
	Title  string // what fired, in a few words
	Weight verify.Weight
	Class  Class
	Kinds  []registry.Kind // that it is asked about; none: all
	Needs  string          // what it looks at
	Means  string          // why it says something

	version  func(*view) outcome
	artifact func(*state) outcome
	// decides reports whether the policy asks for what the rule needs, so that the version is
	// unknown where the rule is. nil: it never does.
	decides func(*view) bool
}

func (r *Rule) about(kind registry.Kind) bool {
	return len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind)
}

// The names of the rules.
const (
	Identity          = "identity"
	ProvenanceDropped = "provenance-dropped"
	AttestationGone   = "attestation-gone"
	TokenPublish      = "token-publish"
	PublisherChanged  = "publisher-changed"
	NewKey            = "new-key"
	NewPublisher      = "new-publisher"
	NoReleaseNearby   = "no-release-nearby"
	TagMissing        = "tag-missing"
	GitTagMoved       = "git-tag-moved"
	ReleaseMissing    = "release-missing"
	CommitOffBranch   = "commit-off-branch"
	HeadUnknown       = "head-unknown"
	RunMissing        = "run-missing"
	RunMismatch       = "run-mismatch"
	RunFailed         = "run-failed"
	PublishStep       = "publish-step"
	UntrustedTrigger  = "untrusted-trigger"
	CacheUntrusted    = "cache-untrusted"
	CacheRace         = "cache-race"
	RunOffBranch      = "run-off-branch"
	BranchUnprotected = "branch-unprotected"
	InstallScript     = "install-script"
	NativeBuild       = "native-build"
	GitDependency     = "git-dependency"
	LongScript        = "long-script"
	FileNotInTree     = "file-not-in-tree"
	WheelOnly         = "wheel-only"
	OddArchive        = "odd-archive"
	Burst             = "burst"
	RapidVersions     = "rapid-versions"
	DigestChanged     = "digest-changed"
	LateFile          = "late-file"
	ImageTagMoved     = "image-tag-moved"
	ImageTagUnsigned  = "image-tag-unsigned"
	ImageTagIdentity  = "image-tag-identity"
	DigestNotBuilt    = "digest-not-built"
	Withdrawn         = "withdrawn"
	Vanished          = "vanished"
	NewMaintainer     = "new-maintainer"
	MaintainerEmail   = "maintainer-email"
	PublishingChanged = "publishing-changed"
	DistTagBack       = "dist-tag-back"
	Quarantined       = "quarantined"
)

var (
	packages   = []registry.Kind{registry.NPM, registry.PyPI}
	npm        = []registry.Kind{registry.NPM}
	pypi       = []registry.Kind{registry.PyPI}
	images     = []registry.Kind{registry.OCI}
	immutable  = []registry.Kind{registry.NPM, registry.PyPI, registry.Go, registry.Release}
	withCommit = []registry.Kind{registry.NPM, registry.PyPI, registry.Go, registry.Release}
)

// Rules are all rules, in the order of reports and of docs/rules.md.
var Rules = []Rule{
	{
		ID: Identity, Title: "signed by somebody else", Weight: verify.Critical, Class: Wrong,
		Needs: "refusals of the verification", version: identity,
		Means: "an attestation is there and its identity, issuer or key is not one of the policy: another workflow, trigger, ref, runner or repository",
	},
	{
		ID: ProvenanceDropped, Title: "no provenance, where earlier versions had it", Weight: verify.High, Class: Weaker,
		Kinds: []registry.Kind{registry.NPM, registry.PyPI, registry.OCI, registry.Release},
		Needs: "attestations of this version and of at least two before it", version: provenanceDropped,
		Means: "a stolen token publishes without the workflow that signs",
	},
	{
		ID: AttestationGone, Title: "its signature was there yesterday", Weight: verify.High, Class: Weaker,
		Needs: "yesterday, and the attestations of today", version: attestationGone,
		Means: "somebody removed or replaced what proved who made it",
	},
	{
		ID: TokenPublish, Title: "published with a token, where a workflow published before", Weight: verify.High, Class: Weaker, Kinds: packages,
		Needs: "who published, by the registry's word", version: tokenPublish, decides: tokenDecides,
		Means: "a token that a worm stole is used from anywhere; a workflow's is not",
	},
	{
		ID: PublisherChanged, Title: "another workflow or trusted publisher than before", Weight: verify.Medium, Class: Odd,
		Needs: "the signer or trusted publisher of this version and of the one before it", version: publisherChanged,
		Means: "a second way to publish was set up",
	},
	{
		ID: NewKey, Title: "a key that no earlier version was signed with", Weight: verify.Medium, Class: Odd,
		Needs: "the keys of this version and of those before it", version: newKey,
		Means: "a key was added or replaced",
	},
	{
		ID: NewPublisher, Title: "published by an account that never did before", Weight: verify.Medium, Class: Odd, Kinds: packages,
		Needs: "who published this version and those before it", version: newPublisher,
		Means: "an account was added, or taken over",
	},
	{
		ID: NoReleaseNearby, Title: "nothing in the repository within half an hour", Weight: verify.High, Class: Odd,
		Kinds: packages, Needs: "the time of publishing at the origin; tags, releases and runs of the repository",
		version: noReleaseNearby, decides: func(v *view) bool { return v.Policy.Release || v.Policy.Run },
		Means: "a stolen token publishes with no tag, no release and no run",
	},
	{
		ID: TagMissing, Title: "there is no git tag for it", Weight: verify.High, Class: Odd, Kinds: withCommit,
		Needs: "the policy's tag; the tags of the repository", version: tagMissing, decides: tagDecides,
		Means: "it was made from no commit that the repository names, or the tag was deleted since: a Go proxy serves it on",
	},
	{
		ID: GitTagMoved, Title: "its git tag leads to another commit than yesterday", Weight: verify.High, Class: Odd, Kinds: withCommit,
		Needs: "yesterday; the tags of the repository", version: gitTagMoved,
		Means: "tags were moved to a thief's commit (trivy-action, KICS); what was published no longer shows where it came from",
	},
	{
		ID: ReleaseMissing, Title: "there is no GitHub release for it", Weight: verify.High, Class: Odd, Kinds: withCommit,
		Needs: "the policy's release; the releases of the repository", version: releaseMissing,
		decides: func(v *view) bool { return v.Policy.Release },
		Means:   "the policy says that every version has one",
	},
	{
		ID: CommitOffBranch, Title: "the commit of its tag is not on the branch", Weight: verify.High, Class: Odd, Kinds: withCommit,
		Needs: "the policy's branch and tag; the history of the branch", version: commitOffBranch,
		decides: func(v *view) bool { return v.Policy.Branch != "" },
		Means:   "it was made from a commit that nobody merged",
	},
	{
		ID: HeadUnknown, Title: "made from no commit of the repository", Weight: verify.Medium, Class: Odd, Kinds: npm,
		Needs: "gitHead of this version and of those before it; the commits of the repository", version: headUnknown,
		Means: "it was packed outside of a checkout, or from a commit that was never pushed or is in a fork alone",
	},
	{
		ID: RunMissing, Title: "there is no such run", Weight: verify.Critical, Class: Odd,
		Needs: "the run that the certificate names", version: runMissing, decides: runDecides,
		Means: "the certificate names a run that the repository never had; one that is only too old is unknown",
	},
	{
		ID: RunMismatch, Title: "the run is not what the certificate says", Weight: verify.Critical, Class: Odd,
		Needs: "the run that the certificate names", version: ofRun(func(r *Run) Answer { return r.Same }, No), decides: runDecides,
		Means: "repository, workflow, trigger or commit differ",
	},
	{
		ID: RunFailed, Title: "the run did not end well", Weight: verify.Critical, Class: Odd,
		Needs: "the run that the certificate names", version: ofRun(func(r *Run) Answer { return r.Succeeded }, No), decides: runDecides,
		Means: "it published, and failed or was cancelled: its own steps would not have published then",
	},
	{
		ID: PublishStep, Title: "the step that publishes did not run", Weight: verify.Critical, Class: Odd,
		Needs: "the jobs of the run; its workflow at its commit", version: ofRun(func(r *Run) Answer { return r.Published }, No), decides: runDecides,
		Means: "something else in the run published with its identity, as in TanStack's in May 2026",
	},
	{
		ID: UntrustedTrigger, Title: "the run was started from outside", Weight: verify.Critical, Class: Odd,
		Needs: "the trigger, by the certificate or the run", version: untrustedTrigger, decides: runDecides,
		Means: "pull_request_target and its like run with the repository's rights at a stranger's word",
	},
	{
		ID: CacheUntrusted, Title: "the run could restore a cache that an untrusted run wrote", Weight: verify.Critical, Class: Odd,
		Needs: "the caches of the repository; the workflow; runs before it", version: ofRun(func(r *Run) Answer { return r.Poisoned }, Yes), decides: runDecides,
		Means: "what a stranger's pull request put in a cache ran with the right to publish",
	},
	{
		ID: CacheRace, Title: "an untrusted run could write its cache while it ran", Weight: verify.Critical, Class: Odd,
		Needs: "the workflow; runs at the same time and their workflows", version: ofRun(func(r *Run) Answer { return r.Raced }, Yes), decides: runDecides,
		Means: "as cache-untrusted, with the cache gone since or written during the run",
	},
	{
		ID: RunOffBranch, Title: "the run's commit is not on the branch", Weight: verify.High, Class: Odd,
		Needs: "the policy's branch; the history of the branch", version: runOffBranch,
		decides: func(v *view) bool { return v.Policy.Run && v.Policy.Branch != "" },
		Means:   "the workflow ran on a commit that nobody merged",
	},
	{
		ID: BranchUnprotected, Title: "the branch is not protected", Weight: verify.Note, Class: Odd,
		Needs: "the policy's branch; its protection", version: branchUnprotected,
		Means: "being on the branch proves less: whoever may push may release",
	},
	{
		ID: InstallScript, Title: "a new script runs on installation", Weight: verify.Critical, Class: Odd, Kinds: npm,
		Needs: "scripts by the registry and in the tarball; those of the policy and of earlier versions", version: installScript,
		Means: "worms start from preinstall and postinstall",
	},
	{
		ID: NativeBuild, Title: "a new binding.gyp", Weight: verify.Critical, Class: Odd, Kinds: npm,
		Needs: "the files of this version and of one before it", version: nativeBuild,
		Means: "npm then runs node-gyp on installation, with no script that shows",
	},
	{
		ID: GitDependency, Title: "a new dependency that no registry has", Weight: verify.Critical, Class: Odd, Kinds: npm,
		Needs: "dependencies by the registry and in the tarball; those of earlier versions", version: gitDependency,
		Means: "TanStack's bad versions fetched their payload from a commit of a fork, as an optional dependency",
	},
	{
		ID: LongScript, Title: "a new large file of JavaScript in one line", Weight: verify.Critical, Class: Odd, Kinds: npm,
		Needs: "the files of this version and of one before it", version: longScript,
		Means: "payloads are packed into one line; a folder that held such files before is left alone",
	},
	{
		ID: FileNotInTree, Title: "a file that is not in the repository", Weight: verify.Critical, Class: Odd, Kinds: packages,
		Needs: "the files of this version; those of its commit; those of one version before it", version: fileNotInTree,
		Means: "it was added between the commit and the registry; what is built into folders that held built files before is left alone",
	},
	{
		ID: WheelOnly, Title: "the wheel holds other code than the source distribution", Weight: verify.High, Class: Odd, Kinds: pypi,
		Needs: "wheel and source distribution of this version; of one before it where they differ", version: wheelOnly,
		Means: "what is installed was not built from the source beside it; a .pth file, as LiteLLM 1.82.8 brought one, runs whenever Python starts",
	},
	{
		ID: OddArchive, Title: "an archive that programs read differently", Weight: verify.High, Class: Odd,
		Needs: "the files of this version", version: oddArchive,
		Means: "names that stand twice, links, paths that lead out: what is checked need not be what is installed",
	},
	{
		ID: Burst, Title: "several of our packages within ten minutes", Weight: verify.High, Class: Odd, Kinds: packages,
		Needs: "the times of publishing of all artifacts of the policy", version: burst,
		Means: "a worm publishes all that its token may; packages that are always released together, in the way of before, are left alone, and so is one run that published as it should",
	},
	{
		ID: RapidVersions, Title: "several patch versions within an hour", Weight: verify.High, Class: Odd, Kinds: packages,
		Needs: "the times of publishing of this artifact", version: rapidVersions,
		Means: "a worm that meets its own work again publishes again",
	},
	{
		ID: DigestChanged, Title: "other bytes than yesterday", Weight: verify.Critical, Class: Odd, Kinds: immutable,
		Needs: "yesterday; the digests of the registry", version: digestChanged,
		Means: "what was published under a version never changes",
	},
	{
		ID: LateFile, Title: "a file was added to an older release", Weight: verify.High, Class: Odd, Kinds: pypi,
		Needs: "yesterday, or the times of upload", version: lateFile,
		Means: "whoever pinned the version gets what was not there when they looked",
	},
	{
		ID: ImageTagMoved, Title: "the tag moved since yesterday", Weight: verify.Medium, Class: Odd, Kinds: images,
		Needs: "yesterday; the tags of the registry", version: imageTagMoved,
		Means: "a tag that names a whole version is moved for a reason",
	},
	{
		ID: ImageTagUnsigned, Title: "the tag moved to an image that is not signed", Weight: verify.High, Class: Weaker, Kinds: images,
		Needs: "yesterday; the signatures of today", version: imageTagUnsigned,
		Means: "somebody pushed past the workflow that signs",
	},
	{
		ID: ImageTagIdentity, Title: "the tag moved to an image that somebody else signed", Weight: verify.High, Class: Odd, Kinds: images,
		Needs: "yesterday; the signers of both", version: imageTagIdentity,
		Means: "another workflow, repository or key signed what the tag names now",
	},
	{
		ID: DigestNotBuilt, Title: "no run of ours pushed it", Weight: verify.High, Class: Odd, Kinds: images,
		Needs: "the digests that the repository's runs say they pushed", version: digestNotBuilt,
		Means: "it was pushed from elsewhere",
	},
	{
		ID: Withdrawn, Title: "yanked, deprecated or retracted since yesterday, or no longer so", Weight: verify.Note, Class: Odd,
		Needs: "yesterday; the registry's word", version: withdrawnChanged,
		Means: "somebody took it back, or put it back",
	},
	{
		ID: Vanished, Title: "a version or file that was there yesterday is gone", Weight: verify.High, Class: Odd,
		Needs: "yesterday; the listing", artifact: vanished,
		Means: "it was unpublished by somebody of ours, by a thief who covers tracks, or by the registry as malware",
	},
	{
		ID: NewMaintainer, Title: "a maintainer that was not there before", Weight: verify.Medium, Class: Odd, Kinds: packages,
		Needs: "the maintainers; yesterday's, or the policy's", artifact: newMaintainer,
		Means: "somebody else may publish now",
	},
	{
		ID: MaintainerEmail, Title: "a maintainer with another address", Weight: verify.Medium, Class: Odd, Kinds: packages,
		Needs: "the maintainers of today and yesterday", artifact: maintainerEmail,
		Means: "an account that was taken over gets a new address first",
	},
	{
		ID: PublishingChanged, Title: "how it may be published was changed", Weight: verify.Medium, Class: Odd, Kinds: packages,
		Needs: "what the registry says of that, today and yesterday", artifact: publishingChanged,
		Means: "a trusted publisher was added, removed or changed",
	},
	{
		ID: DistTagBack, Title: "a tag was moved back, or to a version that is not good", Weight: verify.Medium, Class: Odd, Kinds: npm,
		Needs: "yesterday; the tags of today", artifact: distTagBack,
		Means: "who installs without a version gets an older one: a cure, or an attack",
	},
	{
		ID: Quarantined, Title: "the registry holds it back", Weight: verify.High, Class: Odd, Kinds: pypi,
		Needs: "the project's status; yesterday's", artifact: quarantined,
		Means: "PyPI took it for malware",
	},
}

// RuleOf gives a rule by its name, nil for none.
func RuleOf(id string) *Rule {
	for i := range Rules {
		if Rules[i].ID == id {
			return &Rules[i]
		}
	}
	return nil
}

package respond

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// OursInput are the facts of Scenario C.
type OursInput struct {
	Organisation string // of GitHub; "" where it is not known
	Artifacts    []Ours
	// Consumers are the places of the organisation that hold a bad version, by the inventory;
	// unknown where none was asked.
	Consumers registry.Fact[[]Consumer]
	// Credentials are those that the job or machine of the bad publish could read; unknown where
	// nobody found out, and then every kind is on the list.
	Credentials registry.Fact[[]Credential]
	// Exposed are the jobs of CI that installed a bad version, or may have; unknown where nobody
	// looked. ExposedGaps say what of that is not known, a line each.
	Exposed     registry.Fact[[]Exposed]
	ExposedGaps []string
	Contact     string // whom consumers ask, "" where it is not known
}

// Ours is an artifact of the organisation with a version that is bad.
type Ours struct {
	Kind     registry.Kind
	Name     string
	PURL     string // without version
	Source   string // "owner/repository", "" where it is not known
	Protocol string // of its registry, as policies have it: "npm", "harbor", "ghpackages"; "" is the public one's
	Address  string // of its registry, https; "" is the public one's
	Bad      []BadVersion
	Good     []string // versions that were verified, or are unsigned as the policy lets them be
	Unknown  []string // versions of which nobody could say so
	// Workflows are the files of Source's workflows that publish it: "release.yml".
	Workflows []string

	Listing *registry.Listing // nil where it was not asked or did not answer, and Gap says why
	Gap     string
	// Dependents are public packages that depend on it. Downloads are those of the last week
	// (npm). They are unknown where nobody looked.
	Dependents, Downloads registry.Fact[int]
}

// Add takes what a verification says of a version: it is good, bad, or nobody knows.
func (o *Ours) Add(v *finding.Verification) {
	switch {
	case v.Verdict.Good():
		o.Good = append(o.Good, v.Version)
	case !v.Verdict.Bad():
		o.Unknown = append(o.Unknown, v.Version)
	default:
		bad := BadVersion{Version: v.Version, Digest: v.Digest, Verdict: v.Verdict}
		if v.Time != nil {
			bad.Time = registry.Known(*v.Time)
		}
		for _, r := range v.Refusals {
			bad.Why = append(bad.Why, r.What+": "+r.Code+": "+verify.Line(r.Detail))
		}
		for _, s := range v.Signals {
			bad.Why = append(bad.Why, s.Rule+": "+verify.Line(s.Evidence))
		}
		o.Bad = append(o.Bad, bad)
	}
}

// BadVersion is a version that we did not publish as we should have.
type BadVersion struct {
	Version string
	Digest  string                   // algorithm:hex of its main file, "" where it is not known
	Time    registry.Fact[time.Time] // of its publishing, by the origin
	Verdict verify.Verdict
	Why     []string // a line each
	// Downloads in all (GHCR), and the number of the version in GitHub's API ("" is not known).
	Downloads registry.Fact[int]
	ID        string
}

// Consumer is a place that holds a bad version.
type Consumer struct {
	Repository, File, Package string // Package is a purl with version
}

// Credential is something to be replaced.
type Credential struct {
	Kind   string // of rotations: "npm", "github", "aws"
	Name   string // "NPM_TOKEN"
	Holder string // where it lies: "acme/sdk", "environment release of acme/sdk"
}

// Exposed is a job of CI that installed a bad version, or may have, and what it could read.
type Exposed struct {
	Package    string // purl with version
	Repository string // "owner/repository"
	Run        int64
	Workflow   string // its name or file, as GitHub has it
	Job        string
	Installed  Answer // Yes, or Unknown
	Runner     string // "hosted" (GitHub's), "self-hosted", "" where it is not known
	RunnerName string
	Secrets    []ExposedSecret
	// AllSecrets is why it could read any secret that there is, "" where it could not; Gap is why
	// what it could read is not known.
	AllSecrets, Gap string
	Token           []string // the permissions with which its token could write
	IDToken         bool     // it could have an identity signed
}

// ExposedSecret is a secret that a job could read.
type ExposedSecret struct {
	Name  string
	Scope string // "repository", "organisation", "environment", "dependabot"; "" where it is not known
	// Changed is when it was written after the run; zero where it was not, or that is not known.
	Changed time.Time
}

// ScenarioC plans what is to be done about versions that were published by us, or in our name, and
// should not have been: in the order of the runbook, with what each registry can and cannot do.
// Nothing is changed by it.
func ScenarioC(in OursInput) *Plan {
	p := &Plan{Form: Form, Kind: Withdrawal, About: []Subject{}, Basis: []Basis{}, Steps: []Step{}}
	b := &withdrawal{in: in, plan: p}
	b.in.Artifacts = slices.Clone(in.Artifacts)
	slices.SortStableFunc(b.in.Artifacts, func(x, y Ours) int {
		return cmp.Or(cmp.Compare(slices.Index(registry.Kinds, x.Kind), slices.Index(registry.Kinds, y.Kind)), strings.Compare(x.Name, y.Name))
	})
	b.about()
	b.freeze()
	for i := range b.in.Artifacts {
		b.artifact(&b.in.Artifacts[i])
	}
	b.rotation()
	b.aftermath()
	p.Checks = b.republish()
	p.Title = fmt.Sprintf("Scenario C: take back %s of %s", count(b.versions(), "version"), count(len(b.in.Artifacts), "artifact"))
	return p
}

// withdrawal makes one plan.
type withdrawal struct {
	in      OursInput
	plan    *Plan
	frozen  []string // ids of the steps that stop publishing
	done    []string // ids of the steps that take versions back
	rotated []string
}

func (b *withdrawal) versions() (n int) {
	for i := range b.in.Artifacts {
		n += len(b.in.Artifacts[i].Bad)
	}
	return n
}

// add appends a step, and gives its id.
func (b *withdrawal) add(s Step) string {
	kept, left := fits(s.Commands...)
	s.Commands = kept
	if left > 0 {
		s.Notes = append(s.Notes, "A command is withheld: a name in it cannot be typed as it is shown.")
	}
	b.plan.Steps = append(b.plan.Steps, s)
	return s.ID
}

func (b *withdrawal) missing(what, why string) {
	b.plan.Missing = append(b.plan.Missing, Missing{What: what, Why: why})
}

func (b *withdrawal) about() {
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		a.Bad = slices.Clone(a.Bad)
		slices.SortStableFunc(a.Bad, func(x, y BadVersion) int { return strings.Compare(x.Version, y.Version) })
		for _, v := range a.Bad {
			s := Subject{Kind: string(a.Kind), Name: a.Name, Version: v.Version, PURL: a.PURL, Digest: v.Digest, Why: v.Why, Ecosystem: a.ecosystem()}
			if v.Verdict != "" {
				s.Why = append([]string{"verdict: " + string(v.Verdict)}, v.Why...)
			}
			b.plan.About = append(b.plan.About, s)
		}
		if a.Listing != nil && a.Listing.Role == registry.Mirror {
			a.Listing, a.Gap = nil, "its registry is a mirror, whose tags and times are not believed: ask the origin"
		}
		if a.Listing == nil {
			b.missing("what is published of "+a.id(), cmp.Or(a.Gap, "its registry was not asked"))
		} else {
			b.plan.Basis = append(b.plan.Basis, Basis{"what is published of " + a.id(), bareAddress(a.Listing.Registry)})
		}
		if len(a.Unknown) > 0 {
			b.missing("whether these versions of "+a.id()+" are ours: "+strings.Join(a.Unknown, ", "), "they could not be verified")
		}
		if a.Source == "" {
			b.missing("the repository of "+a.id(), "the policy names none")
		}
	}
	if b.in.Consumers.Knowledge != registry.Present {
		b.missing("who of the organisation installed it", "no inventory was asked")
	}
	if b.in.Credentials.Knowledge != registry.Present {
		b.missing("what the job of the publish could read", "nobody found out: every kind of credential is on the list")
	}
	b.exposedMissing()
}

// freeze stops what publishes, before anything else.
func (b *withdrawal) freeze() {
	var sources []string
	for i := range b.in.Artifacts {
		if s := b.in.Artifacts[i].Source; s != "" && !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	slices.Sort(sources)
	for _, source := range sources {
		s := Step{
			ID: freezeID(source), Title: "Stop the workflows of " + source + " that publish", Class: Human, Repository: source,
			Why:   "What published once can publish again while its versions are taken back, and reads every new credential.",
			Probe: Probe{Text: "The workflow is disabled, and no run of it is queued or in progress.", Command: command("gh", "run", "list", "--repo", repositoryWord(source), "--limit", "20").ref()},
		}
		for _, name := range b.workflows(source) {
			s.Commands = append(s.Commands, command("gh", "workflow", "disable", name, "--repo", repositoryWord(source)))
		}
		s.Link = githubLink(source, "/actions")
		s.Notes = []string{"Cancel what runs, and throw its caches away: they may hold what the worm left there."}
		b.frozen = append(b.frozen, b.add(s))
	}
}

func freezeID(source string) string { return "freeze-" + slug(source) }

// workflows are those of a repository that publish, as words; a blank where none is known.
func (b *withdrawal) workflows(source string) []Word {
	var names []string
	for i := range b.in.Artifacts {
		if a := &b.in.Artifacts[i]; a.Source == source {
			names = append(names, a.Workflows...)
		}
	}
	slices.Sort(names)
	const blank = "workflow that publishes"
	if len(names) == 0 {
		return []Word{{Blank: blank}}
	}
	var out []Word
	for _, name := range slices.Compact(names) {
		out = append(out, word(okFile(name) && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")), name, blank))
	}
	return out
}

// frozenFor are the steps that come before anything of an artifact that cannot be undone.
func (b *withdrawal) frozenFor(a *Ours) []string {
	if id := freezeID(a.Source); slices.Contains(b.frozen, id) {
		return []string{id}
	}
	return nil
}

// artifact plans for one artifact, by what its registry can do.
func (b *withdrawal) artifact(a *Ours) {
	var ids []string
	switch a.protocol() {
	case "npm":
		ids = b.npm(a)
	case "pypi":
		ids = b.pypi(a)
	case "goproxy":
		ids = b.module(a)
	case "ghreleases":
		ids = b.release(a)
	case "harbor":
		ids = b.harbor(a)
	case "ghpackages":
		ids = b.ghpackages(a)
	default:
		ids = b.oci(a)
	}
	b.done = append(b.done, ids...)
}

func (a *Ours) id() string { return string(a.Kind) + ":" + a.Name }

func (a *Ours) slug() string { return string(a.Kind) + "-" + slug(a.Name) }

func (a *Ours) ecosystem() ecosystem.Ecosystem {
	for e, k := range kindOf {
		if k == a.Kind {
			return e
		}
	}
	return ""
}

// protocol is the given one, or that of the public registry of the kind.
func (a *Ours) protocol() string {
	if a.Protocol != "" {
		return a.Protocol
	}
	switch a.Kind {
	case registry.NPM:
		return "npm"
	case registry.PyPI:
		return "pypi"
	case registry.Go:
		return "goproxy"
	case registry.Release:
		return "ghreleases"
	}
	if name, _, _ := strings.Cut(a.Name, "/"); name == host.GHCR {
		return "ghpackages"
	}
	return "oci"
}

func (a *Ours) bad(v string) bool {
	return slices.ContainsFunc(a.Bad, func(b BadVersion) bool { return b.Version == v })
}

// lastGood is the version to show instead: the last that was verified and was published before the
// first bad one. It is "" where that is not known: a version that nobody verified is none.
func (a *Ours) lastGood() string {
	if a.Listing == nil {
		return ""
	}
	var first time.Time
	for _, v := range a.Bad {
		t, known := v.Time.Get()
		if !known {
			return ""
		}
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	e, best := a.ecosystem(), ""
	for i := range a.Listing.Releases {
		r := &a.Listing.Releases[i]
		t, known := r.Time.Get()
		if !known || !t.Before(first) || a.bad(r.Version) || !slices.Contains(a.Good, r.Version) || prerelease(e, r.Version) ||
			r.Unpublished.Knowledge == registry.Present || r.Yanked.Knowledge == registry.Present {
			continue
		}
		if n, err := version.Compare(e, r.Version, best); best == "" || err == nil && n > 0 {
			best = r.Version
		}
	}
	return best
}

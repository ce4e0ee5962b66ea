package respond

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// PinInput are the facts of a pin plan.
type PinInput struct {
	// Findings of packages that are not ours. Of their states, active and latent ones are
	// planned for; the others are left out.
	Findings  []*finding.Finding
	Packages  []Package // what is known of the packages that they name
	Catalogue Catalogue // all of it, whatever campaign is asked about; nil: nothing may be pinned
	// OfOurs says that the packages are ours: it is the plan for who of us holds a bad version of
	// them, which is a part of Scenario C. A version of ours must have been verified as well.
	OfOurs bool
	// Ours says whether the organisation publishes a package: then there is no pin, and the plan
	// says so. nil: none is known to be ours, which the plan says too.
	Ours func(e ecosystem.Ecosystem, name string) bool
}

// Catalogue is what is asked of a catalogue. *ioc.Set is one.
type Catalogue interface {
	Package(e ecosystem.Ecosystem, name, version string) ([]ioc.Match, ioc.Reason)
	Digest(d digest.Digest) []ioc.Match
	Campaigns() []*ioc.Pack
	Revision() string
}

// Package is what is known of a package of somebody else's.
type Package struct {
	Ecosystem ecosystem.Ecosystem
	Name      string // canonical
	// Listing is what its registry says; nil where it was not asked or did not answer, and Gap
	// says why.
	Listing *registry.Listing
	Gap     string
	// Digests are those of further sources by version: of a Go module, the checksum database's.
	Digests map[string][]digest.Digest
	// Recorded says what lockfiles of the organisation hold of a version; nil: they were not
	// looked at.
	Recorded func(version string, d digest.Digest) Recorded
	// Bad are versions that a person says are bad, whatever the catalogue has, and Since the time
	// from which nothing that was published is believed; zero where nobody said so.
	Bad   []string
	Since time.Time
	// Verified are the versions of a package of ours that were verified.
	Verified []string
}

// Recorded counts the lockfile entries of a version by the digest that they hold.
type Recorded struct {
	Same  int // that digest
	Other int // another one of the same algorithm
}

// PinPlan plans to put every repository of the findings back to the last version of each package
// that is known to be good. Where no version passes every check, the plan says what is missing, and
// has no command for that place. Nothing is changed by it.
func PinPlan(in PinInput) *Plan {
	p := &Plan{Form: Form, Kind: Pin, About: []Subject{}, Basis: []Basis{}, Steps: []Step{}}
	b := pinner{in: in, plan: p, packages: map[packageKey]*Package{}, named: map[packageKey][]*finding.Finding{}}
	for i := range in.Packages {
		k := &in.Packages[i]
		b.packages[packageKey{k.Ecosystem, k.Name}] = k
	}
	findings := b.sort()
	b.about(findings)
	b.basis()
	for _, g := range group(findings) {
		b.place(g)
	}
	p.Title = title(p, findings)
	return p
}

// pinner makes one plan.
type pinner struct {
	in       PinInput
	plan     *Plan
	packages map[packageKey]*Package
	named    map[packageKey][]*finding.Finding // the findings that are planned for
}

type packageKey struct {
	ecosystem ecosystem.Ecosystem
	name      string
}

func keyOf(f *finding.Finding) packageKey {
	return packageKey{ecosystem.Ecosystem(f.Package.Ecosystem), f.Package.Name}
}

// sort picks the findings that can be pinned, in a fixed order, and says of the others why they
// cannot.
func (b *pinner) sort() []*finding.Finding {
	var out []*finding.Finding
	for _, f := range b.in.Findings {
		switch {
		case f.State != finding.Active && f.State != finding.Latent:
		case f.Package == nil:
			b.missing(f.Repository, f.File, "what to do about the indicator "+cmp.Or(f.Observable, f.Indicator),
				"it is no package: nothing can be pinned; read the incident, and take the file or branch away as evidence first")
		case !b.in.OfOurs && f.Campaign == finding.PublishedByUs || !b.in.OfOurs && b.in.Ours != nil && b.in.Ours(keyOf(f).ecosystem, f.Package.Name):
			b.missing(f.Repository, f.File, "a pin of "+f.Package.PURL, "it is published by us: that is Scenario C, and a plan of its own")
		default:
			out = append(out, f)
			b.named[keyOf(f)] = append(b.named[keyOf(f)], f)
		}
	}
	slices.SortStableFunc(out, func(x, y *finding.Finding) int {
		return cmp.Or(strings.Compare(x.Repository, y.Repository), strings.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line),
			strings.Compare(x.Package.PURL, y.Package.PURL), strings.Compare(x.Campaign, y.Campaign), strings.Compare(x.Fingerprint, y.Fingerprint))
	})
	return out
}

func (b *pinner) missing(repository, file, what, why string) {
	b.plan.Missing = append(b.plan.Missing, Missing{What: what, Why: why, Repository: repository, File: file})
}

// about names the versions that are to go.
func (b *pinner) about(findings []*finding.Finding) {
	at := map[string]int{}
	for _, f := range findings {
		key := f.Campaign + "\x00" + f.Package.PURL
		if _, known := at[key]; known {
			continue
		}
		at[key] = len(b.plan.About)
		b.plan.About = append(b.plan.About, Subject{
			Campaign: f.Campaign, Ecosystem: keyOf(f).ecosystem, Name: f.Package.Name, Version: f.Package.Version, PURL: f.Package.PURL, Why: f.Reasons,
		})
	}
	slices.SortStableFunc(b.plan.About, func(x, y Subject) int {
		return cmp.Or(strings.Compare(x.Campaign, y.Campaign), strings.Compare(x.PURL, y.PURL))
	})
}

// basis says whose word the plan rests on. Times of asking are not in it: the same answers are the
// same plan.
func (b *pinner) basis() {
	if b.in.Catalogue == nil {
		b.missing("", "", "whether a version is listed", "there is no catalogue")
	} else {
		b.plan.Basis = append(b.plan.Basis, Basis{"what is listed", "catalogue, revision " + b.in.Catalogue.Revision()})
	}
	if b.in.Ours == nil && !b.in.OfOurs {
		b.missing("", "", "whether a package is published by us", "there is no policy file: a package of ours is not pinned but taken back (Scenario C)")
	}
	var keys []packageKey
	for key := range b.named {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y packageKey) int {
		return cmp.Or(strings.Compare(string(x.ecosystem), string(y.ecosystem)), strings.Compare(x.name, y.name))
	})
	for _, key := range keys {
		if k := b.packages[key]; k != nil && k.Listing != nil {
			b.plan.Basis = append(b.plan.Basis, Basis{"versions, times and digests of " + string(key.ecosystem) + " " + key.name, bareAddress(k.Listing.Registry)})
		}
	}
}

// bareAddress is an address as people say it.
func bareAddress(address string) string { return strings.TrimPrefix(address, "https://") }

func title(p *Plan, findings []*finding.Finding) string {
	repositories, packages := map[string]bool{}, map[packageKey]bool{}
	for _, f := range findings {
		repositories[f.Repository], packages[keyOf(f)] = true, true
	}
	pinned := 0
	for i := range p.Steps {
		if p.Steps[i].Choice != nil {
			pinned++
		}
	}
	return fmt.Sprintf("Pin %s in %s: %d of %s with a version that is known to be good",
		count(len(packages), "package"), countIn(len(repositories)), pinned, count(len(p.Steps), "place"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func countIn(n int) string {
	if n == 1 {
		return "1 repository"
	}
	return fmt.Sprintf("%d repositories", n)
}

// place plans for one place.
func (b *pinner) place(g *place) {
	f := g.findings[0]
	key := keyOf(f)
	s := Step{
		ID: g.id(), Class: Automatic, Repository: g.repository,
		Why:   reasonsOf(g.findings),
		Probe: Probe{Text: "A sweep of the same ref reads the file again, and finds no version there that is listed."},
	}
	what := key.name
	if g.version != "" {
		what += "@" + g.version
	}
	choice, lacks := b.choose(key, g.version)
	if choice == nil {
		s.Class, s.Title = Human, "Decide where to go from "+what
		s.Gates = []Gate{{ID: "known-good", Question: "Is there a version that is known to be good?", Detail: strings.Join(lacks, "; ")}}
		for _, why := range lacks {
			b.missing(g.repository, g.file(), "a version of "+string(key.ecosystem)+" "+key.name+" to go back to", why)
		}
		s.Edits = g.edits("")
		s.Notes = append(s.Notes, "Until then take the package away, or stop what installs it.")
		b.plan.Steps = append(b.plan.Steps, s)
		return
	}
	s.Title = "Put " + what + " back to " + choice.Version
	s.Choice = choice
	s.Gates = []Gate{{ID: "known-good", Question: "Does the version pass every check?", Answer: Yes, Detail: "each of them, below"}}
	s.Edits = g.edits(choice.Version)
	made, notes := g.commands(choice.Version)
	commands, left := fits(made...)
	s.Commands, s.Notes = commands, notes
	if left > 0 {
		s.Class = Human
		s.Notes = append(s.Notes, "A command is withheld: a name in it cannot be typed as it is shown.")
	}
	if len(s.Commands) == 0 {
		s.Class = Human
	}
	if choice.Scripts {
		s.Notes = append(s.Notes, "The version has an installation script. The commands leave scripts off; see what it needs before it is built.")
	}
	b.plan.Steps = append(b.plan.Steps, s)
}

// reasonsOf says which campaigns found it, where and on which refs.
func reasonsOf(findings []*finding.Finding) string {
	var campaigns, refs []string
	for _, f := range findings {
		campaigns, refs = append(campaigns, cmp.Or(f.Campaign, "named by a person")), append(refs, f.Refs...)
	}
	slices.Sort(campaigns)
	slices.Sort(refs)
	why := "Campaign: " + strings.Join(slices.Compact(campaigns), ", ")
	if refs = slices.Compact(refs); len(refs) > 0 {
		why += ". Refs: " + strings.Join(refs[:min(len(refs), 5)], ", ")
		if len(refs) > 5 {
			why += fmt.Sprintf(" and %d more", len(refs)-5)
		}
	}
	return why + "."
}

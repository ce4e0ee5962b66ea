package respond_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// one is a plan for one lockfile with one bad version.
type one struct {
	e          ecosystem.Ecosystem
	bad        string
	listing    *registry.Listing
	indicators []ioc.Indicator
	input      respond.PinInput
	finding    *finding.Finding
}

// newOne locks x@2.0.1, of which 2.0.0 and 1.9.0 were published before the campaign.
func newOne() *one {
	const e = ecosystem.NPM
	return &one{
		e: e, bad: "2.0.1",
		listing: listing(e, "x", release(e, "x", "1.9.0", at(1, 0).AddDate(0, -3, 0)), release(e, "x", "2.0.0", at(1, 0)), release(e, "x", "2.0.1", at(4, 10))),
		finding: found(e, "x", "2.0.1", "acme/api", "package-lock.json", "package-lock", 3),
	}
}

func (o *one) release(v string) *registry.Published {
	for i := range o.listing.Releases {
		if o.listing.Releases[i].Version == v {
			return &o.listing.Releases[i]
		}
	}
	panic(v)
}

func (o *one) plan(t *testing.T) *respond.Plan {
	t.Helper()
	o.input.Findings = []*finding.Finding{o.finding}
	if o.input.Catalogue == nil {
		o.input.Catalogue = set(t, append([]ioc.Indicator{listed(o.e, o.listing.Name, o.bad)}, o.indicators...)...)
	}
	if o.input.Packages == nil {
		o.input.Packages = []respond.Package{pkg(o.e, o.listing)}
	}
	if o.input.Ours == nil {
		o.input.Ours = notOurs
	}
	return respond.PinPlan(o.input)
}

// A version is pinned only where every check says yes; unknown is never yes (row 28 of the threat
// model: a list may name bad versions as safe).
func TestRow28KnownGood(t *testing.T) {
	for _, tt := range []struct {
		about string
		edit  func(*one)
		want  string // the version, "" for none
		why   string // of what was passed over or is missing
	}{
		{"all is known", func(*one) {}, "2.0.0", ""},
		{"a list calls the bad ones safe", func(o *one) {
			o.finding.Safe = []string{"2.0.1", "3.0.0"}
			o.listing.Releases = append(o.listing.Releases, release(o.e, "x", "2.0.2", at(4, 11)))
			o.indicators = []ioc.Indicator{{Type: ioc.TypePackage, Ecosystem: o.e, Name: "x", AllVersions: false, Versions: []string{"2.0.0"}}}
		}, "1.9.0", "not-listed is no: the campaign wave lists it"},
		{"published in the campaign", func(o *one) { o.release("2.0.0").Time = registry.Known(at(4, 9)) }, "1.9.0", "published-before is no"},
		{"published when it began", func(o *one) { o.release("2.0.0").Time = registry.Known(at(4, 0)) }, "1.9.0", "published-before is no"},
		{"its time is not known", func(o *one) { o.release("2.0.0").Time = registry.Fact[time.Time]{} }, "1.9.0", "published-before is unknown"},
		{"its time is absent", func(o *one) { o.release("2.0.0").Time = registry.None[time.Time]() }, "1.9.0", "published-before is unknown"},
		{"a file was added in the campaign", func(o *one) { o.release("2.0.0").Files[0].Time = registry.Known(at(4, 9)) }, "1.9.0", "published-before is no"},
		{"a listed version is older than the window", func(o *one) {
			o.release("2.0.1").Time = registry.Known(at(1, 0).Add(-time.Hour))
		}, "1.9.0", "the publishing of 2.0.1, which is listed"},
		{"it is listed", func(o *one) { o.indicators = []ioc.Indicator{listed(o.e, "x", "2.0.0")} }, "1.9.0", "not-listed is no"},
		{"its digest is listed under another name", func(o *one) {
			d := sum(digest.SHA512, "x2.0.0")
			o.indicators = []ioc.Indicator{{Type: ioc.TypePackage, Ecosystem: o.e, Name: "y", Versions: []string{"1.0.0"}, Integrity: []string{"sha512:" + d.Text}}}
		}, "1.9.0", "digest-known is no"},
		{"it has no digest", func(o *one) { o.release("2.0.0").Files[0].Digests = nil }, "1.9.0", "digest-known is unknown"},
		{"it has no file", func(o *one) { o.release("2.0.0").Files = nil }, "1.9.0", "digest-known is unknown"},
		{"SHA-1 proves nothing", func(o *one) { o.release("2.0.0").Files[0].Digests = []digest.Digest{sum(digest.SHA1, "x")} }, "1.9.0", "digest-known is unknown"},
		{"a lockfile recorded another digest", func(o *one) {
			p := pkg(o.e, o.listing)
			p.Recorded = func(v string, d digest.Digest) respond.Recorded {
				if v == "2.0.0" {
					return respond.Recorded{Other: 3}
				}
				return respond.Recorded{Same: 2}
			}
			o.input.Packages = []respond.Package{p}
		}, "1.9.0", "digest-as-recorded is no: 3 lockfiles recorded another digest"},
		{"one of two lockfiles recorded another", func(o *one) {
			p := pkg(o.e, o.listing)
			p.Recorded = func(string, digest.Digest) respond.Recorded { return respond.Recorded{Same: 1, Other: 1} }
			o.input.Packages = []respond.Package{p}
		}, "", "digest-as-recorded is no"},
		{"nobody looked at lockfiles", func(o *one) {
			o.input.Packages = []respond.Package{{Ecosystem: o.e, Name: "x", Listing: o.listing}}
		}, "", "digest-as-recorded is unknown"},
		{"it lost its provenance", func(o *one) { o.release("1.9.0").Provenance = registry.Known("https://r.example") }, "1.9.0", "provenance-not-worse is no"},
		{"its provenance is not known", func(o *one) { o.release("2.0.0").Provenance = registry.Fact[string]{} }, "1.9.0", "provenance-not-worse is unknown"},
		{"that of the one before is not known", func(o *one) { o.release("1.9.0").Provenance = registry.Fact[string]{} }, "", "provenance-not-worse is unknown"},
		{"it gained provenance", func(o *one) { o.release("2.0.0").Provenance = registry.Known("https://r.example") }, "2.0.0", ""},
		{"it was unpublished", func(o *one) { o.release("2.0.0").Unpublished = registry.Known(true) }, "1.9.0", "not-withdrawn is no: it is unpublished"},
		{"nobody says whether it was", func(o *one) { o.release("2.0.0").Unpublished = registry.Fact[bool]{} }, "1.9.0", "not-withdrawn is unknown"},
		{"the answer about it was damaged", func(o *one) { o.listing.Faults = []string{`version "2.0.0": dist: not as npm writes it`} }, "1.9.0", "could not be read"},
		{"a pre-release is none to go back to", func(o *one) {
			o.listing.Releases = append(o.listing.Releases, release(o.e, "x", "2.0.1-rc.1", at(2, 0)))
		}, "2.0.0", ""},
		{"nothing above the bad one", func(o *one) { o.listing.Releases = append(o.listing.Releases, release(o.e, "x", "2.5.0", at(2, 0))) }, "2.0.0", ""},
		{"a mirror is not believed", func(o *one) { o.listing.Role = registry.Mirror }, "", "mirror"},
		{"another package's listing", func(o *one) { o.listing.Name = "x"; o.listing.Kind = registry.PyPI }, "", "another package"},
		{"a project in quarantine", func(o *one) { o.listing.Status = registry.Known("quarantined") }, "", "quarantined"},
		{"the registry was not asked", func(o *one) {
			o.input.Packages = []respond.Package{{Ecosystem: o.e, Name: "x", Gap: "no answer in time"}}
		}, "", "no answer in time"},
		{"nothing is known of the package", func(o *one) { o.input.Packages = []respond.Package{} }, "", "not asked"},
		{"no version before it", func(o *one) { o.listing.Releases = o.listing.Releases[2:] }, "", "no version before it"},
		{"a person's word is earlier", func(o *one) {
			p := pkg(o.e, o.listing)
			p.Since = at(1, 0).AddDate(0, -1, 0)
			o.input.Packages = []respond.Package{p}
		}, "1.9.0", "a person's word"},
		{"a person says that it is bad", func(o *one) {
			p := pkg(o.e, o.listing)
			p.Bad = []string{"v2.0.0"}
			o.input.Packages = []respond.Package{p}
		}, "1.9.0", "a person says that it is bad"},
	} {
		o := newOne()
		tt.edit(o)
		p := o.plan(t)
		if len(p.Steps) != 1 {
			t.Errorf("%s: %d steps", tt.about, len(p.Steps))
			continue
		}
		s, got, why := p.Steps[0], "", ""
		if s.Choice != nil {
			got = s.Choice.Version
			for _, passed := range s.Choice.Passed {
				why += passed.Version + ": " + passed.Why + "\n"
			}
			for _, c := range s.Choice.Checks {
				if c.Answer != respond.Yes {
					t.Errorf("%s: pinned to %s with %s %s", tt.about, got, c.ID, c.Answer)
				}
				why += c.Detail + "\n"
			}
		} else {
			if len(s.Commands) > 0 || len(p.Missing) == 0 {
				t.Errorf("%s: no version, %d commands and %d lines of what is missing", tt.about, len(s.Commands), len(p.Missing))
			}
			if at := p.Stand(at(10, 0), nil)[0]; at.State != respond.Withheld {
				t.Errorf("%s: no version, and the step is %s", tt.about, at.State)
			}
			for _, m := range p.Missing {
				why += m.Why + "\n"
			}
		}
		if got != tt.want || !strings.Contains(why, tt.why) {
			t.Errorf("%s: %q, %q; want %q, with %q", tt.about, got, why, tt.want, tt.why)
		}
	}
}

// Without a window of the campaign nothing is old enough; without a catalogue nothing is unlisted.
func TestPinNeedsWindowAndCatalogue(t *testing.T) {
	o := newOne()
	o.finding.Window, o.finding.Campaign = nil, "another"
	if p := o.plan(t); p.Steps[0].Choice != nil || !strings.Contains(p.Missing[0].Why, "since when") {
		t.Errorf("without a window: %+v", p.Missing)
	}
	o = newOne()
	o.plan(t)
	o.input.Catalogue = nil
	if p := respond.PinPlan(o.input); p.Steps[0].Choice != nil || p.Missing[0].Why != "there is no catalogue" {
		t.Errorf("without a catalogue: %+v", p.Missing)
	}
}

func TestWhatIsNoPin(t *testing.T) {
	o := newOne()
	o.input.Ours = func(_ ecosystem.Ecosystem, name string) bool { return name == "x" }
	if p := o.plan(t); len(p.Steps) != 0 || !strings.Contains(p.Missing[0].Why, "Scenario C") {
		t.Errorf("ours: %d steps, %+v", len(p.Steps), p.Missing)
	}
	o = newOne()
	o.finding.Package, o.finding.Observable = nil, "name bundle.js"
	if p := o.plan(t); len(p.Steps) != 0 || !strings.Contains(p.Missing[0].What, "name bundle.js") {
		t.Errorf("a file: %d steps, %+v", len(p.Steps), p.Missing)
	}
	for _, state := range []finding.State{finding.Weak, finding.LookAlike, finding.Withdrawn, finding.Excluded} {
		o = newOne()
		o.finding.State = state
		if p := o.plan(t); len(p.Steps) != 0 {
			t.Errorf("%s: %d steps", state, len(p.Steps))
		}
	}
}

// A PyPI release without provenance of one of its files has none, and what PyPI and Go call
// withdrawn is not offered.
func TestOtherEcosystems(t *testing.T) {
	const p, g = ecosystem.PyPI, ecosystem.Go
	for _, tt := range []struct {
		about string
		e     ecosystem.Ecosystem
		edit  func(old, last *registry.Published)
		want  string
	}{
		{"pypi", p, func(_, _ *registry.Published) {}, "1.1"},
		{"yanked", p, func(_, last *registry.Published) { last.Yanked = registry.Known("") }, "1.0"},
		{"one file without", p, func(old, last *registry.Published) {
			old.Files[0].Provenance = registry.Known("u")
			with := last.Files[0]
			with.Provenance = registry.Known("u")
			last.Files = append(last.Files, with)
			last.Provenance = registry.Known("u")
		}, "1.0"},
		{"all files with", p, func(old, last *registry.Published) {
			old.Files[0].Provenance, last.Files[0].Provenance = registry.Known("u"), registry.Known("u")
		}, "1.1"},
		{"go", g, func(_, last *registry.Published) { last.Provenance = registry.Fact[string]{} }, "v1.1.0"},
		{"retracted", g, func(_, last *registry.Published) { last.Retracted = registry.Known("bad") }, "v1.0.0"},
		{"nobody says whether it is retracted", g, func(_, last *registry.Published) { last.Retracted = registry.Fact[string]{} }, "v1.0.0"},
	} {
		versions, name, format, file := []string{"1.0", "1.1", "1.2"}, "x", "uv.lock", "uv.lock"
		if tt.e == g {
			versions, name, format, file = []string{"v1.0.0", "v1.1.0", "v1.2.0"}, "example.com/x", "go.mod", "go.mod"
		}
		old, last, bad := release(tt.e, name, versions[0], at(1, 0).AddDate(0, -1, 0)), release(tt.e, name, versions[1], at(1, 0)), release(tt.e, name, versions[2], at(4, 10))
		tt.edit(&old, &last)
		o := &one{e: tt.e, bad: versions[2], listing: listing(tt.e, name, old, last, bad), finding: found(tt.e, name, versions[2], "acme/x", file, format, 1)}
		s := o.plan(t).Steps[0]
		if s.Choice == nil || s.Choice.Version != tt.want {
			t.Errorf("%s: %+v, want %s", tt.about, s.Choice, tt.want)
		}
	}
}

// Who of us holds a bad version of ours goes back to one that was verified, and to no other.
func TestPinOfOurs(t *testing.T) {
	for _, tt := range []struct {
		about    string
		verified []string
		want     string
	}{{"the last was verified", []string{"2.0.0", "1.9.0"}, "2.0.0"}, {"an older one was", []string{"1.9.0"}, "1.9.0"}, {"none was", nil, ""}} {
		o := newOne()
		o.finding.Campaign, o.finding.Window = finding.PublishedByUs, nil
		p := pkg(o.e, o.listing)
		p.Bad, p.Since, p.Verified = []string{"2.0.1"}, at(4, 10), tt.verified
		o.input.Packages, o.input.OfOurs, o.input.Catalogue = []respond.Package{p}, true, set(t)
		o.input.Ours = func(ecosystem.Ecosystem, string) bool { return true }
		got := ""
		if c := o.plan(t).Steps[0].Choice; c != nil {
			got = c.Version
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.about, got, tt.want)
		}
	}
}

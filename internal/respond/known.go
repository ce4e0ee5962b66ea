package respond

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Choice is the version that a place goes back to, and why it is believed. A list of indicators may
// name versions as safe; that counts for nothing here, since whoever writes the list could have us
// "fix" to a bad one. Every check is answered with yes.
type Choice struct {
	PURL      string    `json:"purl"`
	Version   string    `json:"version"`
	Published time.Time `json:"published"`
	Digests   []string  `json:"digests"` // algorithm:hex, the strongest first
	Checks    []Check   `json:"checks"`
	// Passed are newer versions that did not pass, the newest first, each with its reason; at
	// most ten.
	Passed  []Passed `json:"passed,omitempty"`
	Scripts bool     `json:"scripts,omitempty"` // it has an installation script, or may have one
}

// Passed is a version that was passed over.
type Passed struct {
	Version string `json:"version"`
	Why     string `json:"why"`
}

const maxPassed = 10

// The checks of a version to go back to.
const (
	checkBefore     = "published-before"
	checkUnlisted   = "not-listed"
	checkDigest     = "digest-known"
	checkRecorded   = "digest-as-recorded"
	checkProvenance = "provenance-not-worse"
	checkOffered    = "not-withdrawn"
	checkVerified   = "verified" // of ours alone
)

// choose finds the last version that is known to be good: not above bad, where that is known, of
// its major version where there is one. lacks says why there is none.
func (b *pinner) choose(key packageKey, bad string) (choice *Choice, lacks []string) {
	k := b.packages[key]
	switch {
	case b.in.Catalogue == nil:
		return nil, []string{"there is no catalogue to hold a version against"}
	case key.ecosystem == ecosystem.Actions:
		return nil, []string{"no registry says which releases an action had: pin the full commit of one that is older than the campaign"}
	case k == nil:
		return nil, []string{"its registry was not asked"}
	case k.Listing == nil:
		return nil, []string{cmp.Or(k.Gap, "its registry was not asked")}
	case k.Listing.Role == registry.Mirror:
		return nil, []string{"its registry is a mirror, whose times and provenance are not believed: ask the origin"}
	case kindOf[key.ecosystem] != k.Listing.Kind || key.ecosystem.CanonicalName(k.Listing.Name) != key.name:
		return nil, []string{fmt.Sprintf("the listing is of another package: %s %q", k.Listing.Kind, k.Listing.Name)}
	}
	if status, known := k.Listing.Status.Get(); known && status != "active" && status != "" {
		return nil, []string{fmt.Sprintf("the registry has the project as %q", status)}
	}
	cutoff, by := b.cutoff(key, k)
	if cutoff.IsZero() {
		return nil, []string{"it is not known since when the campaign has been going on"}
	}
	j := judge{pinner: b, key: key, known: k, cutoff: cutoff, by: by}
	var passed []Passed
	for _, r := range candidates(key.ecosystem, k.Listing.Releases, bad) {
		checks := j.checks(r)
		why := failed(checks)
		if why == "" {
			at, _ := r.Time.Get()
			c := &Choice{PURL: key.ecosystem.PURL(key.name, r.Version), Version: r.Version, Published: at.UTC(), Checks: checks, Passed: passed, Scripts: scripted(key.ecosystem, r)}
			for _, d := range j.digests(r) {
				c.Digests = append(c.Digests, d.String())
			}
			return c, nil
		}
		if len(passed) < maxPassed {
			passed = append(passed, Passed{r.Version, why})
		}
	}
	if len(passed) == 0 {
		return nil, []string{"the registry has no version before it"}
	}
	lacks = []string{"no version passes every check"}
	for _, p := range passed[:min(len(passed), 3)] {
		lacks = append(lacks, p.Version+": "+p.Why)
	}
	return nil, lacks
}

var kindOf = map[ecosystem.Ecosystem]registry.Kind{ecosystem.NPM: registry.NPM, ecosystem.PyPI: registry.PyPI, ecosystem.Go: registry.Go}

// cutoff is the time before which a version must have been published, and by what: the earliest
// that anything says of the campaigns that name the package. A list says when a campaign was
// noticed, so the publishing of a version that it names can be earlier, and then counts. It is zero
// where nothing says when the campaign began.
func (b *pinner) cutoff(key packageKey, k *Package) (at time.Time, by string) {
	earlier := func(t time.Time, what string) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at, by = t, what
		}
	}
	campaigns := map[string]bool{}
	for _, f := range b.named[key] {
		campaigns[f.Campaign] = true
		from := time.Time{}
		if f.Window != nil {
			from = begin(f.Window.From)
		}
		earlier(from, "the window of the indicator")
	}
	for _, p := range b.in.Catalogue.Campaigns() {
		if campaigns[p.ID] {
			earlier(begin(p.FirstSeen), "the first trace of the campaign "+p.ID)
		}
	}
	earlier(k.Since, "a person's word")
	if at.IsZero() {
		return at, ""
	}
	for i := range k.Listing.Releases {
		r := &k.Listing.Releases[i]
		t, known := r.Time.Get()
		if !known {
			continue
		}
		matches, _ := b.in.Catalogue.Package(key.ecosystem, key.name, r.Version)
		if slices.ContainsFunc(matches, func(m ioc.Match) bool { return campaigns[m.Campaign.ID] && m.Reason == ioc.ExactVersion }) ||
			same(key.ecosystem, k.Bad, r.Version) {
			earlier(t, "the publishing of "+r.Version+", which is listed")
		}
	}
	return at, by
}

// begin is the beginning of a time as packs have it: RFC 3339, a date, or a month. It is zero for
// any other text.
func begin(text string) time.Time {
	for _, form := range []string{time.RFC3339, time.DateOnly, "2006-01"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func same(e ecosystem.Ecosystem, all []string, v string) bool {
	canonical, err := version.Canonical(e, v)
	return err == nil && slices.ContainsFunc(all, func(other string) bool {
		c, err := version.Canonical(e, other)
		return err == nil && c == canonical
	})
}

// candidates are the versions below bad, or all of them where it is "", that are no pre-releases
// unless bad is one: those of its major version first, each from the highest down.
func candidates(e ecosystem.Ecosystem, releases []registry.Published, bad string) []*registry.Published {
	var out []*registry.Published
	for i := range releases {
		r := &releases[i]
		if version.Check(e, r.Version) != nil || prerelease(e, r.Version) && !prerelease(e, bad) {
			continue
		}
		if bad != "" {
			if n, err := version.Compare(e, r.Version, bad); err != nil || n >= 0 {
				continue
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(x, y *registry.Published) int {
		near := func(r *registry.Published) int {
			if bad != "" && major(e, r.Version) == major(e, bad) {
				return 0
			}
			return 1
		}
		n, err := version.Compare(e, y.Version, x.Version)
		if err != nil {
			n = 0 // both were read
		}
		return cmp.Or(cmp.Compare(near(x), near(y)), n)
	})
	return out
}

// prerelease reports whether a version is one, or a pseudo-version of Go.
func prerelease(e ecosystem.Ecosystem, v string) bool {
	canonical, err := version.Canonical(e, v)
	if err != nil {
		return false
	}
	if e == ecosystem.PyPI {
		return strings.ContainsAny(version.Public(e, canonical), "abcdr") // "1.0a1", "1.0rc1", "1.0.dev1"
	}
	return strings.Contains(canonical, "-")
}

// major is the first number of a version; of one below 1.0.0 the second too, since there a minor
// version is what breaks.
func major(e ecosystem.Ecosystem, v string) string {
	canonical, err := version.Canonical(e, v)
	if err != nil {
		return ""
	}
	first, rest, _ := strings.Cut(canonical, ".")
	if first == "0" || first == "v0" {
		second, _, _ := strings.Cut(rest, ".")
		return first + "." + second
	}
	return first
}

// failed is the first check that is not answered with yes, as a line; "" for none.
func failed(checks []Check) string {
	for _, want := range []Answer{No, Unknown} {
		for i := range checks {
			if c := &checks[i]; c.Answer == want {
				return c.ID + " is " + c.Answer.String() + ": " + c.Detail
			}
		}
	}
	return ""
}

// scripted reports whether npm would run something of it, as far as is known.
func scripted(e ecosystem.Ecosystem, r *registry.Published) bool {
	return e == ecosystem.NPM && r.Scripts.Knowledge != registry.Absent
}

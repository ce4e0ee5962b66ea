package respond

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
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

// judge holds the versions of one package against the checks.
type judge struct {
	*pinner
	key    packageKey
	known  *Package
	cutoff time.Time
	by     string
}

// digests are the valid ones of a version, none of them too weak to prove anything.
func (j *judge) digests(r *registry.Published) []digest.Digest {
	var out []digest.Digest
	add := func(all []digest.Digest) {
		for _, d := range all {
			if d.Valid() && d.Algorithm != digest.MD5 && d.Algorithm != digest.SHA1 {
				out = append(out, d)
			}
		}
	}
	for i := range r.Files {
		add(r.Files[i].Digests)
	}
	add(j.known.Digests[r.Version])
	return out
}

func (j *judge) checks(r *registry.Published) []Check {
	out := []Check{j.unlisted(r), j.before(r), j.digest(r), j.recorded(r), j.provenance(r), j.offered(r)}
	if j.in.OfOurs {
		c := Check{ID: checkVerified, Text: "It was verified to be ours.", Detail: "its verification is not known"}
		if same(j.key.ecosystem, j.known.Verified, r.Version) {
			c.Answer, c.Detail = Yes, "by the policy"
		}
		out = append(out, c)
	}
	return out
}

func (j *judge) before(r *registry.Published) Check {
	c := Check{ID: checkBefore, Text: "It was published before the campaign began."}
	at, known := r.Time.Get()
	if !known {
		c.Detail = "the registry does not say when it was published"
		return c
	}
	for i := range r.Files { // a file that was added later is as new as its upload
		if t, ok := r.Files[i].Time.Get(); ok && t.After(at) {
			at = t
		}
	}
	c.Answer = said(at.Before(j.cutoff))
	c.Detail = fmt.Sprintf("published %s; the bound is %s, %s", stamp(at), stamp(j.cutoff), j.by)
	return c
}

func (j *judge) unlisted(r *registry.Published) Check {
	c := Check{ID: checkUnlisted, Text: "No indicator of the catalogue names it."}
	matches, why := j.in.Catalogue.Package(j.key.ecosystem, j.key.name, r.Version)
	switch {
	case same(j.key.ecosystem, j.known.Bad, r.Version):
		c.Answer, c.Detail = No, "a person says that it is bad"
	case len(matches) > 0:
		c.Answer, c.Detail = No, "the campaign "+matches[0].Campaign.ID+" lists it"
	case why == ioc.OddVersion:
		c.Detail = "the version cannot be compared with those that are listed"
	default:
		c.Answer, c.Detail = Yes, "catalogue, revision "+j.in.Catalogue.Revision()
	}
	return c
}

func (j *judge) digest(r *registry.Published) Check {
	c := Check{ID: checkDigest, Text: "Its digest is known, and not listed."}
	all := j.digests(r)
	if len(all) == 0 {
		c.Detail = "neither the registry nor the checksum database gives one that proves something"
		return c
	}
	for i := range r.Files {
		if len(r.Files[i].Digests) == 0 && j.key.ecosystem != ecosystem.Go { // there they are the database's
			c.Detail = "a file of it has no digest: " + strconv.Quote(r.Files[i].Name)
			return c
		}
	}
	for _, d := range all {
		if found := j.in.Catalogue.Digest(d); len(found) > 0 {
			c.Answer, c.Detail = No, "the campaign "+found[0].Campaign.ID+" lists "+d.String()
			return c
		}
	}
	c.Answer, c.Detail = Yes, all[0].String()
	return c
}

func (j *judge) recorded(r *registry.Published) Check {
	c := Check{ID: checkRecorded, Text: "It is what lockfiles of the organisation recorded."}
	if j.known.Recorded == nil {
		c.Detail = "no inventory was asked"
		return c
	}
	var sum Recorded
	for _, d := range j.digests(r) {
		got := j.known.Recorded(r.Version, d)
		sum.Same += got.Same
		// A release of PyPI has several files: another digest is another file, unless none agrees.
		sum.Other += got.Other
	}
	switch {
	case sum.Same > 0 && (sum.Other == 0 || j.key.ecosystem == ecosystem.PyPI):
		c.Answer, c.Detail = Yes, "the same in "+count(sum.Same, "lockfile")
	case sum.Other > 0:
		c.Answer, c.Detail = No, count(sum.Other, "lockfile")+" recorded another digest than the registry's"
	default:
		c.Answer, c.Detail = Yes, "no lockfile of the inventory holds it: the registry's digest is the first"
	}
	return c
}

// looksBack is how many versions before one are looked at for provenance.
const looksBack = 5

func (j *judge) provenance(r *registry.Published) Check {
	c := Check{ID: checkProvenance, Text: "Its provenance is not worse than that of the versions before it."}
	if j.key.ecosystem == ecosystem.Go {
		c.Answer, c.Detail = Yes, "modules have none: the checksum database stands for it"
		return c
	}
	own := provenanceOf(r)
	earlier, had, unknown := j.earlier(r), 0, 0
	for _, e := range earlier {
		switch provenanceOf(e) {
		case registry.Present:
			had++
		case registry.Unknown:
			unknown++
		}
	}
	switch {
	case own == registry.Present:
		c.Answer, c.Detail = Yes, "the registry serves an attestation for it"
	case own == registry.Unknown:
		c.Detail = "the registry does not say whether it has provenance"
	case had > 0:
		c.Answer, c.Detail = No, fmt.Sprintf("it has none, and %d of the %d versions before it have", had, len(earlier))
	case unknown > 0:
		c.Detail = "it has none, and of versions before it that is not known"
	default:
		c.Answer, c.Detail = Yes, fmt.Sprintf("it has none, as the %d versions before it", len(earlier))
	}
	return c
}

// earlier are the last versions that were published before r and are not listed.
func (j *judge) earlier(r *registry.Published) []*registry.Published {
	at, known := r.Time.Get()
	if !known {
		return nil
	}
	var out []*registry.Published
	for i := range j.known.Listing.Releases {
		e := &j.known.Listing.Releases[i]
		t, ok := e.Time.Get()
		if !ok || !t.Before(at) || e.Unpublished.Knowledge == registry.Present {
			continue
		}
		if found, _ := j.in.Catalogue.Package(j.key.ecosystem, j.key.name, e.Version); len(found) == 0 {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(x, y *registry.Published) int { return y.Time.Value.Compare(x.Time.Value) })
	return out[:min(len(out), looksBack)]
}

// provenanceOf is what is known of a release's attestations. PyPI has them for each file, and there
// one file without is a release without.
func provenanceOf(r *registry.Published) registry.Knowledge {
	told, out := false, registry.Present
	for i := range r.Files {
		k := r.Files[i].Provenance.Knowledge
		told = told || k != registry.Unknown
		if k == registry.Absent || k == registry.Unknown && out == registry.Present {
			out = k
		}
	}
	if told {
		return out
	}
	return r.Provenance.Knowledge
}

func (j *judge) offered(r *registry.Published) Check {
	c := Check{ID: checkOffered, Text: "Neither its author nor its registry took it back."}
	for _, line := range j.known.Listing.Faults {
		if strings.Contains(line, strconv.Quote(r.Version)) {
			c.Detail = "the registry's answer about it could not be read: " + line
			return c
		}
	}
	for _, fact := range []struct {
		what string
		of   ecosystem.Ecosystem
		is   registry.Knowledge
	}{
		{"unpublished", ecosystem.NPM, r.Unpublished.Knowledge},
		{"yanked", ecosystem.PyPI, r.Yanked.Knowledge},
		{"retracted", ecosystem.Go, r.Retracted.Knowledge},
	} {
		switch {
		case fact.is == registry.Present:
			c.Answer, c.Detail = No, "it is "+fact.what
			return c
		case fact.of == j.key.ecosystem && fact.is == registry.Unknown:
			c.Detail = "it is not known whether it is " + fact.what
			return c
		}
	}
	c.Answer, c.Detail = Yes, "it is offered"
	if r.Deprecated.Knowledge == registry.Present {
		c.Detail = "it is offered, and deprecated"
	}
	return c
}

package respond

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

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

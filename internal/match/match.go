// Package match holds the rules by which an entry of a lockfile meets the catalogue: which
// of its identities are asked for, by name or by digest, and which reason codes say how.
// It is pure and safe for concurrent use.
//
// An entry is asked for by name and version unless it provably is not the public package
// of its name (a git or file dependency, a workspace, a link, a replaced module): an archive
// at whatever address may well be that package, a mirror's or an attacker's, and so may an npm
// archive in a file that the entry knows by a digest. It is asked for
// by the identity that its address names where that is another; and by each of its digests in
// any case, since a listed artifact is the listed artifact under any name, alias or mirror.
package match

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// The reason codes that qualify a match; those of package ioc say how it was met.
const (
	MirrorHost   ioc.Reason = "mirror-host"      // the bytes come from another host than the public registry
	OtherAddress ioc.Reason = "url"              // the bytes come from an address that is no registry's
	ByAlias      ioc.Reason = "alias"            // installed under another name
	ByAddress    ioc.Reason = "address"          // the entry's address names the listed package, the entry another
	ListedOnly   ioc.Reason = "listed-not-built" // in go.sum: hashed, not necessarily built
	Unpacked     ioc.Reason = "installed"        // found unpacked, so it was installed here
	Vendored     ioc.Reason = "vendored"         // vendored with the sources
	MovedTag     ioc.Reason = "moved-tag"        // a tag that was bad for a time: what counts is when a run resolved it
	NotLocked    ioc.Reason = "not-locked"       // asked for as this one version, and locked nowhere in the file
	NotByVersion ioc.Reason = "no-version"       // the entry names no version
	PinnedCommit ioc.Reason = "pinned-commit"    // no match: only tags were moved, and the action is pinned by commit
)

// Found is a match of an entry.
type Found struct {
	ioc.Match
	Reasons  []ioc.Reason      // Match.Reason first, then its qualifiers
	Identity lockfile.Identity // the name and version that met the indicator
	Digest   string            // the listed digest that the entry carries, "" where none is
}

// Miss says why an entry did not meet the catalogue by name.
type Miss struct {
	Reason ioc.Reason // "" when it did
	// Near is set when the name is listed, so that a person may ask why nothing was found.
	Near bool
}

// Package asks set for an entry. The common case, nothing found, does not allocate.
func Package(set *ioc.Set, p *lockfile.Package) ([]Found, Miss) {
	var out []Found
	var miss Miss
	switch {
	case p.Version != "" && (p.Source.Kind.Exact() || anywhere(p)):
		out, miss = byName(set, p, lockfile.Identity{Name: p.Name, Version: p.Version}, out)
	case p.Source.Kind == lockfile.Range || p.Source.Kind == lockfile.Manifest || p.Source.Kind.Exact() || p.Source.Kind == lockfile.NoVersion:
		out, miss = byRange(set, p, out)
	default:
		miss.Reason = ioc.Reason(p.Source.Kind.String())
		if ms, _ := set.Package(p.Ecosystem, p.Name, p.Version); len(ms) > 0 {
			miss.Near = true
		}
	}
	if p.Address != nil {
		var m Miss
		if out, m = byName(set, p, *p.Address, out); m.Near {
			miss.Near = true
		}
	}
	for _, d := range p.Digests {
		for _, m := range set.Digest(d) {
			var at int
			out, at = add(out, p, m, lockfile.Identity{Name: p.Name, Version: p.Version})
			out[at].Digest = d.String()
		}
	}
	if p.Source.Commit != "" {
		repository := p.Source.URL
		if p.Ecosystem == ecosystem.Actions {
			repository = "github.com/" + p.Name // an action is run from its commit, like a git dependency
		}
		for _, m := range set.Commit(repository, p.Source.Commit) {
			out, _ = add(out, p, m, lockfile.Identity{Name: p.Name, Version: p.Version})
		}
	}
	if len(out) > 0 {
		miss = Miss{}
	}
	return out, miss
}

// MayMeet reports whether Package could find something for an entry of the ecosystem, name,
// version, range and kind of p by one of those, whatever else it is: by its own name, or by the
// identity that its address names. It is for entries of which no more is known, and is true too
// often rather than too seldom.
func MayMeet(set *ioc.Set, p *lockfile.Package) bool {
	asks := func(name, ver string) bool {
		found, _ := set.Package(p.Ecosystem, name, ver)
		return len(found) > 0
	}
	if p.Version != "" && asks(p.Name, p.Version) || p.Address != nil && asks(p.Address.Name, p.Address.Version) {
		return true
	}
	if v, ok := Pinned(p.Ecosystem, p.Range); ok && asks(p.Name, v) {
		return true
	}
	if p.Version != "" && p.Range == "" && p.Source.Kind != lockfile.Range && p.Source.Kind != lockfile.Manifest && p.Source.Kind != lockfile.NoVersion {
		return false // a locked version is no range
	}
	found, _ := set.Latent(p.Ecosystem, p.Name, p.Range)
	return len(found) > 0
}

// anywhere reports whether an entry that is none of a registry's may be the public package of
// its name all the same: an archive at any address. So may one of npm in a file, or that a git
// host makes of a commit, once the entry has a digest: npm and pnpm then install what their
// caches hold under the digest, and never look at the address. And so may a wheel or source
// distribution that lies beside the project under the name that the index gave it.
func anywhere(p *lockfile.Package) bool {
	switch p.Source.Kind {
	case lockfile.URL:
		return true
	case lockfile.Path:
		return p.Ecosystem == ecosystem.NPM && len(p.Digests) > 0 || p.Ecosystem == ecosystem.PyPI && namedFile(p)
	case lockfile.Git:
		return p.Ecosystem == ecosystem.NPM && len(p.Digests) > 0 && strings.HasPrefix(p.Source.URL, "http")
	}
	return false
}

// namedFile reports whether the file of an entry is an archive whose own name has the entry's
// version, as a wheel that was downloaded from the index has. A folder has no such name.
func namedFile(p *lockfile.Package) bool {
	base := strings.ToLower(p.Source.URL[strings.LastIndexAny(p.Source.URL, `/\`)+1:])
	if !strings.Contains(base, "-"+strings.ToLower(p.Version)) {
		return false
	}
	return slices.ContainsFunc([]string{".whl", ".gz", ".zip", ".bz2", ".tgz"}, func(suffix string) bool { return strings.HasSuffix(base, suffix) })
}

func byName(set *ioc.Set, p *lockfile.Package, id lockfile.Identity, out []Found) ([]Found, Miss) {
	ms, why := set.Package(p.Ecosystem, id.Name, id.Version)
	met := false
	for _, m := range ms {
		if pinnedPast(p, m, id) {
			why = PinnedCommit
			continue
		}
		out, _ = add(out, p, m, id)
		met = true
	}
	if met {
		return out, Miss{}
	}
	return out, Miss{Reason: why, Near: why != ioc.OtherName}
}

// byRange asks for what is not locked. A range that admits one version alone is that version:
// nothing else can be installed.
func byRange(set *ioc.Set, p *lockfile.Package, out []Found) ([]Found, Miss) {
	if v, ok := Pinned(p.Ecosystem, p.Range); ok {
		return byName(set, p, lockfile.Identity{Name: p.Name, Version: v}, out)
	}
	ms, why := set.Latent(p.Ecosystem, p.Name, p.Range)
	if len(ms) > 0 {
		if v, ok := soleVersion(p); ok {
			return byName(set, p, lockfile.Identity{Name: p.Name, Version: v}, out)
		}
	}
	for _, m := range ms {
		out, _ = add(out, p, m, lockfile.Identity{Name: p.Name})
	}
	if len(ms) > 0 {
		return out, Miss{}
	}
	if why == ioc.OtherName {
		why = ioc.Reason(p.Source.Kind.String())
		return out, Miss{Reason: why}
	}
	return out, Miss{Reason: why, Near: true}
}

// Pinned is the one version that a range admits, where that stands in it: npm's "1.2.3" and
// "=1.2.3", PyPI's "==1.2.3", "===1.2.3" and ">=1.2.3,<=1.2.3".
func Pinned(e ecosystem.Ecosystem, expr string) (v string, ok bool) {
	switch e {
	case ecosystem.NPM:
		v = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(expr), "="))
		return v, version.Check(e, v) == nil
	case ecosystem.PyPI:
		least, most := false, false
		for part := range strings.SplitSeq(expr, ",") {
			part = strings.TrimSpace(part)
			op := part[:len(part)-len(strings.TrimLeft(part, "<>=!~"))]
			bound := strings.TrimSpace(part[len(op):])
			if v != "" && bound != v {
				return "", false
			}
			v = bound
			least = least || op == "==" || op == "===" || op == ">="
			most = most || op == "==" || op == "===" || op == "<="
			if !slices.Contains([]string{"==", "===", ">=", "<="}, op) {
				return "", false
			}
		}
		return v, least && most && version.Check(e, v) == nil
	}
	return "", false
}

// soleVersion is the one version that an npm range admits in another form than pinned knows:
// "v1.2.3", ">=1.2.3 <=1.2.3", "1.2.3 || 1.2.3".
func soleVersion(p *lockfile.Package) (v string, ok bool) {
	if p.Ecosystem != ecosystem.NPM {
		return "", false
	}
	r, err := version.ParseRange(p.Ecosystem, p.Range)
	if err != nil {
		return "", false
	}
	for alternative := range strings.SplitSeq(r.String(), "||") {
		least, most := "", ""
		for comparator := range strings.FieldsSeq(alternative) {
			bound := strings.TrimLeft(comparator, "<>=")
			switch comparator[:len(comparator)-len(bound)] {
			case "":
				least, most = bound, bound
			case ">=":
				least = bound
			case "<=":
				most = bound
			}
		}
		if least == "" || least != most || v != "" && v != least {
			return "", false
		}
		v = least
	}
	return v, version.Check(p.Ecosystem, v) == nil
}

// add appends a match, or its reason to the match of the same indicator that is there. One
// that is there for less than the package itself gives way: a listed digest is no range that
// might become the package, and no look-alike of it. at is where the match stands in out.
func add(out []Found, p *lockfile.Package, m ioc.Match, id lockfile.Identity) (_ []Found, at int) {
	f := Found{m, append([]ioc.Reason{m.Reason}, qualifiers(p, m, id)...), id, ""}
	for i := range out {
		switch old := &out[i]; {
		case old.Indicator != m.Indicator || old.Identity != id:
			continue
		case old.Reason == ioc.LatentRange || old.Reason == ioc.CaseOnly:
			*old = f
		case !slices.Contains(old.Reasons, m.Reason):
			old.Reasons = append(old.Reasons, m.Reason)
		}
		return out, i
	}
	return append(out, f), len(out)
}

func qualifiers(p *lockfile.Package, m ioc.Match, id lockfile.Identity) []ioc.Reason {
	var out []ioc.Reason
	if p.Address != nil && id == *p.Address {
		out = append(out, ByAddress)
	}
	if p.Alias != "" {
		out = append(out, ByAlias)
	}
	switch p.Source.Kind {
	case lockfile.Listed:
		out = append(out, ListedOnly)
	case lockfile.Installed:
		out = append(out, Unpacked)
	case lockfile.Vendored:
		out = append(out, Vendored)
	case lockfile.NoVersion:
		out = append(out, NotByVersion)
	case lockfile.URL, lockfile.Path, lockfile.Git:
		if anywhere(p) {
			out = append(out, OtherAddress)
		}
	case lockfile.Manifest, lockfile.Range:
		if m.Reason == ioc.ExactVersion || m.Reason == ioc.LocalVersion || m.Reason == ioc.VersionRange {
			out = append(out, NotLocked)
		}
	case lockfile.Registry:
		if h := Host(p); h != "" && !public(p.Ecosystem, h) {
			out = append(out, MirrorHost)
		}
	}
	if tagsMoved(p, m) {
		out = append(out, MovedTag)
	}
	return out
}

// tagsMoved reports whether the indicator says that an action's tags were bad for a time.
func tagsMoved(p *lockfile.Package, m ioc.Match) bool {
	return p.Ecosystem == ecosystem.Actions && m.Indicator.Window != nil && m.Reason == ioc.AllVersions
}

// pinnedPast reports whether an action is pinned by commit where only its tags were moved.
func pinnedPast(p *lockfile.Package, m ioc.Match, id lockfile.Identity) bool {
	return tagsMoved(p, m) && commitID(id.Version)
}

// Host is the host that an entry's address names, in lower case and without a port; "" where
// it names none.
func Host(p *lockfile.Package) string {
	_, rest, ok := strings.Cut(p.Source.URL, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		rest = rest[:i]
	}
	return strings.ToLower(rest)
}

func public(e ecosystem.Ecosystem, h string) bool {
	switch e {
	case ecosystem.NPM:
		return host.IsNPM(h)
	case ecosystem.PyPI:
		return host.IsPyPI(h)
	}
	return true
}

// commitID reports whether an action is pinned by a full commit id, which nobody can move.
func commitID(ref string) bool {
	return len(ref) == 40 && strings.Trim(strings.ToLower(ref), "0123456789abcdef") == ""
}

package npm

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// endEntry adds the entry of "packages" that has ended.
func (p *pnpmLock) endEntry() {
	e := &p.entry
	if !e.open {
		return
	}
	e.open = false
	k := parsePnpmKey(e.key)
	pkg := lockfile.Package{
		Name: k.name, Version: k.version, Line: e.line,
		Source:  p.source(k),
		Digests: p.digestsFrom(e.digests),
	}
	if e.dev {
		pkg.Scope |= lockfile.Dev
	}
	if e.optional {
		pkg.Scope |= lockfile.Optional
	}
	if pkg.Name == "" && len(e.names) > 0 {
		pkg.Name = e.names[0]
	}
	if pkg.Name == "" {
		pkg.Name = e.key
	}
	if pkg.Version == "" && len(e.versions) > 0 {
		pkg.Version = e.versions[0]
	}
	p.keys = append(p.keys, pnpmKeyOf{e.key, int32(len(p.Packages))})
	p.add(&pkg)
	p.addOthers(pkg)
}

// source tells where the bytes of the current entry come from. What the key calls a version
// comes from a registry; a resolution that says otherwise is a problem, and the entry is
// matched all the same. pnpm fetches a resolution with a type, or with a tarball that is a
// file, as it stands; any other from the registry or from its tarball, which may be relative
// to the registry (pnpm, lockfile/utils, pkgSnapshotToResolution).
func (p *pnpmLock) source(k pnpmKey) lockfile.Source {
	e := &p.entry
	address := ""
	if len(e.addresses) > 0 {
		address = e.addresses[0]
	}
	locked := k.version != "" && (e.kind == "" || !strings.Contains(e.key, "@runtime:"))
	source := lockfile.Source{Kind: lockfile.Registry, URL: address}
	switch {
	case e.kind == "git":
		source = lockfile.Source{Kind: lockfile.Git, URL: e.repo, Commit: e.commit}
	case e.kind == "directory":
		source = lockfile.Source{Kind: lockfile.Path, URL: e.directory}
	case strings.HasPrefix(address, "file:"):
		source.Kind = lockfile.Path
	case locked:
		if address == "" && k.host != "" {
			source.URL = e.key
		}
		return source
	case e.kind != "": // "binary", "variations" and custom ones: a tool beside the registry
		source.Kind = lockfile.URL
	case strings.HasPrefix(address, "https:"), strings.HasPrefix(address, "http:"):
		source = classify(address)
	case strings.HasPrefix(k.place, "file:") && strings.HasPrefix(p.version, "13.") && len(p.digests) == e.digests:
		source = classify(k.place) // a folder, which is all that 13.0 says of it
	case address == "":
		// Whatever place the key names, pnpm asks the registry for the entry's own version.
		p.AddProblem(e.line, lockfile.CodeEntry, "%.200q names no version, and the resolution no place", e.key)
	}
	if locked {
		p.AddProblem(e.line, lockfile.CodeEntry, "%.200q is resolved to a %v", e.key, source.Kind)
		source.Kind = lockfile.Registry
	}
	return source
}

// maxOthers bounds how many packages one entry may name besides its own: each is a problem, and
// as long as the file has it.
const maxOthers = 16

// addOthers adds an entry for each package that the current entry, which is read as pkg, names
// besides: by a name or version of its own, which older versions of pnpm believe before the
// key, and by the further addresses of a package with variants.
func (p *pnpmLock) addOthers(pkg lockfile.Package) {
	e := &p.entry
	others := max(len(e.names), len(e.versions))
	if max(others, len(e.addresses)) > maxOthers {
		p.AddProblem(e.line, lockfile.CodeLimit, "%.200q has more than %d names, versions or addresses", e.key, maxOthers)
	}
	for i := 0; pkg.Source.Kind.Exact() && i < min(others, maxOthers); i++ {
		other := pkg
		if i < len(e.names) {
			other.Name = e.names[i]
		}
		if i < len(e.versions) {
			other.Version = e.versions[i]
		}
		if other.Name != pkg.Name || other.Version != pkg.Version {
			p.AddProblem(e.line, lockfile.CodeEntry, "%.200q calls itself %.200q %.60q", e.key, other.Name, other.Version)
			p.addLocated(&other)
		}
	}
	for _, address := range e.addresses[min(1, len(e.addresses)):min(maxOthers, len(e.addresses))] {
		id, ok := tarballIdentity(address)
		if ok && (id.Name != pkg.Name || id.Version != pkg.Version) {
			other := pkg
			other.Name, other.Version, other.Address = id.Name, id.Version, nil
			other.Source = lockfile.Source{Kind: lockfile.Registry, URL: address}
			p.addLocated(&other)
		}
	}
}

package npm

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// builder collects what one file holds. Every reader of the family adds its entries
// through it, so that names, versions, digests and addresses are judged alike.
type builder struct {
	lockfile.File
	digests []lockfile.Digest // Package.Digests are parts of it
	memory  *lockfile.Memory  // nil for none
	room    int               // how many entries the file is thought to have
}

// newBuilder makes room for a file of size bytes whose entries take about perEntry each.
func newBuilder(size, perEntry int, opt lockfile.Options) builder {
	b := builder{memory: opt.Memory, room: size/perEntry + 1}
	b.Packages, b.digests = b.memory.Take(b.room, b.room)
	return b
}

// finish gives the file.
func (b *builder) finish() lockfile.File {
	b.memory.Keep(b.Packages, b.digests)
	return b.File
}

// add appends *p, with what follows from its other fields: the ecosystem, the address, and
// the problems of its name and version; what lies in the project may have any name. An
// alias that is the name itself is none, and a registry entry without a version is one of
// kind NoVersion.
func (b *builder) add(p *lockfile.Package) {
	if p.Source.URL != "" && !isTarballOf(p.Source.URL, p.Name, p.Version) {
		if id, ok := tarballIdentity(p.Source.URL); ok {
			setAddress(p, id)
		}
	}
	b.addLocated(p)
}

// addLocated is add for a package whose address was looked at: see locate.
func (b *builder) addLocated(p *lockfile.Package) {
	p.Ecosystem = ecosystem.NPM
	if p.Alias == p.Name {
		p.Alias = ""
	}
	switch p.Source.Kind {
	case lockfile.Workspace, lockfile.Link, lockfile.Path:
	default:
		if !validName(p.Name) {
			b.AddProblem(p.Line, lockfile.CodeName, "%q: no npm package can have this name", p.Name)
		}
	}
	if p.Version == "" && p.Source.Kind == lockfile.Registry {
		p.Source.Kind = lockfile.NoVersion
	}
	if p.Source.Kind.Exact() {
		if err := version.Check(ecosystem.NPM, p.Version); err != nil {
			b.AddProblem(p.Line, lockfile.CodeVersion, "%q: %v", p.Name, err)
		}
	}
	b.Packages = append(b.Packages, *p)
}

// locate sets p.Source and p.Address from the address of p, whose name and version are set
// already. Nearly every address is that of the package's own tarball.
func locate(p *lockfile.Package, address string) {
	p.Source = lockfile.Source{Kind: lockfile.Registry, URL: address}
	if address == "" || isTarballOf(address, p.Name, p.Version) {
		return
	}
	p.Source = classify(address)
	if id, ok := tarballIdentity(address); ok {
		setAddress(p, id)
	}
}

// registryAt is where an entry comes from that is locked to a version of a registry, with an
// address that may be none of a registry's. Tools that keep a cache by name and version, or by
// digest, install the version whatever the address is: it is matched all the same.
func (b *builder) registryAt(p *lockfile.Package, address string) lockfile.Source {
	source := classify(address)
	if kind := source.Kind; !kind.Exact() && kind != lockfile.URL {
		b.AddProblem(p.Line, lockfile.CodeEntry, "%.200q has a version, and the address of a %v: %.200q", p.Name, kind, address)
		source.Kind = lockfile.Registry
	}
	return source
}

// setAddress sets p.Address where id is not p's own.
func setAddress(p *lockfile.Package, id lockfile.Identity) {
	p.Address = nil
	if id.Name != p.Name || id.Version != p.Version {
		address := id // on the heap only here
		p.Address = &address
	}
}

// integrity reads the digests of an SRI string (W3C Subresource Integrity, section 3.5):
// "sha512-BASE64", several separated by spaces, each with options after "?". A part that
// is none is a problem of the entry, which is called name.
func (b *builder) integrity(sri, name string, line int) []lockfile.Digest {
	if sri == "" {
		return nil
	}
	from := len(b.digests)
	if d := parseSRI(sri); d.Valid() {
		b.digests = append(b.digests, d)
		return b.digestsFrom(from)
	}
	for part := range strings.FieldsSeq(sri) {
		part, _, _ = strings.Cut(part, "?")
		b.digest(parseSRI(part), name, line)
	}
	return b.digestsFrom(from)
}

// parseSRI reads one part of an SRI string, without options.
func parseSRI(part string) lockfile.Digest {
	algorithm, text, _ := strings.Cut(part, "-")
	return lockfile.Digest{Algorithm: lockfile.ParseAlgorithm(algorithm), Text: text}
}

// digest puts d into the arena, or adds a problem where it is damaged.
func (b *builder) digest(d lockfile.Digest, name string, line int) {
	if !d.Valid() {
		b.AddProblem(line, lockfile.CodeDigest, "%q: damaged or unknown digest %q", name, d.Text)
		return
	}
	b.digests = append(b.digests, d)
}

// digestsFrom is the arena's end as a slice of its own, nil when it is empty.
func (b *builder) digestsFrom(from int) []lockfile.Digest {
	if from == len(b.digests) {
		return nil
	}
	return b.digests[from:len(b.digests):len(b.digests)]
}

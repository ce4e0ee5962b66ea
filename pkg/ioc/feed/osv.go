package feed

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// osvRecords reads records of the OSV schema (ossf.github.io/osv-schema), versions 1.0 to 1.7:
// packages, versions, ranges, withdrawal, id and aliases; and the places, not in the schema, in
// which ossf/malicious-packages keeps digests and addresses. The text of a record is not read.
func (r *reader) osvRecords(records []node) error {
	for _, record := range records {
		if record.str("id") == "" || record.get("affected").kind != '[' {
			r.fail(record.line, BadRow, "not an OSV record: no id or no affected")
			continue
		}
		r.osvRecord(record)
	}
	return nil
}

// osvPackage is what the affected blocks of a record say of one package, put together.
type osvPackage struct {
	ecosystem ecosystem.Ecosystem
	name      string
	line      int
	versions  []string
	ranges    []ioc.Range
	artifacts []artifact
	files     []node // evidence_files
	broken    bool   // a version or range of it was refused
}

// osvPackages are the packages of a record, in its order.
type osvPackages struct {
	list []*osvPackage
	at   map[string]int
}

func (ps *osvPackages) of(e ecosystem.Ecosystem, name string, line int) *osvPackage {
	key := string(e) + "\x00" + name
	i, ok := ps.at[key]
	if !ok {
		i = len(ps.list)
		ps.at[key] = i
		ps.list = append(ps.list, &osvPackage{ecosystem: e, name: name, line: line})
	}
	return ps.list[i]
}

// artifact is a published file of a package with its digests.
type artifact struct {
	filename  string
	integrity []string
}

func (r *reader) osvRecord(record node) {
	if at, err := time.Parse(time.RFC3339, record.str("modified")); err == nil {
		r.feed.modified(at)
	}
	base := ioc.Indicator{Type: ioc.TypePackage, Confidence: ioc.Confirmed, OSV: r.osvIDs(record)}
	if at := record.str("withdrawn"); at != "" {
		base.Status = ioc.Withdrawn
		base.Withdrawal = &ioc.Withdrawal{At: at, Reason: "osv-withdrawn"}
	}
	packages := osvPackages{at: map[string]int{}}
	for _, block := range record.get("affected").items {
		r.osvBlock(&packages, block)
	}
	for _, p := range packages.list {
		r.osvEntries(base, p)
	}
	base.Type, base.OSV = "", nil
	r.osvIndicators(base, record.get("database_specific").get("iocs"))
}

// osvIDs are the id of a record and its aliases, sorted.
func (r *reader) osvIDs(record node) []string {
	ids := []string{record.str("id")}
	for _, alias := range record.strings("aliases") {
		if len(ids) == maxIDs {
			r.fail(record.line, TooMany, "%.*q: over %d aliases", maxShown, ids[0], maxIDs)
			break
		}
		if !slices.Contains(ids, alias) {
			ids = append(ids, alias)
		}
	}
	slices.Sort(ids[1:])
	return ids
}

// osvBlock adds one affected block to the package that it is about: a record can have several
// for one package.
func (r *reader) osvBlock(packages *osvPackages, block node) {
	pkg := block.get("package")
	e, err := ioc.ParseEcosystem(firstPart(pkg.str("ecosystem")))
	if err != nil {
		r.failed(pkg.line, err)
		return
	}
	name := e.CanonicalName(pkg.str("name"))
	if err := ioc.CheckPackage(e, name); err != nil {
		r.failed(pkg.line, err)
		return
	}
	p := packages.of(e, name, pkg.line)
	for _, v := range block.strings("versions") {
		v = withV(e, v)
		if err := ioc.CheckVersion(e, v); err != nil {
			r.failed(block.get("versions").line, err)
			p.broken = true
			continue
		}
		p.versions = append(p.versions, v)
	}
	specific := block.get("database_specific")
	for _, item := range block.get("ranges").items {
		if g, ok := r.osvRange(p, item, specific.str("last_known_affected_version_range")); ok {
			p.ranges = append(p.ranges, g)
		}
	}
	indicators := specific.get("indicators")
	for _, item := range indicators.get("package_integrity").items {
		p.artifacts = append(p.artifacts, readArtifact(item))
	}
	p.files = append(p.files, indicators.get("evidence_files").items...)
}

// firstPart is the ecosystem without its suffix: "Debian:10" is Debian.
func firstPart(s string) string {
	first, _, _ := strings.Cut(s, ":")
	return first
}

// withV gives Go versions the "v" that OSV leaves out.
func withV(e ecosystem.Ecosystem, v string) string {
	if e == ecosystem.Go && v != "" && v != "0" && v[0] >= '0' && v[0] <= '9' {
		return "v" + v
	}
	return v
}

var lastKnown = regexp.MustCompile(`^<=? ?(\S+)$`)

// osvRange reads one range. GitHub writes the end of some in database_specific: the rule
// last-known-version moves it in.
func (r *reader) osvRange(p *osvPackage, item node, known string) (ioc.Range, bool) {
	g := ioc.Range{Type: item.str("type")}
	if g.Type != "SEMVER" && g.Type != "ECOSYSTEM" {
		r.fail(item.line, ioc.BadRange, "%q: a range of type %.50q is not over versions", p.name, g.Type)
		p.broken = true
		return g, false
	}
	for _, event := range item.get("events").items {
		e := ioc.RangeEvent{
			Introduced:   withV(p.ecosystem, event.str("introduced")),
			Fixed:        withV(p.ecosystem, event.str("fixed")),
			LastAffected: withV(p.ecosystem, event.str("last_affected")),
			Limit:        withV(p.ecosystem, event.str("limit")),
		}
		for _, v := range []string{e.Introduced, e.Fixed, e.LastAffected, e.Limit} {
			if v != "" && v != "0" && v != "*" && ioc.CheckVersion(p.ecosystem, v) != nil {
				r.fail(event.line, ioc.BadRange, "%q: version %.*q", p.name, maxShown, v)
				p.broken = true
				return g, false
			}
		}
		g.Events = append(g.Events, e)
	}
	if len(g.Events) == 0 || !slices.ContainsFunc(g.Events, func(e ioc.RangeEvent) bool { return e.Introduced != "" }) {
		r.fail(item.line, ioc.BadRange, "%q: nothing is introduced", p.name)
		p.broken = true
		return g, false
	}
	if m := lastKnown.FindStringSubmatch(known); m != nil && openEnd(g) {
		v := withV(p.ecosystem, m[1])
		if ioc.CheckVersion(p.ecosystem, v) == nil {
			end := ioc.RangeEvent{LastAffected: v}
			if !strings.HasPrefix(known, "<=") {
				end = ioc.RangeEvent{Fixed: v}
			}
			g.Events = append(g.Events, end)
			r.repair(item.line, LastKnown, p.name+" without end", p.name+" "+known)
		}
	}
	return g, true
}

// openEnd reports whether the range has no upper end.
func openEnd(g ioc.Range) bool {
	return g.Events[len(g.Events)-1].Introduced != ""
}

// everything reports whether the range is "introduced: 0" and no more.
func everything(g ioc.Range) bool {
	return len(g.Events) == 1 && g.Events[0].Introduced == "0"
}

// osvEntries adds the entries of one package: one for each version whose digests are known, one
// for the rest.
func (r *reader) osvEntries(base ioc.Indicator, p *osvPackage) {
	base.Ecosystem, base.Name = p.ecosystem, p.name
	rest := map[string]bool{} // versions without digests
	for _, v := range p.versions {
		rest[v] = true
	}
	digested := map[string]bool{}
	for _, a := range p.artifacts {
		ind := base
		for _, text := range a.integrity {
			if d, ok := ioc.ParseIntegrity(text); ok && ioc.CheckDigest(d.Algorithm, hexOf(d)) == nil {
				ind.Integrity = append(ind.Integrity, text)
			} else {
				r.fail(p.line, ioc.BadDigest, "%q: %.*q", p.name, maxShown, text)
			}
		}
		if len(ind.Integrity) == 0 {
			continue
		}
		if v := versionOfFile(p.name, a.filename); rest[v] || digested[v] {
			ind.Versions = []string{v}
			digested[v] = true
			delete(rest, v)
		}
		r.add(Entry{Indicator: ind, Line: p.line})
	}
	r.osvFiles(base, p.files)

	if !r.osvRest(base, p, slices.Collect(maps.Keys(rest))) && len(p.artifacts) == 0 && !p.broken {
		r.fail(p.line, ioc.NoVersion, "%q: neither versions nor ranges", p.name)
	}
}

// osvRest adds what a record says of versions without digests, and reports whether it says any.
func (r *reader) osvRest(base ioc.Indicator, p *osvPackage, versions []string) bool {
	sortVersions(p.ecosystem, &versions)
	base.Versions = versions
	bounded := len(p.versions) > 0 || slices.ContainsFunc(p.ranges, func(g ioc.Range) bool { return !openEnd(g) })
	all := false
	for _, g := range p.ranges {
		if openEnd(g) && bounded {
			g.Unbounded = true
			r.repair(p.line, OpenRange, p.name+" from "+g.Events[len(g.Events)-1].Introduced+" on", p.name+" as listed")
		} else if everything(g) {
			all = true
			continue
		}
		base.Ranges = append(base.Ranges, g)
	}
	some := len(base.Versions) > 0 || len(base.Ranges) > 0
	if some {
		r.add(Entry{Indicator: base, Line: p.line})
	}
	if all {
		base.Versions, base.Ranges, base.AllVersions = nil, nil, true
		r.add(Entry{Indicator: base, Line: p.line})
	}
	return some || all
}

func readArtifact(item node) artifact {
	a := artifact{filename: item.str("filename")}
	hashes := item.get("hashes")
	if sri := hashes.str("sha512_sri"); sri != "" {
		a.integrity = append(a.integrity, sri)
	}
	for _, algorithm := range []string{"sha1", "sha256", "sha512"} {
		if text := hashes.str(algorithm); text != "" {
			a.integrity = append(a.integrity, algorithm+":"+strings.ToLower(text))
		}
	}
	return a
}

// versionOfFile is the version in a file name such as "keyv-6.0.0.tgz", "" for another name.
func versionOfFile(name, filename string) string {
	base, ok := strings.CutPrefix(filename, path.Base(name)+"-")
	if !ok {
		return ""
	}
	for _, ext := range []string{".tgz", ".tar.gz", ".zip", ".whl"} {
		base = strings.TrimSuffix(base, ext)
	}
	return base
}

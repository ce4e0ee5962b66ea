package npm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/yamlscan"
)

// ParsePnpm reads pnpm-lock.yaml, lockfileVersion 5.0 to 9.0 and 13.0 (spec.pnpm.io/lockfile;
// pnpm, lockfile/types): the entries of "packages", and what the importers ask for.
//
// Since pnpm 11 a file that begins with "---" holds two documents, the configuration's
// dependencies and the project's: both are read. Any other second document is a problem.
// 13.0 is JSON with trailing commas; in the formats before it pnpm writes a flow collection
// only for a few fields of an entry, and one elsewhere is a problem, with its entries read.
//
// An entry that is in "snapshots" alone, or that an importer asks for and no section holds, is
// given too, with a problem. A link to a folder that an importer asks for is an entry of kind
// Link or Workspace. Scope Dev is the file's own mark up to 6.x; later files have none, and it
// is worked out with Options.Edges alone, for the entries that only development dependencies
// lead to.
//
// A digest of 12.15 and later may be that of the tar inside of a tarball
// (lockfile.integrityTarget); nothing in the file tells which.
func ParsePnpm(data []byte, opt lockfile.Options) lockfile.File {
	p := pnpmLock{builder: newBuilder(len(data), 300, opt), edges: opt.Edges}
	text := yamlscan.Text(data, &p.File)
	p.separated = strings.HasPrefix(text, "---\n")
	p.keys = make([]pnpmKeyOf, 0, p.room)
	s := yamlscan.New(text, "deprecated", &p.File)
	for s.Next() {
		p.node(&s.Node)
	}
	p.endDocument()
	p.link(p.links)
	p.sortProblems()
	yamlscan.Renumber(data, &p.File)
	return p.finish()
}

// PnpmSample writes a pnpm-lock.yaml that locks one package.
func PnpmSample(name, version string) string {
	return fmt.Sprintf(`lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      '%[1]s':
        specifier: ^%[2]s
        version: %[2]s

packages:

  '%[1]s@%[2]s':
    resolution: {integrity: sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==}

snapshots:

  '%[1]s@%[2]s': {}
`, name, version)
}

// pnpmLock is the state of one reading.
type pnpmLock struct {
	builder
	edges     bool // asked for
	separated bool // the file begins as one of two documents does
	documents int
	links     []edge // of all documents
	oddFlow   bool   // a flow collection where pnpm writes none was reported

	// Of the document being read.
	begun     bool   // it has a node
	version   string // lockfileVersion
	section   pnpmSection
	halves    bool   // it has "snapshots", the other half of "packages" since 9.0
	field     string // of the entry or snapshot: the key at depth 2
	group     lockfile.Scope
	first     int // index in Packages of its first entry
	devMarks  bool
	entry     pnpmEntry
	alias     string // that an importer gives to what it asks for
	aliasLine int
	asked     bool      // what it is for was read: a second "version" is a problem already
	asks      []pnpmAsk // of importers
	wants     []pnpmWant
	index     map[string]int32 // of an entry in Packages, by its key
	keys      []pnpmKeyOf
	snapshots []pnpmSnapshot
}

// pnpmSection is what a key at depth 0 holds.
type pnpmSection uint8

const (
	pnpmOther pnpmSection = iota
	pnpmPackages
	pnpmSnapshots
	pnpmImporters
	pnpmProject // "dependencies" and the like at depth 0: the only importer of a 5.x file
)

// pnpmEntry is an entry of "packages" as far as it was read.
type pnpmEntry struct {
	open            bool
	key             string
	line            int
	names, versions []string // of its own: what is no registry package has one of each
	digests         int      // where they begin in builder.digests
	kind            string   // resolution.type
	addresses       []string
	repo, commit    string
	directory       string
	dev, optional   bool
}

// pnpmAsk is a dependency of an importer.
type pnpmAsk struct {
	alias, ref string
	line       int
	scope      lockfile.Scope
}

// pnpmWant is a dependency of the entry or snapshot with the index from.
type pnpmWant struct {
	from       int32
	alias, ref string
}

// pnpmKeyOf is the key of an entry, and its index in Packages.
type pnpmKeyOf struct {
	key   string
	entry int32
}

// pnpmSnapshot is an entry of "snapshots": how the package of its key, without the suffix of
// peers, is installed once.
type pnpmSnapshot struct {
	key      string
	line     int
	optional bool
}

// node takes one node of the file.
func (p *pnpmLock) node(n *yamlscan.Node) {
	if n.Kind == yamlscan.Document {
		p.endDocument()
		p.documents++
		if p.documents > 2 || p.documents == 2 && !p.separated {
			p.AddProblem(n.Line, lockfile.CodeTwoDocs, "another document")
		}
		return
	}
	if p.documents == 0 {
		p.documents = 1
	}
	p.begun = true
	if n.Depth == 0 {
		p.endEntry()
		p.enterSection(n)
		return
	}
	if n.Flow && n.Depth < 3 && p.section != pnpmOther && !p.oddFlow && !strings.HasPrefix(p.version, "13.") {
		p.oddFlow = true
		p.AddProblem(n.Line, lockfile.CodeSyntax, "a flow collection where pnpm writes lines")
	}
	switch p.section {
	case pnpmPackages:
		p.packageNode(n)
	case pnpmSnapshots:
		p.snapshotNode(n)
	case pnpmImporters:
		if n.Depth == 1 {
			p.group = pnpmNoGroup
		} else if n.Depth == 2 {
			p.group = pnpmGroup(n.Key)
		} else if p.group != pnpmNoGroup {
			p.askNode(n, 3)
		}
	case pnpmProject:
		p.askNode(n, 1)
	}
}

// pnpmNoGroup is no scope: a key of an importer that holds no dependencies.
const pnpmNoGroup lockfile.Scope = 1 << 7

// pnpmGroup is the scope of the dependencies in the group of an importer that key names.
func pnpmGroup(key string) lockfile.Scope {
	switch key {
	case "dependencies", "configDependencies", "packageManagerDependencies":
		return 0
	case "devDependencies":
		return lockfile.Dev
	case "optionalDependencies":
		return lockfile.Optional
	}
	return pnpmNoGroup
}

func (p *pnpmLock) enterSection(n *yamlscan.Node) {
	p.section = pnpmOther
	switch n.Key {
	case "lockfileVersion":
		p.version = n.Value
		p.checkVersion(n)
		return
	case "packages":
		p.section = pnpmPackages
	case "snapshots":
		p.section, p.halves = pnpmSnapshots, true
		p.snapshots = slices.Grow(p.snapshots, len(p.keys)+len(p.keys)/8)
	case "importers", "projects":
		p.section, p.group = pnpmImporters, pnpmNoGroup
	default:
		if p.group = pnpmGroup(n.Key); p.group != pnpmNoGroup {
			p.section = pnpmProject
		}
	}
	p.field = ""
	if p.section != pnpmOther && n.Kind == yamlscan.Scalar && n.Value != "null" && n.Value != "~" {
		p.AddProblem(n.Line, lockfile.CodeEntry, "%q holds %.60q and no entries", n.Key, n.Value)
	}
}

func (p *pnpmLock) checkVersion(n *yamlscan.Node) {
	switch major, _, _ := strings.Cut(n.Value, "."); major {
	case "5", "6", "7", "9", "13":
	default:
		p.AddProblem(n.Line, lockfile.CodeUnsupported, "lockfileVersion %.60q", n.Value)
	}
}

// packageNode takes a node of "packages": the key of an entry at depth 1, its fields at depth
// 2, and what they hold below.
func (p *pnpmLock) packageNode(n *yamlscan.Node) {
	switch {
	case n.Depth == 1:
		p.beginEntry(n.Key, n.Line)
		p.field = ""
		if n.Item || n.Kind == yamlscan.Scalar {
			p.AddProblem(n.Line, lockfile.CodeEntry, "an entry of \"packages\" that has no fields")
		}
	case n.Depth == 2:
		p.field = n.Key
		p.fieldNode(n)
	case p.field == "resolution":
		p.resolutionNode(n)
	case n.Depth == 3 && p.edges && (p.field == "dependencies" || p.field == "optionalDependencies"):
		p.wants = append(p.wants, pnpmWant{int32(len(p.Packages)), n.Key, n.Value})
	case n.Depth == 3:
		p.alias, p.asked = n.Key, false
	case n.Depth == 4 && p.edges && p.field == "peerDependencies" && n.Key == "version" && !p.asked: // 13.0
		p.asked = true
		p.wants = append(p.wants, pnpmWant{int32(len(p.Packages)), p.alias, n.Value})
	}
}

func (p *pnpmLock) beginEntry(key string, line int) {
	p.endEntry()
	p.entry = pnpmEntry{
		open: true, key: key, line: line, digests: len(p.digests),
		names: p.entry.names[:0], versions: p.entry.versions[:0], addresses: p.entry.addresses[:0],
	}
}

func (p *pnpmLock) fieldNode(n *yamlscan.Node) {
	e := &p.entry
	switch n.Key {
	case "name":
		e.names = append(e.names, n.Value)
	case "version":
		e.versions = append(e.versions, n.Value)
	case "integrity": // 13.0
		p.integrity(n.Value, e.key, n.Line)
	case "dev":
		p.devMarks = true
		e.dev = n.Value == "true"
	case "optional":
		e.optional = n.Value == "true"
	case "resolution":
		if n.Kind == yamlscan.Scalar {
			p.AddProblem(n.Line, lockfile.CodeEntry, "a resolution that is no mapping: %.60q", n.Value)
		}
	}
}

// resolutionNode takes a node below "resolution", at any depth: a package with variants has
// one resolution for each.
func (p *pnpmLock) resolutionNode(n *yamlscan.Node) {
	e := &p.entry
	switch n.Key {
	case "integrity":
		p.integrity(n.Value, e.key, n.Line)
	case "tarball", "url":
		e.addresses = append(e.addresses, n.Value)
	case "type":
		if n.Depth == 3 {
			e.kind = n.Value
		}
	case "repo":
		e.repo = n.Value
	case "commit":
		e.commit = n.Value
	case "directory":
		e.directory = n.Value
	}
}

// snapshotNode takes a node of "snapshots". Pnpm lays a snapshot under the entry of its key,
// so that a field which belongs into "packages" counts here too: it makes an entry of its own.
func (p *pnpmLock) snapshotNode(n *yamlscan.Node) {
	switch {
	case n.Depth == 1:
		p.endEntry()
		p.snapshots = append(p.snapshots, pnpmSnapshot{key: n.Key, line: n.Line})
		p.field = ""
	case len(p.snapshots) == 0:
	case n.Depth == 2:
		p.field = n.Key
		last := &p.snapshots[len(p.snapshots)-1]
		switch n.Key {
		case "optional":
			last.optional = n.Value == "true"
		case "name", "version", "resolution", "integrity":
			p.AddProblem(n.Line, lockfile.CodeEntry, "%q of %.200q stands in \"snapshots\"", n.Key, last.key)
			if !p.entry.open {
				p.beginEntry(cutPeers(last.key), last.line)
			}
			p.fieldNode(n)
		}
	case p.field == "resolution":
		p.resolutionNode(n)
	case n.Depth == 3 && p.edges && (p.field == "dependencies" || p.field == "optionalDependencies"):
		// Which entry it is of is known when the document ends.
		p.wants = append(p.wants, pnpmWant{^int32(len(p.snapshots) - 1), n.Key, n.Value})
	}
}

// askNode takes what an importer asks for: "alias: version" up to 5.x, and in 13.0 where the
// specifier is the version, or a mapping with "version" below the alias.
func (p *pnpmLock) askNode(n *yamlscan.Node, depth int) {
	switch n.Depth {
	case depth:
		p.alias, p.aliasLine, p.asked = n.Key, n.Line, false
		if n.Kind == yamlscan.Scalar {
			p.ask(n.Value)
		}
	case depth + 1:
		if n.Key == "version" && !p.asked {
			p.ask(n.Value)
		}
	}
}

// ask notes what an importer asks for under p.alias. A folder of the project is an entry.
func (p *pnpmLock) ask(ref string) {
	p.asked = true
	kind := lockfile.Registry
	switch {
	case strings.HasPrefix(ref, "link:"):
		kind = lockfile.Link
	case strings.HasPrefix(ref, "workspace:"):
		kind = lockfile.Workspace
	default:
		p.asks = append(p.asks, pnpmAsk{p.alias, ref, p.aliasLine, p.group})
		return
	}
	p.add(&lockfile.Package{
		Name: p.alias, Source: lockfile.Source{Kind: kind, URL: ref}, Scope: p.group, Direct: lockfile.Yes, Line: p.aliasLine,
	})
}

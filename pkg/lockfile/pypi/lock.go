package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// lock is what the readers of TOML lockfiles share: the entry being read, and the way from
// what its keys say, in whatever order, to a package.
type lock struct {
	reader
	toml  *tomlscan.Reader
	entry entry
	edges edges

	files []releaseFile // of the metadata

	needSource bool // the format has a source in each entry
}

// entry is one [[package]] as far as it has been read.
type entry struct {
	open    bool
	alone   bool // begun by [package], which no tool writes
	line    int
	name    string
	version string
	source  lockfile.Source
	from    string // the key that told the source, "" for none so far
	scope   lockfile.Scope
	digests int      // how many there were before those of the entry
	files   []string // names and addresses of its files
	wishes  int      // how many there were before those of the entry
}

func newLock(data []byte, opt lockfile.Options, header string, schema tomlscan.Schema) *lock {
	text := string(data)
	l := &lock{reader: newReader(strings.Count(text, header), len(text)/bytesPerDigest, opt)}
	l.toml = tomlscan.New(text, &l.File, schema)
	return l
}

// at handles an event of the array of packages itself. It reports whether a new entry
// begins.
func (l *lock) at() bool {
	switch l.toml.Kind {
	case tomlscan.Item:
		l.end()
		l.begin()
		return true
	case tomlscan.Array:
	case tomlscan.Table:
		if l.entry.open && l.entry.alone {
			return false
		}
		l.AddProblem(l.toml.Line, lockfile.CodeEntry, "%q is a table, not an array of tables", l.toml.Key)
		l.end()
		l.begin()
		l.entry.alone = true
		return true
	default:
		l.wrongKind("a table")
	}
	return false
}

func (l *lock) begin() {
	l.entry = entry{open: true, line: l.toml.Line, digests: len(l.digests), files: l.entry.files[:0], wishes: len(l.edges.wishes)}
}

// text is the string that an event tells. Anything else is a problem.
func (l *lock) text() (string, bool) {
	if l.toml.Kind == tomlscan.String {
		return l.toml.Text, true
	}
	l.wrongKind("a string")
	return "", false
}

func (l *lock) wrongKind(want string) {
	l.AddProblem(l.toml.Line, lockfile.CodeEntry, "%.100q is %v, not %s", l.toml.Key, l.toml.Kind, want)
}

// set takes the string that an event tells for a field of the entry that says which package
// it is. Where the file says it twice, which is a problem of the scanner's, the entry as
// it was is given, too.
func (l *lock) set(field *string) {
	value, ok := l.text()
	if !ok {
		return
	}
	if *field != "" && *field != value {
		l.emit(nil)
	}
	*field = value
}

// setSource takes the string that an event tells for the address of the entry's source.
func (l *lock) setSource(kind lockfile.SourceKind) {
	if url, ok := l.text(); ok {
		l.sourceIs(l.toml.Key, kind)
		l.entry.source.URL = url
	}
}

// sourceIs takes note of the key that tells the entry's source. Where there are several,
// which no tool writes, the entry may be from a registry.
func (l *lock) sourceIs(key string, kind lockfile.SourceKind) {
	e := &l.entry
	switch e.from {
	case "":
		e.from, e.source.Kind = key, kind
		if kind != lockfile.Registry {
			e.source.URL = "" // of an index
		}
	case key:
	default:
		l.AddProblem(l.toml.Line, lockfile.CodeEntry, "%.100q and %.100q in one entry: which one is its source?", e.from, key)
		e.source = lockfile.Source{}
		e.from = key
	}
}

// file takes the string that an event tells for a name or address of a file of the entry.
func (l *lock) file() {
	if name, ok := l.text(); ok {
		l.entry.files = append(l.entry.files, name)
	}
}

// hash takes the string that an event tells for a digest of the entry.
func (l *lock) hash() {
	if digest, ok := l.text(); ok {
		l.digest(l.toml.Line, digest)
	}
}

// end gives the entry that was being read, if there is one.
func (l *lock) end() {
	e := &l.entry
	if !e.open {
		return
	}
	e.open = false
	if l.needSource && e.from == "" {
		l.AddProblem(e.line, lockfile.CodeEntry, "%.200q has no source", e.name)
	}
	l.emit(e.files)
	if !l.opt.Edges && e.source.Kind != lockfile.Workspace {
		l.edges.wishes = l.edges.wishes[:e.wishes]
	}
}

// emit appends the entry as it has been read to the packages. Its files are looked at once,
// however often a hostile file makes it say which package it is.
func (l *lock) emit(files []string) {
	e := &l.entry
	p := lockfile.Package{Ecosystem: ecosystem.PyPI, Source: e.source, Scope: e.scope, Line: e.line, Digests: l.takeDigests(e.digests)}
	if e.name == "" {
		l.AddProblem(e.line, lockfile.CodeEntry, "a package without a name")
	} else {
		p.Name = l.name(e.line, e.name)
	}
	switch {
	case e.version == "" && p.Source.Kind == lockfile.Registry:
		p.Source.Kind = lockfile.NoVersion
	case p.Source.Kind == lockfile.Registry:
		p.Version = l.version(e.line, p.Name, e.version)
	default:
		p.Version = trimSpace(e.version)
	}
	own := lockfile.Identity{Name: p.Name, Version: p.Version}
	if p.Source.Kind == lockfile.URL {
		l.atAddress(&p, own)
	}
	l.Packages = append(l.Packages, p)
	l.otherFiles(len(l.Packages)-1, own, files)
}

// atAddress judges an archive at an address. One that an index serves is of kind Registry.
// Any other is not known to be the public package, nor known not to be: its address is
// matched, or the entry's own name and version where it tells none.
func (l *lock) atAddress(p *lockfile.Package, own lockfile.Identity) {
	named, ok := identify(p.Source.URL, own)
	switch {
	case ok && fromIndex(p.Source.URL):
		p.Source.Kind = lockfile.Registry
		p.Version = l.version(p.Line, p.Name, p.Version)
		if named != own {
			p.Address = &named
		}
	case ok:
		p.Address = &named
	case own.Name != "" && own.Version != "":
		p.Address = &own
	}
}

// otherFiles looks for files of the package with index i that are named for another package
// or version than own. The first stands in Package.Address, each further one in a copy of
// the package.
func (r *reader) otherFiles(i int, own lockfile.Identity, files []string) {
	last := own
	for _, file := range files {
		named, ok := identify(file, own)
		if !ok || named == own || named == last {
			continue
		}
		last = named
		if a := r.Packages[i].Address; a != nil && *a != own {
			r.Packages = append(r.Packages, r.Packages[i])
			i = len(r.Packages) - 1
		}
		r.Packages[i].Address = &lockfile.Identity{Name: named.Name, Version: named.Version}
	}
}

// fromIndex reports whether an address is one under which an index, PyPI or a mirror of it,
// serves a file: PyPI's own layout and that of the mirrors which keep it, and devpi's.
func fromIndex(address string) bool {
	return host.IsPyPI(hostOf(address)) || strings.Contains(address, "/packages/") || strings.Contains(address, "/+f/")
}

// finish ends the last entry and gives the file.
func (l *lock) finish() lockfile.File {
	l.end()
	l.filesOfMetadata()
	l.edges.resolve(&l.File, l.opt)
	return l.reader.finish()
}

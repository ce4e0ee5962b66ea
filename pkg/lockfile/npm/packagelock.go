package npm

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// ParsePackageLock reads package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3,
// and the hidden node_modules/.package-lock.json (docs.npmjs.com, "package-lock.json").
//
// Version 2 has every entry twice: in "packages", which npm 7 and later read, and in
// "dependencies", which older ones read. Both are read, and an entry that says the same in
// both is given once. A file of another version, or of none, is read as far as it looks
// like these, with a problem.
func ParsePackageLock(data []byte, opt lockfile.Options) lockfile.File {
	f, ok := newJSONFile(data, 450, opt, jsonscan.Options{})
	if !ok {
		return f.File
	}
	l := &packageLock{jsonFile: f, located: make([]located, 0, f.room)}
	if opt.Edges {
		l.flat, l.nested = newTree(), newTree()
	}
	l.read()
	if l.asks != nil {
		l.markDirect(l.located, l.asks)
	}
	if opt.Edges {
		l.link(append(l.flat.edges(), l.nested.edges()...))
	}
	return l.finish()
}

// PackageLockSample writes a package-lock.json of version 3 that locks one package.
func PackageLockSample(name, version string) string {
	return fmt.Sprintf(`{
  "name": "sample",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "sample",
      "version": "1.0.0",
      "dependencies": {
        "%[1]s": "^%[2]s"
      }
    },
    "node_modules/%[1]s": {
      "version": "%[2]s"
    }
  }
}
`, name, version)
}

// packageLock is the state of one reading.
type packageLock struct {
	*jsonFile
	located []located         // the entries of "packages"
	asks    map[ask]bool      // what the project's manifests ask for; nil without a root entry
	seen    map[entryID]int32 // the entries of the object that came first, once there is a second
	flat    *tree             // of "packages"; nil unless edges are asked for
	nested  *tree             // of "dependencies"; likewise
}

func (l *packageLock) read() {
	version, hasPackages := "", false
	for l.s.Document() {
		if !l.s.Expect(jsonscan.Object, "the file") {
			continue
		}
		for key := range l.s.Salvage(nextObject) {
			switch {
			case key == "lockfileVersion":
				line := l.s.Line()
				version = l.number(key)
				l.checkVersion(line, version, "1", "2", "3")
			case key == "packages":
				hasPackages = true
				l.packages()
			case key == "dependencies":
				l.dependencies()
			case strings.HasPrefix(key, modules):
				l.stray(key)
			}
		}
	}
	switch {
	case l.s.Failed():
	case version == "":
		l.AddProblem(0, lockfile.CodeUnsupported, "no lockfileVersion")
	case version != "1" && !hasPackages:
		l.AddProblem(0, lockfile.CodeEntry, "lockfileVersion %s without packages", version)
	}
}

// modules begins the key of every installed package.
const modules = "node_modules/"

// nextPackage finds the next such key, for Salvage.
func nextPackage(text string, from int) int {
	i := strings.Index(text[from:], `"`+modules)
	if i < 0 {
		return -1
	}
	return from + i
}

// packages reads the object of version 2 and 3: entries by the folder they lie in.
func (l *packageLock) packages() {
	if !l.s.Expect(jsonscan.Object, "packages") {
		return
	}
	l.secondObject()
	for key := range l.s.Salvage(nextPackage) {
		l.entry(key)
	}
}

// stray reads an entry that stands where npm would not look for it, as it does behind a
// brace that is missing or was added.
func (l *packageLock) stray(key string) {
	if l.s.Kind() == jsonscan.Object {
		l.AddProblem(l.s.Line(), lockfile.CodeEntry, "%q stands outside of packages", key)
		l.entry(key)
	}
}

// entry reads one entry of "packages". Its fields are those of npm's Shrinkwrap
// (@npmcli/arborist, lib/shrinkwrap.js, "pkgMetaKeys" and "nodeMetaKeys").
func (l *packageLock) entry(key string) {
	key = strings.ReplaceAll(key, `\`, "/") // npm ci installs such an entry too
	e := lockEntry{key: key, line: l.s.Line(), unsaid: true}
	at := located{}
	at.above, at.name, at.installed = splitKey(key)
	emit := func() { l.emit(&e, at) }
	if l.flat != nil {
		e.place = l.flat.locate(key)
	}
	if !l.s.Expect(jsonscan.Object, "an entry of packages") {
		emit()
		return
	}
	if key == "" && l.asks == nil {
		l.asks = map[ask]bool{}
	}
	for field := range l.s.Object() {
		switch field {
		case "name":
			l.set(&e, &e.name, field, emit)
		case "dependencies", "optionalDependencies", "peerDependencies":
			l.asked(&e, at.installed)
		case "devDependencies":
			if !at.installed {
				l.asked(&e, at.installed)
			}
		default:
			if !l.field(&e, field, emit) && strings.HasPrefix(field, modules) {
				l.stray(field)
			}
		}
	}
	if e.unsaid {
		emit()
	}
}

// asked reads a section of dependencies, of a package or of a manifest of the project.
func (l *packageLock) asked(e *lockEntry, installed bool) {
	if installed && l.flat == nil {
		return
	}
	for name := range l.s.Object() {
		if !installed && l.asks != nil {
			l.asks[ask{e.key, name}] = false
		}
		if l.flat != nil {
			l.flat.want(e.place, name)
		}
	}
}

// emit adds an entry of "packages" as far as it was read. The root entry is the project,
// which is no package of it.
func (l *packageLock) emit(e *lockEntry, at located) {
	e.unsaid = false
	e.added++
	if e.key == "" {
		return
	}
	p := lockfile.Package{Name: at.name, Version: e.version, Scope: e.scope, Line: e.line}
	switch {
	case e.name != "" && at.installed:
		p.Name, p.Alias = e.name, at.name
	case e.name != "":
		p.Name = e.name
	}
	locate(&p, e.resolved)
	switch {
	case !at.installed && e.resolved == "" && len(e.digests) == 0:
		p.Source = lockfile.Source{Kind: lockfile.Workspace, URL: e.key}
		if isPath(e.key) {
			p.Source.Kind = lockfile.Path
		}
	case e.link && (p.Source.Kind == lockfile.Path || !strings.Contains(e.resolved, ":")):
		p.Source.Kind = lockfile.Link
	default:
		l.resolvedSpec(&p, e.resolved)
	}
	p.Digests = e.digests
	at.entry = l.addOnce(&p)
	l.located = append(l.located, at)
	if l.flat != nil {
		l.flat.places[e.place].entry = at.entry
	}
}

// resolvedSpec looks at a "resolved" that is no address. npm asks the registry for
// "NAME@RESOLVED" then, whatever "version" says: for another version, or for an alias.
func (l *packageLock) resolvedSpec(p *lockfile.Package, resolved string) {
	if resolved == "" || p.Source.Kind != lockfile.Registry || strings.Contains(resolved, "/-/") ||
		strings.Contains(resolved, "/download/") || strings.HasPrefix(resolved, "http") {
		return
	}
	l.AddProblem(p.Line, lockfile.CodeEntry, "%.200q is resolved to %.200q, which is no address", p.Name, resolved)
	id := lockfile.Identity{Name: p.Name, Version: strings.TrimLeft(resolved, "v= ")}
	if name, wanted, ok := splitAlias(resolved); ok {
		id = lockfile.Identity{Name: name, Version: wanted}
	}
	if startsWithDigit(id.Version) {
		setAddress(p, id)
	}
}

// splitKey splits a key of "packages" into the name of the package, and the folder above
// its node_modules. It is not installed where the key is a folder of the project.
func splitKey(key string) (above, name string, installed bool) {
	rest, ok := strings.CutPrefix(key, modules)
	if !ok {
		i := strings.Index(key, "/"+modules)
		if i < 0 {
			return "", key[strings.LastIndexByte(key, '/')+1:], false
		}
		above, rest = key[:i], key[i+1+len(modules):]
	}
	for {
		i := strings.Index(rest, "/"+modules)
		if i < 0 {
			return above, rest, true
		}
		rest = rest[i+1+len(modules):]
		above = key[:len(key)-len(rest)-1-len(modules)]
	}
}

// locate gives the place of a key of "packages".
func (t *tree) locate(key string) int32 {
	at := int32(root)
	rest, ok := strings.CutPrefix(key, modules)
	if !ok {
		folder, below, found := strings.Cut(key, "/"+modules)
		if folder != "" {
			at = t.at(child{parent: at, name: folder, folder: true})
		}
		if !found {
			return at
		}
		rest = below
	}
	for found := true; found; {
		var name string
		name, rest, found = strings.Cut(rest, "/"+modules)
		at = t.at(child{parent: at, name: name})
	}
	return at
}

package npm

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// dependencies reads the object of version 1, and its double in version 2: entries by
// name, with what lies in their own node_modules nested inside them.
func (l *packageLock) dependencies() {
	if !l.s.Expect(jsonscan.Object, "dependencies") {
		return
	}
	l.secondObject()
	for name := range l.s.Salvage(nextEntry) {
		l.dependency(name, root)
	}
}

// dependency reads one entry, and those nested in it.
func (l *packageLock) dependency(name string, parent int32) {
	e := lockEntry{key: name, line: l.s.Line(), unsaid: true}
	emit := func() { l.emitDependency(&e) }
	if l.nested != nil {
		e.place = l.nested.at(child{parent: parent, name: name})
	}
	if !l.s.Expect(jsonscan.Object, "an entry of dependencies") {
		emit()
		return
	}
	for field := range l.s.Object() {
		switch field {
		case "requires":
			if l.nested != nil {
				for required := range l.s.Object() {
					l.nested.want(e.place, required)
				}
			}
		case "dependencies":
			if e.version != "" && e.unsaid {
				emit() // before what is nested in it, as it stands in the file
			}
			for name := range l.s.Object() {
				l.dependency(name, e.place)
			}
		default:
			l.field(&e, field, emit)
		}
	}
	if e.unsaid {
		emit()
	}
}

// emitDependency adds an entry of "dependencies" as far as it was read. Its version is one,
// or the specifier of what is no registry's package: "npm:real@1.0.0", "file:../x",
// "git+ssh://host/x.git#commit", "https://host/x.tgz".
func (l *packageLock) emitDependency(e *lockEntry) {
	e.unsaid = false
	e.added++
	p := lockfile.Package{Name: e.key, Version: e.version, Scope: e.scope, Line: e.line}
	switch name, version, ok := splitAlias(e.version); {
	case ok:
		p.Name, p.Version, p.Alias = name, version, e.key
		locate(&p, e.resolved)
	case strings.ContainsAny(e.version, ":/"):
		locateSpecified(&p, e.version, e.resolved)
	default:
		locate(&p, e.resolved)
	}
	p.Digests = e.digests
	at := l.addOnce(&p)
	if l.nested != nil {
		l.nested.places[e.place].entry = at
	}
}

// locateSpecified is locate for a version that is the specifier of what is no version. An
// address that stands beside it is looked at as well: either may be what npm fetches.
func locateSpecified(p *lockfile.Package, specifier, resolved string) {
	p.Version = ""
	locate(p, specifier)
	if p.Address != nil && p.Source.Kind == lockfile.Registry {
		p.Version = p.Address.Version
		if p.Address.Name == p.Name {
			p.Address = nil
		}
	}
	if id, ok := tarballIdentity(resolved); ok && p.Address == nil {
		setAddress(p, id)
	}
}

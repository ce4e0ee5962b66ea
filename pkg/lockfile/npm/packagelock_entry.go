package npm

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// lockEntry is an entry of either object of a package-lock while it is being read.
type lockEntry struct {
	key   string // the name, or the folder it lies in
	line  int
	place int32 // in the tree, where there is one

	name, version, resolved string
	digests                 []lockfile.Digest
	link                    bool
	scope                   lockfile.Scope

	unsaid bool // something was read since the entry was last added
	added  int  // how often it was
}

// maxAdded is how often an entry is added because its fields repeat. Each time costs as much
// as its longest field.
const maxAdded = 16

// field reads a field that both objects have, and reports whether it was one.
func (l *packageLock) field(e *lockEntry, field string, emit func()) bool {
	switch field {
	case "version":
		l.set(e, &e.version, field, emit)
	case "resolved":
		// npm has written false here for what is bundled.
		if l.s.Kind() != jsonscan.False {
			l.set(e, &e.resolved, field, emit)
		}
	case "integrity":
		if l.s.Kind() != jsonscan.False {
			digests := l.integrity(l.text(field), e.key, e.line)
			if e.digests != nil { // a repeated field: either may be what a tool checks
				digests = append(e.digests, digests...)
			}
			e.digests = digests
		}
	case "link":
		e.link = l.flag(field)
	case "dev":
		l.scoped(e, field, lockfile.Dev)
	case "optional":
		l.scoped(e, field, lockfile.Optional)
	case "devOptional":
		l.scoped(e, field, lockfile.Dev|lockfile.Optional)
	case "peer":
		l.scoped(e, field, lockfile.Peer)
	case "inBundle", "bundled":
		l.scoped(e, field, lockfile.Bundled)
	default:
		return false
	}
	return true
}

func (l *packageLock) scoped(e *lockEntry, field string, scope lockfile.Scope) {
	if l.flag(field) {
		e.scope |= scope
	}
}

// set reads a string into a field of e. Where the entry has the field twice, what it was
// with the first value is added before: either may be what a tool installs.
func (l *packageLock) set(e *lockEntry, field *string, what string, emit func()) {
	value := l.text(what)
	if *field == value {
		return
	}
	if *field != "" && e.unsaid && e.added < maxAdded {
		emit()
	}
	*field = value
	e.unsaid = true
}

// entryID is what one entry has in common in both objects of a version 2 file: the name,
// and the version or whatever else says which one.
type entryID struct{ name, which string }

func idOf(p *lockfile.Package) entryID {
	if p.Source.Kind.Exact() {
		return entryID{p.Name, p.Version}
	}
	return entryID{p.Name, strings.TrimPrefix(p.Source.URL, "file:")}
}

// secondObject is called before an object is read: what the one before it held is seen.
func (l *packageLock) secondObject() {
	if len(l.Packages) == 0 || l.seen != nil {
		return
	}
	l.seen = make(map[entryID]int32, len(l.Packages))
	for i := range l.Packages {
		l.seen[idOf(&l.Packages[i])] = int32(i)
	}
}

// addOnce adds p unless the other object has said all that it says. It gives the index of
// p or of that entry.
func (l *packageLock) addOnce(p *lockfile.Package) int32 {
	if l.seen != nil {
		i, ok := l.seen[idOf(p)]
		if ok && says(&l.Packages[i], p) {
			return i
		}
	}
	l.addLocated(p)
	return int32(len(l.Packages) - 1)
}

// says reports whether nothing that p says is missing from first, which has its identity.
func says(first, p *lockfile.Package) bool {
	return (p.Source.URL == "" || p.Source.URL == first.Source.URL || !p.Source.Kind.Exact()) &&
		(p.Alias == "" || p.Alias == p.Name || p.Alias == first.Alias) &&
		p.Address == nil &&
		(len(p.Digests) == 0 || slices.Equal(p.Digests, first.Digests))
}

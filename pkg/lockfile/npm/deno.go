package npm

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// ParseDenoLock reads the npm and JSR packages of deno.lock, versions 2 to 5 (the README of
// the crate deno_lockfile, and what deno 2.9 writes):
//
//	2       {"npm": {"specifiers": {"x@1": "x@1.0.0"}, "packages": {...}}}
//	3       {"packages": {"specifiers": {"npm:x@1": "npm:x@1.0.0"}, "npm": {...}, "jsr": {...}}}
//	4, 5    {"specifiers": {"npm:x@1": "1.0.0"}, "npm": {...}, "jsr": {...}}
//
// An npm entry's key is "name@version", and after "_" the peers that it was resolved with.
// A JSR package is no package of the npm registry; it is given under the name that JSR's
// own npm registry has for it, "@jsr/scope__name", as an archive at an address. Modules by
// URL, under "remote", are no packages and are left out.
func ParseDenoLock(data []byte, opt lockfile.Options) lockfile.File {
	f, ok := newJSONFile(data, 200, opt, jsonscan.Options{})
	if !ok {
		return f.File
	}
	l := &denoLock{jsonFile: f, edges: opt.Edges}
	l.read()
	l.resolve()
	return l.finish()
}

// DenoLockSample writes a deno.lock of version 5 that locks one package.
func DenoLockSample(name, version string) string {
	return fmt.Sprintf(`{
  "version": "5",
  "specifiers": {
    "npm:%[1]s@^%[2]s": "%[2]s"
  },
  "npm": {
    "%[1]s@%[2]s": {}
  }
}
`, name, version)
}

// denoLock is the state of one reading.
type denoLock struct {
	*jsonFile
	edges      bool
	specifiers []specifier
	keys       []string // of the entries: "npm:name@version", "jsr:@scope/name@version"
	wants      []denoWant
}

// specifier is what a module of the project, or of a JSR package, asks for, and the key of
// the entry that it gets.
type specifier struct{ asked, key string }

// denoWant says that the entry at from asks for a key, a name, or a specifier.
type denoWant struct {
	from int32
	what string
}

func (l *denoLock) read() {
	version := ""
	for l.s.Document() {
		if !l.s.Expect(jsonscan.Object, "the file") {
			continue
		}
		for key := range l.s.Salvage(nextEntry) {
			switch key {
			case "version":
				line := l.s.Line()
				version = l.text(key)
				l.checkVersion(line, version, "2", "3", "4", "5")
			case "packages": // version 3
				for section := range l.s.Object() {
					l.section(section)
				}
			default:
				l.section(key)
			}
		}
	}
	if version == "" && !l.s.Failed() {
		l.AddProblem(0, lockfile.CodeUnsupported, "no version")
	}
}

func (l *denoLock) section(name string) {
	switch name {
	case "specifiers":
		l.readSpecifiers("")
	case "npm":
		l.packages("npm:", true)
	case "jsr":
		l.packages("jsr:", false)
	}
}

// readSpecifiers reads what each specifier got: a key, and since version 4 only what follows
// the name in it. In version 2 neither has a scheme.
func (l *denoLock) readSpecifiers(scheme string) {
	if !l.s.Expect(jsonscan.Object, "specifiers") {
		return
	}
	for asked := range l.s.Object() {
		key := l.text("what a specifier got")
		if scheme == "" && !strings.HasPrefix(key, "npm:") && !strings.HasPrefix(key, "jsr:") {
			of, spec, _ := strings.Cut(asked, ":")
			name, _, _ := splitSpec(spec)
			key = of + ":" + name + "@" + key
		}
		l.specifiers = append(l.specifiers, specifier{scheme + asked, scheme + key})
	}
}

// packages reads the entries of one scheme. In version 2 the object "npm" has them one level
// further in.
func (l *denoLock) packages(scheme string, outer bool) {
	if !l.s.Expect(jsonscan.Object, strings.TrimSuffix(scheme, ":")) {
		return
	}
	for key := range l.s.Salvage(nextEntry) {
		switch {
		case outer && key == "specifiers":
			l.readSpecifiers(scheme)
		case outer && key == "packages":
			l.packages(scheme, false)
		default:
			l.entry(scheme, key)
		}
	}
}

// entry reads one entry.
func (l *denoLock) entry(scheme, key string) {
	p := lockfile.Package{Line: l.s.Line()}
	at := int32(len(l.Packages))
	name, rest, found := splitSpec(key)
	if !found {
		l.AddProblem(p.Line, lockfile.CodeEntry, "%q names no version", key)
	}
	p.Name = name
	p.Version, _, _ = strings.Cut(rest, "_")
	if scheme == "jsr:" {
		p.Name, p.Alias = jsrName(name), name
		p.Source = lockfile.Source{Kind: lockfile.URL, URL: scheme + key}
	}
	if l.s.Expect(jsonscan.Object, "an entry") {
		for field := range l.s.Object() {
			switch field {
			case "integrity":
				if sri := l.text(field); scheme == "npm:" { // JSR's is of a list of files
					p.Digests = append(p.Digests, l.integrity(sri, name, p.Line)...)
				}
			case "tarball":
				if address := l.text(field); scheme == "npm:" {
					p.Source = l.registryAt(&p, address)
				}
			case "dependencies", "optionalDependencies", "optionalPeers":
				l.wanted(at)
			}
		}
	}
	l.keys = append(l.keys, scheme+key)
	l.add(&p)
}

// jsrName is the name that a JSR package has in the npm registry of JSR (JSR documentation,
// "npm compatibility").
func jsrName(name string) string {
	return "@jsr/" + strings.Replace(strings.TrimPrefix(name, "@"), "/", "__", 1)
}

// wanted reads what the entry at asks for: a list since version 4, of keys without what
// goes without saying ("x" where there is one x, "alias@npm:x@1.0.0", "jsr:@scope/x@1"),
// and names with keys before.
func (l *denoLock) wanted(at int32) {
	if !l.edges {
		return
	}
	if l.s.Kind() == jsonscan.Array {
		for range l.s.Array() {
			what, _ := l.s.Text()
			l.wants = append(l.wants, denoWant{at, what})
		}
		return
	}
	for range l.s.Object() {
		what, _ := l.s.Text()
		l.wants = append(l.wants, denoWant{at, what})
	}
}

// resolve finds the entries that specifiers and wants mean.
func (l *denoLock) resolve() {
	if len(l.specifiers) == 0 && len(l.wants) == 0 {
		return
	}
	entries := make(map[string]int32, 2*len(l.keys))
	for i, key := range l.keys {
		scheme, rest, _ := strings.Cut(key, ":")
		name, _, _ := splitSpec(rest)
		if scheme == "npm" {
			entries[rest], entries[name] = int32(i), int32(i)
		}
		entries[key], entries[key[:len(scheme)+1+len(name)]] = int32(i), int32(i)
	}
	if len(l.specifiers) > 0 {
		for i := range l.Packages {
			l.Packages[i].Direct = lockfile.No
		}
	}
	for _, s := range l.specifiers {
		if i, ok := entries[s.key]; ok {
			l.Packages[i].Direct = lockfile.Yes
			entries[s.asked] = i
		}
	}
	edges := make([]edge, 0, len(l.wants))
	for _, w := range l.wants {
		what := w.what
		if _, target, ok := strings.Cut(what, "@npm:"); ok {
			what = target
		}
		if to, ok := entries[what]; ok && to != w.from {
			edges = append(edges, edge{w.from, to})
		}
	}
	l.link(edges)
}

package npm

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// ParseBunLock reads bun.lock, lockfileVersion 0 to 2 (bun, src/install/lockfile/bun.lock.zig,
// "Stringifier"). An entry is an array whose form depends on what its first element says:
//
//	"key": ["name@1.2.3", "registry address or empty", {info}, "integrity"]
//	"key": ["name@workspace:folder"]
//	"key": ["name@git+ssh://host/x.git#commit", {info}, "tag", "integrity"], also "github:"
//	"key": ["name@file:folder", {info}], also "link:", an address or the path of a tarball
//	"key": ["name@root:", {info}]
//
// The key is the path of names under which it is installed: "a/b" is the "b" of "a".
func ParseBunLock(data []byte, opt lockfile.Options) lockfile.File {
	f, ok := newJSONFile(data, 200, opt, jsonscan.Options{TrailingCommas: true})
	if !ok {
		return f.File
	}
	l := &bunLock{jsonFile: f, asks: map[ask]bool{}, workspaceNames: map[string]string{}}
	if opt.Edges {
		l.tree = newTree()
	}
	l.read()
	l.markDirect(l.located, l.asksByName())
	if opt.Edges {
		l.link(l.tree.edges())
	}
	return l.finish()
}

// BunLockSample writes a bun.lock that locks one package.
func BunLockSample(name, version string) string {
	return fmt.Sprintf(`{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "sample",
      "dependencies": {
        "%[1]s": "^%[2]s",
      },
    },
  },
  "packages": {
    "%[1]s": ["%[1]s@%[2]s", "", {}, ""],
  }
}
`, name, version)
}

// ParseBunBinary names bun.lockb, the binary form, which is not read: the one problem says
// how to turn it into bun.lock (bun.com/docs/install/lockfile).
func ParseBunBinary([]byte, lockfile.Options) lockfile.File {
	var f lockfile.File
	f.AddProblem(0, lockfile.CodeUnsupported,
		"the binary lockfile of bun is not read: run \"bun install --save-text-lockfile --frozen-lockfile --lockfile-only\" and commit bun.lock")
	return f
}

// bunLock is the state of one reading.
type bunLock struct {
	*jsonFile
	asks           map[ask]bool      // what the manifests of the workspaces ask for
	workspaceNames map[string]string // by folder; the root, "", goes without
	located        []located         // the entries, by their keys
	tree           *tree             // nil unless edges are asked for
}

func (l *bunLock) read() {
	version, hasPackages := "", false
	for l.s.Document() {
		if !l.s.Expect(jsonscan.Object, "the file") {
			continue
		}
		for key := range l.s.Salvage(nextObject) {
			switch key {
			case "lockfileVersion":
				line := l.s.Line()
				version = l.number(key)
				l.checkVersion(line, version, "0", "1", "2")
			case "workspaces":
				l.workspaces()
			case "packages":
				hasPackages = true
				l.packages()
			}
		}
	}
	switch {
	case l.s.Failed():
	case version == "":
		l.AddProblem(0, lockfile.CodeUnsupported, "no lockfileVersion")
	case !hasPackages && len(l.asks) > 0:
		l.AddProblem(0, lockfile.CodeEntry, "dependencies without packages")
	}
}

func (l *bunLock) workspaces() {
	if !l.s.Expect(jsonscan.Object, "workspaces") {
		return
	}
	for folder := range l.s.Object() {
		if !l.s.Expect(jsonscan.Object, "a workspace") {
			continue
		}
		for field := range l.s.Object() {
			switch field {
			case "name":
				l.workspaceNames[folder] = l.text("the name of a workspace")
			case "dependencies", "devDependencies", "optionalDependencies", "peerDependencies":
				for name := range l.s.Object() {
					l.asks[ask{folder, name}] = false
				}
			}
		}
	}
}

// asksByName gives the asks of each workspace under its name, as which it stands in keys.
func (l *bunLock) asksByName() map[ask]bool {
	asks := make(map[ask]bool, len(l.asks))
	for asked := range l.asks {
		if asked.folder != "" {
			asked.folder = l.workspaceNames[asked.folder]
		}
		asks[asked] = false
	}
	return asks
}

func (l *bunLock) packages() {
	if !l.s.Expect(jsonscan.Object, "packages") {
		return
	}
	for key := range l.s.Salvage(nextBunEntry) {
		l.entry(key)
	}
}

// nextBunEntry finds the next line that begins with a name and an array, for Salvage: bun
// writes each entry on a line of its own, and the arrays inside entries on none.
func nextBunEntry(text string, from int) int {
	for {
		at := jsonscan.NextMember(text, from, '[')
		if at < 0 || strings.HasSuffix(strings.TrimRight(text[:at], " \t"), "\n") {
			return at
		}
		from = at + 1
	}
}

// entry reads one entry.
func (l *bunLock) entry(key string) {
	p := lockfile.Package{Line: l.s.Line()}
	above, name := splitPath(key)
	p.Name = name
	place := int32(root)
	if l.tree != nil {
		place = l.tree.locatePath(key)
	}
	sri := ""
	if l.s.Expect(jsonscan.Array, "an entry of packages") {
		for i := range l.s.Array() {
			switch kind := l.s.Kind(); {
			case i == 0:
				l.resolution(&p, l.text("what an entry resolves to"))
			case kind == jsonscan.Object:
				l.info(&p, place)
			case i == 1 && p.Source.Kind == lockfile.Registry:
				if address := l.text("the registry of an entry"); address != "" {
					p.Source = l.registryAt(&p, address)
				}
			default: // the integrity; in what comes from git, a tag before it
				text := l.text("the integrity of an entry")
				if p.Source.Kind == lockfile.Registry || isSRI(text) {
					sri = text
				}
			}
		}
	}
	if p.Name != name {
		p.Alias = name
	}
	p.Digests = l.integrity(sri, p.Name, p.Line)
	l.add(&p)
	at := int32(len(l.Packages) - 1)
	l.located = append(l.located, located{above, name, true, at})
	if l.tree != nil {
		l.tree.places[place].entry = at
	}
}

// splitPath splits the last name off a path of names, "a/@scope/b".
func splitPath(key string) (above, name string) {
	slash := strings.LastIndexByte(key, '/')
	if slash < 0 {
		return "", key
	}
	if scope := strings.LastIndexByte(key[:slash], '/') + 1; strings.HasPrefix(key[scope:], "@") {
		return strings.TrimSuffix(key[:scope], "/"), key[scope:]
	}
	return key[:slash], key[slash+1:]
}

// locatePath gives the place of a path of names.
func (t *tree) locatePath(key string) int32 {
	at, scope := int32(root), ""
	for part := range strings.SplitSeq(key, "/") {
		if scope == "" && strings.HasPrefix(part, "@") {
			scope = part
			continue
		}
		if scope != "" {
			part, scope = key[:len(scope)+1+len(part)], ""
		}
		at = t.at(child{parent: at, name: part})
		key = strings.TrimPrefix(key[len(part):], "/")
	}
	return at
}

// resolution reads the first element of an entry.
func (l *bunLock) resolution(p *lockfile.Package, text string) {
	name, what, found := splitSpec(text)
	if !found {
		l.AddProblem(p.Line, lockfile.CodeEntry, "%q names no version or source", text)
		return
	}
	p.Name = name
	switch {
	case strings.HasPrefix(what, "root:"):
		p.Source = lockfile.Source{Kind: lockfile.Workspace, URL: what}
	case strings.Contains(what, ":"):
		p.Source = classify(what)
		p.Source.URL = strings.TrimPrefix(what, "workspace:")
	case strings.ContainsAny(what, `/\`), strings.HasSuffix(what, ".tgz"), strings.HasSuffix(what, ".tar.gz"):
		p.Source = lockfile.Source{Kind: lockfile.Path, URL: what}
	default:
		p.Version = what
	}
}

// info reads the object of an entry: the sections of dependencies, and flags.
func (l *bunLock) info(p *lockfile.Package, place int32) {
	for field := range l.s.Object() {
		switch field {
		case "dependencies", "optionalDependencies", "peerDependencies":
			if l.tree != nil {
				for name := range l.s.Object() {
					l.tree.want(place, name)
				}
			}
		case "bundled":
			if l.flag(field) {
				p.Scope |= lockfile.Bundled
			}
		}
	}
}

func isSRI(text string) bool {
	algorithm, _, ok := strings.Cut(text, "-")
	return ok && lockfile.ParseAlgorithm(algorithm) != 0
}

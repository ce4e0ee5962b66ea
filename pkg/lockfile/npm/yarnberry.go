package npm

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/yamlscan"
)

// readBerry reads a file of yarn 2 or later (yarn, packages/yarnpkg-core, Project.ts and
// structUtils.ts). Its entries stand at depth 0:
//
//	"name@npm:^1.0.0, name@npm:^1.2.0":
//	  version: 1.2.3
//	  resolution: "name@npm:1.2.3"
//	  dependencies:
//	    other: "npm:^2.0.0"
//	  checksum: 10c0/HEX
//
// The resolution is what yarn fetches. The checksum is that of the zip that yarn makes of it,
// in a way that the key before "/" names: no registry knows it, and it is not read.
func (y *yarnLock) readBerry(text string) {
	y.berry = true
	s := yamlscan.New(text, "", &y.File)
	field, begun := "", false
	for s.Next() {
		switch {
		case s.Kind == yamlscan.Document:
			if begun {
				y.AddProblem(s.Line, lockfile.CodeTwoDocs, "another document")
			}
			begun = true
		case s.Depth == 0:
			begun, field = true, ""
			y.endEntry()
			if s.Key != "__metadata" {
				y.beginBerry(&s.Node)
			}
		case !y.entry.open:
			if s.Key == "resolution" || strings.Contains(s.Key, "@") {
				y.AddProblem(s.Line, lockfile.CodeEntry, "%.200q inside of __metadata", s.Key)
			}
		case s.Depth == 1:
			field = s.Key
			y.berryField(&s.Node)
		case s.Depth == 2 && field == "dependencies" && (y.edges || y.entry.workspace):
			y.wants = append(y.wants, yarnWant{int32(len(y.Packages)), s.Key, s.Value})
		}
		if s.Flow && !y.oddFlow {
			y.oddFlow = true
			y.AddProblem(s.Line, lockfile.CodeSyntax, "a flow collection, which yarn does not write")
		}
	}
	y.endEntry()
	y.endBerry()
}

func (y *yarnLock) beginBerry(n *yamlscan.Node) {
	y.begin(n.Line)
	e := &y.entry
	for rest, more := n.Key, true; more; {
		var descriptor string
		descriptor, rest, more = strings.Cut(rest, ",")
		e.descriptors = append(e.descriptors, strings.Trim(descriptor, " "))
	}
	for _, d := range e.descriptors {
		if _, patch, ok := strings.Cut(d, "@patch:"); ok {
			inner, by, _ := strings.Cut(patch, "#")
			name, wanted, _ := splitSpec(unescape(inner))
			y.patches = append(y.patches, yarnPatch{int32(len(y.Packages)), name, wanted, strings.Contains(by, "builtin<")})
		}
	}
	e.workspace = strings.Contains(n.Key, "@workspace:")
}

func (y *yarnLock) berryField(n *yamlscan.Node) {
	e := &y.entry
	switch n.Key {
	case "version":
		e.versions = append(e.versions, n.Value)
	case "resolution":
		e.resolutions = append(e.resolutions, n.Value)
	case "resolved", "integrity": // of yarn 1, which reads YAML where its own grammar fails
		y.classicField(n.Key, n.Value, n.Line)
	}
}

// maxPatches bounds how often a patch of a patch is looked into.
const maxPatches = 16

// resolve reads a resolution, "name@reference", into pkg.
func (y *yarnLock) resolve(pkg *lockfile.Package, resolution string) {
	for range maxPatches {
		name, reference, _ := splitSpec(resolution)
		pkg.Name = name
		inner, isPatch := strings.CutPrefix(reference, "patch:")
		if !isPatch {
			y.reference(pkg, reference)
			return
		}
		// "patch:name@npm%3A1.2.3#file::version=1.2.3&hash=...": what the patch is put on.
		inner, _, _ = strings.Cut(inner, "#")
		resolution = unescape(inner)
	}
	y.AddProblem(pkg.Line, lockfile.CodeLimit, "a patch of a patch, more than %d deep", maxPatches)
}

// reference reads where the package of a resolution comes from. What stands behind "::" tells
// more about it.
func (y *yarnLock) reference(pkg *lockfile.Package, reference string) {
	reference, bindings, bound := strings.Cut(reference, "::")
	locked, isNPM := strings.CutPrefix(reference, "npm:")
	if !isNPM {
		pkg.Source = classify(reference)
		if strings.HasPrefix(reference, "exec:") {
			pkg.Source.Kind = lockfile.Path // a script of the project that makes the package
		}
		if pkg.Source.Kind == lockfile.Registry && !strings.HasPrefix(reference, "http") {
			y.AddProblem(pkg.Line, lockfile.CodeEntry, "%.200q is resolved to %.200q", pkg.Name, reference)
			pkg.Source.URL = ""
		}
		if id, ok := tarballIdentity(reference); ok {
			setAddress(pkg, id)
		}
		return
	}
	if name, version, ok := splitSpec(locked); ok {
		pkg.Name, locked = name, version
	}
	pkg.Version = locked
	if bound {
		for binding := range strings.SplitSeq(bindings, "&") {
			if key, address, _ := strings.Cut(binding, "="); unescape(key) == "__archiveUrl" {
				locate(pkg, unescape(address))
				pkg.Source.Kind = lockfile.Registry // the version is a registry's
			}
		}
	}
}

// unescape decodes percent escapes; text with a broken one stays as it is.
func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// endBerry works out who asks for whom: the workspaces for what is direct, and with edges
// every entry.
func (y *yarnLock) endBerry() {
	isWorkspace := func(p lockfile.Package) bool { return p.Source.Kind == lockfile.Workspace }
	if slices.ContainsFunc(y.Packages, isWorkspace) {
		for i := range y.Packages {
			y.Packages[i].Direct = lockfile.No
		}
	}
	targets := y.targets()
	patched := y.linkPatches(targets)
	for _, w := range y.wants {
		to, ok := targets.find(w.name, w.wanted)
		if !ok {
			continue
		}
		y.linkBerry(w.from, to)
		if to, ok = patched[to]; ok {
			y.linkBerry(w.from, to)
		}
	}
	y.link(y.asked)
}

func (y *yarnLock) linkBerry(from, to int32) {
	if y.Packages[from].Source.Kind == lockfile.Workspace {
		y.Packages[to].Direct = lockfile.Yes
	}
	if y.edges && from != to {
		y.asked = append(y.asked, edge{from, to})
	}
}

// linkPatches links each patched entry to the one it is made from, and gives those that yarn
// patches of itself.
func (y *yarnLock) linkPatches(targets *yarnTargets) (patched map[int32]int32) {
	patched = map[int32]int32{}
	for _, p := range y.patches {
		if plain, ok := targets.find(p.name, p.wanted); ok && plain != p.entry {
			y.linkBerry(p.entry, plain)
			if p.builtin {
				patched[plain] = p.entry
			}
		}
	}
	return patched
}

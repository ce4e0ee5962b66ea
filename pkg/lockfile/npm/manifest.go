package npm

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// ParseManifest reads what a package.json asks for: the sections of dependencies, the
// overrides of npm and pnpm, the resolutions of yarn and the catalogs of bun. An entry is
// of kind Manifest with a Range, or of the kind that its specifier says (Git, URL, Path,
// Link, Workspace) with the specifier as Range. bundleDependencies is left out: it names
// what another section asks for.
func ParseManifest(data []byte, opt lockfile.Options) lockfile.File {
	f, ok := newJSONFile(data, 100, opt, jsonscan.Options{})
	if !ok {
		return f.File
	}
	m := &manifest{jsonFile: f}
	for m.s.Document() {
		if !m.s.Expect(jsonscan.Object, "the file") {
			continue
		}
		for key := range m.s.Object() {
			m.field(key)
		}
	}
	return m.finish()
}

// ManifestSample writes a package.json that asks for one version of a package.
func ManifestSample(name, version string) string {
	return fmt.Sprintf(`{
  "name": "sample",
  "version": "1.0.0",
  "dependencies": {
    "%s": "%s"
  }
}
`, name, version)
}

type manifest struct{ *jsonFile }

func (m *manifest) field(key string) {
	switch key {
	case "dependencies":
		m.section(key, 0, lockfile.Yes)
	case "devDependencies":
		m.section(key, lockfile.Dev, lockfile.Yes)
	case "optionalDependencies":
		m.section(key, lockfile.Optional, lockfile.Yes)
	case "peerDependencies":
		m.section(key, lockfile.Peer, lockfile.Yes)
	case "resolutions", "overrides":
		m.overrides(key, "")
	case "catalog":
		m.section(key, 0, lockfile.Unknown)
	case "catalogs":
		for name := range m.s.Object() {
			m.section(name, 0, lockfile.Unknown)
		}
	case "pnpm", "workspaces":
		for inner := range m.s.Object() {
			if inner == "overrides" || inner == "catalog" || inner == "catalogs" {
				m.field(inner)
			}
		}
	}
}

// section reads an object of specifiers by name.
func (m *manifest) section(what string, scope lockfile.Scope, direct lockfile.Answer) {
	if !m.s.Expect(jsonscan.Object, what) {
		return
	}
	for name := range m.s.Object() {
		p := lockfile.Package{Name: name, Scope: scope, Direct: direct, Line: m.s.Line()}
		m.want(&p, m.text("the specifier of a dependency"))
	}
}

// overrides reads replacements of what dependencies ask for: an object of specifiers by
// path ("a/b", "**/b", "a>b", "b@1"), which npm nests (docs.npmjs.com, "overrides"). Inside
// the object of one package, "." stands for that package.
func (m *manifest) overrides(what, of string) {
	if !m.s.Expect(jsonscan.Object, what) {
		return
	}
	for key := range m.s.Object() {
		p := lockfile.Package{Name: overridden(key), Line: m.s.Line()}
		if key == "." {
			p.Name = of
		}
		if m.s.Kind() == jsonscan.Object {
			m.overrides("an override", p.Name)
			continue
		}
		spec := m.text("an override")
		if spec == "-" || strings.HasPrefix(spec, "$") { // pnpm: removed; npm: as a dependency says
			continue
		}
		m.want(&p, spec)
	}
}

// overridden is the package that the key of an override names: the last one of its path,
// without a range.
func overridden(key string) string {
	for i := len(key) - 1; i > 0; i-- { // pnpm: "a>b", but "a@>1" is a range
		if key[i] == '>' && key[i-1] != '@' && key[i-1] != ' ' && key[i-1] != '|' {
			key = key[i+1:]
			break
		}
	}
	if at := strings.LastIndexByte(key, '@'); at > 0 && key[at-1] != '/' && !strings.Contains(key[at:], "/") {
		key = key[:at]
	}
	_, name := splitPath(key)
	return name
}

// want adds what a manifest asks for.
func (m *manifest) want(p *lockfile.Package, spec string) {
	p.Range = spec
	p.Source.Kind = lockfile.Manifest
	name, wanted, alias := splitAlias(spec)
	switch {
	case alias:
		p.Name, p.Alias, p.Range = name, p.Name, wanted
	case strings.HasPrefix(spec, "npm:"):
		p.Range = spec[len("npm:"):]
	case isHosted(spec):
		p.Source = lockfile.Source{Kind: lockfile.Git, URL: spec, Commit: commitOf(spec)}
	case strings.ContainsAny(spec, `:/\`):
		if source := classify(spec); source.Kind != lockfile.Registry {
			p.Source = source
		} else {
			p.Source.URL = spec
		}
	}
	m.add(p)
}

// isHosted reports whether npm reads a specifier as a repository on GitHub: "owner/repo",
// and what to check out after "#" (hosted-git-info, "isGitHubShorthand").
func isHosted(spec string) bool {
	repo, _, _ := strings.Cut(spec, "#")
	owner, name, ok := strings.Cut(repo, "/")
	return ok && plainName(owner) && plainName(name) && owner != "" && name != "" && owner[0] != '.' && owner[0] != '~'
}

// ParseInstalled reads the package.json of a package that lies unpacked in node_modules:
// which package it is, and what npm 6 and older wrote down of where it came from.
func ParseInstalled(data []byte, opt lockfile.Options) lockfile.File {
	f, ok := newJSONFile(data, 1<<20, opt, jsonscan.Options{})
	if !ok {
		return f.File
	}
	for f.s.Document() {
		if f.s.Expect(jsonscan.Object, "the file") {
			f.installed()
		}
	}
	return f.finish()
}

func (f *jsonFile) installed() {
	line, added := 1, 0
	name, version, resolved, sri := "", "", "", ""
	emit := func() {
		p := lockfile.Package{Name: name, Version: version, Line: line}
		locate(&p, resolved)
		p.Source.Kind, p.Source.Commit = lockfile.Installed, ""
		if version == "" {
			p.Source.Kind = lockfile.NoVersion
		}
		p.Digests = f.integrity(sri, name, line)
		f.addLocated(&p)
		added++
	}
	set := func(field *string, what string) {
		value := f.text(what)
		if *field != "" && value != *field && name != "" && version != "" && added < maxAdded {
			emit() // either may be what is installed
		}
		*field = value
	}
	for key := range f.s.Object() {
		switch key {
		case "name":
			line = f.s.Line()
			set(&name, key)
		case "version":
			set(&version, key)
		case "_resolved":
			resolved, _ = f.s.Text()
		case "_integrity":
			sri, _ = f.s.Text()
		}
	}
	switch {
	case name != "":
		emit()
	case !f.s.Failed():
		f.AddProblem(0, lockfile.CodeEntry, "an installed package without a name")
	}
}

// InstalledSample writes the package.json of an installed package.
func InstalledSample(name, version string) string {
	return fmt.Sprintf(`{
  "name": "%s",
  "version": "%s"
}
`, name, version)
}

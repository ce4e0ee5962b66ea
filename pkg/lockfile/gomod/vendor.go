package gomod

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// ParseVendorModules reads vendor/modules.txt (golang.org/ref/mod, "Vendoring"): for each
// module a line "# path version", or "# path version => path version" or "=> folder" where
// it is replaced, a line "## " of notes, and the import paths of its packages that are
// vendored. At its end stand replacements that no vendored module needs, most of them
// without a version.
//
// A module is of kind Vendored when packages of it follow, otherwise Manifest: go.mod asks
// for it, and nothing of it is built.
func ParseVendorModules(data []byte, opt lockfile.Options) lockfile.File {
	r, ok := newReader(data, 200, false, opt)
	if !ok {
		return r.File
	}
	m := &module{reader: r}
	current := -1 // index of the module that packages belong to
	for {
		line, ok := m.next()
		if !ok {
			break
		}
		switch {
		case strings.HasPrefix(line, "## "): // "## explicit; go 1.26"
		case strings.HasPrefix(line, "# "):
			current = m.vendored(line[len("# "):])
		case line == "" || m.conflict(line):
		case strings.ContainsAny(line, " \t#"):
			m.problem(lockfile.CodeSyntax, "neither a module nor a package: %.100q", line)
		case current < 0:
			m.problem(lockfile.CodeSyntax, "a package of no module: %.100q", line)
		case m.Packages[current].Source.Kind == lockfile.Manifest:
			m.Packages[current].Source.Kind = lockfile.Vendored
		}
	}
	return m.finish()
}

// VendorModulesSample is a vendor/modules.txt that holds one module version.
func VendorModulesSample(name, version string) string {
	return "# " + name + " " + version + "\n## explicit; go 1.26\n" + name + "\n"
}

// vendored reads what follows "# " and gives the index of the module whose packages
// follow, -1 where none can.
func (m *module) vendored(line string) int {
	old, target, replaced := strings.Cut(line, " => ")
	name, version, hasVersion := strings.Cut(old, " ")
	if name == "" || strings.ContainsAny(version, " \t") || !replaced && !hasVersion {
		m.problem(lockfile.CodeEntry, "no module path and version: %.100q", line)
		return -1
	}
	p := lockfile.Package{Name: name, Version: version, Source: lockfile.Source{Kind: lockfile.Manifest}}
	if !replaced {
		m.add(&p)
		return len(m.Packages) - 1
	}
	path, newVersion, ok := strings.Cut(target, " ")
	if path == "" || strings.ContainsAny(newVersion, " \t") || ok && newVersion == "" {
		m.problem(lockfile.CodeEntry, "no replacement: %.100q", line)
		return -1
	}
	if hasVersion {
		p.Source = lockfile.Source{Kind: lockfile.Replaced, URL: path}
		m.add(&p)
	}
	if newVersion == "" {
		m.add(&lockfile.Package{Name: name, Source: lockfile.Source{Kind: lockfile.Path, URL: path}})
		return len(m.Packages) - 1
	}
	replacement := lockfile.Package{
		Name: path, Version: newVersion, Alias: name, Source: lockfile.Source{Kind: lockfile.Manifest},
	}
	if replacement.Alias == replacement.Name {
		replacement.Alias = ""
	}
	m.add(&replacement)
	return len(m.Packages) - 1
}

package gomod

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// replace is a replace directive.
type replace struct {
	old   moduleVersion // of any version where it names none
	entry int           // of the replacement, in Packages
}

type moduleVersion struct{ path, version string }

// replace reads "path [version] => path version" or "path [version] => folder".
func (m *module) replace(s statement) {
	w := s.words
	arrow := 1
	if len(w) > 2 && w[2] == "=>" {
		arrow = 2
	}
	after := len(w) - arrow - 1 // words after the arrow
	if after < 1 || after > 2 || w[arrow] != "=>" {
		m.problem(lockfile.CodeEntry, "replace of no known form: %.100q", strings.Join(w, " "))
		return
	}
	old := moduleVersion{path: m.text(w[0])}
	if arrow == 2 {
		old.version = m.text(w[1])
	}
	target := m.text(w[arrow+1])
	p := lockfile.Package{Name: target, Alias: old.path}
	if after == 2 {
		p.Version = m.text(w[arrow+2])
	}
	switch {
	case after == 1:
		if !isFolder(target) {
			m.problem(lockfile.CodeEntry, "replacement %.100q is no folder and has no version", target)
		}
		p = lockfile.Package{Name: old.path, Source: lockfile.Source{Kind: lockfile.Path, URL: target}}
	case p.Alias == p.Name:
		p.Alias = ""
	}
	m.replaces = append(m.replaces, replace{old, len(m.Packages)})
	m.add(&p)
}

// isFolder reports whether the target of a replace directive is a path in the file system,
// of Windows or another (golang.org/x/mod/modfile.IsDirectoryPath).
func isFolder(s string) bool {
	s = strings.ReplaceAll(s, `\`, "/")
	return s == "." || s == ".." || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || strings.HasPrefix(s, "/") ||
		len(s) >= 2 && s[1] == ':' && ('a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

// finishReplaces marks the requirements that a directive overrides. A directive for one
// version goes before one for all. A replacement of what is not required is built only
// where the file need not list all modules of the build.
func (m *module) finishReplaces(unlisted bool) {
	if len(m.replaces) == 0 {
		return
	}
	byOld := make(map[moduleVersion]int, len(m.replaces))
	for _, r := range m.replaces {
		p := &m.Packages[r.entry]
		if first, ok := byOld[r.old]; ok && !sameTarget(p, &m.Packages[first]) {
			m.AddProblem(p.Line, lockfile.CodeRepeatedKey, "a second replacement of %.100q", r.old.path)
		}
		byOld[r.old] = r.entry
	}
	used := make(map[int]bool, len(m.replaces))
	for _, i := range m.requires {
		required := &m.Packages[i]
		entry, ok := byOld[moduleVersion{required.Name, required.Version}]
		if !ok {
			if entry, ok = byOld[moduleVersion{path: required.Name}]; !ok {
				continue
			}
		}
		used[entry] = true
		replacement := &m.Packages[entry]
		replacement.Direct, replacement.Scope = required.Direct, required.Scope
		required.Source = lockfile.Source{Kind: lockfile.Replaced, URL: replacement.Source.URL}
		if required.Source.URL == "" {
			required.Source.URL = replacement.Name
		}
	}
	for _, r := range m.replaces {
		if p := &m.Packages[r.entry]; p.Source.Kind == lockfile.Registry && !used[r.entry] && !unlisted {
			p.Source.Kind = lockfile.Manifest
		}
	}
}

func sameTarget(a, b *lockfile.Package) bool {
	return a.Name == b.Name && a.Version == b.Version && a.Source == b.Source
}

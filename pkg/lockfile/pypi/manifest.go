package pypi

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// manifest is what the readers of pyproject.toml and Pipfile share: entries that stand
// under the package's name, as a version or as a table of what is asked for.
type manifest struct {
	reader
	toml  *tomlscan.Reader
	asked asked
}

// asked is one such entry as far as it has been read.
type asked struct {
	open    bool
	line    int
	name    string
	scope   lockfile.Scope
	source  bool // the entry says where from, and does not ask
	version string
	kind    lockfile.SourceKind // Git, URL or Path where the entry says so
	address string
	ref     string
}

func newManifest(data []byte, opt lockfile.Options, schema tomlscan.Schema) *manifest {
	text := string(data)
	m := &manifest{reader: newReader(len(text)/bytesPerWish, 0, opt)}
	m.toml = tomlscan.New(text, &m.File, schema)
	return m
}

// text is the string that an event tells. Anything else is a problem.
func (m *manifest) text() (string, bool) {
	if m.toml.Kind == tomlscan.String {
		return m.toml.Text, true
	}
	m.AddProblem(m.toml.Line, lockfile.CodeEntry, "%.100q is %v, not a string", m.toml.Key, m.toml.Kind)
	return "", false
}

// entry takes an event of the place of an entry: the version, the beginning of its table, a
// table of several that apply on different platforms, or a key that leads into its table.
func (m *manifest) entry(scope lockfile.Scope) {
	t := m.toml
	if t.Kind == tomlscan.Array || t.Kind == tomlscan.Table && m.asked.open && m.asked.name == t.Key {
		return
	}
	m.end()
	m.asked = asked{open: true, line: t.Line, name: t.Key, scope: scope}
	if t.Kind != tomlscan.Table && t.Kind != tomlscan.Item {
		m.asked.version, _ = m.text()
		m.end()
	}
}

// field takes an event of a key of an entry's table.
func (m *manifest) field(kind fieldKind) {
	s, ok := m.text()
	if !ok || !m.asked.open {
		return
	}
	switch kind {
	case fieldVersion:
		m.asked.version = s
	case fieldRepository:
		m.asked.kind, m.asked.address = lockfile.Git, s
	case fieldArchive:
		m.asked.kind, m.asked.address = lockfile.URL, s
	case fieldPath:
		m.asked.kind, m.asked.address = lockfile.Path, s
	case fieldRef:
		if commitID(s) != "" || m.asked.ref == "" {
			m.asked.ref = s
		}
	}
}

// fieldKind is what a key of an entry's table tells.
type fieldKind uint8

const (
	noField fieldKind = iota
	fieldVersion
	fieldRepository
	fieldArchive
	fieldPath
	fieldRef
)

// fieldOf is what a key of an entry's table tells, in poetry's tables, in Pipfile and in
// [tool.uv.sources].
func fieldOf(key string) fieldKind {
	switch key {
	case "version":
		return fieldVersion
	case "git", "hg", "svn", "bzr":
		return fieldRepository
	case "url", "file":
		return fieldArchive
	case "path":
		return fieldPath
	case "rev", "ref", "tag", "branch":
		return fieldRef
	}
	return noField
}

// end gives the entry that was being read, if there is one.
func (m *manifest) end() {
	a := &m.asked
	if !a.open {
		return
	}
	a.open = false
	p := m.wanted(a.line, a.scope)
	q := requirement{name: a.name}
	switch a.kind {
	case lockfile.Git:
		q = parseRepository(a.name, a.address)
		q.source.Commit = firstOf(commitID(a.ref), q.source.Commit)
	case lockfile.URL, lockfile.Path:
		q = parseAddress(a.name, a.address)
	default:
		if a.source {
			return
		}
		for text := range poetryRanges(a.version) {
			q.spec.text = text
			m.add(p, &q, true)
		}
		return
	}
	m.add(p, &q, true)
}

// require takes a requirement that an event tells.
func (m *manifest) require(scope lockfile.Scope) {
	if m.toml.Kind == tomlscan.Array {
		return
	}
	s, ok := m.text()
	if !ok {
		return
	}
	s = strings.TrimPrefix(s, "-e ") // as pdm writes what it installs for editing
	q := parseRequirement(s, m.exact[:0])
	if q.wrong != "" {
		m.AddProblem(m.toml.Line, lockfile.CodeSyntax, "%.200q: not understood from %.200q on", s, q.wrong)
	}
	m.add(m.wanted(m.toml.Line, scope), &q, true)
}

// wanted is a package that the project itself asks for.
func (m *manifest) wanted(line int, scope lockfile.Scope) lockfile.Package {
	return lockfile.Package{Ecosystem: ecosystem.PyPI, Line: line, Scope: scope, Direct: lockfile.Yes}
}

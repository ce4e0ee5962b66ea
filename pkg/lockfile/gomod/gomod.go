package gomod

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// newestGo is the Go version whose directives this package knows, as minor number of 1.
// A file that asks for a newer one may hold directives that are not known here.
const newestGo = 27

// module is a go.mod or go.work file that is being read.
type module struct {
	*reader
	path     string   // of the module itself
	minor    int      // of the go directive, "1.MINOR"; 0 where there is none
	seen     []string // verbs that may stand once
	requires []int    // indices in Packages
	replaces []replace
	retracts []int
}

var modVerbs = []string{
	"module", "go", "toolchain", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore",
}

// ParseGoMod reads a go.mod file (golang.org/ref/mod, "go.mod files").
func ParseGoMod(data []byte, opt lockfile.Options) lockfile.File {
	r, ok := newReader(data, 45, false, opt)
	if !ok {
		return r.File
	}
	m := &module{reader: r, requires: make([]int, 0, r.room)}
	m.statements(modVerbs, m.modDirective)
	m.finishUnknown()
	m.finishReplaces(m.minor < 17)
	for _, i := range m.retracts {
		m.Packages[i].Name = m.path
	}
	if m.path == "" && len(m.Packages) > 0 {
		m.AddProblem(0, lockfile.CodeHeader, "no module directive")
	}
	return m.finish()
}

// GoModSample is a go.mod file that requires one module version.
func GoModSample(name, version string) string {
	return "module example.com/canary\n\ngo 1.26\n\nrequire " + name + " " + version + "\n"
}

func (m *module) modDirective(s statement) {
	switch s.verb {
	case "module":
		m.once(s.verb)
		if m.arguments(s, 1) {
			m.path = m.text(s.words[0])
		}
	case "require", "exclude":
		if m.arguments(s, 2) {
			m.require(s)
		}
	case "retract":
		m.retract(s)
	case "tool":
		if m.arguments(s, 1) {
			m.add(&lockfile.Package{
				Name: m.text(s.words[0]), Source: lockfile.Source{Kind: lockfile.NoVersion}, Direct: lockfile.Yes,
			})
		}
	case "ignore":
		m.arguments(s, 1)
	default:
		m.sharedDirective(s)
	}
}

// sharedDirective reads what go.mod and go.work have in common, and what is none of both.
func (m *module) sharedDirective(s statement) {
	switch s.verb {
	case "go":
		m.once(s.verb)
		if m.arguments(s, 1) {
			m.goVersion(s.words[0])
		}
	case "toolchain":
		m.once(s.verb)
		m.arguments(s, 1)
	case "godebug":
		m.arguments(s, 1)
	case "replace":
		m.replace(s)
	default:
		m.salvage(s)
	}
}

// once notes a directive that may stand once.
func (m *module) once(verb string) {
	if slices.Contains(m.seen, verb) {
		m.problem(lockfile.CodeRepeatedKey, "a second %s directive", verb)
		return
	}
	m.seen = append(m.seen, verb)
}

// arguments reports whether a directive has n words, and adds a problem where it has not.
func (m *module) arguments(s statement, n int) bool {
	if len(s.words) == n {
		return true
	}
	m.problem(lockfile.CodeEntry, "%s with %d words: %.100q", s.verb, len(s.words), strings.Join(s.words, " "))
	return false
}

// goVersion reads "1.26", "1.26.3" or "1.26rc1". A later major version counts as newer than
// any.
func (m *module) goVersion(v string) {
	major, rest, _ := strings.Cut(v, ".")
	end := 0
	for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
		end++
	}
	minor, err := strconv.Atoi(rest[:end])
	switch n, majorErr := strconv.Atoi(major); {
	case err != nil || majorErr != nil || n < 1:
		m.problem(lockfile.CodeVersion, "%.100q: not a version of Go", v)
	case n > 1:
		m.minor = newestGo + 1
	default:
		m.minor = minor
	}
}

func (m *module) require(s statement) {
	p := lockfile.Package{Name: m.text(s.words[0]), Version: m.text(s.words[1]), Direct: lockfile.Yes}
	switch {
	case s.verb == "exclude":
		p.Source.Kind = lockfile.Excluded
		p.Direct = lockfile.Unknown
	default:
		m.requires = append(m.requires, len(m.Packages))
		if isIndirect(s.comment) {
			p.Direct, p.Scope = lockfile.No, lockfile.Indirect
		}
	}
	m.add(&p)
}

// isIndirect reports whether a comment marks a requirement as asked for by others only:
// "indirect", alone or with a semicolon and more after it.
func isIndirect(comment string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(comment), "indirect")
	return ok && (rest == "" || len(rest) > 1 && rest[0] == ';' && unicode.IsSpace(rune(rest[1])))
}

// retract reads a version, or two in brackets that are the ends of an interval.
func (m *module) retract(s statement) {
	p := lockfile.Package{Source: lockfile.Source{Kind: lockfile.Retracted}, Name: m.path}
	w := s.words
	switch {
	case len(w) == 1:
		p.Version = m.text(w[0])
	case len(w) == 5 && w[0] == "[" && w[2] == "," && w[4] == "]":
		p.Range = "[" + m.text(w[1]) + ", " + m.text(w[3]) + "]"
	default:
		m.problem(lockfile.CodeEntry, "retract of no version or interval: %.100q", strings.Join(w, " "))
		return
	}
	m.retracts = append(m.retracts, len(m.Packages))
	p.Ecosystem, p.Line = ecosystem.Go, m.line
	m.Packages = append(m.Packages, p)
}

// salvage reads an unknown directive: a later Go's, or a damaged one. A module and a
// version that stand in it may be asked for.
func (m *module) salvage(s statement) {
	words := s.words
	if len(words) == 1 && s.verb != "" { // a requirement whose block was not begun
		words = []string{s.verb, words[0]}
	}
	if len(words) != 2 {
		return
	}
	name, v := m.text(words[0]), m.text(words[1])
	if version.Check(ecosystem.Go, v) == nil && ecosystem.Go.CheckEntry(name) == nil {
		m.requires = append(m.requires, len(m.Packages))
		m.add(&lockfile.Package{Name: name, Version: v})
	}
}

// finishUnknown adds a problem for each unknown directive, unless a later Go may know it.
func (m *module) finishUnknown() {
	if m.minor > newestGo {
		return
	}
	for _, u := range m.unknown {
		m.AddProblem(u.line, lockfile.CodeSyntax, "unknown directive %.100q", u.verb)
	}
}

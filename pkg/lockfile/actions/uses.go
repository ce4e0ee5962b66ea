package actions

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// uses reads the value of a "uses" key: "owner/repo@ref", "owner/repo/path@ref",
// "./folder", "$/folder" or "docker://image:tag".
func (r *reader) uses(value string, line int) {
	value = strings.TrimSpace(value)
	p := lockfile.Package{Ecosystem: ecosystem.Actions, Line: line, Direct: lockfile.Yes}
	switch {
	case strings.Contains(value, "${{"):
		r.AddProblem(line, lockfile.CodeEntry, "uses is computed: %.100q", value)
		return
	case isImage(value):
		p.Name, p.Version = splitImage(value[len(imageScheme):])
		p.Source = lockfile.Source{Kind: lockfile.URL, URL: value}
	case strings.HasPrefix(value, "./") || strings.HasPrefix(value, `.\`) || strings.HasPrefix(value, "$/"):
		p.Name = value
		p.Source = lockfile.Source{Kind: lockfile.Path, URL: value}
	default:
		if !r.action(&p, value) {
			return
		}
	}
	r.Packages = append(r.Packages, p)
}

// action reads "owner/repo/path@ref" into *p, and adds a problem for each part that cannot
// be so.
func (r *reader) action(p *lockfile.Package, value string) bool {
	path, ref, _ := strings.Cut(value, "@")
	name := repository(path)
	if err := ecosystem.Actions.CheckEntry(path); err != nil {
		if name = oddRepository(path); name == "" {
			r.AddProblem(p.Line, lockfile.CodeEntry, "neither an action nor a folder or image: %.100q", value)
			return false
		}
		r.AddProblem(p.Line, lockfile.CodeName, "%v", err)
	}
	p.Name = ecosystem.Actions.CanonicalName(name)
	p.Version = ref
	if len(name) < len(path) {
		p.Source.URL = path
	}
	if isCommit(ref) {
		p.Source.Commit = ref
	}
	if ref == "" {
		p.Source.Kind = lockfile.NoVersion
		r.AddProblem(p.Line, lockfile.CodeEntry, "%.100q names no ref", value)
	} else if err := version.Check(ecosystem.Actions, ref); err != nil || strings.Contains(ref, "@") {
		r.AddProblem(p.Line, lockfile.CodeVersion, "%.100q: not a git ref", ref)
	}
	return true
}

// repository is the part of "owner/repo/path" before the second slash.
func repository(path string) string {
	owner, rest, _ := strings.Cut(path, "/")
	repo, _, _ := strings.Cut(rest, "/")
	return path[:min(len(owner)+1+len(repo), len(path))]
}

// oddRepository is the repository of a path that is not as it should be. The runner takes a
// backslash for a slash, and several for one. It is "" where there is none.
func oddRepository(path string) string {
	parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' || c == '\\' })
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

const imageScheme = "docker://"

func isImage(s string) bool {
	return len(s) > len(imageScheme) && strings.EqualFold(s[:len(imageScheme)], imageScheme)
}

// splitImage splits "host/name:tag" and "name@sha256:digest".
func splitImage(s string) (name, version string) {
	if name, version, ok := strings.Cut(s, "@"); ok {
		return name, version
	}
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// isCommit reports whether s is a full commit id, SHA-1 or SHA-256.
func isCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

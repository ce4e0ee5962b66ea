package workflow

import (
	"regexp"
	"strings"
)

// Shown is the name that GitHub shows a step by.
func (s *Step) Shown() string {
	switch {
	case s.Name != "":
		return s.Name
	case s.Uses != "":
		return "Run " + s.Uses
	}
	line, _, _ := strings.Cut(strings.TrimLeft(s.Run, " \t\r\n"), "\n")
	return "Run " + strings.TrimRight(line, " \t\r")
}

// Shown gives a test of the names that GitHub shows a job by: those of a matrix, and of a
// workflow that calls this one, are longer than its own.
func (j *Job) Shown() *regexp.Regexp { return like(`(.* / )?`, j.Name, `( \(.*\))?`) }

// Like gives a test of the names that GitHub shows a step by.
func (s *Step) Like() *regexp.Regexp { return like("", s.Shown(), "") }

// InWorkspace gives the path of "./path", which lies in the workspace where a step names it.
func InWorkspace(uses string) (path string, ok bool) { return strings.CutPrefix(uses, "./") }

// InOwn gives the path of "$/path", which lies in the repository of the file that names it, at its commit
// (GitHub's changelog of 2026-07-30).
func InOwn(uses string) (path string, ok bool) { return strings.CutPrefix(uses, "$/") }

// Elsewhere reports whether a step checks out another repository than the run's, or maybe another commit: what a
// later "./path" names is then not known.
func (s *Step) Elsewhere() bool {
	if Action(s.Uses) != "actions/checkout" {
		return false
	}
	for input, own := range map[string]string{"repository": "github.repository", "ref": "github.sha"} {
		if value := strings.Trim(s.With[input], "${} "); value != "" && value != own {
			return true
		}
	}
	return false
}

// Local gives the path of either form: where a job calls a workflow by one, that is of the file's own repository
// and commit.
func Local(uses string) (path string, ok bool) {
	if path, ok = InWorkspace(uses); !ok {
		path, ok = InOwn(uses)
	}
	return path, ok
}

// Action is the lower-case name of an action, without its ref.
func Action(uses string) string {
	name, _, _ := strings.Cut(uses, "@")
	return strings.ToLower(name)
}

var expression = regexp.MustCompile(`(?s)\$\{\{.*?\}\}`)

// like matches the name that GitHub shows with that of a file, where an expression stands for
// anything.
func like(before, name, after string) *regexp.Regexp {
	const longest = 500
	name = strings.ToValidUTF8(name[:min(len(name), longest)], "")
	var b strings.Builder
	at := 0
	for _, m := range expression.FindAllStringIndex(name, -1) {
		b.WriteString(regexp.QuoteMeta(name[at:m[0]]) + ".*")
		at = m[1]
	}
	b.WriteString(regexp.QuoteMeta(name[at:]))
	return regexp.MustCompile(`(?s)^` + before + b.String() + after + `$`)
}

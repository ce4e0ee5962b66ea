package gomod

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// reader collects what one file holds.
type reader struct {
	lockfile.File
	digests []lockfile.Digest // Package.Digests are parts of it
	memory  *lockfile.Memory  // nil for none
	room    int               // how many entries the file is thought to have
	rest    string            // what is left of the text
	line    int               // 1-based number of the line that next gave
	unknown []unknown
}

// newReader makes room for a file whose entries take about perEntry bytes each, and have
// about one digest each where hashed is set. ok is false for a file that is not read.
func newReader(data []byte, perEntry int, hashed bool, opt lockfile.Options) (r *reader, ok bool) {
	r = &reader{memory: opt.Memory, room: min(len(data)/perEntry+4, 1<<16)}
	if len(data) > lockfile.MaxBytes {
		r.AddProblem(0, lockfile.CodeLimit, "%d bytes: over the limit of %d", len(data), lockfile.MaxBytes)
		return r, false
	}
	r.rest = string(bytes.TrimPrefix(data, []byte("\ufeff")))
	digests := 0
	if hashed {
		digests = r.room
	}
	r.Packages, r.digests = r.memory.Take(r.room, digests)
	if i := strings.IndexByte(r.rest, 0); i >= 0 {
		r.AddProblem(lineAt(r.rest, i), lockfile.CodeEncoding, "a NUL byte")
	}
	if !utf8.ValidString(r.rest) {
		valid := strings.ToValidUTF8(r.rest, "")
		i := 0
		for i < len(valid) && valid[i] == r.rest[i] {
			i++
		}
		r.AddProblem(lineAt(r.rest, i), lockfile.CodeEncoding, "not UTF-8")
	}
	return r, true
}

// finish gives the file.
func (r *reader) finish() lockfile.File {
	r.memory.Keep(r.Packages, r.digests)
	return r.File
}

// lineAt is the number of the line that holds s[i].
func lineAt(s string, i int) int { return 1 + strings.Count(s[:i], "\n") }

// next gives the next line without its end, and without the carriage return before it.
func (r *reader) next() (line string, ok bool) {
	if r.rest == "" {
		return "", false
	}
	r.line++
	if i := strings.IndexByte(r.rest, '\n'); i >= 0 {
		line, r.rest = r.rest[:i], r.rest[i+1:]
	} else {
		line, r.rest = r.rest, ""
	}
	return strings.TrimSuffix(line, "\r"), true
}

// problem adds a problem of the present line.
func (r *reader) problem(code lockfile.Code, format string, args ...any) {
	r.AddProblem(r.line, code, format, args...)
}

// conflict reports whether line is the mark of an unfinished merge, and adds the problem.
// The entries of both sides are read.
func (r *reader) conflict(line string) bool {
	if len(line) < 7 {
		return false
	}
	switch line[:7] {
	case "<<<<<<<", "=======", ">>>>>>>", "|||||||":
		r.problem(lockfile.CodeSyntax, "the mark of an unfinished merge: %.40q", line)
		return true
	}
	return false
}

// add appends *p and says what is wrong with its name and version, as long as a problem can
// still be told: a hostile file has 100,000 of them.
func (r *reader) add(p *lockfile.Package) {
	p.Ecosystem = ecosystem.Go
	p.Line = r.line
	if len(r.Problems) < lockfile.MaxProblems {
		r.check(p)
	}
	r.Packages = append(r.Packages, *p)
}

func (r *reader) check(p *lockfile.Package) {
	if p.Source.Kind != lockfile.Path && p.Source.Kind != lockfile.Workspace {
		if err := ecosystem.Go.CheckEntry(p.Name); err != nil {
			r.problem(lockfile.CodeName, "%v", err)
		}
	}
	if p.Version != "" {
		if err := version.Check(ecosystem.Go, p.Version); err != nil {
			r.problem(lockfile.CodeVersion, "%.100q: %v", p.Name, err)
		}
	}
}

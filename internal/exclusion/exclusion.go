// Package exclusion reads the organisation's exclusions file and says which findings and
// problems an entry of it covers.
//
// The file is YAML, or the JSON that is YAML too; docs/schemas/exclusions.json is its
// schema and docs/problems.md shows one. An entry has an owner, a reason, the last day on
// which it applies, and one target, either a problem or a finding:
//
//	schema: exclusions/1
//	exclusions:
//	  - owner: web-team@example.org
//	    reason: cut short on purpose, input of the importer's tests
//	    expires: 2027-01-31
//	    problem: {repository: web, path: testdata/cut/yarn.lock, code: truncated}
//	  - owner: security@example.org
//	    reason: planted to see whether the sweep works
//	    expires: 2027-01-31
//	    finding: {campaign: wormsweep-test, repository: canary, glob: "planted/**"}
//
// An entry that lacks an owner, a reason or an end, or whose end is more than MaxDays
// ahead, makes the whole file invalid. One that has ended applies no more, and is listed.
//
// Nothing is covered by accident. An entry for problems never covers a finding. A
// repository is compared whole; a path too, and only the key "glob" holds a pattern; with
// a blob, an entry covers that content alone. The file comes from whoever runs the sweep:
// none is read from a swept repository.
package exclusion

import (
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// Schema is the version of the file that this package reads and writes.
const Schema = "exclusions/1"

// Limits of the file.
const (
	MaxBytes = 1 << 20 // its size
	MaxDays  = 366     // how far ahead an entry may end
)

// Set is a loaded file. A nil Set covers nothing. It is safe for concurrent use.
type Set struct {
	entries []entry
	index   map[string][]int // key of a target to its entries, ascending; expired ones are not in it
	expired []int
}

// entry is one exclusion of the file.
type entry struct {
	file    string
	line    int
	target  target
	expires time.Time // the last day, at 00:00 UTC
	shown   finding.Exclusion
}

// kind is what an entry covers.
type kind uint8

const (
	problems kind = iota + 1
	findings
)

// target is what an entry covers; a field that is "" asks for nothing. Without a path,
// glob and blob it is the repository itself.
type target struct {
	kind                         kind
	repository, path, glob, blob string
	code                         string // of problems
	campaign, fingerprint        string // of findings
}

// key is the strictest part that the target compares whole; every target has one.
func (t *target) key() string {
	switch {
	case t.fingerprint != "":
		return "fingerprint " + t.fingerprint
	case t.blob != "":
		return "blob " + t.blob
	}
	return "repository " + t.repository
}

// Problem is the exclusion that covers p, the first of the file, nil when there is none.
func (s *Set) Problem(p *finding.Problem) *finding.Exclusion {
	return s.first(problems, "", p.Blob, p.Repository, func(t *target) bool {
		return (t.code == "" || t.code == p.Code) && t.place(p.Repository, p.File, p.Blob)
	})
}

// Finding is the exclusion that covers f, the first of the file, nil when there is none.
// It looks at neither f.State nor f.Exclusion.
func (s *Set) Finding(f *finding.Finding) *finding.Exclusion {
	return s.first(findings, f.Fingerprint, f.Blob, f.Repository, func(t *target) bool {
		if t.fingerprint != "" {
			return t.fingerprint == f.Fingerprint
		}
		return t.campaign == f.Campaign && t.place(f.Repository, f.File, f.Blob)
	})
}

// Of gives the exclusion of a finding or a problem; nil: none does, or it is another event.
func (s *Set) Of(e finding.Event) *finding.Exclusion {
	switch e := e.(type) {
	case *finding.Finding:
		return s.Finding(e)
	case *finding.Problem:
		return s.Problem(e)
	}
	return nil
}

// first is the first entry of the kind, among those that the three parts select, whose
// target covers.
func (s *Set) first(k kind, fingerprint, blob, repository string, covers func(*target) bool) *finding.Exclusion {
	if s == nil {
		return nil
	}
	best := -1
	for _, probe := range []target{{fingerprint: fingerprint}, {blob: blob}, {repository: repository}} {
		for _, i := range s.index[probe.key()] {
			if best >= 0 && i > best {
				break
			}
			if t := &s.entries[i].target; t.kind == k && covers(t) {
				best = i
				break
			}
		}
	}
	if best < 0 {
		return nil
	}
	shown := s.entries[best].shown
	return &shown
}

// place reports whether the target covers the file of that content there.
func (t *target) place(repository, file, blob string) bool {
	if t.repository != "" && t.repository != repository || t.blob != "" && t.blob != blob {
		return false
	}
	switch {
	case t.path != "":
		return t.path == file
	case t.glob != "":
		return MatchGlob(t.glob, file)
	}
	return t.blob != "" || file == ""
}

// Expired says, in the order of the file, which entries apply no more: line, last day,
// owner and target.
func (s *Set) Expired() []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, i := range s.expired {
		e := &s.entries[i]
		out = append(out, fmt.Sprintf("%q: line %d: ended %s, owner %q: %s", e.file, e.line, e.shown.Expires, e.shown.Owner, &e.target))
	}
	return out
}

// String names the target in one line.
func (t *target) String() string {
	out := "problem"
	if t.kind == findings {
		out = "finding"
	}
	for _, part := range []struct{ name, value string }{
		{"fingerprint", t.fingerprint},
		{"campaign", t.campaign},
		{"repository", t.repository},
		{"path", t.path},
		{"glob", t.glob},
		{"blob", t.blob},
		{"code", t.code},
	} {
		if part.value != "" {
			out += fmt.Sprintf(" %s %q", part.name, part.value)
		}
	}
	return out
}

// Package settings says how much of each repository the App looks at. Two kinds of files do: that
// of the organisation, in one repository whose default branch is protected, and one that a
// repository may have of its own.
//
// The organisation's may widen and narrow. A repository's own adds to that and takes nothing away,
// whatever it says: whoever can write to a repository, as a worm can, makes the App look at more of
// it and never at less. Scope is the one function that joins them.
package settings

import (
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
)

// The names of the files, at the roots of the repositories.
const (
	OrganisationFile = "wormsweep-app.yaml"
	RepositoryFile   = ".wormsweep.yaml"
)

// Bounds of a file.
const (
	MaxBytes  = 64 << 10
	maxList   = 200
	maxGlob   = 256
	maxFaults = 20
)

// Addition is what a repository adds by a file of its own. The zero value adds nothing.
type Addition struct {
	Branches []string // globs of branches whose pushes are swept
	Checks   bool     // check runs are made
}

// Settings are the organisation's. The zero value is what holds without any: everything is looked
// at.
type Settings struct {
	Branches []string  // as in Addition; none is all branches
	NoChecks bool      // no check runs are made
	Excluded []Exclude // repositories whose pushes are not swept
}

// narrows reports whether a repository can add anything.
func (s Settings) narrows() bool { return len(s.Branches) > 0 || s.NoChecks }

// Exclude leaves repositories out, until a day.
type Exclude struct {
	Repositories  string // glob of names, without the owner
	Owner, Reason string
	Expires       time.Time // the last day, 00:00 UTC
}

// Scope is how much of one repository is looked at.
type Scope struct {
	Excluded *Exclude // not nil: nothing of it is, by the organisation's own word
	branches []string // nil is all
	Checks   bool
}

// Scope joins the organisation's settings with what a repository adds. name is without the owner.
func (s Settings) Scope(name string, own Addition, now time.Time) Scope {
	scope := Scope{Checks: !s.NoChecks || own.Checks}
	if len(s.Branches) > 0 {
		scope.branches = slices.Concat(s.Branches, own.Branches)
	}
	for i := range s.Excluded {
		e := &s.Excluded[i]
		if now.Before(e.Expires.AddDate(0, 0, 1)) && exclusion.MatchGlob(strings.ToLower(e.Repositories), strings.ToLower(name)) {
			scope.Excluded = e
			break
		}
	}
	return scope
}

// Ref reports whether a push to a ref ("refs/heads/main") is swept. Tags and all that is no branch
// are.
func (s Scope) Ref(ref string) bool {
	branch, is := strings.CutPrefix(ref, "refs/heads/")
	return !is || s.branches == nil || matches(s.branches, branch)
}

func matches(globs []string, path string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool { return exclusion.MatchGlob(glob, path) })
}

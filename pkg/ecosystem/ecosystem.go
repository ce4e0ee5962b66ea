// Package ecosystem names the package ecosystems that Wormsweep reads and holds the
// rules of their names. It is a leaf: it imports nothing of ours.
//
// An ecosystem is spelled as OSV spells it ("npm", "PyPI", "Go", "GitHub Actions");
// a purl type is another spelling ("npm", "pypi", "golang", "github"), and PURLType
// is the one conversion between the two.
package ecosystem

import (
	"errors"
	"fmt"
	"strings"
)

// Ecosystem is the OSV name of an ecosystem. The zero value is no ecosystem.
type Ecosystem string

// The ecosystems that lockfiles are read for. A catalogue may hold others; nothing
// is matched in those.
const (
	NPM     Ecosystem = "npm"
	PyPI    Ecosystem = "PyPI"
	Go      Ecosystem = "Go"
	Actions Ecosystem = "GitHub Actions"
)

// All lists the ecosystems that lockfiles are read for, in the order of reports.
var All = []Ecosystem{NPM, PyPI, Go, Actions}

// ErrUnknown is returned by Parse for a name that is no ecosystem of ours.
var ErrUnknown = errors.New("unknown ecosystem")

// Parse reads the OSV name or the purl type of an ecosystem, in any letter case.
func Parse(s string) (Ecosystem, error) {
	switch strings.ToLower(s) {
	case "npm":
		return NPM, nil
	case "pypi":
		return PyPI, nil
	case "go", "golang":
		return Go, nil
	case "github actions", "githubactions", "github":
		return Actions, nil
	}
	return "", fmt.Errorf("%q: %w", s, ErrUnknown)
}

// PURLType is the purl type of e, "" for an ecosystem that is not in All.
func (e Ecosystem) PURLType() string {
	switch e {
	case NPM:
		return "npm"
	case PyPI:
		return "pypi"
	case Go:
		return "golang"
	case Actions:
		return "github"
	}
	return ""
}

// CanonicalName is the one spelling under which names of e are compared: PyPI names
// as PEP 503 folds them, action owners and repositories in lower case (GitHub does
// not tell them apart), npm and Go names as they stand. It does not allocate for a
// name that is in its canonical form already.
func (e Ecosystem) CanonicalName(name string) string {
	switch e {
	case PyPI:
		return foldPyPI(name)
	case Actions:
		return strings.ToLower(name)
	}
	return name
}

// foldPyPI applies PEP 503, "Normalized Names": runs of ".", "-" and "_" become one
// "-", and letters their lower case.
func foldPyPI(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '_' || c == '.' || 'A' <= c && c <= 'Z' || c == '-' && i > 0 && name[i-1] == '-' {
			return foldPyPISlow(name)
		}
	}
	return name
}

func foldPyPISlow(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	run := false
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			if !run {
				b.WriteByte('-')
			}
			run = true
			continue
		}
		run = false
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

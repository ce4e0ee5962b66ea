package version

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Range is a set of versions as a manifest asks for them. The zero value holds none.
type Range struct {
	set set
}

type set interface {
	contains(v string) bool
	String() string
}

// ParseRange reads what a manifest of e may ask for:
//
//   - npm: a range as npm reads it, which is node-semver's loose mode; see ParseNPMRange.
//   - PyPI: a set of version specifiers (PEP 440, "Version specifiers"), "" for any.
//
// Go and GitHub Actions have no ranges; that error wraps ErrNoOrder, and one for an
// expression outside the grammar ErrInvalid. An npm tag ("latest") is such an expression.
func ParseRange(e ecosystem.Ecosystem, expr string) (Range, error) {
	switch e {
	case ecosystem.NPM:
		return ParseNPMRange(expr, NPMOptions{Loose: true})
	case ecosystem.PyPI:
		s, err := parseSpecifiers(expr)
		if err != nil {
			return Range{}, err
		}
		return Range{s}, nil
	}
	return Range{}, fmt.Errorf("%.*q: range of %s: %w", maxShown, expr, e, ErrNoOrder)
}

// Contains reports whether the range could resolve to v: always No for a v that cannot be
// read. An npm range takes in pre-releases as npm does; a PyPI one takes in all of them,
// since pip falls back to them and its users can ask for them.
func (r Range) Contains(v string) bool { return r.set != nil && r.set.contains(v) }

// String is the range in normal form: of npm the comparators that a range stands for,
// ">=1.2.0 <2.0.0-0||3.0.0", "*" for any.
func (r Range) String() string {
	if r.set == nil {
		return ""
	}
	return r.set.String()
}

// badRange is the error for an expression outside the grammar.
func badRange(e ecosystem.Ecosystem, expr string) error {
	return fmt.Errorf("%.*q: %w range of %s", maxShown, strings.TrimSpace(expr), ErrInvalid, e)
}

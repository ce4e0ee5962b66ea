// Package version holds the rules of the ecosystems' versions: what a version is, which
// two are one, which comes first, and which a range takes in.
//
// The rules are those of the tools that install: node-semver for npm, PEP 440 for PyPI,
// golang.org/x/mod for Go, and git's names of refs for GitHub Actions, where a ref is
// the version. A version is a string as the registry or the lockfile writes it; Go's has
// its "v".
//
// Everything here is a pure function, safe for concurrent use, and takes time linear in
// its input.
//
// The rules are written here. Of the libraries, deps.dev/util/semver answers otherwise
// than npm and pip in a good part of the conformance suites (local parts of PyPI versions,
// "<2" and "==2.*" beside pre-releases, "1.x.5", "||"), and golang.org/x/mod, which the
// tests compare with, has the order of Go alone.
package version

import (
	"errors"
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// ErrInvalid is wrapped by the errors for a version outside its ecosystem's grammar.
var ErrInvalid = errors.New("not a version")

// ErrNoOrder is wrapped by the errors for an ecosystem whose versions have no order.
var ErrNoOrder = errors.New("versions without an order")

// Check returns nil when v is a version that a registry of e can hold, in the spelling
// that its tools write:
//
//   - npm: semver 2.0 as node-semver's strict mode reads it, without "v" or "=".
//   - PyPI: PEP 440 in any of its alternative spellings (Appendix B), without spaces.
//   - Go: semver with "v" and all three numbers, with "+incompatible" or no build.
//   - GitHub Actions: the name of a git ref, or a commit id.
//
// The error wraps ErrInvalid. Check does not allocate for a version that it accepts.
func Check(e ecosystem.Ecosystem, v string) error {
	ok := false
	switch e {
	case ecosystem.NPM:
		ok = validNPM(v)
	case ecosystem.PyPI:
		ok = validPyPI(v)
	case ecosystem.Go:
		ok = validGo(v)
	case ecosystem.Actions:
		ok = validRef(v)
	}
	if !ok {
		return invalid(e, v)
	}
	return nil
}

// maxShown bounds what of a version an error repeats: a file can hold one of many MB.
const maxShown = 100

func invalid(e ecosystem.Ecosystem, v string) error {
	return fmt.Errorf("%.*q: %w of %s", maxShown, v, ErrInvalid, e)
}

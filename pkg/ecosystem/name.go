package ecosystem

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/module"
)

// ErrName is wrapped by the errors of CheckName and CheckEntry.
var ErrName = errors.New("no package can have this name")

// CheckName returns nil when a registry of e can hold a package of this name, old
// packages included. It is for names that a person or a feed claims: a name that fails is
// a mistake, since nothing can ever match it. The error wraps ErrName.
//
//   - npm: one part, or "@scope/part"; letters, digits and "-_.!~'()*"
//     (validate-npm-package-name, "Legacy Names").
//   - PyPI: letters, digits, "-", "_" and ".", first and last a letter or digit (PEP 508).
//   - Go: a module path whose first element has a dot (golang.org/x/mod/module.CheckPath).
//   - GitHub Actions: owner/repository, and a path below it.
//
// Of any other ecosystem only spaces, control characters and the empty name are refused.
// It does not allocate for an ordinary name.
func (e Ecosystem) CheckName(name string) error {
	if why := e.badName(name); why != "" {
		return nameError(name, why)
	}
	return nil
}

// CheckEntry returns nil when name can stand in a lockfile of e. That is what CheckName
// takes, and names that are odd and yet tell which package is meant: npm names with
// look-alike letters, and Go modules of a build's own, whose path needs no dot.
func (e Ecosystem) CheckEntry(name string) error {
	why := e.badName(name)
	if why == "" ||
		e == NPM && validNPM(name, lookAlikes) ||
		e == Go && module.CheckImportPath(name) == nil {
		return nil
	}
	return nameError(name, why)
}

func nameError(name, why string) error {
	return fmt.Errorf("%.*q: %w: %s", maxShown, name, ErrName, why)
}

const (
	maxName  = 428 // npm's limit (214), doubled: Go module paths can be longer
	maxShown = 100 // of a text that an error repeats: a file can hold one of many MB
)

// badName says why no package of e can have the name; "" where one can.
func (e Ecosystem) badName(name string) (why string) {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > maxName:
		return "it is too long"
	}
	ok := false
	switch e {
	case NPM:
		ok = validNPM(name, plainOnly) && name != "node_modules" && name != "favicon.ico"
	case PyPI:
		ok = holdsOnly(name, inPyPI) && isAlphanumeric(name[0]) && isAlphanumeric(name[len(name)-1])
	case Go:
		ok = plainGoPath(name) || module.CheckPath(name) == nil
	case Actions:
		ok = validAction(name)
	default:
		ok = !strings.ContainsFunc(name, unprintable)
	}
	switch {
	case ok:
		return ""
	case strings.ContainsFunc(name, unprintable):
		return "it holds a space or control character"
	case e != Go && LooksLikeGo(name):
		return "it is a Go module path"
	}
	return "it is outside the grammar of " + string(e)
}

// LooksLikeGo reports whether name can only be a Go module path: it has several elements
// and the first is a host, "github.com/owner/repository".
func LooksLikeGo(name string) bool {
	host, _, ok := strings.Cut(name, "/")
	return ok && strings.Contains(host, ".") && Go.badName(name) == ""
}

// Sets of the bytes that names hold, for nameBytes.
const (
	inNPM = 1 << iota // what encodeURIComponent leaves alone
	inPyPI
	inGo
	inOwner // of a GitHub account; "_" stands in those of managed users
	inRepo
)

var nameBytes = func() (t [256]uint8) {
	for c := range t {
		if '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			t[c] = inNPM | inPyPI | inGo | inOwner | inRepo
		}
	}
	for set, chars := range map[uint8]string{
		inNPM: "-_.!~*'()", inPyPI: "-_.", inGo: "-_.", inOwner: "-_", inRepo: "-_.",
	} {
		for i := 0; i < len(chars); i++ {
			t[chars[i]] |= set
		}
	}
	return t
}()

// holdsOnly reports whether s is not empty and of the set's bytes alone.
func holdsOnly(s string, set uint8) bool {
	for i := 0; i < len(s); i++ {
		if nameBytes[s[i]]&set == 0 {
			return false
		}
	}
	return s != ""
}

// validNPM reports whether name is "name" or "@scope/name" of parts that are valid.
func validNPM(name string, valid func(part string) bool) bool {
	if scoped, ok := strings.CutPrefix(name, "@"); ok {
		var scope string
		if scope, name, _ = strings.Cut(scoped, "/"); !valid(scope) {
			return false
		}
	}
	return valid(name) && name[0] != '.'
}

func plainOnly(part string) bool { return holdsOnly(part, inNPM) }

// lookAlikes reports whether part is of npm's characters and of printable ones beyond
// ASCII.
func lookAlikes(part string) bool {
	for _, r := range part {
		if r < utf8.RuneSelf && nameBytes[r]&inNPM == 0 || unprintable(r) {
			return false
		}
	}
	return part != "" && utf8.ValidString(part)
}

func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r)
}

func isAlphanumeric(c byte) bool { return nameBytes[c]&inOwner != 0 && c != '-' && c != '_' }

// validAction reports whether s is "owner/repo" or "owner/repo/path".
func validAction(s string) bool {
	owner, rest, _ := strings.Cut(s, "/")
	repo, path, hasPath := strings.Cut(rest, "/")
	if !holdsOnly(owner, inOwner) || !holdsOnly(repo, inRepo) || isDots(repo) {
		return false
	}
	for hasPath {
		var element string
		element, path, hasPath = strings.Cut(path, "/")
		if element == "" || isDots(element) || strings.Contains(element, "@") || strings.ContainsFunc(element, unprintable) {
			return false
		}
	}
	return true
}

// isDots reports whether a path element means a folder itself or the one above.
func isDots(s string) bool { return s == "." || s == ".." }

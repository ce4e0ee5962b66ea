package ecosystem

import (
	"errors"
	"fmt"
	"strings"
)

// ErrName is wrapped by the errors of CheckName.
var ErrName = errors.New("no package can have this name")

// CheckName returns nil when a registry of e can hold a package of this name, old
// packages included. It is for names that a person or a feed claims: a name that fails is
// a mistake, since nothing can ever match it. The error wraps ErrName.
//
//   - npm: one part, or "@scope/part"; letters, digits and "-_.!~'()*"
//     (validate-npm-package-name, "Legacy Names").
//   - PyPI: letters, digits, "-", "_" and ".", first and last a letter or digit (PEP 508).
//   - Go: a module path whose first element has a dot (golang.org/ref/mod, "Module paths").
//   - GitHub Actions: owner/repository, and a path below it.
//
// Of any other ecosystem only spaces, control characters and the empty name are refused.
func (e Ecosystem) CheckName(name string) error {
	why := ""
	switch {
	case name == "":
		why = "it is empty"
	case len(name) > maxName:
		why = "it is too long"
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }):
		why = "it holds a space or control character"
	case e == NPM:
		why = badNPM(name)
	case e == PyPI:
		why = badPyPI(name)
	case e == Go:
		why = badGo(name)
	case e == Actions:
		why = badAction(name)
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%.*q: %w: %s", 100, name, ErrName, why)
}

// maxName is npm's limit (214), doubled: Go module paths can be longer.
const maxName = 428

// LooksLikeGo reports whether name can only be a Go module path: it has several elements
// and the first is a host, "github.com/owner/repository".
func LooksLikeGo(name string) bool {
	first, _, ok := strings.Cut(name, "/")
	return ok && strings.Contains(first, ".") && !strings.HasPrefix(name, "@") && badGo(name) == ""
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func only(s, allowed string) bool {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(allowed, s[i]) < 0 {
			return false
		}
	}
	return true
}

func badNPM(name string) string {
	part := name
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		scope, inner, ok := strings.Cut(rest, "/")
		if !ok || scope == "" || !only(scope, letters+digits+"-_.!~'()*") {
			return "its scope is not one"
		}
		part = inner
	}
	switch {
	case LooksLikeGo(name):
		return "it is a Go module path"
	case part == "" || !only(part, letters+digits+"-_.!~'()*"):
		return "it holds a character that npm does not allow"
	case part[0] == '.' || part == "node_modules" || part == "favicon.ico":
		return "npm keeps it to itself"
	}
	return ""
}

func badPyPI(name string) string {
	switch first, last := name[0], name[len(name)-1]; {
	case !only(name, letters+digits+"-_."):
		return "it holds a character that PyPI does not allow"
	case !only(string([]byte{first, last}), letters+digits):
		return "it begins or ends with a separator"
	}
	return ""
}

func badGo(path string) string {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return "the first element of a module path has a dot"
	}
	for element := range strings.SplitSeq(path, "/") {
		if element == "" || element[0] == '.' || element[len(element)-1] == '.' || !only(element, letters+digits+"-_.~") {
			return "an element is empty, or holds what a module path cannot"
		}
	}
	return ""
}

func badAction(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) < 2 {
		return "an action is owner/repository"
	}
	for _, part := range parts {
		if part == "" || part == "." || part == ".." || !only(part, letters+digits+"-_.") {
			return "a part is empty, or holds what GitHub does not allow"
		}
	}
	return ""
}

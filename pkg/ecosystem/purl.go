package ecosystem

import (
	"errors"
	"fmt"
	"strings"

	"github.com/package-url/packageurl-go"
)

// ErrPURL is wrapped by the errors for a text that is no purl.
var ErrPURL = errors.New("not a purl")

// PURL is the canonical package URL of a version of a package, "" for an ecosystem that
// is not in All; version may be "" (github.com/package-url/purl-spec).
//
// Purl's type golang writes module paths in lower case, though Go tells letter cases
// apart: compare modules by name, never by purl. An action's path in its repository
// becomes the subpath. What is no name of e is escaped, so that it is inert.
func (e Ecosystem) PURL(name, version string) string {
	p := packageurl.PackageURL{Type: e.PURLType(), Name: e.CanonicalName(name), Version: version}
	switch e {
	case NPM:
		if scope, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(scope, "@") {
			p.Namespace, p.Name = scope, rest
		}
	case Go:
		p.Name = strings.ToLower(name)
		if i := strings.LastIndexByte(p.Name, '/'); i >= 0 {
			p.Namespace, p.Name = p.Name[:i], p.Name[i+1:]
		}
	case Actions:
		owner, rest, _ := strings.Cut(name, "/")
		repo, path, _ := strings.Cut(rest, "/")
		p.Namespace, p.Name, p.Subpath = strings.ToLower(owner), strings.ToLower(repo), path
	case PyPI:
	default:
		return ""
	}
	return p.ToString()
}

// ParsePURL reads a purl of one of All in any spelling. The name is that of its canonical
// form, so a Go module's is in lower case; the version is "" where the purl names none.
// Qualifiers are left out, and subpaths but that of an action, which is part of its name.
//
// The error wraps ErrPURL, or ErrUnknown for a purl of another type.
func ParsePURL(s string) (e Ecosystem, name, version string, err error) {
	p, err := packageurl.FromString(s)
	if err != nil {
		return "", "", "", fmt.Errorf("%.*q: %w: %v", maxShown, s, ErrPURL, err)
	}
	switch p.Type {
	case NPM.PURLType():
		e = NPM
	case PyPI.PURLType():
		e = PyPI
	case Go.PURLType():
		e = Go
	case Actions.PURLType():
		e = Actions
	default:
		return "", "", "", fmt.Errorf("%.*q: %w", maxShown, s, ErrUnknown)
	}
	name = p.Name
	if p.Namespace != "" {
		name = p.Namespace + "/" + p.Name
	}
	if e == Actions && p.Subpath != "" {
		name += "/" + p.Subpath
	}
	if e == PyPI {
		name = e.CanonicalName(name)
	}
	return e, name, p.Version, nil
}

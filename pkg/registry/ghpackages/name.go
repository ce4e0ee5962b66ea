package ghpackages

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// split gives the owner and the package, as the API names them, of an artifact.
func (r *Reader) split(name string) (owner, pkg string, err error) {
	bad := func() (string, string, error) {
		form := "@OWNER/PACKAGE"
		if r.opts.Type == Container {
			form = "HOST/OWNER/PACKAGE"
		}
		return "", "", fmt.Errorf("%.300q is not of the form %s: %w", name, form, registry.ErrForbidden)
	}
	if r.opts.Type == Container {
		ref, err := oci.ParseReference(name + ":any")
		owner, pkg, ok := strings.Cut(ref.Repository, "/")
		if err != nil || !ok {
			return bad()
		}
		return owner, pkg, nil
	}
	scoped, ok := strings.CutPrefix(name, "@")
	owner, pkg, both := strings.Cut(scoped, "/")
	if !ok || !both || !validPart(owner) || !validPart(pkg) {
		return bad()
	}
	return owner, pkg, nil
}

func validPart(s string) bool {
	return s != "" && len(s) <= 214 && s[0] != '.' && strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-'
	}) < 0
}

// joinValidators keeps two in one: both have to be there.
func joinValidators(versions, content registry.Validator) registry.Validator {
	if versions.ETag == "" || content == (registry.Validator{}) || strings.Contains(content.ETag, separator) {
		return registry.Validator{}
	}
	return registry.Validator{ETag: versions.ETag + separator + content.ETag, LastModified: content.LastModified}
}

const separator = " / "

// splitValidator takes apart what joinValidators put together, and gives nothing for another one.
func splitValidator(v registry.Validator) (versions, content registry.Validator) {
	before, after, ok := strings.Cut(v.ETag, separator)
	if !ok {
		return versions, content
	}
	return registry.Validator{ETag: before}, registry.Validator{ETag: after, LastModified: v.LastModified}
}

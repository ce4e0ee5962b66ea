package policy

import (
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Required reports whether a version must be signed; of a Go module, whether it must equal its
// tag. A version that has no place in the order of versions must be, as "latest" of an image.
func (a *Artifact) Required(version string) bool {
	if a.Unsigned {
		return false
	}
	if a.SignedFrom == "" {
		return true
	}
	c, ok := a.compare(version, a.SignedFrom)
	return !ok || c >= 0
}

// TokenAllowed reports whether somebody with a token, and no workflow, may have published a
// version at that time.
func (a *Artifact) TokenAllowed(version string, published time.Time) bool {
	return a.TokensAllowed || published.Before(a.TokenUntil) || !a.Required(version)
}

// compare orders two versions of the artifact, false where one has no place in the order.
func (a *Artifact) compare(v, w string) (int, bool) {
	var inner [2]string
	for i, full := range []string{v, w} {
		inner[i] = full
		if part, ok := a.inner(full); ok {
			inner[i] = part
		}
	}
	return compareVersions(a.Kind, inner[0], inner[1])
}

// compareVersions has the order of the kind's ecosystem. The tags of images and releases are
// ordered as npm's versions are, with or without a "v".
func compareVersions(kind registry.Kind, v, w string) (int, bool) {
	e := ecosystem.NPM
	switch kind {
	case registry.PyPI:
		e = ecosystem.PyPI
	case registry.Go:
		e = ecosystem.Go
	case registry.OCI, registry.Release:
		v, w = strings.TrimPrefix(v, "v"), strings.TrimPrefix(w, "v")
	}
	if version.Check(e, v) != nil || version.Check(e, w) != nil {
		return 0, false
	}
	c, err := version.Compare(e, v, w)
	return c, err == nil
}

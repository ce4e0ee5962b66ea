package policy

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The placeholders: all that an identity holds beside what is compared as it stands.
const (
	versionMark = "{version}"
	tagMark     = "{tag}"
)

var marks = []string{versionMark, tagMark}

// checkMarks says what is wrong with the braces of a text; "" where each belongs to one of
// the marks that are allowed.
func checkMarks(text string, allowed ...string) string {
	rest := text
	for _, mark := range allowed {
		rest = strings.ReplaceAll(rest, mark, "")
	}
	if !strings.ContainsAny(rest, "{}") {
		return ""
	}
	if len(allowed) == 0 {
		return "nothing stands for anything here: no braces"
	}
	return fmt.Sprintf("braces that are not %s: nothing else stands for anything", strings.Join(allowed, " or "))
}

func hasMark(text string) bool {
	return strings.Contains(text, versionMark) || strings.Contains(text, tagMark)
}

// GitTag is the git tag of a version, and false where it has none: the artifact has no tags,
// or the version cannot be a part of one.
func (a *Artifact) GitTag(version string) (string, bool) {
	switch inner, ok := a.inner(version); {
	case !ok || !inRef(inner):
		return "", false
	case a.Kind == registry.Release:
		return version, true
	case a.Tag == "":
		return "", false
	default:
		return strings.ReplaceAll(a.Tag, versionMark, inner), true
	}
}

// inner is what {version} stands for: the version, or of a release, whose version is its tag,
// the part that Tag leaves open.
func (a *Artifact) inner(version string) (string, bool) {
	if a.Kind != registry.Release || a.Tag == "" {
		return version, version != ""
	}
	before, after, _ := strings.Cut(a.Tag, versionMark)
	rest, ok := strings.CutPrefix(version, before)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, after)
	return rest, ok && rest != ""
}

// fill writes an identity's text for a version; false where it has no form for it.
func (a *Artifact) fill(text, version string) (string, bool) {
	if strings.Contains(text, tagMark) {
		tag, ok := a.GitTag(version)
		if !ok {
			return "", false
		}
		text = strings.ReplaceAll(text, tagMark, tag)
	}
	if strings.Contains(text, versionMark) {
		inner, ok := a.inner(version)
		if !ok || !inRef(inner) {
			return "", false
		}
		text = strings.ReplaceAll(text, versionMark, inner)
	}
	return text, true
}

// maxVersion is the length of the longest version that is compared, in bytes.
const maxVersion = 256

// comparableVersion reports whether a version is compared at all: with "@", "/", "#",
// braces, spaces or what is not ASCII, an identity with the version in it could be read as
// another one.
func comparableVersion(version string) bool {
	if version == "" || len(version) > maxVersion {
		return false
	}
	for _, c := range []byte(version) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("@/#{}", c) >= 0 {
			return false
		}
	}
	return true
}

// inRef reports whether a version can be part of the name of a git ref (git-check-ref-format).
func inRef(version string) bool {
	return comparableVersion(version) && !strings.ContainsAny(version, `~^:?*[\`) && !strings.Contains(version, "..")
}

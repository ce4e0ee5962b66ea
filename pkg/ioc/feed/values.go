package feed

import (
	"regexp"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// fileValue reads a file's name, path, glob or digest. A path outside of any repository is a
// host's.
func fileValue(ind ioc.Indicator, k kind, value string) (ioc.Indicator, error) {
	switch {
	case k.blob:
		ind.GitBlob = strings.ToLower(value)
		return ind, ioc.CheckDigest(digest.SHA1, ind.GitBlob)
	case k.digest != digest.NoAlgorithm:
		return ind, setDigest(&ind, k.digest, value)
	case strings.ContainsAny(value, "<>"):
		return ind, &ioc.ValueError{Rule: ioc.BadValue, Value: value, Why: "holds a placeholder"}
	case strings.HasPrefix(value, "/") || strings.HasPrefix(value, "~") || strings.ContainsAny(value, `$%\`):
		ind.Type, ind.Kind, ind.Value = ioc.TypeHost, "path", value
	case strings.HasSuffix(value, "/"):
		return ind, &ioc.ValueError{Rule: ioc.BadValue, Value: value, Why: "a folder"}
	case !strings.ContainsAny(value, "/*?"):
		ind.Name = value
	default:
		ind.Path = "**/" + strings.TrimPrefix(value, "**/")
	}
	return ind, nil
}

// setDigest sets the field for a digest of a file, in lower-case hex.
func setDigest(ind *ioc.Indicator, a digest.Algorithm, text string) error {
	text = strings.ToLower(text)
	switch a {
	case digest.SHA256:
		ind.SHA256 = text
	case digest.SHA1:
		ind.SHA1 = text
	case digest.MD5:
		ind.MD5 = text
	default:
		return &ioc.ValueError{Rule: ioc.BadDigest, Value: text, Why: "neither SHA-256, SHA-1 nor MD5"}
	}
	return ioc.CheckDigest(a, text)
}

// algorithmOf is the algorithm of a hex digest by its length.
func algorithmOf(hex string) digest.Algorithm {
	for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA1, digest.MD5, digest.SHA512} {
		if len(hex) == 2*a.Size() {
			return a
		}
	}
	return digest.NoAlgorithm
}

// refValue reads a git dependency as npm writes it: "github:owner/repo#commit".
func refValue(ind ioc.Indicator, value string) (ioc.Indicator, error) {
	address, commit, _ := strings.Cut(value, "#")
	ind.GitURL, ind.Commit = ioc.GitRepository(address), strings.ToLower(commit)
	if !strings.Contains(ind.GitURL, "/") {
		return ind, &ioc.ValueError{Rule: ioc.BadValue, Value: value, Why: "not a git dependency"}
	}
	return ind, ioc.CheckCommit(ind.Commit)
}

var jsRegex = regexp.MustCompile(`^/(.+)/[a-z]*$`)

// regexValue reads an expression, as text or as JavaScript writes it between slashes.
func (r *reader) regexValue(ind ioc.Indicator, line int, value string) (ioc.Indicator, error) {
	if m := jsRegex.FindStringSubmatch(value); m != nil {
		r.repair(line, JSRegex, value, m[1])
		value = m[1]
	}
	ind.Regex = value
	if _, err := regexp.Compile(value); err != nil {
		return ind, &ioc.ValueError{Rule: ioc.BadValue, Value: value, Why: err.Error()}
	}
	return ind, nil
}

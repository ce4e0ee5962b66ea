package policy

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// san is a workflow of GitHub as certificates name it:
// "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.3". The zero value
// is that of a text of another form; server stands for every URL.
type san struct {
	server     string // "https://github.com"
	repository string // "acme/sdk"
	path       string // ".github/workflows/release.yml"
	ref        string // "refs/tags/v1.2.3", or a commit id
}

var workflowURI = regexp.MustCompile(`^(https://[^/@]+)/([^/@]+/[^/@]+)/(\.github/workflows/[^/@]+\.ya?ml)@(.+)$`)

func parseSAN(text string) san {
	if m := workflowURI.FindStringSubmatch(text); m != nil {
		return san{server: m[1], repository: m[2], path: m[3], ref: m[4]}
	}
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Host != "" {
		return san{server: u.Scheme + "://" + u.Host}
	}
	return san{}
}

// isGitHub reports whether an issuer is that of GitHub's workflows: of github.com, of an
// enterprise on it, of one with data residency, or of an Enterprise Server.
func isGitHub(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	residency := strings.HasPrefix(u.Host, "token.actions.") && strings.HasSuffix(u.Host, "."+host.GitHubResidency)
	return u.Host == host.GitHubTokens || residency || u.Path == "/_services/token"
}

// commitForm is a commit id, of either object format of git.
var commitForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// refFault says why a ref, with marks or without, is none that is released from; "" for one
// that is.
func refFault(ref string) string {
	for _, kind := range []string{"refs/heads/", "refs/tags/"} {
		if name, ok := strings.CutPrefix(ref, kind); ok {
			switch plain := strings.NewReplacer(versionMark, "x", tagMark, "x").Replace(name); {
			case !refName(plain):
				return "no whole name of a git ref"
			case kind == "refs/heads/" && strings.Contains(name, tagMark):
				return "a tag as the name of a branch"
			}
			return ""
		}
	}
	if strings.HasPrefix(ref, "refs/pull/") {
		return "a pull request, which anybody can open"
	}
	return "neither refs/heads/NAME nor refs/tags/NAME"
}

// refName reports whether the part of a ref after its kind is whole and well-formed
// (git-check-ref-format).
func refName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.ContainsAny(name, " ~^:?*[\\\x7f") && !strings.Contains(name, "..") && !strings.Contains(name, "@{") && !strings.HasSuffix(name, ".")
}

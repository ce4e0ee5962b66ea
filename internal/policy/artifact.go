package policy

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// artifact reads one artifact and adds it to the policy.
func (r *reader) artifact(n *yaml.Node) {
	f, ok := r.fields(n, "an artifact", artifactKeys)
	if !ok {
		return
	}
	var a Artifact
	id := f.needed("artifact", "what it is, as npm:@acme/sdk")
	if id != "" {
		kind, name, _ := strings.Cut(id, ":")
		a.Kind, a.Name = registry.Kind(kind), name
		if why := nameFault(a.Kind, a.Name); why != "" {
			f.fault("artifact", "artifact %q: %s", id, why)
			a.Kind = ""
		}
		key := strings.ToLower(id) // two that differ in letter case alone are one to GitHub, or meant to be taken for each other
		if r.seen[key] {
			f.fault("artifact", "artifact %q stands twice", id)
		}
		r.seen[key] = true
		f.what = fmt.Sprintf("%q", id)
	}
	a.Registry = f.text("registry")
	r.place(f, &a)
	r.origin(f, &a)
	r.signers(f, &a)
	r.expected(f, &a)
	r.policy.Artifacts = append(r.policy.Artifacts, a)
}

var (
	// repositoryForm is "owner/repository" on GitHub.
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
	// imageForm is a repository of an OCI registry: its host, then a path (distribution-spec,
	// "Pulling manifests").
	imageForm = regexp.MustCompile(`^(?:` + imageHost + `)(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+$`)
	// imageTag is a tag of the same.
	imageTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
)

// imageHost has a dot or a port, but for localhost.
const imageHost = `(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::[0-9]{1,5})?|(?:[a-z0-9-]+|\[[0-9a-f:]+\]):[0-9]{1,5}`

// nameFault says why no artifact of a kind has a name, "" where one can.
func nameFault(kind registry.Kind, name string) string {
	if checkMarks(name) != "" || strings.Contains(name, "*") {
		return "one artifact is named by each entry, whole"
	}
	check := func(e ecosystem.Ecosystem) string {
		if err := e.CheckName(name); err != nil {
			return err.Error()
		}
		if canonical := e.CanonicalName(name); canonical != name {
			return fmt.Sprintf("write it as %q", canonical)
		}
		return ""
	}
	switch kind {
	case registry.NPM:
		return check(ecosystem.NPM)
	case registry.PyPI:
		return check(ecosystem.PyPI)
	case registry.Go:
		return check(ecosystem.Go)
	case registry.OCI:
		if !imageForm.MatchString(name) {
			return "no repository of an image with its registry and without tag, as oci:registry.example/team/app"
		}
		return ""
	case registry.Release:
		if !repositoryForm.MatchString(name) {
			return "no repository on GitHub, as release:owner/repository"
		}
		return ""
	}
	return "none of the kinds npm:, pypi:, go:, oci: and release:"
}

// place checks the registry of an artifact.
func (r *reader) place(f fields, a *Artifact) {
	if a.Registry == "" || a.Kind == "" {
		return
	}
	g := r.policy.RegistryOf(a)
	if g == nil {
		f.fault("registry", "%s: registry %q is none of the registries of this file", f.what, a.Registry)
		return
	}
	if known, ok := serves(g.Protocol, a.Kind); known && !ok {
		f.fault("registry", "%s: registry %q speaks %s, which serves no %s", f.what, a.Registry, g.Protocol, a.Kind)
	}
	if u, err := url.Parse(g.Address); err == nil && a.Kind == registry.OCI && g.Protocol != "ghpackages" {
		if at, _, _ := strings.Cut(a.Name, "/"); at != u.Host {
			f.fault("registry", "%s: registry %q is at %q", f.what, a.Registry, u.Host)
		}
	}
}

// origin reads what an artifact is made from.
func (r *reader) origin(f fields, a *Artifact) {
	a.Source, a.Tag, a.Branch = f.text("source"), f.text("tag"), f.text("branch")
	a.Release, a.Run = f.yes("release"), f.yes("run")
	switch {
	case a.Source != "" && !repositoryForm.MatchString(a.Source):
		f.fault("source", "%s: source %q is not OWNER/REPOSITORY of GitHub", f.what, a.Source)
	case a.Kind == registry.Release && a.Source != "" && a.Source != a.Name:
		f.fault("source", "%s: source %q is another repository than that of the release", f.what, a.Source)
	case a.Kind == registry.Release:
		a.Source = a.Name
	}
	if a.Tag != "" {
		if why := tagFault(a.Tag); why != "" {
			f.fault("tag", "%s: tag %q: %s", f.what, a.Tag, why)
		}
	}
	if a.Branch != "" && (!refName(a.Branch) || strings.HasPrefix(a.Branch, "refs/") || checkMarks(a.Branch) != "") {
		f.fault("branch", "%s: branch %q is no name of a branch, as main", f.what, a.Branch)
	}
	for _, asks := range []struct {
		key string
		on  bool
	}{{"tag", a.Tag != ""}, {"branch", a.Branch != ""}, {"release", a.Release}, {"run", a.Run}} {
		if asks.on && a.Source == "" {
			f.fault(asks.key, "%s: %s without source: of which repository?", f.what, asks.key)
		}
		if asks.on && asks.key != "tag" && r.policy.Organisation == "" {
			f.fault(asks.key, "%s: %s is asked of GitHub: the file names no organisation", f.what, asks.key)
		}
	}
	noTag := a.Tag == "" && a.Kind != registry.Release
	if a.Release && noTag {
		f.fault("release", "%s: release without tag: a release of GitHub is found by its tag", f.what)
	}
	if a.Branch != "" && noTag {
		f.fault("branch", "%s: branch without tag: which commit must be on it?", f.what)
	}
}

// tagFault says what is wrong with the form of an artifact's tags.
func tagFault(tag string) string {
	switch why := checkMarks(tag, versionMark); {
	case why != "":
		return why
	case strings.Count(tag, versionMark) != 1:
		return "it holds {version} once, or every version would have one tag"
	case strings.HasPrefix(tag, "refs/"):
		return "without refs/tags/"
	case !refName(strings.ReplaceAll(tag, versionMark, "1")):
		return "no name of a git tag"
	}
	return ""
}

// installScripts are those that npm runs on installation, from a registry or from git.
var installScripts = []string{"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}

// expected reads what else is expected of an artifact.
func (r *reader) expected(f fields, a *Artifact) {
	a.Maintainers, a.Scripts, a.Versions = f.texts("maintainers"), f.texts("scripts"), f.texts("versions")
	a.TokensAllowed = f.yes("tokens-allowed")
	only := func(key string, kinds ...registry.Kind) {
		if f.has(key) && a.Kind != "" && !slices.Contains(kinds, a.Kind) {
			f.fault(key, "%s: %s is not for artifacts of the kind %s", f.what, key, a.Kind)
		}
	}
	only("scripts", registry.NPM)
	only("versions", registry.OCI)
	only("maintainers", registry.NPM, registry.PyPI)
	only("tokens-allowed", registry.NPM, registry.PyPI)
	only("token-until", registry.NPM, registry.PyPI)
	for _, s := range a.Scripts {
		if !slices.Contains(installScripts, s) {
			f.fault("scripts", "%s: script %q is none that runs on installation: %s", f.what, s, strings.Join(installScripts, ", "))
		}
	}
	for _, v := range a.Versions {
		if !imageTag.MatchString(v) {
			f.fault("versions", "%s: version %q is no tag of an image, whole", f.what, v)
		}
	}
	if n := f.keys["token-until"]; n != nil {
		v, ok := r.Text(n, "token-until")
		until, err := time.Parse(time.DateOnly, v)
		if ok && err != nil {
			f.fault("token-until", "%s: token-until %q is not a date of the form 2006-01-02", f.what, v)
		}
		a.TokenUntil = until
	}
	if a.TokensAllowed && f.has("token-until") {
		f.fault("tokens-allowed", "%s: tokens-allowed has no end, and token-until is one", f.what)
	}
	if a.TokensAllowed && a.SignedFrom != "" {
		f.fault("tokens-allowed", "%s: tokens-allowed beside signed-from: from then on a workflow publishes it alone", f.what)
	}
}

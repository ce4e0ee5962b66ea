package policy

import (
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// patternCharacters are those of regular expressions and globs, none of which a name of an
// identity has.
const patternCharacters = `*^$\|()[]?`

// emailForm is the SAN of a person, or of a service account.
var emailForm = regexp.MustCompile(`^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$`)

// identity reads one keyless signer and adds it to the artifact.
func (r *reader) identity(n *yaml.Node, a *Artifact) {
	f, ok := r.fields(n, "an identity", identityKeys)
	if !ok {
		return
	}
	i := Identity{
		Issuer:       f.needed("issuer", "who says who it is, as https://"+host.GitHubTokens),
		SAN:          f.needed("san", "the signer, as https://"+host.GitHub+"/OWNER/REPOSITORY/.github/workflows/FILE@refs/tags/{tag}"),
		RepositoryID: f.number("repository-id"),
		OwnerID:      f.number("owner-id"),
		Workflow:     f.text("workflow"),
		Signer:       f.text("signer"),
		Ref:          f.text("ref"),
		Triggers:     f.texts("triggers"),
		Runner:       f.text("runner"),
		Visibility:   f.text("visibility"),
		From:         f.text("from"),
		Until:        f.text("until"),
	}
	before := r.Faults()
	f.checkMarks(a, i)
	f.checkIssuer(i.Issuer)
	f.checkSAN(a, i)
	f.checkValues(a, i)
	f.checkBounds(a, i)
	if r.Faults() == before && slices.ContainsFunc(a.Identities, func(j Identity) bool { return reflect.DeepEqual(i, j) }) {
		f.fault("", "an identity stands twice")
	}
	a.Identities = append(a.Identities, i)
}

// checkMarks has {version} and {tag} in three fields, and no other pattern anywhere.
func (f fields) checkMarks(a *Artifact, i Identity) {
	for _, field := range []struct{ key, value string }{
		{"issuer", i.Issuer}, {"san", i.SAN}, {"workflow", i.Workflow}, {"signer", i.Signer}, {"ref", i.Ref},
	} {
		if strings.ContainsAny(field.value, patternCharacters) {
			f.fault(field.key, "%s %q: it is compared whole and is no pattern", field.key, field.value)
			continue
		}
		var allowed []string
		if field.key == "san" || field.key == "signer" || field.key == "ref" {
			allowed = marks
		}
		if why := checkMarks(field.value, allowed...); why != "" {
			f.fault(field.key, "%s %q: %s", field.key, field.value, why)
		}
		if strings.Contains(field.value, tagMark) && a.Tag == "" && a.Kind != registry.Release {
			f.fault(field.key, "%s %q: the artifact has no tag", field.key, field.value)
		}
	}
}

func (f fields) checkIssuer(issuer string) {
	if issuer == "" {
		return
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		f.fault("issuer", "issuer %q is no https:// address", issuer)
	}
}

// checkSAN has a SAN name one signer, and a workflow of GitHub from one ref.
func (f fields) checkSAN(a *Artifact, i Identity) {
	if i.SAN == "" || i.Issuer == "" {
		return
	}
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(i.SAN))
	isURL := err == nil && u.Scheme != "" && u.Host != ""
	switch {
	case isGitHub(i.Issuer):
		f.checkWorkflow(a, i)
	case isURL && u.Host == host.GitHub:
		f.fault("san", "san %q is of a workflow of GitHub, and issuer %q is not GitHub's", i.SAN, i.Issuer)
	case isURL && (strings.Trim(u.Path, "/") == "" || strings.HasSuffix(i.SAN, "/") || u.User != nil):
		f.fault("san", "san %q is a prefix, and names no signer", i.SAN)
	case !isURL && !emailForm.MatchString(i.SAN):
		f.fault("san", "san %q is neither a URL nor an e-mail address", i.SAN)
	}
}

// checkWorkflow is checkSAN for GitHub's issuer.
func (f fields) checkWorkflow(a *Artifact, i Identity) {
	for _, id := range []struct{ key, value string }{{"repository-id", i.RepositoryID}, {"owner-id", i.OwnerID}} {
		if !f.has(id.key) {
			f.fault(id.key, "an identity of GitHub without %s: a name can be given to another repository", id.key)
		}
	}
	s := f.workflowURI("san", i.SAN)
	if s.repository == "" {
		return
	}
	if i.Signer != "" {
		f.workflowURI("signer", i.Signer)
	}
	ref := i.Ref
	switch {
	case a.Source == "":
		f.fault("san", "san %q: the artifact has no source to compare it with", i.SAN)
	case !strings.EqualFold(s.repository, a.Source):
		// The SAN is of a reusable workflow, which anything may call that the source holds.
		for _, key := range []string{"workflow", "ref"} {
			if !f.has(key) {
				f.fault("san", "san %q is of a reusable workflow of another repository than source %q: write %s, which calls it", i.SAN, a.Source, key)
			}
		}
	case s.repository != a.Source:
		f.fault("san", "san %q and source %q differ in letter case", i.SAN, a.Source)
	case ref == "":
		ref = s.ref
	}
	if strings.HasPrefix(ref, "refs/heads/") && !f.has("triggers") {
		f.fault("san", "an identity of a branch without triggers: what a pull request triggers runs on it too")
	}
}

// workflowURI checks that a field names a workflow of GitHub from one ref, and gives it.
func (f fields) workflowURI(key, value string) san {
	s := parseSAN(value)
	if s.repository == "" {
		f.fault(key, "%s %q names no workflow file and ref, as https://%s/OWNER/REPOSITORY/.github/workflows/FILE@refs/tags/{tag}", key, value, host.GitHub)
		return san{}
	}
	if why := refFault(s.ref); why != "" && !commitForm.MatchString(s.ref) {
		f.fault(key, "%s %q ends in %s", key, value, why)
		return san{}
	}
	if hasMark(s.server + s.repository + s.path) {
		f.fault(key, "%s %q: only the ref after \"@\" differs between versions", key, value)
		return san{}
	}
	return s
}

var (
	workflowForm = regexp.MustCompile(`^\.github/workflows/[^/@ ]+\.ya?ml$`)

	// triggers are the events of GitHub that a release can come from. Those that anybody
	// outside can cause, a pull request, an issue, a comment, are none of them.
	triggers     = []string{"create", "deployment", "merge_group", "push", "release", "repository_dispatch", "schedule", "workflow_dispatch", "workflow_run"}
	runners      = []string{"github-hosted", "self-hosted"}
	visibilities = []string{"public", "private", "internal"}
)

func (f fields) checkValues(a *Artifact, i Identity) {
	if i.Workflow != "" && !workflowForm.MatchString(i.Workflow) {
		f.fault("workflow", "workflow %q is no path of one, without ref, as .github/workflows/release.yml", i.Workflow)
	}
	if i.Workflow != "" && a.Source == "" {
		f.fault("workflow", "workflow %q: the artifact has no source that holds it", i.Workflow)
	}
	if i.Ref != "" {
		if why := refFault(i.Ref); why != "" {
			f.fault("ref", "ref %q is %s", i.Ref, why)
		}
	}
	for _, t := range i.Triggers {
		if !slices.Contains(triggers, t) {
			f.fault("triggers", "trigger %q is none that a release comes from: %s", t, strings.Join(triggers, ", "))
		}
	}
	if i.Runner != "" && !slices.Contains(runners, i.Runner) {
		f.fault("runner", "runner %q is neither %s", i.Runner, strings.Join(runners, " nor "))
	}
	if i.Visibility != "" && !slices.Contains(visibilities, i.Visibility) {
		f.fault("visibility", "visibility %q is none of %s", i.Visibility, strings.Join(visibilities, ", "))
	}
}

func (f fields) checkBounds(a *Artifact, i Identity) {
	for _, bound := range []struct{ key, value string }{{"from", i.From}, {"until", i.Until}} {
		if bound.value == "" || a.Kind == "" {
			continue
		}
		if _, ok := a.compare(bound.value, bound.value); !ok {
			f.fault(bound.key, "%s %q is no version that has a place in the order of versions", bound.key, bound.value)
		}
	}
	if c, ok := a.compare(i.From, i.Until); ok && i.From != "" && i.Until != "" && c > 0 {
		f.fault("until", "from %q comes after until %q", i.From, i.Until)
	}
}

package exposure

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/workflow"
)

// The scopes of secrets. Of several of one name, the first counts: that is GitHub's order.
const (
	scopeEnvironment  = "environment"
	scopeRepository   = "repository"
	scopeOrganisation = "organisation"
	scopeDependabot   = "dependabot"
)

// secretList is one list of secrets that a job is given from.
type secretList struct {
	scope, path string
}

// secrets fills in which secrets a job could read, by the names that its text has.
func (a *asked) secrets(ctx context.Context, r *ghread.Reader, repo string, run *ghread.Run, named workflow.Secrets, environments map[string]bool, job *Job) {
	if named.None() || ofFork(repo, run) && run.Event == "pull_request" { // a fork's run is given none
		return
	}
	job.AllSecrets = named.All
	root := ghread.RepoPath(repo)
	lists := []secretList{{scopeRepository, root + "/actions/secrets"}, {scopeOrganisation, root + "/actions/organization-secrets"}}
	if byDependabot(run) {
		lists = []secretList{{scopeDependabot, root + "/dependabot/secrets"}}
		environments = nil
	}
	for _, name := range slices.Sorted(maps.Keys(environments)) {
		if strings.Contains(name, "${{") {
			lists = append(lists, a.everyEnvironment(ctx, r, repo)...)
			continue
		}
		lists = slices.Insert(lists, 0, secretList{scopeEnvironment, root + "/environments/" + url.PathEscape(name) + "/secrets"})
	}
	found := map[string]Secret{}
	whole := true
	for _, list := range lists {
		known, all := a.names(ctx, r, repo, list)
		whole = whole && all
		for _, s := range known {
			if _, there := found[s.Name]; !there {
				found[s.Name] = s
			}
		}
	}
	names := slices.Clone(named.Names)
	if named.All != "" {
		names = append(names, slices.Collect(maps.Keys(found))...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		s, there := found[name]
		if !there && whole {
			continue // no list has it: the expression was empty
		}
		s.Name = name
		job.Secrets = append(job.Secrets, s)
	}
}

// names reads one list of secrets, by their names.
func (a *asked) names(ctx context.Context, r *ghread.Reader, repo string, list secretList) ([]Secret, bool) {
	type secretJSON struct {
		Name    string    `json:"name"`
		Updated time.Time `json:"updated_at"`
	}
	what := fmt.Sprintf("the names of secrets (%s) of %q", list.scope, repo)
	all, whole, err := ghread.Pages(ctx, r, list.path, url.Values{}, func(page []byte) ([]secretJSON, int, error) {
		return ghread.Counted[secretJSON](page, "secrets")
	})
	switch {
	case err != nil:
		a.gap(triage.CISecrets, ghread.GapOf(what, err))
	case !whole:
		a.gap(triage.CISecrets, verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": more than GitHub lists"})
	}
	out := make([]Secret, len(all))
	for i, s := range all {
		out[i] = Secret{strings.ToUpper(s.Name), list.scope, s.Updated.UTC()}
	}
	return out, err == nil && whole
}

// everyEnvironment are the lists of all environments, for a job that names one by an expression.
func (a *asked) everyEnvironment(ctx context.Context, r *ghread.Reader, repo string) []secretList {
	type environmentJSON struct {
		Name string `json:"name"`
	}
	what := fmt.Sprintf("the environments of %q", repo)
	all, whole, err := ghread.Pages(ctx, r, ghread.RepoPath(repo)+"/environments", url.Values{}, func(page []byte) ([]environmentJSON, int, error) {
		return ghread.Counted[environmentJSON](page, "environments")
	})
	switch {
	case err != nil:
		a.gap(triage.CISecrets, ghread.GapOf(what, err))
	case !whole:
		a.gap(triage.CISecrets, verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": more than GitHub lists"})
	}
	var out []secretList
	for _, e := range all {
		out = append(out, secretList{scopeEnvironment, ghread.RepoPath(repo) + "/environments/" + url.PathEscape(e.Name) + "/secrets"})
	}
	return out
}

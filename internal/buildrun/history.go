package buildrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// branch answers whether the run's commit is on the branch, and whether that is protected.
func (a *about) branch(ctx context.Context) (on, protected drift.Answer) {
	branch := cmp.Or(a.q.Branch, a.run.Repository.DefaultBranch)
	if branch == "" {
		repo, err := ghread.Get[ghread.Repo](ctx, a.Reader.Reader, ghread.RepoPath(a.in.repo), nil)
		if err != nil {
			gap := drift.Unsaid(ghread.GapOf("the default branch of "+a.in.repo, err))
			return gap, gap
		}
		branch = repo.DefaultBranch
		a.run.Repository.DefaultBranch = branch
	}
	commit := strings.ToLower(cmp.Or(a.q.Identity.SourceDigest, a.run.HeadSHA))
	return a.OnBranch(ctx, a.in.repo, branch, commit), a.protected(ctx, branch)
}

// OnBranch answers whether a commit is in the history of a branch. A commit of a fork, which
// GitHub shows under the repository's name, is not.
func (r *Reader) OnBranch(ctx context.Context, repo, branch, commit string) drift.Answer {
	what := fmt.Sprintf("whether %.12s is on %q of %q", commit, branch, repo)
	if !ghread.IsRepo(repo) || !ghread.IsCommit(commit) {
		return drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: what + ": not a repository or commit"})
	}
	if !ghread.IsRef(branch) {
		return drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: what + ": not a branch"})
	}
	type comparison struct {
		Status string `json:"status"`
		Ahead  int    `json:"ahead_by"`
	}
	path := ghread.RepoPath(repo) + "/compare/" + url.PathEscape(branch+"..."+commit)
	found, err := ghread.Get[comparison](ctx, r.Reader, path, url.Values{"per_page": {"1"}})
	if errors.Is(err, ghclient.ErrNotFound) {
		return r.noCommit(ctx, repo, branch, commit, what)
	}
	if err != nil {
		return drift.Unsaid(ghread.GapOf(what, err))
	}
	switch found.Status {
	case "identical", "behind":
		return drift.Said(true, "%.12s is on %q", commit, branch)
	case "ahead", "diverged":
		return drift.Said(false, "%.12s is %d commits beside %q", commit, found.Ahead, branch)
	}
	return drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%s: GitHub says %.40q", what, found.Status)})
}

// noCommit tells a commit that is not there from a branch that is not, or not shown.
func (r *Reader) noCommit(ctx context.Context, repo, branch, commit, what string) drift.Answer {
	if _, err := ghread.Get[branchJSON](ctx, r.Reader, branchPath(repo, branch), nil); err != nil {
		return drift.Unsaid(ghread.GapOf(what+": the branch", err))
	}
	_, err := ghread.Get[struct{}](ctx, r.Reader, ghread.RepoPath(repo)+"/git/commits/"+commit, nil)
	if errors.Is(err, ghclient.ErrNotFound) {
		return drift.Said(false, "%q has no commit %.12s", repo, commit)
	}
	if err != nil {
		return drift.Unsaid(ghread.GapOf(what, err))
	}
	return drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": GitHub does not compare them"})
}

type branchJSON struct {
	Protected *bool `json:"protected"`
}

func branchPath(repo, branch string) string {
	return ghread.RepoPath(repo) + "/branches/" + url.PathEscape(branch)
}

// protected asks for branch protection and for rulesets.
func (a *about) protected(ctx context.Context, branch string) drift.Answer {
	what := fmt.Sprintf("whether %q of %q is protected", branch, a.in.repo)
	if !ghread.IsRef(branch) {
		return drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: what + ": not a branch"})
	}
	found, err := ghread.Get[branchJSON](ctx, a.Reader.Reader, branchPath(a.in.repo, branch), nil)
	switch {
	case err != nil:
		return drift.Unsaid(ghread.GapOf(what, err))
	case found.Protected == nil:
		return drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": the answer does not say"})
	case *found.Protected:
		return drift.Said(true, "%q is protected", branch)
	}
	rules, err := ghread.Get[[]struct {
		Type string `json:"type"`
	}](ctx, a.Reader.Reader, ghread.RepoPath(a.in.repo)+"/rules/branches/"+url.PathEscape(branch), nil)
	if err == nil && rules == nil {
		err = errors.New("the answer is no list")
	}
	if err != nil {
		return drift.Unsaid(ghread.GapOf(what, err))
	}
	return drift.Said(len(rules) > 0, "%d rules hold for %q of %q, and no branch protection", len(rules), branch, a.in.repo)
}

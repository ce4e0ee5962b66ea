package exposure

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// candidate is a repository whose runs are looked at.
type candidate struct {
	name    string
	commits []string // that are known to hold the package
}

// candidates are the repositories that hold the package, or did, or lock any version of it: what
// locked it for no longer than between two sweeps locked another before or after.
func (a *asked) candidates() []candidate {
	at := map[string]int{}
	var out []candidate
	add := func(name, commit string) {
		key := strings.ToLower(name)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, candidate{name: name})
		}
		if commit = strings.ToLower(commit); ghread.IsCommit(commit) && !slices.Contains(out[i].commits, commit) {
			out[i].commits = append(out[i].commits, commit)
		}
	}
	for _, c := range a.question.Commits {
		add(c.Repository, c.ID)
	}
	for i := range a.report.Holdings {
		add(a.report.Holdings[i].Repository.Name, a.report.Holdings[i].Commit)
	}
	for i := range a.others {
		add(a.others[i].Repository.Name, "")
	}
	return out
}

// ran asks whether a CI run installed the package in the window, and what it could read.
func (a *asked) ran(ctx context.Context) error {
	const id = triage.CIInstalled
	for _, name := range a.latent() {
		a.gap(id, verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.100q locks nothing, and its range admits the version", name)})
	}
	all := a.candidates()
	switch {
	case a.GitHub == nil:
		a.gap(id, verify.Gap{Code: verify.GapNotServed, Detail: "GitHub is not asked"})
		all = nil
	case len(all) > a.limits.Repositories:
		a.gap(id, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%d repositories, of which %d were looked at", len(all), a.limits.Repositories)})
		all = all[:a.limits.Repositories]
	}
	c, err := a.newContents(ctx)
	if err != nil {
		return err
	}
	readers := map[string]*ghread.Reader{}
	for i := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		owner, _, _ := strings.Cut(all[i].name, "/")
		if !ghread.IsRepo(all[i].name) {
			a.gap(id, verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.200q is not a repository of GitHub", all[i].name)})
			continue
		}
		if readers[owner] == nil {
			r, err := a.GitHub(ctx, owner)
			if err != nil {
				a.gap(id, ghread.GapOf(fmt.Sprintf("GitHub for %q", owner), err))
				continue
			}
			readers[owner] = r
		}
		if err := a.repository(ctx, readers[owner], c, &all[i]); err != nil {
			return err
		}
	}
	a.answers()
	return nil
}

// repository looks at the runs of one repository.
func (a *asked) repository(ctx context.Context, r *ghread.Reader, c *contents, repo *candidate) error {
	runs := a.runsOf(ctx, r, repo)
	a.report.Looked.Repositories++
	a.report.Looked.Runs += len(runs)
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		run := &runs[i]
		had, err := a.had(ctx, r, c, repo.name, run)
		if err != nil {
			return err
		}
		if had.Truth == triage.No {
			continue
		}
		a.report.Runs = append(a.report.Runs, Run{
			Repository: repo.name, ID: run.ID, URL: run.HTMLURL, Workflow: run.Workflow(), Event: run.Event, Head: run.HeadSHA, Branch: run.HeadBranch,
			Actor: actor(run), Fork: ofFork(repo.name, run), Started: run.Start().UTC(), Had: had,
		})
		a.jobs(ctx, r, repo.name, run, &a.report.Runs[len(a.report.Runs)-1])
	}
	return nil
}

func actor(run *ghread.Run) string {
	if run.Triggering.Login != "" {
		return run.Triggering.Login
	}
	return run.Actor.Login
}

// ofFork reports whether the head of a run is of another repository. Of one that is gone, it is.
func ofFork(repo string, run *ghread.Run) bool {
	return strings.HasPrefix(run.Event, "pull_request") && !strings.EqualFold(run.Head.FullName, repo)
}

// runsOf lists the runs that were created in the window, and those of the known commits, each
// once, the earliest first.
func (a *asked) runsOf(ctx context.Context, r *ghread.Reader, repo *candidate) []ghread.Run {
	seen := map[int64]bool{}
	var out []ghread.Run
	add := func(runs []ghread.Run) {
		for i := range runs {
			if !seen[runs[i].ID] && len(out) < a.limits.Runs {
				seen[runs[i].ID] = true
				out = append(out, runs[i])
			}
		}
	}
	lister := &lister{asked: a, r: r, repo: repo.name, left: a.limits.Runs}
	add(lister.between(ctx, a.report.Window.From.Truncate(time.Second), a.report.Window.Until))
	const mostCommits = 50
	for i, commit := range repo.commits {
		if i == mostCommits {
			a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%.100q had it in %d commits, of which %d were asked for runs", repo.name, len(repo.commits), mostCommits)})
			break
		}
		runs, whole, err := r.Runs(ctx, repo.name, url.Values{"head_sha": {commit}, "exclude_pull_requests": {"false"}})
		lister.lacks(fmt.Sprintf("runs of %.12s of %q", commit, repo.name), whole, err)
		add(slices.DeleteFunc(slices.Clone(runs), func(run ghread.Run) bool { // one that was started again later counts
			return run.Created.After(a.report.Window.Until) || run.Start().Before(a.report.Window.From) && !run.End().IsZero() && run.End().Before(a.report.Window.From)
		}))
	}
	slices.SortStableFunc(out, func(a, b ghread.Run) int { return a.Start().Compare(b.Start()) })
	return out
}

// lister lists the runs of one repository.
type lister struct {
	*asked
	r    *ghread.Reader
	repo string
	left int // runs that may still be listed
}

// lacks keeps why a list is not whole.
func (l *lister) lacks(what string, whole bool, err error) {
	switch {
	case err != nil:
		l.gap(triage.CIInstalled, ghread.GapOf(what, err))
	case !whole:
		l.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": more than GitHub lists"})
	}
}

// mostListed is how many runs GitHub lists of a filter.
const mostListed = 1000

// between lists the runs that were created in a span of time. A span with more of them than
// GitHub lists is cut in two.
func (l *lister) between(ctx context.Context, from, until time.Time) []ghread.Run {
	what := fmt.Sprintf("runs of %q from %s to %s", l.repo, ghread.Stamp(from), ghread.Stamp(until))
	query := url.Values{"created": {ghread.Stamp(from) + ".." + ghread.Stamp(until)}, "per_page": {"1"}}
	type count struct {
		Total *int `json:"total_count"`
	}
	const small = 1 << 20
	n, err := ghread.Ask[count](ctx, l.r, ghread.RepoPath(l.repo)+"/actions/runs", query, small)
	switch {
	case err != nil:
		l.lacks(what, false, err)
		return nil
	case n.Total == nil || *n.Total < 0:
		l.lacks(what, false, nil)
		return nil
	case *n.Total == 0:
		return nil
	case *n.Total > l.left:
		l.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%s: %d, of which %d may be looked at", what, *n.Total, l.left)})
		if l.left == 0 {
			return nil
		}
	}
	if half := until.Sub(from) / 2; *n.Total > mostListed && half >= time.Second {
		middle := from.Add(half).Truncate(time.Second)
		late := l.between(ctx, middle.Add(time.Second), until)
		return append(late, l.between(ctx, from, middle)...)
	}
	query.Del("per_page")
	query.Set("exclude_pull_requests", "false")
	runs, whole, err := l.r.Runs(ctx, l.repo, query)
	l.lacks(what, whole, err)
	runs = runs[:min(len(runs), l.left)]
	l.left -= len(runs)
	return runs
}

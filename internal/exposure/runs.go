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

// runsOf lists the runs of the window, and those of the known commits, each once, the earliest first. One of a
// known commit that was created before the window and started again in it is of it; of the others GitHub lists
// by when a run was created, and no commit held the package before there was one.
func (a *asked) runsOf(ctx context.Context, repo *candidate) []ghread.Run {
	l := &lister{asked: a, r: repo.reader, repo: repo.name, left: a.limits.Runs}
	from, until := a.report.Window.From, a.question.Window.Until
	seen := map[int64]bool{}
	var out []ghread.Run
	add := func(runs []ghread.Run) {
		for i := range runs {
			run := &runs[i]
			early := run.Start().Before(from) && !run.End().IsZero() && run.End().Before(from)
			if late := !until.IsZero() && run.Created.After(until); early || late || seen[run.ID] {
				continue
			}
			if len(out) == a.limits.Runs {
				a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%.100q: over the %d runs that may be looked at", repo.name, a.limits.Runs)})
				return
			}
			seen[run.ID] = true
			out = append(out, *run)
		}
	}
	// From the beginning of the day and without an end, so that what is asked about other packages of a campaign,
	// and later, is the same question.
	add(l.created(ctx, from.UTC().Truncate(day), until))
	const mostCommits = 50
	for i, commit := range repo.commits {
		if i == mostCommits {
			a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%.100q had it in %d commits, of which %d were asked for runs", repo.name, len(repo.commits), mostCommits)})
			break
		}
		runs, whole, err := l.r.Runs(ctx, repo.name, url.Values{"head_sha": {commit}, "exclude_pull_requests": {"false"}})
		l.lacks(fmt.Sprintf("runs of %.12s of %q", commit, repo.name), whole, err)
		add(runs)
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

// created lists the runs that were created in a span of time, which has no end where until is zero. A span
// with more of them than GitHub lists is cut in two, at the same time whenever it is asked about on a day: then
// it is the same question.
func (l *lister) created(ctx context.Context, from, until time.Time) []ghread.Run {
	span, end := ghread.Stamp(from)+".."+ghread.Stamp(until), until
	if until.IsZero() {
		span, end = ">="+ghread.Stamp(from), l.now.Truncate(day).Add(day)
	}
	what := fmt.Sprintf("runs of %q, %s", l.repo, span)
	runs, total, whole, err := l.r.RunsUpTo(ctx, l.repo, url.Values{"created": {span}, "exclude_pull_requests": {"false"}})
	if err != nil {
		l.lacks(what, false, err)
		return nil
	}
	if total > l.left {
		l.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%s: %d, of which %d may be looked at", what, total, l.left)})
		if l.left == 0 {
			return nil
		}
	}
	if half := end.Sub(from) / 2; total > ghread.MostListed && half >= time.Second {
		middle := from.Add(half).Truncate(time.Second)
		late := l.created(ctx, middle.Add(time.Second), until)
		return slices.Concat(late, l.created(ctx, from, middle))
	}
	if total > ghread.MostListed {
		runs, whole, err = l.r.Runs(ctx, l.repo, url.Values{"created": {span}, "exclude_pull_requests": {"false"}})
	}
	l.lacks(what, whole, err)
	runs = runs[:min(len(runs), l.left)]
	l.left -= len(runs)
	return runs
}

const day = 24 * time.Hour

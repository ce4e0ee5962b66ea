package buildrun

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// GitHub keeps caches apart by the ref of the run that wrote them: a run restores those of its
// own ref, of the base branch of its pull request, and of the default branch. What a pull
// request of a fork runs on pull_request writes to refs/pull/N/merge alone, which a release does
// not restore; what it runs on pull_request_target and its like writes to the default branch's,
// which every release does.

// baseScope are triggers from outside whose runs write caches of the default branch.
var baseScope = []string{"pull_request_target", "issue_comment", "workflow_run"}

// cacheLife is how long GitHub keeps a cache that nobody restores.
const cacheLife = 7 * 24 * time.Hour

// cacheJSON is a cache as GitHub describes one.
type cacheJSON struct {
	Ref      string    `json:"ref"`
	Key      string    `json:"key"`
	Created  time.Time `json:"created_at"`
	Accessed time.Time `json:"last_accessed_at"`
}

// caches answers whether the run could restore a cache that an untrusted run wrote before it
// (poisoned), or while it ran (raced).
func (a *about) caches(ctx context.Context, f flow) (poisoned, raced drift.Answer) {
	restores := a.restores(ctx, f)
	if restores.none() {
		none := drift.Said(false, "its workflow restores no cache")
		return none, none
	}
	end := a.run.End()
	if end.IsZero() {
		end = a.now()
	}
	outside, gap := a.outside(ctx, a.run.Start().Add(-cacheLife), end)
	if gap.Code != "" {
		return drift.Unsaid(gap), drift.Unsaid(gap)
	}
	if len(outside) == 0 {
		none := drift.Said(false, "no run from outside could write its caches in the %d days before it", int(cacheLife.Hours()/24))
		return none, none
	}
	return a.poisoned(ctx, &restores, outside, end), a.raced(ctx, &restores, outside, end)
}

// outside lists the runs from outside that were going between two times and write to a scope
// that this run restores from.
func (a *about) outside(ctx context.Context, from, to time.Time) (runs []ghread.Run, gap verify.Gap) {
	events := baseScope
	if a.pullRef() != "" {
		events = append(slices.Clone(events), "pull_request")
	}
	for _, event := range events {
		query := url.Values{"event": {event}, "created": {ghread.Stamp(from) + ".." + ghread.Stamp(to)}}
		list, whole, err := a.Runs(ctx, a.in.repo, query)
		if err != nil {
			return nil, ghread.GapOf(fmt.Sprintf("runs of %q by %s", a.in.repo, event), err)
		}
		if !whole {
			return nil, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("%q has more runs by %s in that time than GitHub lists", a.in.repo, event)}
		}
		for _, r := range list {
			if r.ID != a.in.id {
				runs = append(runs, r)
			}
		}
	}
	return runs, gap
}

// pullRef is the scope of the run where it is of a pull request.
func (a *about) pullRef() string {
	if ref := a.q.Identity.SourceRef; strings.HasPrefix(ref, "refs/pull/") {
		return ref
	}
	return ""
}

func (a *about) poisoned(ctx context.Context, restores *restored, outside []ghread.Run, end time.Time) drift.Answer {
	what := fmt.Sprintf("the caches that run %d restored", a.in.id)
	var own bool // one that it restored is there, and nobody outside wrote it
	for _, scope := range a.scopes() {
		caches, whole, err := a.list(ctx, scope)
		if err != nil {
			return drift.Unsaid(ghread.GapOf(what, err))
		}
		for _, c := range caches {
			if c.Created.After(end) || len(restores.unsure) == 0 && restores.gap.Code == "" && !restores.may(c.Key) {
				continue
			}
			if by := during(outside, c.Created); by != nil {
				detail := fmt.Sprintf("the cache %.100q of %q is of %s, when run %d of %.100q was going, which %s started for %.40q",
					c.Key, c.Ref, ghread.Stamp(c.Created), by.ID, by.Workflow(), by.Event, cmp.Or(by.Triggering.Login, by.Actor.Login))
				if restores.may(c.Key) {
					return drift.Said(true, "%s", detail)
				}
				return drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: detail + "; " + restores.words()})
			}
			if restores.may(c.Key) && !c.Created.After(a.run.Start()) && !c.Accessed.Before(a.run.Start()) {
				own = true
			}
		}
		if !whole {
			return drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": more than GitHub lists"})
		}
	}
	switch {
	case restores.words() != "":
		return drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: what + ": " + restores.words()})
	case own:
		return drift.Said(false, "the caches that it restores were not written by a run from outside")
	}
	return drift.Unsaid(verify.Gap{Code: verify.GapGone, Detail: fmt.Sprintf("%s are no longer there, and %d runs from outside could write them", what, len(outside))})
}

// scopes are the refs whose caches the run restores.
func (a *about) scopes() []string {
	scopes := []string{"refs/heads/" + a.run.Repository.DefaultBranch}
	if own := a.q.Identity.SourceRef; own != "" && own != scopes[0] && ghread.IsRef(own) {
		scopes = append(scopes, own)
	}
	return scopes
}

func (a *about) list(ctx context.Context, ref string) ([]cacheJSON, bool, error) {
	query := url.Values{"ref": {ref}, "sort": {"created_at"}}
	return ghread.Pages(ctx, a.Reader.Reader, ghread.RepoPath(a.in.repo)+"/actions/caches", query, func(page []byte) ([]cacheJSON, int, error) {
		return ghread.Counted[cacheJSON](page, "actions_caches")
	})
}

// slack is how long after a run's end what it saved may show.
const slack = time.Minute

// during gives a run that was going at a time, nil for none.
func during(runs []ghread.Run, at time.Time) *ghread.Run {
	for i := range runs {
		r := &runs[i]
		if end := r.End(); !at.Before(r.Start()) && (end.IsZero() || !at.After(end.Add(slack))) {
			return r
		}
	}
	return nil
}

// raced looks at the runs from outside that were going while this one was.
func (a *about) raced(ctx context.Context, restores *restored, outside []ghread.Run, end time.Time) drift.Answer {
	var open drift.Answer
	for i := range outside {
		r := &outside[i]
		if r.Start().After(end) || !r.End().IsZero() && r.End().Add(slack).Before(a.run.Start()) {
			continue
		}
		// Such a run has its workflow of the default branch, as this run's commit has it.
		at := place{a.in.repo, commit(a.run.HeadSHA)}
		writes := a.restores(ctx, a.flow(ctx, r, at, at, &verify.Identity{}))
		if restores.shares(&writes) {
			return drift.Said(true, "run %d of %.100q, which %s started for %.40q, was going, and uses a cache with the same key",
				r.ID, r.Workflow(), r.Event, cmp.Or(r.Triggering.Login, r.Actor.Login))
		}
		if words := cmp.Or(writes.words(), restores.words()); words != "" && !writes.none() {
			open = drift.Unsaid(verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("run %d of %.100q was going: %s", r.ID, r.Workflow(), words)})
		}
	}
	if open.Gap.Code != "" {
		return open
	}
	return drift.Said(false, "no run from outside with a cache of the same key was going")
}

package exposure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// candidate is a repository whose runs are looked at.
type candidate struct {
	name    string
	commits []string // that are known to hold the package
	named   bool     // the question is of a commit of it: what GitHub said of it before is too old
	reader  *ghread.Reader
}

// candidates are the repositories that hold the package, or did, or lock any version of it: what
// locked it for no longer than between two sweeps locked another before or after.
func (a *asked) candidates() []candidate {
	at := map[string]int{}
	var out []candidate
	add := func(name, commit string) *candidate {
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
		return &out[i]
	}
	for _, c := range a.question.Commits {
		add(c.Repository, c.ID).named = true
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
	all = a.readable(ctx, all)
	looks := make([]*asked, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range all {
		looks[i] = a.apart()
		ctx := ctx
		if a.question.Patient && !all[i].named {
			ctx = ghclient.Patient(ctx)
		}
		group.Go(func() error { return looks[i].look(ctx, c, &all[i]) })
	}
	err = group.Wait()
	for i, look := range looks {
		a.join(look.report)
		if oldest := all[i].reader.Oldest(); !oldest.IsZero() && oldest.Before(a.report.Window.Until) {
			a.report.Window.Until = oldest
		}
		a.later(all[i].reader.Limited())
	}
	a.report.Looked.Commits = int(a.spent.looked.Load())
	if a.spent.over.Load() {
		a.later(a.now)
	}
	if slices.ContainsFunc(a.report.Runs, func(run Run) bool { return run.Running }) {
		a.later(a.now.Add(runsFor))
	}
	if err != nil {
		return err
	}
	a.answers()
	return nil
}

// atOnce is how many repositories are looked at side by side: GitHub takes its time, and not one after the
// other would a worm in hundreds of them be looked at within the minutes that a triage has.
const atOnce = 4

// runsFor is how long a run that is not over is left alone.
const runsFor = 5 * time.Minute

// later has the question asked on, and not before a time; zero is that it need not be.
func (a *asked) later(notBefore time.Time) {
	if notBefore.After(a.report.Later) {
		a.report.Later = notBefore
	}
}

// apart is the question as it is asked about one repository, with a report of its own.
func (a *asked) apart() *asked {
	b := *a
	b.report = &Report{Window: a.report.Window}
	b.flows = map[string]*flow{}
	return &b
}

// join adds to the report what was found of one repository.
func (a *asked) join(of *Report) {
	a.report.Looked.Repositories += of.Looked.Repositories
	a.report.Looked.Runs += of.Looked.Runs
	a.report.Runs = append(a.report.Runs, of.Runs...)
	for _, g := range of.Gaps {
		a.gap(g.Question, g.Gap)
	}
}

// readable gives each candidate its reader, and leaves out those whose owner's GitHub cannot be asked.
func (a *asked) readable(ctx context.Context, all []candidate) []candidate {
	const id = triage.CIInstalled
	type key struct {
		owner string
		named bool
	}
	readers := map[key]*ghread.Reader{} // nil where the owner's GitHub cannot be asked
	believed := a.believed(len(all))
	var out []candidate
	for _, c := range all {
		owner, _, _ := strings.Cut(c.name, "/")
		if !ghread.IsRepo(c.name) {
			a.gap(id, verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.200q is not a repository of GitHub", c.name)})
			continue
		}
		k, since := key{owner, c.named}, believed
		if c.named {
			since = a.now
		}
		if _, known := readers[k]; !known {
			r, err := a.GitHub(ctx, owner, since)
			var limited *ghclient.RateLimitedError
			if errors.As(err, &limited) {
				a.later(limited.Until)
			}
			if err != nil {
				a.gap(id, ghread.GapOf(fmt.Sprintf("GitHub for %q", owner), err))
			}
			readers[k] = r
		}
		if c.reader = readers[k]; c.reader != nil {
			out = append(out, c)
		}
	}
	return out
}

// How old an answer of GitHub's may be that can change. A worm in hundreds of repositories is one signal, which
// grows and is triaged again and again, and each triage asks about all of them.
const (
	believedEach = 2 * time.Second  // for each repository that is asked about
	believedMost = 20 * time.Minute // however many
	begun        = 10 * time.Minute // after a push, the runs that it began are there
)

// believed is from when on what GitHub said of a repository is believed: not long ago, and after the runs had
// begun that come of what the signal last saw.
func (a *asked) believed(repositories int) time.Time {
	since := a.now.Add(-min(time.Duration(repositories)*believedEach, believedMost))
	if there := a.question.Signal.LastSeen.Add(begun); there.Before(a.now) && there.After(since) {
		return there
	}
	return since
}

// look is repository, whose panic costs that repository and not the process.
func (a *asked) look(ctx context.Context, c *contents, repo *candidate) error {
	defer func() {
		if fault := recover(); fault != nil {
			a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("looking at %.100q broke off: %.200q", repo.name, fmt.Sprint(fault))})
			if a.Log != nil {
				a.Log.LogAttrs(ctx, slog.LevelError, "looking at a repository broke off", slog.String("repository", repo.name), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
			}
		}
	}()
	return a.repository(ctx, c, repo)
}

// repository looks at the runs of one repository.
func (a *asked) repository(ctx context.Context, c *contents, repo *candidate) error {
	runs := a.runsOf(ctx, repo)
	a.report.Looked.Repositories++
	a.report.Looked.Runs += len(runs)
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		run := &runs[i]
		had, err := c.had(ctx, repo.reader, repo.name, run)
		if err != nil {
			return err
		}
		if had.Truth == triage.No {
			continue
		}
		a.report.Runs = append(a.report.Runs, Run{
			Repository: repo.name, ID: run.ID, URL: run.HTMLURL, Workflow: run.Workflow(), Event: run.Event, Head: run.HeadSHA, Branch: run.HeadBranch,
			Actor: actor(run), Fork: ofFork(repo.name, run), Started: run.Start().UTC(), Running: run.End().IsZero(), Had: had,
		})
		a.jobs(ctx, repo.reader, repo.name, run, &a.report.Runs[len(a.report.Runs)-1])
	}
	return ctx.Err()
}

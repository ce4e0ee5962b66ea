package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// The runs over all that there is, by the names that their records and metrics have.
const (
	runSweep  = "sweep"
	runVerify = "verify"
)

// dailyRun is what is kept of the runs of one name.
type dailyRun struct {
	Since    time.Time `json:"since"`             // when it was first due
	Started  time.Time `json:"started,omitzero"`  // the last one that began
	Finished time.Time `json:"finished,omitzero"` // the last one that came to its end
	Exit     int       `json:"exit"`              // of that: 0 clean, 1 found, 3 not all was read
	Problems int       `json:"problems,omitempty"`
}

func (a *App) dailyRun(ctx context.Context, name string) (r dailyRun, version int64, err error) {
	body, version, err := a.inventory.Records("daily").Load(ctx, name)
	if err == nil && version > 0 {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		return r, version, fmt.Errorf("the record of the daily %s: %w", name, err)
	}
	return r, version, nil
}

// setDailyRun changes the record of a run.
func (a *App) setDailyRun(ctx context.Context, name string, change func(*dailyRun)) error {
	ctx = context.WithoutCancel(ctx)
	for range 5 {
		r, version, err := a.dailyRun(ctx, name)
		if err != nil {
			return err
		}
		if r.Since.IsZero() {
			r.Since = a.jobs.Now().UTC()
		}
		change(&r)
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, swapped, err := a.inventory.Records("daily").Swap(ctx, name, version, body); err != nil || swapped {
			return err
		}
	}
	return fmt.Errorf("the record of the daily %s: another process writes it all the time", name)
}

// killedRest is how long a run over all waits while the kill switch is on: what it finds could not
// be filed.
const killedRest = 10 * time.Minute

// daily has a run over all made, and keeps when it began and ended. A run that another process's
// crash cut short began, and goes on as another run of the same job.
func (a *App) daily(ctx context.Context, name string, run func(ctx context.Context) (*finding.Summary, error)) error {
	kill, err := a.journal.Switch(ctx, journal.Kill)
	if err != nil {
		return err
	}
	if kill.On {
		return &jobs.SnoozeError{Until: time.Now().Add(killedRest), Err: journal.ErrKilled}
	}
	if err := a.setDailyRun(ctx, name, func(r *dailyRun) { r.Started = a.jobs.Now().UTC() }); err != nil {
		return err
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "a daily run began", slog.String("run", name))
	summary, err := run(ctx)
	var snooze *jobs.SnoozeError
	switch {
	case errors.As(err, &snooze):
		return &jobs.SnoozeError{Until: time.Now().Add(killedRest), Err: err}
	case err != nil:
		return limited(fmt.Errorf("daily %s: %w", name, err))
	case summary.Interrupted:
		return fmt.Errorf("daily %s: cut short: %w", name, context.Cause(ctx))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "a daily run ended", slog.String("run", name), slog.Int("exit", summary.Exit), slog.Int("problems", summary.Problems))
	return a.setDailyRun(ctx, name, func(r *dailyRun) {
		r.Finished, r.Exit, r.Problems = a.jobs.Now().UTC(), summary.Exit, summary.Problems
	})
}

// sweepAll is the job of the daily sweep.
func (a *App) sweepAll(ctx context.Context, _ jobs.Job) error {
	if a.config.Organisation == "" {
		return nil
	}
	return a.daily(ctx, runSweep, func(ctx context.Context) (*finding.Summary, error) {
		refs, err := source.ParseRefs(a.config.SweepRefs)
		if err != nil {
			return nil, err
		}
		excluded, err := a.excluded(ctx, a.config.Organisation)
		if err != nil {
			return nil, err
		}
		return a.over(ctx, triage.FromSweep, "sweep", func(f *filing, emit func(finding.Event) error) (*finding.Summary, error) {
			return orgsweep.Run(ctx, orgsweep.Options{
				Org: a.config.Organisation, Client: a.github, Refs: refs, Server: a.config.GitHub, Store: a.inventory, Watch: f.watch,
				Sweep: sweep.Options{Set: a.catalogue.Set(), Exclusions: excluded, Now: a.jobs.Now},
			}, emit)
		})
	})
}

// over files what a run over the organisation finds, and makes signals of it.
func (a *App) over(ctx context.Context, from triage.Source, what string, run func(f *filing, emit func(finding.Event) error) (*finding.Summary, error)) (*finding.Summary, error) {
	f, err := a.filing(ctx, a.config.Organisation, false)
	if err != nil {
		return nil, err
	}
	signals := &found{source: from}
	summary, err := run(f, func(e finding.Event) error {
		signals.event(e)
		return f.event(e)
	})
	if err != nil || summary.Interrupted {
		return summary, err
	}
	for _, s := range signals.signals(a.jobs.Now().UTC()) {
		if err := a.Signal(ctx, s); err != nil {
			return summary, err
		}
	}
	return summary, f.file(ctx, what)
}

// verifyAll is the job of the daily verification.
func (a *App) verifyAll(ctx context.Context, _ jobs.Job) error {
	p := a.publishing()
	if p == nil {
		return nil
	}
	return a.daily(ctx, runVerify, func(ctx context.Context) (*finding.Summary, error) {
		opt, err := p.options(ctx)
		if err != nil {
			return nil, err
		}
		f, err := a.filing(ctx, p.policy.Organisation, false)
		if err != nil {
			return nil, err
		}
		bad := map[string]bool{}
		summary, err := published.Run(ctx, opt, func(e finding.Event) error {
			if hit, ok := e.(*finding.Finding); ok && hit.State == finding.Active {
				bad[hit.Repository] = true
			}
			return f.event(e)
		})
		if err != nil || summary.Interrupted {
			return summary, err
		}
		// Signals are the watch's, which knows what was handed on.
		again := slices.DeleteFunc(slices.Clone(p.all), func(artifact *policy.Artifact) bool { return !bad[published.PURL(artifact, "")] })
		if err := p.watcher.Hurry(ctx, again, 0, true); err != nil {
			return summary, err
		}
		return summary, f.file(ctx, "verify")
	})
}

// refresh brings the lists up to date, and has the inventory held against them where there is
// something new to look for.
func (a *App) refresh(ctx context.Context) error {
	if _, err := a.catalogue.Refresh(ctx); err != nil {
		return err
	}
	return a.rematchSoon(ctx)
}

// advisory acts on an advisory of GitHub's database: the lists are read now, and not in an hour.
func (a *App) advisory(ctx context.Context, _ hook.Delivery, _ handler.Effects) error {
	return a.refresh(ctx)
}

// keepLists refreshes this process's copy of the lists, at the start and on and on until ctx ends.
func (a *App) keepLists(ctx context.Context) {
	for {
		if err := a.refresh(ctx); err != nil && ctx.Err() == nil {
			a.log.LogAttrs(ctx, slog.LevelError, "the lists of indicators were not brought up to date", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(feedsEvery):
		}
	}
}

// feedsEvery is how often the lists are asked for without an advisory that says so.
const feedsEvery = time.Hour

// rematchArgs are the arguments of a rematch.
type rematchArgs struct {
	Revision string `json:"revision"`
}

// rematch holds the inventory against the catalogue of this process, unless that was done.
func (a *App) rematch(ctx context.Context, j jobs.Job) error {
	args, err := decode[rematchArgs](j)
	if err != nil {
		return err
	}
	set := a.catalogue.Set()
	if args.Revision != set.Revision() {
		// Another process has other lists: this one's are brought up to date, and where that makes
		// no difference, that process does it.
		if _, err := a.catalogue.Refresh(ctx); err != nil {
			return err
		}
		set = a.catalogue.Set()
	}
	records := a.inventory.Records("rematch")
	done, version, err := records.Load(ctx, "done")
	if err != nil || string(done) == set.Revision() {
		return err
	}
	excluded, err := a.excluded(ctx, "")
	if err != nil {
		return err
	}
	summary, err := a.over(ctx, triage.FromAdvisory, "rematch", func(_ *filing, emit func(finding.Event) error) (*finding.Summary, error) {
		return lookup.Rematch(ctx, a.inventory, sweep.Options{Set: set, Exclusions: excluded, Shown: orgsweep.Shown, NoSizes: true}, emit)
	})
	switch {
	case err != nil:
		return limited(fmt.Errorf("hold the inventory against the catalogue: %w", err))
	case summary.Interrupted:
		return fmt.Errorf("hold the inventory against the catalogue: cut short: %w", context.Cause(ctx))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "the inventory was held against a new catalogue", slog.Int("exit", summary.Exit), slog.Int("findings", summary.Findings[finding.Active]))
	_, _, err = records.Swap(ctx, "done", version, []byte(set.Revision()))
	return err
}

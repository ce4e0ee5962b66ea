package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// lostPage is how many deliveries the janitor looks at in one question.
const lostPage = 500

// recordsKeep is how long the record of a check run is kept, of an artifact that nobody watches any more, and
// of what a registry said for a plan, from when it was written last: twice as long as effects are. What a plan of
// ours is made of besides is kept for as long, and for as long after the end of the incident.
const recordsKeep = 180 * 24 * time.Hour

// janitor ends deliveries whose job ended without saying so, has signals triaged that were not, and
// drops what was kept for long enough.
func (a *App) janitor(ctx context.Context, _ jobs.Job) error {
	if err := a.lost(ctx); err != nil {
		return err
	}
	if err := a.lostSignals(ctx); err != nil {
		return err
	}
	if err := a.journal.Prune(ctx, journal.Retention{}); err != nil {
		return err
	}
	before := time.Now().Add(-recordsKeep)
	for _, kind := range []string{checkrun.RecordKind, watchRecords, registryRecords} {
		if err := a.inventory.Records(kind).Prune(ctx, before); err != nil {
			return err
		}
	}
	if needed, err := a.planNeeded(ctx, before); err != nil || needed {
		return err
	}
	return a.inventory.Records(planRecords).Prune(ctx, before)
}

// planNeeded reports whether the plan of what we publish may still be asked for: its incident is not over, or
// was not at a time. What was bad and what ran cannot be found out again once GitHub has forgotten its runs.
func (a *App) planNeeded(ctx context.Context, before time.Time) (bool, error) {
	owner, _, _ := strings.Cut(a.config.Issues, "/")
	rec, err := incident.Read(ctx, a.inventory.Records(incidentRecords), owner, finding.PublishedByUs)
	if errors.Is(err, incident.ErrNoIncident) {
		return false, nil
	}
	return err != nil || rec.State != incident.Closed && rec.State != incident.Dismissed || rec.Response.Since.After(before), err
}

// lost looks for deliveries that wait for a job that will not run: one whose last run killed its
// process is dead, and one whose job is no more has a new one.
func (a *App) lost(ctx context.Context) error {
	for after := int64(0); ; {
		waiting, err := a.journal.Deliveries(ctx, journal.Accepted, after, lostPage)
		if err != nil || len(waiting) == 0 {
			return err
		}
		after = waiting[len(waiting)-1].Number
		var ids []int64
		for _, d := range waiting {
			ids = append(ids, d.Job)
		}
		states, err := a.jobs.States(ctx, ids)
		if err != nil {
			return err
		}
		for _, d := range waiting {
			if err := a.find(ctx, d, states[d.Job]); err != nil {
				return fmt.Errorf("delivery %d: %w", d.Number, err)
			}
		}
	}
}

// lostAfter is when a signal that nobody took to triage is taken up again: its job was given up, or is
// tried again so late that another may try as well.
const lostAfter = time.Hour

// lostSignals has signals taken to triage whose job was given up: none is forgotten.
func (a *App) lostSignals(ctx context.Context) error {
	ids, err := a.journal.Untaken(ctx, lostAfter, lostPage)
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := a.db.Tx(ctx, func(tx *appdb.Tx) error {
			_, err := a.jobs.Insert(ctx, tx, jobs.New{Kind: kindSignal, Args: signalArgs{Signal: id}, Key: "lost " + id})
			return err
		})
		if err != nil {
			return fmt.Errorf("signal %q: %w", id, err)
		}
	}
	return nil
}

func (a *App) find(ctx context.Context, d journal.Delivery, state jobs.State) error {
	switch state {
	case jobs.Waiting:
		return nil
	case jobs.Failed:
		a.log.LogAttrs(ctx, slog.LevelError, "a delivery's job was given up while it ran", slog.Int64("delivery", d.Number))
		a.metrics.dead.Inc()
		return a.journal.End(ctx, journal.End{Number: d.Number, State: journal.Dead, Reason: "the process that ran its job died, each time that it was tried"})
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "a delivery had no job, and was given one", slog.Int64("delivery", d.Number))
	return a.journal.Requeue(ctx, d.Number, d.Job, func(ctx context.Context, tx *appdb.Tx) (int64, error) {
		made, err := a.jobs.Insert(ctx, tx, jobs.New{Kind: kindDelivery, Args: deliveryArgs{d.Number}, At: time.Time{}})
		if err != nil {
			return 0, err
		}
		return made[0], nil
	})
}

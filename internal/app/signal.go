package app

import (
	"context"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// signalArgs are the arguments of a signal's job.
type signalArgs struct {
	Signal string `json:"signal"`
}

// Signal implements handler.Signals: a signal and the job that takes it to triage are in the
// database together or not.
func (a *App) Signal(ctx context.Context, s triage.Signal) error {
	err := a.db.Tx(ctx, func(tx *appdb.Tx) error {
		id, version, err := a.journal.Notice(ctx, tx, s)
		if err != nil || version == 0 {
			return err
		}
		job := jobs.New{Kind: kindSignal, Args: signalArgs{id}}
		if version > 1 {
			// The first is triaged at once. What comes to it is collected: a worm in two hundred
			// repositories is one signal that grows, and each triage asks GitHub about all of them.
			turn := time.Now().Truncate(signalPause).Add(signalPause)
			job.Key, job.At = fmt.Sprintf("%s@%d", id, turn.Unix()), turn
		}
		_, err = a.jobs.Insert(ctx, tx, job)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a signal of %q: %w", s.AlertID, err)
	}
	return nil
}

// signalPause is how often a signal is triaged at most to which more and more comes.
const signalPause = 30 * time.Second

// take takes a signal to triage, unless somebody has taken it as it is now.
func (a *App) take(ctx context.Context, j jobs.Job) error {
	args, err := decode[signalArgs](j)
	if err != nil {
		return err
	}
	s, found, err := a.journal.Signal(ctx, args.Signal)
	if err != nil || !found || s.Taken >= s.Version {
		return err
	}
	var errs []error
	for _, t := range a.takers {
		if err := a.takeBy(ctx, t, s.Signal); err != nil {
			errs = append(errs, limited(err))
		}
	}
	if err := worst(errs); err != nil {
		return err
	}
	return a.journal.Took(ctx, s.ID, s.Version)
}

func (a *App) takeBy(ctx context.Context, t handler.Taker, s triage.Signal) (err error) {
	defer a.recovered(ctx, &err)
	return t.Take(ctx, s, a.effects)
}

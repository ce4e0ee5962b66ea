package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// signalArgs are the arguments of a signal's job.
type signalArgs struct {
	Signal string `json:"signal"`
	Again  int    `json:"again,omitempty"` // how often it was looked at again for its age alone
	Slow   bool   `json:"slow,omitempty"`  // data had not answered yet
}

// looksAgain are when, after a change was pushed or proposed, its signal is triaged again. The first
// triage is seconds after the push, before the runs of CI that the push begins.
var looksAgain = []time.Duration{15 * time.Minute, 2 * time.Hour, 8 * time.Hour}

// againTurn is the time within which looks at what was pushed to several places are one.
const againTurn = 5 * time.Minute

// Signal implements handler.Signals: a signal and the job that takes it to triage are in the
// database together or not.
func (a *App) Signal(ctx context.Context, s triage.Signal) error {
	err := a.db.Tx(ctx, func(tx *appdb.Tx) error {
		id, version, err := a.journal.Notice(ctx, tx, s)
		if err != nil || version == 0 {
			return err
		}
		if version > 1 {
			return a.triageLater(ctx, tx, id, version)
		}
		_, err = a.jobs.Insert(ctx, tx, jobs.New{Kind: kindSignal, Args: signalArgs{Signal: id}})
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a signal of %q: %w", s.AlertID, err)
	}
	return nil
}

// triageLater has a signal of a version triaged in its next turn. The first version is triaged at once. What
// comes to it is collected: a worm in two hundred repositories is one signal that grows.
func (a *App) triageLater(ctx context.Context, tx *appdb.Tx, id string, version int64) error {
	pause := pauseOf(version)
	turn := a.jobs.Now().Truncate(pause).Add(pause)
	_, err := a.jobs.Insert(ctx, tx, jobs.New{Kind: kindSignal, Args: signalArgs{Signal: id}, Key: fmt.Sprintf("%s@%d", id, turn.Unix()), At: turn, Priority: triageGrown})
	return err
}

// Which triage goes first where many are due: the first of a signal pages somebody.
const (
	triageGrown = 2
	triageAgain = 3 // what data may say by now
)

// How often a signal is triaged at most to which more and more comes. Less than waitingAfter, so that nobody
// is told of one that waits for its turn.
const (
	signalPause = 30 * time.Second
	longPause   = 8 * time.Minute
	manyCame    = 20 // from that version on the pause grows as the signal does
)

// pauseOf is the pause between two triages of a signal of a version. Each triage asks GitHub about every
// repository that holds the package: exposure believes for a while what it was told, and asks for free whether
// that changed, and yet it takes its time.
func pauseOf(version int64) time.Duration {
	pause := signalPause
	for ; version > manyCame && pause < longPause; version /= 2 {
		pause *= 2
	}
	return pause
}

// take takes a signal to triage, unless somebody has taken it as it is now.
func (a *App) take(ctx context.Context, j jobs.Job) error {
	args, err := decode[signalArgs](j)
	if err != nil {
		return err
	}
	s, found, err := a.journal.Signal(ctx, args.Signal)
	if err != nil || !found || args.Again == 0 && !args.Slow && s.Taken >= s.Version {
		return err
	}
	var errs []error
	for _, t := range a.takers {
		if err := a.takeBy(ctx, t, s.Signal); err != nil {
			errs = append(errs, limited(err))
		}
	}
	if err := worst(errs); errors.Is(err, journal.ErrKilled) {
		// It is kept, and tick shows it once the switch is off: GitHub is not asked all that over and over.
		return &jobs.SnoozeError{Until: time.Now().Add(killedRest), Err: err}
	} else if err != nil {
		return err
	}
	if !args.Slow { // whose looks are planned already
		if err := a.lookAgain(ctx, s, args.Again); err != nil {
			return err
		}
	}
	now, err := a.journal.Took(ctx, s.ID, s.Version)
	if err != nil || now <= s.Version {
		return err
	}
	// What came meanwhile has a job, but where a clock that is not ours took this one for it.
	return a.db.Tx(ctx, func(tx *appdb.Tx) error { return a.triageLater(ctx, tx, s.ID, now) })
}

// lookAgain has the signal of a change triaged again later: after what it saw last, and not after what it saw
// first, whose runs are over when those of the last have not begun.
func (a *App) lookAgain(ctx context.Context, s journal.Signal, times int) error {
	if s.Subject.Part("commit") == "" || times >= len(looksAgain) {
		return nil
	}
	err := a.db.Tx(ctx, func(tx *appdb.Tx) error {
		at := s.LastSeen.Add(looksAgain[times])
		turn := at.Truncate(againTurn)
		if turn.Before(at) {
			turn = turn.Add(againTurn)
		}
		_, err := a.jobs.Insert(ctx, tx, jobs.New{
			Kind: kindSignal, Args: signalArgs{Signal: s.ID, Again: times + 1}, Key: fmt.Sprintf("again %s %d@%d", s.ID, times+1, turn.Unix()), At: turn, Priority: triageAgain,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("look at the signal %q again: %w", s.ID, err)
	}
	return nil
}

// Of a signal about which data did not answer in time, or not for GitHub's limits, data is asked again, each time
// for what is still open: GitHub lets nobody ask about hundreds of repositories within minutes.
const (
	slowPause = 2 * time.Minute // at first, and then an eighth of its age
	slowFor   = 3 * time.Hour   // after it was seen; later it takes a person, or looksAgain
)

// triageSlow has a signal triaged again about which data did not answer yet, and not before a time.
func (a *App) triageSlow(ctx context.Context, s *triage.Signal, notBefore time.Time) error {
	now := a.jobs.Now()
	age := now.Sub(s.LastSeen)
	if age > slowFor {
		return nil
	}
	pause := max(slowPause, (age / 8).Truncate(slowPause))
	return a.db.Tx(ctx, func(tx *appdb.Tx) error {
		if notBefore.Before(now) {
			notBefore = now
		}
		turn := notBefore.Truncate(pause).Add(pause)
		_, err := a.jobs.Insert(ctx, tx, jobs.New{Kind: kindSignal, Args: signalArgs{Signal: s.ID, Slow: true}, Key: fmt.Sprintf("slow %s@%d", s.ID, turn.Unix()), At: turn, Priority: triageAgain})
		return err
	})
}

// notTaken says that the job of a signal was given up; the janitor makes another.
func (a *App) notTaken(ctx context.Context, j jobs.Job, reason string) error {
	a.log.LogAttrs(ctx, slog.LevelError, "a signal could not be triaged, and is tried again", slog.String("signal", string(j.Args)), slog.String("reason", reason))
	return nil
}

func (a *App) takeBy(ctx context.Context, t handler.Taker, s triage.Signal) (err error) {
	defer a.recovered(ctx, &err)
	return t.Take(ctx, s, a.effects)
}

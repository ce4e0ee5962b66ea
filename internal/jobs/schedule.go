package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// turnEvery is how often a process looks whose turn it is.
const turnEvery = 5 * time.Second

// starting makes the jobs of schedules that make one at each start.
func (r *Runner) starting(ctx context.Context) {
	for _, s := range r.schedules {
		if !s.AtStart {
			continue
		}
		err := r.db.Tx(ctx, func(tx *appdb.Tx) error {
			_, err := r.Insert(ctx, tx, s.job())
			return err
		})
		r.noTurn(ctx, s, err)
	}
}

// turns makes the jobs of schedules whose turn has come.
func (r *Runner) turns(ctx context.Context) {
	for _, s := range r.schedules {
		r.noTurn(ctx, s, r.turn(ctx, s))
	}
}

// turn takes the present turn of a schedule, unless somebody has, together with its job.
func (r *Runner) turn(ctx context.Context, s Schedule) error {
	now, err := r.db.Now(ctx)
	if err != nil {
		return err
	}
	turn := now.Add(-s.Offset).UnixNano() / int64(s.Every)
	var last int64
	if had, err := r.db.One(ctx, "SELECT turn FROM app_schedule WHERE name = $1", []any{s.Name}, &last); err != nil || had && last >= turn && last <= turn+1 {
		return err
	}
	// A turn further ahead than the next was taken while the clock was wrong.
	return r.db.Tx(ctx, func(tx *appdb.Tx) error {
		taken, err := tx.Exec(ctx, `INSERT INTO app_schedule (name, turn, at) VALUES ($1, $2, {now})
			ON CONFLICT (name) DO UPDATE SET turn = $2, at = {now} WHERE app_schedule.turn < $2 OR app_schedule.turn > $2 + 1`, s.Name, turn)
		if err != nil || taken == 0 {
			return err
		}
		_, err = r.Insert(ctx, tx, s.job())
		return err
	})
}

// job is the job of a turn. One that has not ended stands for the next.
func (s Schedule) job() New { return New{Kind: s.Kind, Args: s.Args, Key: "schedule " + s.Name} }

func (r *Runner) noTurn(ctx context.Context, s Schedule, err error) {
	if err != nil && ctx.Err() == nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "a schedule made no job", slog.String("schedule", s.Name), slog.String("error", err.Error()))
	}
}

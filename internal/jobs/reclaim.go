package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

const (
	beatEvery = 5 * time.Second
	forget    = 24 * time.Hour // a dead process that holds nothing any more
)

// What a process held that is dead becomes available as if it had failed. The state is checked in
// the statement itself: a job that ended meanwhile stays ended.
const (
	reclaimSQLite = `UPDATE river_job SET
		state = CASE WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END,
		finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE strftime('%Y-%m-%d %H:%M:%f', 'now') END
		WHERE state = 'running'`
	reclaimPostgres = `UPDATE river_job SET
		state = CASE WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END::river_job_state,
		finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE now() END
		WHERE state = 'running' AND NOT EXISTS (
			SELECT 1 FROM app_process p WHERE p.id = attempted_by[array_upper(attempted_by, 1)] AND p.beat >= {now} - $1)`
)

// What was held by more than five processes that died is due ten seconds later each time. One of them
// may kill its process, and the others, which ran beside it, have time to end before their last attempt.
const (
	putOffSQLite = `UPDATE river_job SET state = 'retryable',
		scheduled_at = strftime('%Y-%m-%d %H:%M:%f', 'now', (10 * (attempt - coalesce(json_array_length(errors), 0) - 5)) || ' seconds')
		WHERE state = 'running' AND attempt < max_attempts AND attempt - coalesce(json_array_length(errors), 0) > 5`
	putOffPostgres = `UPDATE river_job SET state = 'retryable',
		scheduled_at = now() + (attempt - coalesce(cardinality(errors), 0) - 5) * interval '10 seconds'
		WHERE state = 'running' AND attempt < max_attempts AND attempt - coalesce(cardinality(errors), 0) > 5 AND NOT EXISTS (
			SELECT 1 FROM app_process p WHERE p.id = attempted_by[array_upper(attempted_by, 1)] AND p.beat >= {now} - $1)`
)

// River counts a job as available that has a time, and takes it no sooner. One that is available
// and a while ahead was put there by a clock that has gone back since.
const (
	overdueSQLite = `UPDATE river_job SET scheduled_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
		WHERE state = 'available' AND scheduled_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '+15 seconds')`
	overduePostgres = `UPDATE river_job SET scheduled_at = now()
		WHERE state = 'available' AND scheduled_at > now() + interval '15 seconds'`
)

// register makes this process one that works.
func (r *Runner) register(ctx context.Context) error {
	return r.db.Tx(ctx, func(tx *appdb.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO app_process (id, started, beat) VALUES ($1, {now}, {now})", r.id); err != nil {
			return err
		}
		if r.db.Postgres() != nil {
			return r.reclaim(ctx, tx)
		}
		// Who opens a folder alone is the only one that works: whatever runs in it is dead, and
		// so is whoever leads.
		if err := r.take(ctx, tx, putOffSQLite, reclaimSQLite); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM river_leader"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM app_process WHERE id <> $1", r.id)
		return err
	})
}

// unregister says that this process does not work any more: what it still holds is anybody's.
func (r *Runner) unregister(ctx context.Context) error {
	_, err := r.db.Exec(ctx, "DELETE FROM app_process WHERE id = $1", r.id)
	if err != nil {
		return fmt.Errorf("stop running jobs: %w", err)
	}
	return nil
}

// beat says that this process is alive, takes from those that are not, sets right what a clock made
// late, and reads the database's.
func (r *Runner) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	if err := r.alive(ctx); err != nil && ctx.Err() == nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "this process could not say that it is alive", slog.String("error", err.Error()))
	}
	if err := r.clock.set(ctx, r.db); err != nil && ctx.Err() == nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "the database did not say what time it is", slog.String("error", err.Error()))
	}
}

func (r *Runner) alive(ctx context.Context) error {
	return r.db.Tx(ctx, func(tx *appdb.Tx) error {
		if tx.Postgres() == nil { // this process works alone, and is not taken from
			_, err := tx.Exec(ctx, overdueSQLite)
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO app_process (id, started, beat) VALUES ($1, {now}, {now}) ON CONFLICT (id) DO UPDATE SET beat = {now}", r.id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, overduePostgres); err != nil {
			return err
		}
		return r.reclaim(ctx, tx)
	})
}

func (r *Runner) reclaim(ctx context.Context, tx *appdb.Tx) error {
	if err := r.take(ctx, tx, putOffPostgres, reclaimPostgres, r.lost.Milliseconds()); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM app_process WHERE beat < {now} - $1", forget.Milliseconds())
	return err
}

// take takes back what dead processes held.
func (r *Runner) take(ctx context.Context, tx *appdb.Tx, putOff, reclaim string, args ...any) error {
	later, err := tx.Exec(ctx, putOff, args...)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, reclaim, args...)
	if err != nil {
		return err
	}
	if n+later > 0 {
		r.log.LogAttrs(ctx, slog.LevelInfo, "jobs of a dead process were taken back", slog.Int64("jobs", n+later), slog.Int64("later", later))
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
)

// aliveFor is how long after its last sign of life a run counts as one that may still be going
// on, so that another does not go on with it.
const aliveFor = time.Minute

// Begin begins a run, of which Scope, Catalogue and Started are taken. Where the last run of that
// scope and catalogue did not come to its end, and gave no sign of life for a minute, it goes on
// with that one: done are the repositories that it is done with, by number or name.
func (s *Store) Begin(ctx context.Context, run inventory.Run) (id inventory.RunID, done []inventory.Repository, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		now := millis(s.now())
		var catalogue string
		var touched int64
		var finished sql.NullInt64
		there, err := one(ctx, tx, "SELECT id, catalogue, touched, finished FROM inv_run WHERE scope = $1 ORDER BY id DESC LIMIT 1",
			[]any{run.Scope}, &id, &catalogue, &touched, &finished)
		if err != nil {
			return err
		}
		if there && !finished.Valid && catalogue == run.Catalogue && touched < now-aliveFor.Milliseconds() {
			if _, err := tx.ExecContext(ctx, "UPDATE inv_run SET touched = $1 WHERE id = $2", now, int64(id)); err != nil {
				return err
			}
			done, err = doneIn(ctx, tx, id)
			return err
		}
		return tx.QueryRowContext(ctx, "INSERT INTO inv_run (scope, catalogue, started, touched, problems) VALUES ($1, $2, $3, $4, $5) RETURNING id",
			run.Scope, run.Catalogue, millis(run.Started), now, []byte("[]")).Scan(&id)
	})
	return id, done, s.failed("begin a run", err)
}

func doneIn(ctx context.Context, q querier, run inventory.RunID) ([]inventory.Repository, error) {
	rows, err := q.QueryContext(ctx, `SELECT r.server, r.number, d.name FROM inv_run_repository d JOIN inv_repository r ON r.id = d.repository
		WHERE d.run = $1 ORDER BY d.name, r.id`, int64(run))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []inventory.Repository
	for rows.Next() {
		var r inventory.Repository
		var name []byte
		if err := rows.Scan(&r.Server, &r.Number, &name); err != nil {
			return nil, err
		}
		r.Name = string(name)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Finish ends a run, by its ID, with its Problems and whether it was Interrupted, and puts what it
// wrote into the index. A run that was interrupted is not gone on with.
//
// With whole, the run saw every repository of its scope: those that earlier runs of the scope saw
// and this one did not are gone, and their refs with them.
//
// What is no longer current and older than Keep is then forgotten.
func (s *Store) Finish(ctx context.Context, run inventory.Run, whole bool) error {
	problems, err := json.Marshal(run.Problems)
	if err != nil {
		return s.failed("finish a run", err)
	}
	if err := s.Index(ctx); err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		now := millis(s.now())
		interrupted := 0
		if run.Interrupted {
			interrupted = 1
		}
		done, err := tx.ExecContext(ctx, "UPDATE inv_run SET finished = $1, touched = $1, interrupted = $2, problems = $3 WHERE id = $4",
			now, interrupted, problems, int64(run.ID))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("there is no run %d (%v)", run.ID, err)
		}
		if !whole {
			return nil
		}
		// One that another run saw since this began is not gone either.
		_, err = tx.ExecContext(ctx, `UPDATE inv_repository SET gone = 1 WHERE gone = 0
			AND last_seen < (SELECT started FROM inv_run WHERE id = $1)
			AND id NOT IN (SELECT repository FROM inv_run_repository WHERE run = $1)
			AND id IN (SELECT d.repository FROM inv_run_repository d JOIN inv_run r ON r.id = d.run
				WHERE r.scope = (SELECT scope FROM inv_run WHERE id = $1))`, int64(run.ID))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE inv_ref SET current = 0 WHERE current = 1 AND repository IN (SELECT id FROM inv_repository WHERE gone = 1)")
		return err
	})
	if err != nil {
		return s.failed("finish a run", err)
	}
	return s.Prune(ctx, s.now().Add(-Keep))
}

// Runs are the runs, newest first, at most n.
func (s *Store) Runs(ctx context.Context, n int) ([]inventory.Run, error) {
	out, err := s.runs(ctx, "ORDER BY id DESC LIMIT $1", n)
	return out, s.failed("list the runs", err)
}

// Run is the run with that id; ok is false where there is none.
func (s *Store) Run(ctx context.Context, id inventory.RunID) (run inventory.Run, ok bool, err error) {
	out, err := s.runs(ctx, "WHERE id = $1", int64(id))
	if err != nil || len(out) == 0 {
		return inventory.Run{}, false, s.failed("look up a run", err)
	}
	return out[0], true, nil
}

func (s *Store) runs(ctx context.Context, which string, args ...any) ([]inventory.Run, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT id, scope, catalogue, started, finished, interrupted, problems FROM inv_run "+which, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []inventory.Run
	for rows.Next() {
		var r inventory.Run
		var started int64
		var finished sql.NullInt64
		var interrupted int
		var problems []byte
		if err := rows.Scan(&r.ID, &r.Scope, &r.Catalogue, &started, &finished, &interrupted, &problems); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(problems, &r.Problems); err != nil {
			return nil, fmt.Errorf("%w: the problems of run %d: %w", inventory.ErrDamaged, r.ID, err)
		}
		r.Started, r.Interrupted = fromMillis(started), interrupted != 0
		if finished.Valid {
			r.Finished = fromMillis(finished.Int64)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Done are the repositories that a run is done with, by name, as they were called then.
func (s *Store) Done(ctx context.Context, run inventory.RunID) ([]inventory.Repository, error) {
	out, err := doneIn(ctx, s.read, run)
	return out, s.failed("list what a run is done with", err)
}

// Event is what a run found in a repository.
type Event struct {
	Repository inventory.Repository // as it was called then
	finding.Event
}

// Events yields the findings and problems of a run, repository by repository in the order of
// their names. An error is the last pair.
func (s *Store) Events(ctx context.Context, run inventory.RunID) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		rows, err := s.read.QueryContext(ctx, `SELECT r.server, r.number, d.name, e.kind, e.body
			FROM inv_run_repository d
			JOIN inv_repository r ON r.id = d.repository
			JOIN inv_run_event l ON l.run = d.run AND l.repository = d.repository
			JOIN inv_event e ON e.id = l.event
			WHERE d.run = $1 ORDER BY d.name, d.repository, l.position`, int64(run))
		each(rows, err, func() error {
			var e Event
			var kind string
			var name, body []byte
			if err := rows.Scan(&e.Repository.Server, &e.Repository.Number, &name, &kind, &body); err != nil {
				return err
			}
			e.Repository.Name = string(name)
			var err error
			if e.Event, err = decodeEvent(kind, body); err != nil {
				return err
			}
			if !yield(e, nil) {
				return errStop
			}
			return nil
		}, func(err error) { yield(Event{}, s.failed("read what a run found", err)) })
	}
}

func decodeEvent(kind string, body []byte) (finding.Event, error) {
	var e finding.Event
	switch kind {
	case "finding":
		e = &finding.Finding{}
	case "problem":
		e = &finding.Problem{}
	default:
		return nil, fmt.Errorf("%w: an event of kind %q", inventory.ErrDamaged, kind)
	}
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("%w: an event: %w", inventory.ErrDamaged, err)
	}
	return e, nil
}

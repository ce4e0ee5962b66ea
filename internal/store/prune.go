package store

import (
	"context"
	"database/sql"
	"time"
)

// Keep is how long what is no longer current is kept.
const Keep = 90 * 24 * time.Hour

// Prune forgets what nobody saw since a time: states of refs that are not current, repositories
// that are gone, runs but for the last that finished of each scope, and the trees, contents and
// events that only those had. What a reader made of a content goes when a newer one has read it.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	return s.failed("prune", s.inTx(ctx, func(tx *sql.Tx) error {
		at := millis(before)
		forgotten, err := forget(ctx, tx,
			forgetting{"DELETE FROM inv_ref WHERE current = 0 AND last_seen < $1", []any{at}},
			forgetting{"DELETE FROM inv_run WHERE touched < $1 AND id NOT IN (SELECT max(id) FROM inv_run WHERE finished IS NOT NULL GROUP BY scope)", []any{at}},
			forgetting{"DELETE FROM inv_run_event WHERE run NOT IN (SELECT id FROM inv_run)", nil},
			forgetting{"DELETE FROM inv_run_repository WHERE run NOT IN (SELECT id FROM inv_run)", nil},
			forgetting{"DELETE FROM inv_event WHERE id NOT IN (SELECT event FROM inv_run_event)", nil},
			forgetting{`DELETE FROM inv_repository WHERE gone = 1 AND last_seen < $1
				AND id NOT IN (SELECT repository FROM inv_ref) AND id NOT IN (SELECT repository FROM inv_run_repository)`, []any{at}},
			forgetting{"DELETE FROM inv_tree WHERE written < $1 AND root NOT IN (SELECT root FROM inv_ref)", []any{at}},
			forgetting{"DELETE FROM inv_content WHERE written < $1 AND blob NOT IN (SELECT h.blob FROM inv_held h JOIN inv_tree t ON t.id = h.tree)", []any{at}},
			forgetting{`DELETE FROM inv_content WHERE written < $1 AND EXISTS (SELECT 1 FROM inv_content newer
				WHERE newer.blob = inv_content.blob AND newer.format = inv_content.format AND newer.reader > inv_content.reader)`, []any{at}},
		)
		if err != nil || forgotten == 0 {
			return err
		}
		_, err = forget(ctx, tx, // what is left of trees and contents that are gone, or were replaced
			forgetting{"DELETE FROM inv_held WHERE tree NOT IN (SELECT id FROM inv_tree)", nil},
			forgetting{"DELETE FROM inv_body WHERE content NOT IN (SELECT id FROM inv_content)", nil},
		)
		if err != nil {
			return err
		}
		return s.prunePostings(ctx, tx)
	}))
}

// forgetting is a statement that deletes.
type forgetting struct {
	statement string
	args      []any
}

// forget runs the statements and counts the rows that they deleted.
func forget(ctx context.Context, tx *sql.Tx, steps ...forgetting) (int64, error) {
	total := int64(0)
	for _, step := range steps {
		done, err := tx.ExecContext(ctx, step.statement, step.args...)
		if err != nil {
			return 0, err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

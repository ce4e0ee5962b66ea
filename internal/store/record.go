package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Records keeps small records under keys that begin with a prefix of their own: incidents, or
// the pages of lists. It is safe for concurrent use, by several processes as well.
type Records struct {
	store  *Store
	prefix string
}

// Records are those of a kind, "incident" for one.
func (s *Store) Records(kind string) *Records { return &Records{s, kind + "\x1f"} }

// Load gives the record under a key and its version, which is at least 1; where there is none,
// the version is 0.
func (r *Records) Load(ctx context.Context, key string) (record []byte, version int64, err error) {
	err = r.store.read.QueryRowContext(ctx, "SELECT version, body FROM inv_record WHERE key = $1", r.prefix+key).Scan(&version, &record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	return record, version, r.store.failed("read a record", err)
}

// Swap puts a record in the place of the one of that version, 0 for none, and gives the version of
// the new one. Where another version is there, nothing is written and swapped is false.
func (r *Records) Swap(ctx context.Context, key string, version int64, record []byte) (next int64, swapped bool, err error) {
	err = r.store.inTx(ctx, func(tx *sql.Tx) error {
		var have int64
		err := tx.QueryRowContext(ctx, "SELECT version FROM inv_record WHERE key = $1", r.prefix+key).Scan(&have)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if have != version {
			return nil
		}
		if err := r.put(ctx, tx, key, have+1, record); err != nil {
			return err
		}
		next, swapped = have+1, true
		return nil
	})
	if err != nil {
		return 0, false, r.store.failed("write a record", err)
	}
	return next, swapped, nil
}

// put writes a record of which the caller knows the version.
func (r *Records) put(ctx context.Context, tx *sql.Tx, key string, version int64, record []byte) error {
	if record == nil {
		record = []byte{} // and no NULL
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO inv_record (key, version, body, written) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = excluded.body, written = excluded.written`,
		r.prefix+key, version, record, millis(r.store.now()))
	return err
}

// pruned is how many records one transaction drops, so that nobody waits for it for long.
const pruned = 200

// Prune forgets the records that nobody has written since a time. One of a release that did not
// keep when counts as written now.
func (r *Records) Prune(ctx context.Context, before time.Time) error {
	from, to := r.prefix, r.prefix+"\U0010ffff"
	for dropped := int64(pruned); dropped == pruned; {
		err := r.store.inTx(ctx, func(tx *sql.Tx) (err error) {
			dropped, err = forget(ctx, tx, forgetting{`DELETE FROM inv_record WHERE key IN (
				SELECT key FROM inv_record WHERE key >= $1 AND key < $2 AND written > 0 AND written < $3 LIMIT $4)`, []any{from, to, millis(before), pruned}})
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "UPDATE inv_record SET written = $1 WHERE key >= $2 AND key < $3 AND written = 0", millis(r.store.now()), from, to)
			return err
		})
		if err != nil {
			return r.store.failed("forget old records", err)
		}
	}
	return nil
}

// Keys gives the keys that begin with prefix, in order.
func (r *Records) Keys(ctx context.Context, prefix string) ([]string, error) {
	from := r.prefix + prefix
	rows, err := r.store.read.QueryContext(ctx, "SELECT key FROM inv_record WHERE key >= $1 AND key < $2 ORDER BY key", from, from+"\U0010ffff")
	if err != nil {
		return nil, r.store.failed("list records", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, r.store.failed("list records", err)
		}
		out = append(out, key[len(r.prefix):])
	}
	return out, r.store.failed("list records", rows.Err())
}

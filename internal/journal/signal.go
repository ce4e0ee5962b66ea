package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// Quiet is how long nothing of a fingerprint must come until what comes is a new episode.
const Quiet = 24 * time.Hour

// Signal is a signal as it is kept.
type Signal struct {
	triage.Signal
	Version int64 // counts what came to it
	Taken   int64 // the version that triage saw last
}

// Notice keeps a signal in a transaction: with what is there of its episode, or as a new one. It
// gives its ID and its version, which is 1 for a new one. The same signal (by its SourceRef) again
// changes nothing, since handlers run more than once; the version is 0 then.
func (j *Journal) Notice(ctx context.Context, tx *appdb.Tx, s triage.Signal) (id string, version int64, err error) {
	if s.FirstSeen.IsZero() {
		var now int64
		if _, err := tx.One(ctx, "SELECT {now}", nil, &now); err != nil {
			return "", 0, err
		}
		s.FirstSeen = appdb.Time(now)
	}
	s = s.Identified()
	if tx.Postgres() != nil { // two that notice one thing at once do so one after the other
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 8247610255961327))", s.Fingerprint); err != nil {
			return "", 0, err
		}
	}
	old, found, err := signal(ctx, tx, "fingerprint = $1 AND seen >= $2 ORDER BY seen DESC", s.Fingerprint, appdb.Millis(s.LastSeen.Add(-Quiet)))
	if err != nil {
		return "", 0, err
	}
	id, merged := s.ID, s
	if found {
		if s.SourceRef != "" && s.SourceRef == old.SourceRef {
			return old.ID, 0, nil
		}
		id, merged = old.ID, triage.Again(old.Signal, s)
	}
	if s.SourceRef != "" {
		n, err := tx.Exec(ctx, "INSERT INTO app_signal_ref (signal, ref) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, s.SourceRef)
		if err != nil || n == 0 {
			return id, 0, err
		}
	}
	text, err := json.Marshal(merged)
	if err != nil {
		return "", 0, err
	}
	if found {
		_, err = tx.Exec(ctx, "UPDATE app_signal SET signal = $1, version = version + 1, seen = $2 WHERE id = $3", string(text), appdb.Millis(merged.LastSeen), id)
		return id, old.Version + 1, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO app_signal (id, fingerprint, signal, version, seen) VALUES ($1, $2, $3, 1, $4) ON CONFLICT (id) DO NOTHING`,
		id, s.Fingerprint, string(text), appdb.Millis(s.LastSeen))
	return id, n, err
}

// Signal reads a signal.
func (j *Journal) Signal(ctx context.Context, id string) (Signal, bool, error) {
	return signal(ctx, j.db, "id = $1", id)
}

func signal(ctx context.Context, q appdb.Querier, where string, args ...any) (s Signal, found bool, err error) {
	var text string
	found, err = q.One(ctx, "SELECT signal, version, taken FROM app_signal WHERE "+where, args, &text, &s.Version, &s.Taken)
	if err == nil && found {
		err = json.Unmarshal([]byte(text), &s.Signal)
	}
	if err != nil {
		return Signal{}, false, fmt.Errorf("read a signal: %w", err)
	}
	return s, found, nil
}

// Untaken gives the ids of signals that triage has not seen as they are now, and that nothing came to
// for a while: at most so many.
func (j *Journal) Untaken(ctx context.Context, quiet time.Duration, most int) (ids []string, err error) {
	err = j.db.Query(ctx, "SELECT id FROM app_signal WHERE taken < version AND seen < {now} - $1 ORDER BY seen LIMIT $2", []any{quiet.Milliseconds(), most}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signals that triage has not seen: %w", err)
	}
	return ids, nil
}

// Took says that triage has seen a version of a signal, or a later one. It gives the version that the
// signal has by now, 0 where it is not kept any more.
func (j *Journal) Took(ctx context.Context, id string, version int64) (now int64, err error) {
	err = j.db.Tx(ctx, func(tx *appdb.Tx) error {
		now = 0
		if _, err := tx.Exec(ctx, "UPDATE app_signal SET taken = $1 WHERE id = $2 AND taken < $1", version, id); err != nil {
			return err
		}
		_, err := tx.One(ctx, "SELECT version FROM app_signal WHERE id = $1", []any{id}, &now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("keep that triage saw the signal %q: %w", id, err)
	}
	return now, nil
}

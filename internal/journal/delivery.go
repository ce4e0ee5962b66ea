package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/hook"
)

// State is what became of a delivery.
type State string

// The states of a delivery.
const (
	Accepted State = "accepted" // stored, and to be acted on
	Done     State = "done"
	Dead     State = "dead" // given up, or not ours; Reason says why
)

// Delivery is a delivery as it is kept.
type Delivery struct {
	hook.Delivery
	Number   int64 // ours
	State    State
	Reason   string // of Dead
	Attempts int    // runs that failed
	Ended    time.Time
	Job      int64
}

// Accept keeps deliveries that are not there yet, all of them or none, and has enqueue make a job
// for each in the same transaction. enqueue is given their numbers and returns those of their
// jobs, in order.
func (j *Journal) Accept(ctx context.Context, deliveries []hook.Delivery, enqueue func(ctx context.Context, tx *appdb.Tx, numbers []int64) ([]int64, error)) error {
	// Two that keep the same deliveries at once wait for each other in one order.
	sorted := slices.SortedFunc(slices.Values(deliveries), func(a, b hook.Delivery) int {
		return cmp.Or(cmp.Compare(a.Hook, b.Hook), cmp.Compare(a.ID, b.ID))
	})
	return j.db.Tx(ctx, func(tx *appdb.Tx) error {
		var numbers []int64
		for _, d := range sorted {
			var number int64
			isNew, err := tx.One(ctx, `INSERT INTO app_delivery (hook, id, event, action, installation, received, accepted)
				VALUES ($1, $2, $3, $4, $5, $6, {now}) ON CONFLICT (hook, id) DO NOTHING RETURNING number`,
				[]any{d.Hook, d.ID, d.Event, d.Action, d.Installation, appdb.Millis(d.Received)}, &number)
			if err != nil {
				return fmt.Errorf("delivery %q: %w", d.ID, err)
			}
			if !isNew {
				continue
			}
			if _, err := tx.Exec(ctx, "INSERT INTO app_body (delivery, body) VALUES ($1, $2)", number, d.Body); err != nil {
				return fmt.Errorf("delivery %q: %w", d.ID, err)
			}
			numbers = append(numbers, number)
		}
		if len(numbers) == 0 {
			return nil
		}
		jobs, err := enqueue(ctx, tx, numbers)
		if err != nil {
			return err
		}
		for i, number := range numbers {
			if _, err := tx.Exec(ctx, "UPDATE app_delivery SET job = $1 WHERE number = $2", jobs[i], number); err != nil {
				return err
			}
		}
		return nil
	})
}

const deliveryColumns = "number, hook, id, event, action, installation, received, state, reason, attempts, ended, job"

// scanDelivery scans deliveryColumns, and more.
func scanDelivery(scan func(...any) error, more func(*Delivery) []any) (Delivery, error) {
	var d Delivery
	var received, ended int64
	var state string
	into := []any{&d.Number, &d.Hook, &d.ID, &d.Event, &d.Action, &d.Installation, &received, &state, &d.Reason, &d.Attempts, &ended, &d.Job}
	if more != nil {
		into = append(into, more(&d)...)
	}
	err := scan(into...)
	d.Received, d.Ended, d.State = appdb.Time(received), appdb.Time(ended), State(state)
	return d, err
}

// Delivery reads a delivery by its number, with its body while that is kept.
func (j *Journal) Delivery(ctx context.Context, number int64) (d Delivery, found bool, err error) {
	err = j.db.Query(ctx, "SELECT "+deliveryColumns+", body FROM app_delivery LEFT JOIN app_body ON delivery = number WHERE number = $1", []any{number}, func(scan func(...any) error) error {
		found = true
		d, err = scanDelivery(scan, func(d *Delivery) []any { return []any{&d.Body} })
		return err
	})
	if err != nil {
		return Delivery{}, false, fmt.Errorf("read delivery %d: %w", number, err)
	}
	return d, found, nil
}

// Deliveries reads deliveries of a state in the order of their numbers, without their bodies:
// those after a number, at most so many.
func (j *Journal) Deliveries(ctx context.Context, state State, after int64, most int) ([]Delivery, error) {
	var out []Delivery
	err := j.db.Query(ctx, "SELECT "+deliveryColumns+" FROM app_delivery WHERE state = $1 AND number > $2 ORDER BY number LIMIT $3",
		[]any{string(state), after, most}, func(scan func(...any) error) error {
			d, err := scanDelivery(scan, nil)
			out = append(out, d)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read deliveries: %w", err)
	}
	return out, nil
}

// Known reports whether a delivery was stored, whatever became of it.
func (j *Journal) Known(ctx context.Context, hookID int64, id string) (bool, error) {
	var number int64
	found, err := j.db.One(ctx, "SELECT number FROM app_delivery WHERE hook = $1 AND id = $2", []any{hookID, id}, &number)
	if err != nil {
		return false, fmt.Errorf("look for delivery %q: %w", id, err)
	}
	return found, nil
}

// End is the end of a delivery.
type End struct {
	Number int64
	State  State // Done or Dead
	Reason string
}

// End ends deliveries in one transaction. One that has ended stays as it is.
func (j *Journal) End(ctx context.Context, ends ...End) error {
	return j.db.Tx(ctx, func(tx *appdb.Tx) error {
		for _, e := range ends {
			if _, err := tx.Exec(ctx, "UPDATE app_delivery SET state = $1, reason = $2, ended = {now} WHERE number = $3 AND state = 'accepted'",
				string(e.State), appdb.Text(e.Reason, maxReason), e.Number); err != nil {
				return fmt.Errorf("end delivery %d: %w", e.Number, err)
			}
		}
		return nil
	})
}

// maxReason bounds what is kept of a reason, in bytes.
const maxReason = 2000

// Failed counts a run that failed.
func (j *Journal) Failed(ctx context.Context, number int64) error {
	_, err := j.db.Exec(ctx, "UPDATE app_delivery SET attempts = attempts + 1 WHERE number = $1", number)
	return err
}

// Counts counts the deliveries by state.
func (j *Journal) Counts(ctx context.Context) (map[State]int64, error) {
	counts := map[State]int64{}
	err := j.db.Query(ctx, "SELECT state, count(*) FROM app_delivery GROUP BY state", nil, func(scan func(...any) error) error {
		var state string
		var n int64
		if err := scan(&state, &n); err != nil {
			return err
		}
		counts[State(state)] = n
		return nil
	})
	return counts, err
}

// Retention is how long what has ended is kept. A delivery must be known for longer than GitHub
// delivers it again, which is three days, and an effect for longer than a person may have a
// delivery acted on again.
type Retention struct {
	Bodies     time.Duration // of what is done; 0 is 3 days
	Deliveries time.Duration // and the bodies of what is dead; 0 is 60 days
	Effects    time.Duration // from the last claim on; 0 is 90 days
	Signals    time.Duration // from when triage has seen the last of their episode; 0 is 90 days
}

// prunes is how many rows one transaction drops, so that deliveries do not wait for it.
const prunes = 200

// Prune drops what has been kept for long enough.
func (j *Journal) Prune(ctx context.Context, keep Retention) error {
	bodies := cmp.Or(keep.Bodies, 3*24*time.Hour)
	deliveries := max(cmp.Or(keep.Deliveries, 60*24*time.Hour), 4*24*time.Hour)
	effects := max(cmp.Or(keep.Effects, 90*24*time.Hour), deliveries+24*time.Hour)
	signals := max(cmp.Or(keep.Signals, 90*24*time.Hour), 2*Quiet)
	for _, step := range []struct {
		state State
		after time.Duration
		drop  func(context.Context, State, time.Duration) (int, error)
	}{
		{Done, bodies, j.dropBodies},
		{Dead, deliveries, j.dropBodies},
		{Done, deliveries, j.dropDeliveries},
		{Dead, deliveries, j.dropDeliveries},
	} {
		for dropped := prunes; dropped == prunes; {
			var err error
			if dropped, err = step.drop(ctx, step.state, step.after); err != nil {
				return fmt.Errorf("drop old deliveries: %w", err)
			}
		}
	}
	for dropped := prunes; dropped == prunes; {
		var err error
		if dropped, err = j.dropSignals(ctx, signals); err != nil {
			return fmt.Errorf("drop old signals: %w", err)
		}
	}
	for dropped := int64(prunes); dropped == prunes; {
		var err error
		dropped, err = j.db.Exec(ctx, "DELETE FROM app_effect WHERE key IN (SELECT key FROM app_effect WHERE claimed < {now} - $1 AND lease < {now} ORDER BY claimed LIMIT $2)",
			effects.Milliseconds(), prunes)
		if err != nil {
			return fmt.Errorf("drop old effects: %w", err)
		}
	}
	return nil
}

func (j *Journal) dropSignals(ctx context.Context, after time.Duration) (dropped int, err error) {
	err = j.db.Tx(ctx, func(tx *appdb.Tx) error {
		var ids []string
		err := tx.Query(ctx, "SELECT id FROM app_signal WHERE seen < {now} - $1 AND taken >= version ORDER BY seen LIMIT $2", []any{after.Milliseconds(), prunes}, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return err
		}
		dropped = len(ids)
		for _, id := range ids {
			if _, err := tx.Exec(ctx, "DELETE FROM app_signal_ref WHERE signal = $1", id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM app_signal WHERE id = $1", id); err != nil {
				return err
			}
		}
		return nil
	})
	return dropped, err
}

func (j *Journal) dropBodies(ctx context.Context, state State, after time.Duration) (dropped int, err error) {
	err = j.db.Tx(ctx, func(tx *appdb.Tx) error {
		var numbers []int64
		err := tx.Query(ctx, "SELECT number FROM app_delivery WHERE kept = 1 AND state = $1 AND ended < {now} - $2 ORDER BY ended LIMIT $3",
			[]any{string(state), after.Milliseconds(), prunes}, func(scan func(...any) error) error {
				var number int64
				err := scan(&number)
				numbers = append(numbers, number)
				return err
			})
		if err != nil {
			return err
		}
		dropped = len(numbers)
		for _, number := range numbers {
			if _, err := tx.Exec(ctx, "DELETE FROM app_body WHERE delivery = $1", number); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE app_delivery SET kept = 0 WHERE number = $1", number); err != nil {
				return err
			}
		}
		return nil
	})
	return dropped, err
}

func (j *Journal) dropDeliveries(ctx context.Context, state State, after time.Duration) (dropped int, err error) {
	n, err := j.db.Exec(ctx, `DELETE FROM app_delivery WHERE number IN (
		SELECT number FROM app_delivery WHERE state = $1 AND ended < {now} - $2 AND kept = 0 ORDER BY ended LIMIT $3)`,
		string(state), after.Milliseconds(), prunes)
	return int(n), err
}

// Requeue gives an accepted delivery a new job instead of one, in one transaction; it does
// nothing where somebody has done so already. enqueue returns the job's number.
func (j *Journal) Requeue(ctx context.Context, number, instead int64, enqueue func(ctx context.Context, tx *appdb.Tx) (int64, error)) error {
	return j.db.Tx(ctx, func(tx *appdb.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE app_delivery SET job = 0 WHERE number = $1 AND job = $2 AND state = 'accepted'", number, instead)
		if err != nil || n == 0 {
			return err
		}
		job, err := enqueue(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE app_delivery SET job = $1 WHERE number = $2", job, number)
		return err
	})
}

// Revive has a dead letter acted on again, with a new job in the same transaction. It reports
// false where there is no such dead letter, or its body is not kept any more.
func (j *Journal) Revive(ctx context.Context, number int64, enqueue func(ctx context.Context, tx *appdb.Tx) (int64, error)) (revived bool, err error) {
	err = j.db.Tx(ctx, func(tx *appdb.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE app_delivery SET state = 'accepted', reason = '', ended = 0 WHERE number = $1 AND state = 'dead' AND kept = 1", number)
		if err != nil || n == 0 {
			return err
		}
		job, err := enqueue(ctx, tx)
		if err != nil {
			return err
		}
		revived = true
		_, err = tx.Exec(ctx, "UPDATE app_delivery SET job = $1 WHERE number = $2", job, number)
		return err
	})
	return revived && err == nil, err
}

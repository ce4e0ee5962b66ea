package app

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// deadPage is how many dead letters are read in one question.
const deadPage = 200

// DeadLetters calls each with every delivery that was given up or dropped, without its body, in
// the order in which they came. The App may be serving meanwhile.
func DeadLetters(ctx context.Context, config Config, each func(journal.Delivery) error) error {
	return beside(ctx, config, func(_ *appdb.DB, j *journal.Journal) error {
		for after := int64(0); ; {
			page, err := j.Deliveries(ctx, journal.Dead, after, deadPage)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, d := range page {
				if err := each(d); err != nil {
					return err
				}
			}
			after = page[len(page)-1].Number
		}
	})
}

// Retry has a delivery that was given up acted on again, by whoever serves or will.
func Retry(ctx context.Context, config Config, number int64) error {
	return beside(ctx, config, func(db *appdb.DB, j *journal.Journal) error {
		if err := jobs.Migrate(ctx, db); err != nil {
			return err
		}
		r, err := jobs.NewRunner(db, jobs.Options{Kinds: []jobs.Kind{{Name: kindDelivery, Run: func(context.Context, jobs.Job) error { return nil }}}})
		if err != nil {
			return err
		}
		revived, err := j.Revive(ctx, number, func(ctx context.Context, tx *appdb.Tx) (int64, error) {
			made, err := r.Insert(ctx, tx, jobs.New{Kind: kindDelivery, Args: deliveryArgs{number}})
			if err != nil {
				return 0, err
			}
			return made[0], nil
		})
		if err == nil && !revived {
			err = fmt.Errorf("delivery %d: there is no such dead letter, or its body is not kept any more", number)
		}
		return err
	})
}

// beside opens the journal beside whoever serves.
func beside(ctx context.Context, config Config, f func(*appdb.DB, *journal.Journal) error) error {
	db, err := appdb.Open(ctx, config.Database, appdb.Options{Connections: 2})
	if err != nil {
		return err
	}
	defer db.Close()
	j, err := journal.Open(ctx, db)
	if err != nil {
		return err
	}
	return f(db, j)
}

// KillSwitch sets the kill switch where set is not nil, and gives its position.
func KillSwitch(ctx context.Context, config Config, set *journal.Switch) (now journal.Switch, err error) {
	err = beside(ctx, config, func(_ *appdb.DB, j *journal.Journal) error {
		if set != nil {
			if err := j.Set(ctx, journal.Kill, set.On, set.By, set.Reason); err != nil {
				return err
			}
		}
		now, err = j.Switch(ctx, journal.Kill)
		return err
	})
	return now, err
}

package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// Standing is where an installation of the App stands.
type Standing string

// The standings. A Gone installation was one, and is kept with what it left.
const (
	Active    Standing = "active"
	Suspended Standing = "suspended"
	Gone      Standing = "gone"
)

// Installation is an installation of the App.
type Installation struct {
	ID       int64
	Account  string // login of the organisation or user
	Owner    int64  // its number
	Standing Standing
	Since    time.Time // of the standing
	Checked  time.Time
}

// Installations reads what is known of the App's installations.
func (j *Journal) Installations(ctx context.Context) (map[int64]Installation, error) {
	out := map[int64]Installation{}
	err := j.db.Query(ctx, "SELECT id, account, owner, state, since, checked FROM app_installation", nil, func(scan func(...any) error) error {
		var in Installation
		var state string
		var since, checked int64
		if err := scan(&in.ID, &in.Account, &in.Owner, &state, &since, &checked); err != nil {
			return err
		}
		in.Standing, in.Since, in.Checked = Standing(state), appdb.Time(since), appdb.Time(checked)
		out[in.ID] = in
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the installations: %w", err)
	}
	return out, nil
}

// SetInstallations keeps the installations that GitHub has now. Those that are not among them are
// Gone.
func (j *Journal) SetInstallations(ctx context.Context, now []Installation) error {
	err := j.db.Tx(ctx, func(tx *appdb.Tx) error {
		var began int64
		if _, err := tx.One(ctx, "SELECT {now}", nil, &began); err != nil {
			return err
		}
		for _, in := range now {
			if _, err := tx.Exec(ctx, `INSERT INTO app_installation (id, account, owner, state, since, checked) VALUES ($1, $2, $3, $4, $5, $5)
				ON CONFLICT (id) DO UPDATE SET account = $2, owner = $3, checked = $5, state = $4,
				since = CASE WHEN app_installation.state = $4 THEN app_installation.since ELSE $5 END`,
				in.ID, in.Account, in.Owner, string(in.Standing), began); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE app_installation SET state = 'gone', since = $1 WHERE checked < $1 AND state <> 'gone'", began)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the installations: %w", err)
	}
	return nil
}

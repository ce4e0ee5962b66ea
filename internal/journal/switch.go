package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// Kill is the switch that stops all effects on the outside.
const Kill = "kill"

// Switch is the position of a switch, and who set it. The zero value is one that nobody has set.
type Switch struct {
	On     bool
	By     string
	Reason string
	At     time.Time
}

// Set sets a switch, for all processes and until it is set again.
func (j *Journal) Set(ctx context.Context, name string, on bool, by, reason string) error {
	position := 0
	if on {
		position = 1
	}
	_, err := j.db.Exec(ctx, `INSERT INTO app_switch (name, is_on, by_who, reason, at) VALUES ($1, $2, $3, $4, {now})
		ON CONFLICT (name) DO UPDATE SET is_on = $2, by_who = $3, reason = $4, at = {now}`, name, position, by, reason)
	if err != nil {
		return fmt.Errorf("set the switch %q: %w", name, err)
	}
	return nil
}

// Switch reads a switch.
func (j *Journal) Switch(ctx context.Context, name string) (Switch, error) {
	s, err := readSwitch(ctx, j.db, name)
	if err != nil {
		return Switch{}, fmt.Errorf("read the switch %q: %w", name, err)
	}
	return s, nil
}

func readSwitch(ctx context.Context, q appdb.Querier, name string) (Switch, error) {
	var s Switch
	var on, at int64
	_, err := q.One(ctx, "SELECT is_on, by_who, reason, at FROM app_switch WHERE name = $1", []any{name}, &on, &s.By, &s.Reason, &at)
	s.On, s.At = on != 0, appdb.Time(at)
	return s, err
}

package jobs

import (
	"context"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// clock is the database's, which all processes have in common: it is read now and then, and goes on
// by itself in between, whatever becomes of this machine's. River goes by it.
type clock struct {
	mu    sync.Mutex
	read  time.Time // by the database
	asked time.Time // when that was; zero where it was never read
}

// Now implements rivertype.TimeGenerator.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked.IsZero() {
		return time.Now()
	}
	return c.read.Add(time.Since(c.asked)) // by the monotonic clock
}

// NowOrNil implements rivertype.TimeGenerator: where a statement can, it asks the database itself.
func (c *clock) NowOrNil() *time.Time { return nil }

// set reads the database's clock. That of a file is this machine's.
func (c *clock) set(ctx context.Context, db *appdb.DB) error {
	if db.Postgres() == nil {
		return nil
	}
	asked := time.Now()
	read, err := db.Now(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read, c.asked = read, asked
	return nil
}

// Now is the time by the database's clock, as it was read a few seconds ago: by it goes what one
// process writes and another reads. Before Start it is this machine's. It asks nobody.
func (r *Runner) Now() time.Time { return r.clock.Now() }

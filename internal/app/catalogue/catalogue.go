// Package catalogue holds the indicators that a process looks for: those that are built in, and
// its own copy of public lists, which it brings up to date while it runs.
package catalogue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Options are the settings of a Catalogue.
type Options struct {
	Config feeds.Config // which lists
	Dir    string       // folder of this process's copy; "" is no copy: what is built in is all
	Log    *slog.Logger
	Now    func() time.Time
}

// Catalogue is safe for concurrent use.
type Catalogue struct {
	opt Options
	set atomic.Pointer[ioc.Set]

	updating sync.Mutex
	mu       sync.Mutex
	rows     []feeds.Row // of the last update
}

// Open opens a catalogue with the copy as an earlier process left it. A copy that does not read is
// an error: to go on without what it listed would be to look for less.
func Open(o Options) (*Catalogue, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Catalogue{opt: o}
	c.set.Store(iocs.Set())
	if o.Dir == "" || !feeds.IsCopy(o.Dir) {
		return c, nil
	}
	return c, c.read()
}

// Set is what is looked for now.
func (c *Catalogue) Set() *ioc.Set { return c.set.Load() }

// Copied reports whether there are lists to be brought up to date.
func (c *Catalogue) Copied() bool { return c.opt.Dir != "" }

// Rows say how the last update of each list went; nil is before the first.
func (c *Catalogue) Rows() []feeds.Row {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rows
}

func (c *Catalogue) read() error {
	copied, err := feeds.OpenCopy(c.opt.Dir)
	if err != nil {
		return fmt.Errorf("copy of the lists: %w", err)
	}
	more, err := copied.Set()
	if err != nil {
		return fmt.Errorf("copy of the lists: %w", err)
	}
	c.set.Store(iocs.Set().With(more))
	return nil
}

// Refresh brings the copy up to date, and reports whether there is something else to look for than
// before. A list that shrank, was rolled back or could not be had stays as it was, and is told. An
// error is of the copy itself: what was looked for before goes on to be.
func (c *Catalogue) Refresh(ctx context.Context) (changed bool, err error) {
	if !c.Copied() {
		return false, nil
	}
	c.updating.Lock()
	defer c.updating.Unlock()
	report, err := feeds.Update(ctx, c.opt.Config, feeds.Options{Dir: c.opt.Dir, Now: c.opt.Now})
	if err != nil {
		return false, fmt.Errorf("update of the lists: %w", err)
	}
	c.mu.Lock()
	c.rows = report.Rows
	c.mu.Unlock()
	for i := range report.Rows {
		c.tell(ctx, &report.Rows[i])
	}
	before := c.Set().Revision()
	if err := c.read(); err != nil {
		return false, err
	}
	return c.Set().Revision() != before, nil
}

// tell says of a list that is not as its source gives it now.
func (c *Catalogue) tell(ctx context.Context, r *feeds.Row) {
	if r.Current() {
		return
	}
	why := ""
	for i := range r.Reasons {
		why += r.Reasons[i].Error() + "; "
	}
	c.opt.Log.LogAttrs(ctx, slog.LevelError, "a list of indicators is held, or could not be had: its last good copy counts",
		slog.String("feed", r.Feed), slog.String("outcome", string(r.Outcome)), slog.String("why", why),
		slog.Time("good", r.Checked), slog.String("offered", r.Offered))
}

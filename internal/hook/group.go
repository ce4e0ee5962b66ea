package hook

import (
	"context"
	"sync"
	"time"
)

// A flush to the disk costs milliseconds, and is shared by what comes meanwhile.
const (
	gather   = 3 * time.Millisecond // how long the first of a group waits for others
	together = 50                   // how many make a group at most
)

// group has deliveries stored together.
type group struct {
	store Store

	mu      sync.Mutex
	waiting []waiting
	storing bool
}

// waiting is a delivery whose sender waits for an answer.
type waiting struct {
	ctx      context.Context
	delivery Delivery
	stored   chan error // buffered
}

func newGroup(store Store) *group { return &group{store: store} }

// accept returns when d is on the disk, or with an error, after which it may or may not be.
func (g *group) accept(ctx context.Context, d Delivery) error {
	w := waiting{ctx, d, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	begin := !g.storing
	g.storing = true
	g.mu.Unlock()
	if begin {
		go g.run()
	}
	select {
	case err := <-w.stored:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run stores one group after the other until nothing waits.
func (g *group) run() {
	time.Sleep(gather)
	for {
		g.mu.Lock()
		n := min(len(g.waiting), together)
		if n == 0 {
			g.storing = false
			g.mu.Unlock()
			return
		}
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		if len(g.waiting) == 0 {
			g.waiting = nil
		}
		g.mu.Unlock()
		g.keep(batch)
	}
}

// keep stores a group. Where that fails each is tried by itself, so that one that cannot be
// stored costs the others nothing; whose sender has gone is left out, since GitHub was told that
// it failed.
func (g *group) keep(batch []waiting) {
	var alive []waiting
	var deliveries []Delivery
	var last time.Time
	for _, w := range batch {
		if w.ctx.Err() != nil {
			continue
		}
		alive, deliveries = append(alive, w), append(deliveries, w.delivery)
		if deadline, ok := w.ctx.Deadline(); ok && deadline.After(last) {
			last = deadline
		}
	}
	if len(alive) == 0 {
		return
	}
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if !last.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, last)
	}
	defer cancel()
	err := g.store.Accept(ctx, deliveries)
	for i, w := range alive {
		each := err
		if err != nil && len(alive) > 1 && ctx.Err() == nil {
			each = g.store.Accept(ctx, deliveries[i:i+1])
		}
		w.stored <- each
	}
}

// Package groupcommit has small writes share a transaction: a flush to the disk costs
// milliseconds, and is the same for one as for fifty.
package groupcommit

import (
	"context"
	"sync"
	"time"
)

// The bounds of a group.
const (
	Gather = 3 * time.Millisecond // how long the first of a group waits for others
	Most   = 50                   // how many make a group at most
)

// Group collects what is to be written. It is safe for concurrent use.
type Group[T any] struct {
	write func(ctx context.Context, items []T) error

	mu      sync.Mutex
	waiting []waiting[T]
	writing bool
}

// waiting is an item whose sender waits.
type waiting[T any] struct {
	ctx     context.Context
	item    T
	written chan error // buffered
}

// New makes a Group of a function that writes all items in one transaction, or none. The context
// that it is given ends with the last of those who wait.
func New[T any](write func(ctx context.Context, items []T) error) *Group[T] {
	return &Group[T]{write: write}
}

// Do returns when an item is written; or with an error, after which it may be written or not.
func (g *Group[T]) Do(ctx context.Context, item T) error {
	w := waiting[T]{ctx, item, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	begin := !g.writing
	g.writing = true
	g.mu.Unlock()
	if begin {
		go g.run()
	}
	select {
	case err := <-w.written:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// run writes one group after the other until nothing waits.
func (g *Group[T]) run() {
	time.Sleep(Gather)
	for {
		g.mu.Lock()
		n := min(len(g.waiting), Most)
		if n == 0 {
			g.waiting, g.writing = nil, false
			g.mu.Unlock()
			return
		}
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.mu.Unlock()
		g.together(batch)
	}
}

// together writes a group. Where that fails each is tried by itself, so that one that cannot be
// written costs the others nothing. Who does not wait any more was told that it failed, and is
// left out.
func (g *Group[T]) together(batch []waiting[T]) {
	var alive []waiting[T]
	var items []T
	var last time.Time
	bound := true
	for _, w := range batch {
		if w.ctx.Err() != nil {
			continue
		}
		alive, items = append(alive, w), append(items, w.item)
		deadline, ok := w.ctx.Deadline()
		bound = bound && ok
		if deadline.After(last) {
			last = deadline
		}
	}
	if len(alive) == 0 {
		return
	}
	ctx := context.WithoutCancel(alive[0].ctx)
	if bound {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, last)
		defer cancel()
	}
	err := g.write(ctx, items)
	for i, w := range alive {
		each := err
		if err != nil && len(alive) > 1 && ctx.Err() == nil && w.ctx.Err() == nil {
			each = g.write(ctx, items[i:i+1])
		}
		w.written <- each
	}
}

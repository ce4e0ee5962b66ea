package change

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// gate keeps one ref, repository or tenant from taking all of the process: a ref is looked at by
// one delivery at a time and so often at most, and a repository and an installation have a share of
// the workers. Others come back later, and are done without a look where one that began after they
// came saw what they were to see. It knows its own process alone and its own clock, so that nobody
// else's decides what was seen.
type gate struct {
	repositories, installations int // deliveries of one at a time

	mu     sync.Mutex
	turns  map[turnKey]*turn
	busy   map[int64]int // by repository
	shares map[int64]int // by installation
	swept  time.Time     // when idle turns were let go
}

type turnKey struct {
	repository int64
	what       string // a ref, or a pull request
}

// turn is whose turn it is to look at one ref.
type turn struct {
	running bool
	began   time.Time            // of the last look
	seen    time.Time            // when the last look that came to its end began
	waiting map[string]time.Time // deliveries that were put off, since when
}

const (
	every   = time.Second // between two looks at one ref
	putOff  = 2 * time.Second
	idle    = 15 * time.Minute
	maxWait = 100_000 // deliveries of one ref that are remembered
)

func newGate(workers int) gate {
	return gate{
		repositories: max(workers/4, 1), installations: max(workers*3/4, 1),
		turns: map[turnKey]*turn{}, busy: map[int64]int{}, shares: map[int64]int{},
	}
}

// errTurn is why a delivery waits.
var errTurn = errors.New("another delivery of the same is being looked at")

// run calls look, or puts the delivery off, or returns nil where it was seen to already.
func (g *gate) run(ctx context.Context, d hook.Delivery, repository int64, what string, look func(ctx context.Context) error) error {
	t, err := g.enter(d, repository, what)
	if t == nil {
		return err
	}
	began := t.began // nobody else changes it meanwhile
	err = errors.New("it broke off")
	defer func() { g.leave(t, d, repository, began, err) }()
	err = look(ctx)
	return err
}

func (g *gate) enter(d hook.Delivery, repository int64, what string) (*turn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.forget(now)
	key := turnKey{repository, what}
	t := g.turns[key]
	if t == nil {
		t = &turn{waiting: map[string]time.Time{}}
		g.turns[key] = t
	}
	id := fmt.Sprintf("%d/%s", d.Hook, d.ID)
	since, waits := t.waiting[id]
	switch {
	case waits && t.seen.After(since):
		delete(t.waiting, id)
		return nil, nil
	case !t.running && now.Sub(t.began) >= every && g.busy[repository] < g.repositories && g.shares[d.Installation] < g.installations:
		t.running, t.began = true, now
		g.busy[repository]++
		g.shares[d.Installation]++
		return t, nil
	}
	if !waits && len(t.waiting) < maxWait {
		t.waiting[id] = now
	}
	return nil, &jobs.SnoozeError{Until: now.Add(putOff), Err: errTurn}
}

func (g *gate) leave(t *turn, d hook.Delivery, repository int64, began time.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.running = false
	if err == nil {
		t.seen = began
		delete(t.waiting, fmt.Sprintf("%d/%s", d.Hook, d.ID))
	}
	for _, count := range []struct {
		of map[int64]int
		id int64
	}{{g.busy, repository}, {g.shares, d.Installation}} {
		if count.of[count.id]--; count.of[count.id] <= 0 {
			delete(count.of, count.id)
		}
	}
}

// forget lets go of turns that nobody took for a while. What waits for one of them is looked at.
func (g *gate) forget(now time.Time) {
	if now.Sub(g.swept) < idle/10 {
		return
	}
	g.swept = now
	for key, t := range g.turns {
		if !t.running && now.Sub(t.began) > idle {
			delete(g.turns, key)
		}
	}
}

package groupcommit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/groupcommit"
)

// disk takes what is written, a group at a time.
type disk struct {
	mu      sync.Mutex
	groups  [][]int
	refuses int // a group with it fails
	hold    chan struct{}
}

var errRefused = errors.New("refused")

func (d *disk) write(ctx context.Context, items []int) error {
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(items, d.refuses) {
		return errRefused
	}
	d.groups = append(d.groups, slices.Clone(items))
	return nil
}

func (d *disk) written() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(slices.Values(slices.Concat(d.groups...)))
}

// TestTogether: what comes at a time is written in few groups, none too large, each item once.
func TestTogether(t *testing.T) {
	d := &disk{refuses: -1, hold: make(chan struct{})}
	g := groupcommit.New(d.write)
	const n = 500
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := g.Do(t.Context(), i); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	close(d.hold)
	all.Wait()
	if got := d.written(); len(got) != n || len(slices.Compact(got)) != n {
		t.Errorf("%d written", len(got))
	}
	for _, group := range d.groups {
		if len(group) > groupcommit.Most {
			t.Errorf("a group of %d", len(group))
		}
	}
	if len(d.groups) > n/10 {
		t.Errorf("%d groups", len(d.groups))
	}
	if err := g.Do(t.Context(), n); err != nil { // it starts anew after a rest
		t.Error(err)
	}
}

// TestOneRefused: one that cannot be written costs the others of its group nothing.
func TestOneRefused(t *testing.T) {
	d := &disk{refuses: 7, hold: make(chan struct{})}
	g := groupcommit.New(d.write)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			err := g.Do(t.Context(), i)
			if refused := errors.Is(err, errRefused); refused != (i == 7) || err != nil && !refused {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	close(d.hold)
	all.Wait()
	if got := d.written(); len(got) != 19 {
		t.Errorf("%v written", got)
	}
}

// TestGone: who has gone before his turn is told so, and what he brought is left out.
func TestGone(t *testing.T) {
	d := &disk{refuses: -1, hold: make(chan struct{})}
	g := groupcommit.New(d.write)
	first := make(chan error, 1)
	go func() { first <- g.Do(t.Context(), 1) }()
	time.Sleep(50 * time.Millisecond) // it is being written
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := g.Do(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	close(d.hold)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := g.Do(t.Context(), 3); err != nil {
		t.Error(err)
	}
	if got := d.written(); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("%v written", got)
	}
}

// TestBound: a write that does not end is given up with those who wait for it.
func TestBound(t *testing.T) {
	d := &disk{refuses: -1, hold: make(chan struct{})}
	g := groupcommit.New(d.write)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := g.Do(ctx, 1); err == nil {
		t.Error("it is written")
	}
	close(d.hold)
	if err := g.Do(t.Context(), 2); err != nil {
		t.Error(err)
	}
}

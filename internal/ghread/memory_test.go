package ghread_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghread"
)

// asks counts how often something is found out.
type asks struct {
	t *testing.T
	m *ghread.Memory
	n map[string]int
}

// ask has a new Reader give what a name stands for, of so many bytes, and returns how often it was found out.
func (a *asks) ask(name string, size int, lasts ghread.Lasting, since time.Time) int {
	a.t.Helper()
	data, err := ghread.Once(a.t.Context(), a.m.Reader(nil, since), name, lasts, func() ([]byte, error) {
		a.n[name]++
		return bytes.Repeat([]byte{'x'}, size), nil
	})
	if err != nil || len(data) != size {
		a.t.Errorf("%s: %d bytes, %v", name, len(data), err)
	}
	return a.n[name]
}

// TestRoom: where there is no more room, what nobody asked for within an hour goes, and else what is new is not
// kept. What is larger than all of it never is.
func TestRoom(t *testing.T) {
	now := time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)
	a := &asks{t, ghread.NewMemory(2500, func() time.Time { return now }), map[string]int{}}
	for i, step := range []struct {
		after time.Duration
		name  string
		size  int
		want  int // times that it was found out
	}{
		{0, "huge", 3000, 1}, // while nothing else is kept, too
		{0, "a", 1000, 1},
		{0, "b", 1000, 1},
		{0, "a", 1000, 1},
		{0, "huge", 3000, 2},
		{0, "huge", 3000, 3},
		{0, "c", 1000, 1},
		{0, "c", 1000, 2}, // there was no room
		{50 * time.Minute, "a", 1000, 1},
		{20 * time.Minute, "c", 1000, 3}, // and b goes
		{0, "c", 1000, 3},
		{0, "a", 1000, 1},
		{0, "b", 1000, 2},
	} {
		now = now.Add(step.after)
		if got := a.ask(step.name, step.size, ghread.ForGood, now); got != step.want {
			t.Errorf("step %d: %s was found out %d times, want %d", i, step.name, got, step.want)
		}
	}
}

// TestAClockThatIsPutBack: what is of a time to come is not believed.
func TestAClockThatIsPutBack(t *testing.T) {
	now := time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)
	a := &asks{t, ghread.NewMemory(1<<20, func() time.Time { return now }), map[string]int{}}
	a.ask("a", 1, ghread.Changes, now)
	now = now.Add(-time.Hour)
	for want := 2; want <= 3; want++ {
		if got := a.ask("a", 1, ghread.Changes, now); got != want {
			t.Errorf("found out %d times, want %d", got, want)
		}
		now = now.Add(10 * time.Minute)
		if got := a.ask("a", 1, ghread.Changes, now.Add(-time.Hour)); got != want {
			t.Errorf("and later: found out %d times, want %d", got, want)
		}
	}
}

// TestSince: what can change is believed since a time, by when it was asked for and not by when it was answered.
func TestSince(t *testing.T) {
	began := time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)
	now := began
	m := ghread.NewMemory(1<<20, func() time.Time { return now })
	asked := 0
	ask := func(since time.Time, lasts ghread.Lasting) *ghread.Reader {
		r := m.Reader(nil, since)
		if _, err := ghread.Once(t.Context(), r, fmt.Sprint(lasts), lasts, func() (int, error) {
			asked++
			now = now.Add(time.Minute) // so long it took
			return asked, nil
		}); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for i, step := range []struct {
		since time.Time
		lasts ghread.Lasting
		asked int
		old   time.Duration // of the oldest answer, after the beginning
	}{
		{began, ghread.Changes, 1, 0},
		{began, ghread.Changes, 1, 0},
		{began.Add(time.Second), ghread.Changes, 2, time.Minute},
		{began.Add(time.Hour), ghread.ForGood, 3, 2 * time.Minute},
		{began.Add(time.Hour), ghread.ForGood, 3, 3 * time.Minute}, // it is not old: it holds
		{began.Add(time.Minute), ghread.Changes, 3, time.Minute},
	} {
		r := ask(step.since, step.lasts)
		if asked != step.asked || !r.Oldest().Equal(began.Add(step.old)) {
			t.Errorf("step %d: asked %d times, want %d; the oldest is of %s", i, asked, step.asked, r.Oldest())
		}
	}
}

// TestTogether: many Readers at the same time.
func TestTogether(t *testing.T) {
	m := ghread.NewMemory(5000, time.Now)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := m.Reader(nil, time.Now())
			for k := range 200 {
				name := fmt.Sprint((k + i) % 20)
				got, err := ghread.Once(t.Context(), r, name, ghread.Lasting(k%2 == 0), func() (string, error) { return name, nil })
				if err != nil || got != name {
					t.Errorf("%q, %v", got, err)
				}
				r.Oldest()
			}
		})
	}
	all.Wait()
}

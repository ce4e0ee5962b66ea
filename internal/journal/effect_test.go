package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
)

var _ handler.Effects = (*journal.Effects)(nil)

// outside is the world that effects are on.
type outside struct {
	made, looked atomic.Int64
	fails        error
	entered      chan struct{}
	wait         bool // do waits for its context
}

func (o *outside) do(ctx context.Context) ([]byte, error) {
	if o.entered != nil {
		o.entered <- struct{}{}
	}
	if o.wait {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	o.made.Add(1)
	return fmt.Appendf(nil, "issue %d", o.made.Load()), o.fails
}

func (o *outside) find(context.Context) ([]byte, bool, error) {
	o.looked.Add(1)
	if n := o.made.Load(); n > 0 {
		return fmt.Appendf(nil, "issue %d", n), true, nil
	}
	return nil, false, nil
}

func isSnooze(err error) bool {
	var snooze *jobs.SnoozeError
	return errors.As(err, &snooze)
}

// testOnce: an effect is made once, and nobody looks for one that was recorded.
func testOnce(t *testing.T, s *suite) {
	var o outside
	for i := range 3 {
		fx := s.Effects(fmt.Sprint("holder ", i), journal.EffectOptions{})
		if err := fx.Once(t.Context(), "issue:acme", o.do, o.find); err != nil {
			t.Fatal(err)
		}
	}
	e, found, err := s.Effect(t.Context(), "issue:acme")
	if o.made.Load() != 1 || o.looked.Load() != 0 || !found || err != nil || e.State != "done" || string(e.Receipt) != "issue 1" || e.Holder != "holder 0" {
		t.Errorf("made %d, looked %d: %+v, %v", o.made.Load(), o.looked.Load(), e, err)
	}
	if err := s.Effects("x", journal.EffectOptions{}).Once(t.Context(), "issue:other", o.do, o.find); err != nil || o.made.Load() != 2 {
		t.Errorf("another key: %v, made %d", err, o.made.Load())
	}
}

// testOnceAtOnce: processes that race for one effect make it once, and the others come back.
func testOnceAtOnce(t *testing.T, s *suite) {
	var o outside
	var all sync.WaitGroup
	for p := range 4 {
		_, j := s.open()
		fx := j.Effects(fmt.Sprint(p), journal.EffectOptions{Lease: 5 * time.Second})
		for range 10 {
			all.Go(func() {
				for {
					err := fx.Once(t.Context(), "one", o.do, o.find)
					if !isSnooze(err) {
						if err != nil {
							t.Error(err)
						}
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
	}
	all.Wait()
	if o.made.Load() != 1 {
		t.Errorf("made %d times", o.made.Load())
	}
}

// testLost: where a call was made and no record came, whoever comes next looks, and does not make
// it again.
func testLost(t *testing.T, s *suite) {
	lost := outside{fails: errors.New("the answer was lost")}
	fx := s.Effects("a", journal.EffectOptions{})
	if err := fx.Once(t.Context(), "lost", lost.do, lost.find); !errors.Is(err, lost.fails) {
		t.Errorf("%v", err)
	}
	if e, _, _ := s.Effect(t.Context(), "lost"); e.State != "failed" || e.Reason != "the answer was lost" {
		t.Errorf("%+v", e)
	}
	if err := fx.Once(t.Context(), "lost", lost.do, lost.find); err != nil || lost.made.Load() != 1 || lost.looked.Load() != 1 {
		t.Errorf("%v, made %d, looked %d", err, lost.made.Load(), lost.looked.Load())
	}
	// A process that died between the call and the record.
	var died outside
	crash := func(step string) {
		if step == "after call" {
			panic("killed")
		}
	}
	func() {
		defer func() { recover() }()
		_ = s.Effects("b", journal.EffectOptions{Lease: time.Second, Crash: crash}).Once(t.Context(), "died", died.do, died.find)
	}()
	if err := fx.Once(t.Context(), "died", died.do, died.find); !isSnooze(err) {
		t.Errorf("while its lease holds: %v", err)
	}
	time.Sleep(1100 * time.Millisecond)
	if err := fx.Once(t.Context(), "died", died.do, died.find); err != nil || died.made.Load() != 1 || died.looked.Load() != 1 {
		t.Errorf("%v, made %d, looked %d", err, died.made.Load(), died.looked.Load())
	}
	// What cannot be looked for is not made.
	blind := outside{fails: errors.New("lost")}
	unseen := errors.New("GitHub is down")
	_ = fx.Once(t.Context(), "blind", blind.do, blind.find)
	err := fx.Once(t.Context(), "blind", blind.do, func(context.Context) ([]byte, bool, error) { return nil, false, unseen })
	if !errors.Is(err, unseen) || blind.made.Load() != 1 {
		t.Errorf("%v, made %d", err, blind.made.Load())
	}
}

// testOddText: a key that a database does not take is refused, and an error that it does not take
// is kept as far as it goes.
func testOddText(t *testing.T, s *suite) {
	var o outside
	fx := s.Effects("a", journal.EffectOptions{})
	for _, key := range []string{"", "a\x00", "a\xff", strings.Repeat("k", 1001)} {
		var dead *jobs.DeadError
		if err := fx.Once(t.Context(), key, o.do, o.find); !errors.As(err, &dead) || o.made.Load() > 0 {
			t.Errorf("%.20q: %v", key, err)
		}
	}
	odd := outside{fails: errors.New("a\x00\xff" + strings.Repeat("x", 5000))}
	if err := fx.Once(t.Context(), "odd", odd.do, odd.find); !errors.Is(err, odd.fails) {
		t.Error(err)
	}
	if e, _, err := s.Effect(t.Context(), "odd"); err != nil || e.State != "failed" || !strings.HasPrefix(e.Reason, "a\uFFFD\uFFFDx") || len(e.Reason) > 2000 {
		t.Errorf("%s, %d bytes of a reason, %v", e.State, len(e.Reason), err)
	}
}

// testOrphans: who works alone gives back what a dead process claimed, and looks before he makes
// it again.
func testOrphans(t *testing.T, s *suite) {
	var o outside
	func() {
		defer func() { recover() }()
		_ = s.Effects("dead", journal.EffectOptions{Crash: func(step string) {
			if step == "after call" {
				panic("killed")
			}
		}}).Once(t.Context(), "key", o.do, o.find)
	}()
	if err := s.Orphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Effects("next", journal.EffectOptions{}).Once(t.Context(), "key", o.do, o.find); err != nil || o.made.Load() != 1 || o.looked.Load() != 1 {
		t.Errorf("%v, made %d, looked %d", err, o.made.Load(), o.looked.Load())
	}
}

// testFenced: a process that slept past its lease does not call, and what it made late is not
// recorded over the one that took its place.
func testFenced(t *testing.T, s *suite) {
	var o outside
	asleep := func(at string) func(string) {
		return func(step string) {
			if step != at {
				return
			}
			time.Sleep(700 * time.Millisecond)
			if err := s.Effects("awake", journal.EffectOptions{}).Once(t.Context(), at, o.do, o.find); err != nil {
				t.Errorf("%s: the one that is awake: %v", at, err)
			}
		}
	}
	for i, step := range []string{"after claim", "after call"} {
		sleeper := s.Effects("asleep", journal.EffectOptions{Lease: 500 * time.Millisecond, Crash: asleep(step)})
		if err := sleeper.Once(t.Context(), step, o.do, o.find); !errors.Is(err, journal.ErrFenced) {
			t.Errorf("%s: %v, want ErrFenced", step, err)
		}
		if e, _, err := s.Effect(t.Context(), step); err != nil || e.State != "done" || e.Holder != "awake" {
			t.Errorf("%s: %+v, %v", step, e, err)
		}
		if o.made.Load() != int64(i+1) {
			t.Errorf("%s: made %d times", step, o.made.Load())
		}
	}
}

// testKillSwitch: while it is on nothing is claimed or called, and what is under way ends within
// a second, whichever process sets it.
func testKillSwitch(t *testing.T, s *suite) {
	ctx := t.Context()
	fx := s.Effects("a", journal.EffectOptions{})
	watching, stop := context.WithCancel(ctx)
	var told atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fx.Watch(watching, func(journal.Switch) { told.Add(1) })
	}()
	defer func() { stop(); <-ended }()
	under := outside{entered: make(chan struct{}), wait: true}
	result := make(chan error, 1)
	go func() { result <- fx.Once(ctx, "under way", under.do, under.find) }()
	<-under.entered
	_, other := s.open()
	began := time.Now()
	if err := other.Set(ctx, journal.Kill, true, "erin", "a drill"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-result:
		if !errors.Is(err, journal.ErrKilled) || !isSnooze(err) || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	case <-time.After(5 * time.Second):
		t.Fatal("a call goes on")
	}
	var o outside
	if err := fx.Once(ctx, "new", o.do, o.find); !errors.Is(err, journal.ErrKilled) || !isSnooze(err) || o.made.Load() != 0 {
		t.Errorf("%v, made %d", err, o.made.Load())
	}
	if kill, err := s.Switch(ctx, journal.Kill); err != nil || !kill.On || kill.By != "erin" || kill.Reason != "a drill" || time.Since(kill.At).Abs() > time.Minute {
		t.Errorf("%+v, %v", kill, err)
	}
	if err := other.Set(ctx, journal.Kill, false, "erin", "over"); err != nil {
		t.Fatal(err)
	}
	if err := fx.Once(ctx, "new", o.do, o.find); err != nil || o.made.Load() != 1 {
		t.Errorf("%v, made %d", err, o.made.Load())
	}
	under.wait, under.entered = false, nil
	if err := fx.Once(ctx, "under way", under.do, under.find); err != nil || under.looked.Load() != 1 {
		t.Errorf("what was stopped: %v, looked %d", err, under.looked.Load())
	}
	if told.Load() < 1 {
		t.Error("nobody was told")
	}
}

// TestAbuse5: row 5 of the threat model. A captured delivery is sent again under a new number,
// which is not signed. It is kept and acted on, and its effect, which goes by content, is not
// made again.
func TestAbuse5(t *testing.T) {
	both(t, func(t *testing.T, s *suite) {
		var o outside
		first, again := push("first"), push("again")
		again.Body = first.Body
		if made := s.accept(first, again); made != 2 {
			t.Fatalf("%d jobs", made)
		}
		kept, err := s.Deliveries(t.Context(), journal.Accepted, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		fx := s.Effects("a", journal.EffectOptions{})
		for _, d := range kept {
			d, _, err := s.Delivery(t.Context(), d.Number)
			if err != nil {
				t.Fatal(err)
			}
			if err := fx.Once(t.Context(), "check:"+string(d.Body), o.do, o.find); err != nil {
				t.Fatal(err)
			}
		}
		if o.made.Load() != 1 {
			t.Errorf("made %d times", o.made.Load())
		}
	})
}

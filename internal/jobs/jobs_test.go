package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// TestJobs is the suite for both kinds of database.
func TestJobs(t *testing.T) {
	tests := []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"insert", testInsert},
		{"outcomes", testOutcomes},
		{"retry", testRetry},
		{"key", testKey},
		{"lanes", testLanes},
		{"priority", testPriority},
		{"stop", testStop},
		{"cut", testCut},
		{"schedule", testSchedule},
		{"options", testOptions},
		{"reclaim", testReclaim},
		{"put off", testPutOff},
	}
	server := pgtest.Start(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			on(t, server, tt.test)
		})
	}
}

// both runs a test on both kinds of database.
func both(t *testing.T, test func(t *testing.T, s *suite)) {
	on(t, pgtest.Start(t), test)
}

func on(t *testing.T, server *pgtest.Server, test func(t *testing.T, s *suite)) {
	for _, kind := range []struct {
		name  string
		fresh func(t *testing.T) string
	}{
		{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "data") }},
		{"PostgreSQL", func(t *testing.T) string { return server.Database(t) }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			s := &suite{T: t, setting: kind.fresh(t)}
			s.db = s.open()
			if err := jobs.Migrate(t.Context(), s.db); err != nil {
				t.Fatal(err)
			}
			test(t, s)
		})
	}
}

type suite struct {
	*testing.T
	setting string
	db      *appdb.DB
}

func (s *suite) open() *appdb.DB {
	s.Helper()
	db, err := appdb.Open(s.Context(), s.setting, appdb.Options{})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { db.Close() })
	return db
}

// runner makes a runner of one kind, "k", and more options.
func (s *suite) runner(db *appdb.DB, opt jobs.Options) *jobs.Runner {
	s.Helper()
	r, err := jobs.NewRunner(db, opt)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func (s *suite) start(r *jobs.Runner) {
	s.Helper()
	if err := r.Start(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { s.stop(r) })
}

func (s *suite) stop(r *jobs.Runner) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		s.Error(err)
	}
}

func (s *suite) insert(r *jobs.Runner, news ...jobs.New) []int64 {
	s.Helper()
	var ids []int64
	err := s.db.Tx(s.Context(), func(tx *appdb.Tx) (err error) {
		ids, err = r.Insert(s.Context(), tx, news...)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return ids
}

func (s *suite) wait(what string, within time.Duration, done func() bool) {
	s.Helper()
	for deadline := time.Now().Add(within); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("%s: not within %v", what, within)
		}
	}
}

func (s *suite) state(r *jobs.Runner, id int64) jobs.State {
	s.Helper()
	states, err := r.States(s.Context(), []int64{id})
	if err != nil {
		s.Fatal(err)
	}
	return states[id]
}

// testInsert: a job is there if its transaction is, runs with its arguments, and ends.
func testInsert(t *testing.T, s *suite) {
	var ran sync.Map
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{{Name: "k", Run: func(_ context.Context, j jobs.Job) error {
		ran.Store(string(j.Args), j.Attempt)
		return nil
	}}}})
	stop := errors.New("stop")
	err := s.db.Tx(t.Context(), func(tx *appdb.Tx) error {
		_, err := r.Insert(t.Context(), tx, jobs.New{Kind: "k", Args: "never"})
		return errors.Join(err, stop)
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	ids := s.insert(r, jobs.New{Kind: "k", Args: "one"}, jobs.New{Kind: "k", Args: "two"})
	if len(ids) != 2 || ids[0] == ids[1] || s.state(r, ids[0]) != jobs.Waiting || s.state(r, 1<<40) != jobs.Gone {
		t.Errorf("%v", ids)
	}
	s.start(r)
	s.wait("both end", 10*time.Second, func() bool {
		return s.state(r, ids[0]) == jobs.Ended && s.state(r, ids[1]) == jobs.Ended
	})
	ran.Range(func(args, attempt any) bool {
		if args == `"never"` || attempt != 1 {
			t.Errorf("%v ran, attempt %v", args, attempt)
		}
		return true
	})
	err = s.db.Tx(t.Context(), func(tx *appdb.Tx) error {
		_, err := r.Insert(t.Context(), tx, jobs.New{Kind: "unknown"})
		return err
	})
	if err == nil {
		t.Error("a kind that is not there is taken")
	}
}

// testOutcomes: what a run answers says what becomes of its job.
func testOutcomes(t *testing.T, s *suite) {
	var mu sync.Mutex
	runs, dead := map[string][]int{}, map[string]string{}
	attempts := map[string]int{}
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{{
		Name: "k", Attempts: 1,
		Run: func(_ context.Context, j jobs.Job) error {
			var what string
			_ = json.Unmarshal(j.Args, &what)
			mu.Lock()
			defer mu.Unlock()
			runs[what] = append(runs[what], j.Attempt)
			attempts[what]++
			switch {
			case what == "snooze" && attempts[what] < 4:
				return fmt.Errorf("wrapped: %w", jobs.Snooze(time.Now().Add(20*time.Millisecond)))
			case what == "dead":
				return fmt.Errorf("wrapped: %w", jobs.Dead("it is no good"))
			case what == "fail":
				return errors.New("GitHub is down")
			case what == "odd bytes":
				return errors.New("a\x00b\xffc" + strings.Repeat("é", 5000))
			case what == "panic":
				panic("a fault of ours")
			}
			return nil
		},
		Dead: func(_ context.Context, j jobs.Job, reason string) error {
			mu.Lock()
			defer mu.Unlock()
			var what string
			_ = json.Unmarshal(j.Args, &what)
			dead[what] = reason
			return nil
		},
	}}})
	s.start(r)
	for what, want := range map[string]struct {
		state  jobs.State
		runs   int
		reason string
	}{
		"nothing":   {jobs.Ended, 1, ""},
		"snooze":    {jobs.Ended, 4, ""}, // each its first attempt, though it has one
		"dead":      {jobs.Failed, 1, "it is no good"},
		"fail":      {jobs.Failed, 1, "failed 1 times, at last: GitHub is down"},
		"odd bytes": {jobs.Failed, 1, "failed 1 times, at last: a\uFFFDb\uFFFDc" + strings.Repeat("é", 983)},
		"panic":     {jobs.Failed, 1, "failed 1 times, at last: panic: a fault of ours"},
	} {
		id := s.insert(r, jobs.New{Kind: "k", Args: what})[0]
		s.wait(what+" ends", 15*time.Second, func() bool { state := s.state(r, id); return state == jobs.Ended || state == jobs.Failed })
		mu.Lock()
		if state := s.state(r, id); state != want.state || len(runs[what]) != want.runs || dead[what] != want.reason {
			t.Errorf("%s: state %v, runs %v, reason %q; want %v", what, state, runs[what], dead[what], want)
		}
		for _, attempt := range runs[what] {
			if attempt != 1 {
				t.Errorf("%s: attempts %v", what, runs[what])
			}
		}
		mu.Unlock()
	}
}

// testRetry: a run that fails is tried again, soon where those before it died with their process,
// and its time is bounded.
func testRetry(t *testing.T, s *suite) {
	var runs atomic.Int64
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{{
		Name: "k", Timeout: 200 * time.Millisecond,
		Run: func(ctx context.Context, _ jobs.Job) error {
			if runs.Add(1) == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		},
	}}})
	id := s.insert(r, jobs.New{Kind: "k"})[0]
	if _, err := s.db.Exec(t.Context(), "UPDATE river_job SET attempt = 8 WHERE id = $1", id); err != nil {
		t.Fatal(err)
	}
	s.start(r)
	s.wait("the second run", 25*time.Second, func() bool { return s.state(r, id) == jobs.Ended })
}

// testKey: of one key there is one job at a time.
func testKey(t *testing.T, s *suite) {
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{
		{Name: "k", Run: func(context.Context, jobs.Job) error { return nil }},
		{Name: "l", Run: func(context.Context, jobs.Job) error { return nil }},
	}})
	ids := s.insert(r, jobs.New{Kind: "k", Key: "a", Args: 1}, jobs.New{Kind: "k", Key: "b"}, jobs.New{Kind: "l", Key: "a"})
	again := s.insert(r, jobs.New{Kind: "k", Key: "a", Args: 2})
	if ids[0] == ids[1] || ids[0] == ids[2] || again[0] != ids[0] {
		t.Errorf("%v, then %v", ids, again)
	}
	s.start(r)
	s.wait("it ends", 10*time.Second, func() bool { return s.state(r, ids[0]) == jobs.Ended })
	if once := s.insert(r, jobs.New{Kind: "k", Key: "a"}); once[0] == ids[0] {
		t.Error("a job that has ended keeps another out")
	}
}

// testLanes: jobs of one lane do not wait for those of another.
func testLanes(t *testing.T, s *suite) {
	busy := make(chan struct{})
	wait := func(ctx context.Context, _ jobs.Job) error {
		select {
		case <-busy:
		case <-ctx.Done():
		}
		return nil
	}
	r := s.runner(s.db, jobs.Options{Asking: 2, Long: 1, Kinds: []jobs.Kind{
		{Name: "delivery", Run: func(context.Context, jobs.Job) error { return nil }},
		{Name: "triage", Lane: jobs.Asking, Run: wait},
		{Name: "sweep", Lane: jobs.Long, Run: wait},
	}})
	held := s.insert(r, jobs.New{Kind: "triage"}, jobs.New{Kind: "triage"}, jobs.New{Kind: "triage"}, jobs.New{Kind: "sweep"}, jobs.New{Kind: "sweep"})
	s.start(r)
	s.wait("both lanes are full", 10*time.Second, func() bool { return r.Running() == 3 })
	short := s.insert(r, jobs.New{Kind: "delivery"})
	s.wait("a short job", 10*time.Second, func() bool { return s.state(r, short[0]) == jobs.Ended })
	if n := r.Running(); n != 3 {
		t.Errorf("%d jobs run", n)
	}
	close(busy)
	s.wait("the others", 10*time.Second, func() bool {
		return !slices.ContainsFunc(held, func(id int64) bool { return s.state(r, id) != jobs.Ended })
	})
}

// testPriority: of what is due in a lane, what has priority goes first, however late it came.
func testPriority(t *testing.T, s *suite) {
	var mu sync.Mutex
	var order []string
	r := s.runner(s.db, jobs.Options{Asking: 1, Kinds: []jobs.Kind{{Name: "k", Lane: jobs.Asking, Run: func(_ context.Context, j jobs.Job) error {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, string(j.Args))
		return nil
	}}}})
	ids := s.insert(r, jobs.New{Kind: "k", Args: 3, Priority: 3}, jobs.New{Kind: "k", Args: 4, Priority: 4}, jobs.New{Kind: "k", Args: 2, Priority: 2}, jobs.New{Kind: "k", Args: 1})
	s.start(r)
	s.wait("they end", 10*time.Second, func() bool {
		return !slices.ContainsFunc(ids, func(id int64) bool { return s.state(r, id) != jobs.Ended })
	})
	if got := strings.Join(order, " "); got != "1 2 3 4" {
		t.Errorf("in the order %s", got)
	}
}

// testStop: what runs when a process stops ends, or is given back without an attempt.
func testStop(t *testing.T, s *suite) {
	started := make(chan string, 10)
	var finished, attempt atomic.Int64
	kinds := []jobs.Kind{
		{Name: "quick", Run: func(context.Context, jobs.Job) error {
			started <- "quick"
			time.Sleep(500 * time.Millisecond)
			finished.Add(1)
			return nil
		}},
		{Name: "slow", Attempts: 1, Run: func(ctx context.Context, j jobs.Job) error {
			attempt.Store(int64(j.Attempt))
			started <- "slow"
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Minute):
				return nil
			}
		}},
	}
	r := s.runner(s.db, jobs.Options{Kinds: kinds, Drain: 2 * time.Second})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := s.insert(r, jobs.New{Kind: "quick"}, jobs.New{Kind: "slow"})
	<-started
	<-started
	began := time.Now()
	s.stop(r)
	if took := time.Since(began); took > 5*time.Second || finished.Load() != 1 {
		t.Errorf("stopped after %v, %d finished", took, finished.Load())
	}
	if s.state(r, ids[0]) != jobs.Ended || s.state(r, ids[1]) != jobs.Waiting {
		t.Errorf("the quick is %v, the slow %v", s.state(r, ids[0]), s.state(r, ids[1]))
	}
	next := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{kinds[0], {Name: "slow", Attempts: 1, Run: func(_ context.Context, j jobs.Job) error {
		attempt.Store(int64(j.Attempt))
		return nil
	}}}})
	s.start(next)
	s.wait("the next process runs it", 10*time.Second, func() bool { return s.state(next, ids[1]) == jobs.Ended })
	if attempt.Load() != 1 {
		t.Errorf("attempt %d: being stopped is none", attempt.Load())
	}
}

// testCut: what may be cut short does not hold up a stop, and runs in the next process.
func testCut(t *testing.T, s *suite) {
	started := make(chan struct{}, 10)
	long := jobs.Kind{Name: "long", Attempts: 1, Cut: true, Run: func(ctx context.Context, _ jobs.Job) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}}
	r := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{long}})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := s.insert(r, jobs.New{Kind: "long"})
	<-started
	began := time.Now()
	s.stop(r)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopped after %v", took)
	}
	long.Run = func(context.Context, jobs.Job) error { return nil }
	next := s.runner(s.db, jobs.Options{Kinds: []jobs.Kind{long}})
	s.start(next)
	s.wait("the next process runs it", 10*time.Second, func() bool { return s.state(next, ids[0]) == jobs.Ended })
}

// testSchedule: each turn makes one job, whoever looks and however often, and a long sleep one.
func testSchedule(t *testing.T, s *suite) {
	var turns atomic.Int64
	opt := jobs.Options{
		Kinds:     []jobs.Kind{{Name: "k", Run: func(context.Context, jobs.Job) error { turns.Add(1); return nil }}},
		Schedules: []jobs.Schedule{{Name: "hourly", Every: time.Hour, Kind: "k"}},
	}
	runners := []*jobs.Runner{s.runner(s.db, opt)}
	if s.db.Postgres() != nil {
		runners = append(runners, s.runner(s.open(), opt), s.runner(s.open(), opt))
	}
	for _, r := range runners {
		s.start(r)
	}
	turn := func(what string, n int64) {
		t.Helper()
		s.wait(what, 15*time.Second, func() bool {
			counts, err := runners[0].Counts(t.Context())
			return err == nil && turns.Load() == n && counts["completed"] == n // until then its job stands for the next
		})
	}
	turn("the first turn", 1)
	if _, err := s.db.Exec(t.Context(), "UPDATE app_schedule SET turn = turn - 100"); err != nil {
		t.Fatal(err)
	}
	turn("the turn after a long sleep", 2)
	if _, err := s.db.Exec(t.Context(), "UPDATE app_schedule SET turn = turn + 100"); err != nil { // by a clock that was wrong
		t.Fatal(err)
	}
	turn("the turn after a clock that was wrong", 3)
	time.Sleep(time.Second)
	if n := turns.Load(); n != 3 {
		t.Errorf("%d turns, want 3", n)
	}
}

// testOptions: what cannot work is refused.
func testOptions(t *testing.T, s *suite) {
	run := func(context.Context, jobs.Job) error { return nil }
	for _, tt := range []struct {
		opt  jobs.Options
		want string
	}{
		{jobs.Options{Kinds: []jobs.Kind{{Name: "k", Run: run}, {Name: "k", Run: run}}}, "twice"},
		{jobs.Options{Kinds: []jobs.Kind{{Name: "k"}}}, "Run"},
		{jobs.Options{Kinds: []jobs.Kind{{Name: "k", Run: run, Timeout: time.Hour}}}, "not in the lane Long"},
		{jobs.Options{Schedules: []jobs.Schedule{{Name: "s", Every: time.Hour, Kind: "k"}}}, "no such kind"},
	} {
		if _, err := jobs.NewRunner(s.db, tt.opt); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

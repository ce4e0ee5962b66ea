package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// Runner inserts jobs, and runs them between Start and Stop.
type Runner struct {
	db        *appdb.DB
	id        string
	kinds     map[string]Kind
	schedules []Schedule
	log       *slog.Logger
	lost      time.Duration
	engine    engine
	clock     clock

	stopping atomic.Bool
	stop     chan struct{} // closed when stopping is set
	running  atomic.Int64
	cancel   context.CancelFunc // of the loops
	loops    sync.WaitGroup
}

// NewRunner makes a Runner on a database that Migrate has seen. A kind that is named twice, or a
// schedule of a kind that is not there, is an error.
func NewRunner(db *appdb.DB, opt Options) (*Runner, error) {
	opt.Workers, opt.Long = cmp.Or(opt.Workers, 16), cmp.Or(opt.Long, 2)
	opt.Asking = cmp.Or(opt.Asking, 6)
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	host, err := os.Hostname()
	if err != nil || len(host) > 60 {
		host = "host"
	}
	r := &Runner{
		db: db, id: fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8]),
		kinds: map[string]Kind{}, schedules: opt.Schedules, log: opt.Logger, lost: cmp.Or(opt.Lost, Lost), stop: make(chan struct{}),
	}
	for _, k := range opt.Kinds {
		switch most := MaxTimeout; {
		case r.kinds[k.Name].Name != "" || k.Name == "" || k.Run == nil:
			return nil, fmt.Errorf("kind of job %q: named twice, or without a name or Run", k.Name)
		case k.Lane == Long:
			k.Timeout = cmp.Or(k.Timeout, LongTimeout)
		case k.Timeout > most:
			return nil, fmt.Errorf("kind of job %q: a run of %v is longer than %v and not in the lane Long", k.Name, k.Timeout, most)
		}
		k.Timeout = min(cmp.Or(k.Timeout, DefaultTimeout), LongTimeout)
		k.Attempts = cmp.Or(k.Attempts, DefaultAttempts)
		r.kinds[k.Name] = k
	}
	for _, s := range opt.Schedules {
		if r.kinds[s.Kind].Name == "" || s.Every < time.Second {
			return nil, fmt.Errorf("schedule %q: every %v, of kind %q: there is no such kind, or it is too often", s.Name, s.Every, s.Kind)
		}
	}
	r.engine, err = newEngine(db, r.config(opt))
	return r, err
}

// ID names this process's runner among those of the database.
func (r *Runner) ID() string { return r.id }

// Running is how many jobs this process runs now.
func (r *Runner) Running() int { return int(r.running.Load()) }

// Insert inserts jobs in a transaction and gives their numbers, in order. A job that another of
// its key keeps out has the number of that one.
func (r *Runner) Insert(ctx context.Context, tx *appdb.Tx, jobs ...New) ([]int64, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		kind, known := r.kinds[j.Kind]
		if !known {
			return nil, fmt.Errorf("insert a job: there is no kind %q", j.Kind)
		}
		raw, err := json.Marshal(j.Args)
		if err != nil {
			return nil, fmt.Errorf("insert a job of kind %q: %w", j.Kind, err)
		}
		opts := &river.InsertOpts{MaxAttempts: kind.Attempts, Queue: queues[kind.Lane], ScheduledAt: j.At, Priority: j.Priority}
		if j.Key != "" {
			opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
				rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
			}}
		}
		params[i] = river.InsertManyParams{Args: args{Name: j.Kind, Key: j.Key, Args: raw}, InsertOpts: opts}
	}
	results, err := r.engine.insert(ctx, tx, params)
	if err != nil {
		return nil, fmt.Errorf("insert jobs: %w", err)
	}
	ids := make([]int64, len(results))
	for i, result := range results {
		ids[i] = result.Job.ID
	}
	return ids, nil
}

// Start takes back what dead processes held, and begins to run jobs. It goes on until Stop.
func (r *Runner) Start(ctx context.Context) error {
	if err := r.clock.set(ctx, r.db); err != nil {
		return fmt.Errorf("start to run jobs: %w", err)
	}
	if err := r.register(ctx); err != nil {
		return fmt.Errorf("start to run jobs: %w", err)
	}
	if err := r.engine.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start to run jobs: %w", err)
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.loop(ctx, beatEvery, r.beat)
	r.starting(ctx)
	r.loop(ctx, turnEvery, r.turns)
	return nil
}

// Stop takes no more jobs, waits for those that run but for what is Cut, ends them after Drain, and
// gives back what did not end. It returns when ctx does, at the latest.
func (r *Runner) Stop(ctx context.Context) error {
	if !r.stopping.Swap(true) {
		close(r.stop)
	}
	if r.cancel != nil {
		r.cancel()
	}
	err := r.engine.Stop(ctx)
	r.loops.Wait()
	if err != nil {
		return fmt.Errorf("stop running jobs: %w", err)
	}
	return r.unregister(ctx)
}

// Stopped is closed once no jobs are run any more, by Stop or by themselves.
func (r *Runner) Stopped() <-chan struct{} { return r.engine.Stopped() }

// loop calls f at once and then every so often, in a goroutine of its own.
func (r *Runner) loop(ctx context.Context, every time.Duration, f func(context.Context)) {
	r.loops.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			f(ctx)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// States tells where jobs stand. A number that is not there is Gone.
func (r *Runner) States(ctx context.Context, ids []int64) (map[int64]State, error) {
	states := make(map[int64]State, len(ids))
	for _, id := range ids {
		var state string
		ok, err := r.db.One(ctx, "SELECT state FROM river_job WHERE id = $1", []any{id}, &state)
		if err != nil {
			return nil, err
		}
		switch {
		case !ok:
			states[id] = Gone
		case state == string(rivertype.JobStateCompleted):
			states[id] = Ended
		case state == string(rivertype.JobStateDiscarded), state == string(rivertype.JobStateCancelled):
			states[id] = Failed
		default:
			states[id] = Waiting
		}
	}
	return states, nil
}

// Counts counts the jobs by River's states.
func (r *Runner) Counts(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	err := r.db.Query(ctx, "SELECT state, count(*) FROM river_job GROUP BY state", nil, func(scan func(...any) error) error {
		var state string
		var n int64
		if err := scan(&state, &n); err != nil {
			return err
		}
		counts[state] = n
		return nil
	})
	return counts, err
}

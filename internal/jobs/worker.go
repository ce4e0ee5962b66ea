package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/wormsweep/wormsweep/internal/appdb"
)

// worker runs every job.
type worker struct {
	river.WorkerDefaults[args]
	runner *Runner
}

// Timeout implements river.Worker.
func (w *worker) Timeout(job *river.Job[args]) time.Duration {
	if kind, ok := w.runner.kinds[job.Args.Name]; ok {
		return kind.Timeout
	}
	return DefaultTimeout
}

// The delays between attempts: 5 seconds, twice as many each time, half an hour at most.
const (
	firstRetry = 5 * time.Second
	maxRetry   = 30 * time.Minute
)

// NextRetry implements river.Worker. A run whose process died is an attempt, and no failure: how it is
// put off is for reclaim to say.
func (w *worker) NextRetry(job *river.Job[args]) time.Time {
	return w.runner.Now().Add(delay(len(job.Errors) + 1))
}

func delay(failures int) time.Duration {
	if failures > 10 {
		return maxRetry
	}
	return min(firstRetry<<max(failures-1, 0), maxRetry)
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	r := w.runner
	r.running.Add(1)
	defer r.running.Add(-1)
	j := Job{ID: job.ID, Kind: job.Args.Name, Args: job.Args.Args, Attempt: job.Attempt, Last: job.Attempt >= job.MaxAttempts}
	kind, known := r.kinds[j.Kind]
	if kind.Cut {
		var done func()
		ctx, done = r.untilStop(ctx)
		defer done()
	}
	err := fmt.Errorf("this version of the program has no kind of job %q", j.Kind)
	if known {
		err = run(ctx, kind, j)
	}
	return r.outcome(ctx, kind, j, err)
}

// untilStop gives a context that ends when this process stops. done lets go of it.
func (r *Runner) untilStop(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-r.stop:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel()
		watch.Wait()
	}
}

// run calls a kind's Run and makes an error of a panic.
func run(ctx context.Context, kind Kind, j Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{fmt.Sprint(p), debug.Stack()}
		}
	}()
	return kind.Run(ctx, j)
}

// panicError is a panic of a run.
type panicError struct {
	value string
	stack []byte
}

func (e *panicError) Error() string { return "panic: " + e.value }

// outcome is what River is told of a run.
func (r *Runner) outcome(ctx context.Context, kind Kind, j Job, err error) error {
	var snooze *SnoozeError
	var dead *DeadError
	about := []slog.Attr{slog.Int64("job", j.ID), slog.String("kind", j.Kind), slog.Int("attempt", j.Attempt)}
	switch {
	case err == nil:
		return nil
	case errors.As(err, &snooze):
		r.log.LogAttrs(ctx, slog.LevelDebug, "a job is put off", append(about, slog.Time("until", snooze.Until))...)
		return river.JobSnooze(max(0, time.Until(snooze.Until)))
	case errors.As(err, &dead):
		return r.bury(ctx, kind, j, dead.Reason, about)
	case r.stopping.Load() && ctx.Err() != nil:
		r.log.LogAttrs(ctx, slog.LevelInfo, "a job is given back: this process stops", about...)
		return river.JobSnooze(0)
	case j.Last:
		return r.bury(ctx, kind, j, fmt.Sprintf("failed %d times, at last: %v", j.Attempt, err), about)
	}
	var p *panicError
	if errors.As(err, &p) {
		about = append(about, slog.String("stack", string(p.stack)))
	}
	r.log.LogAttrs(ctx, slog.LevelWarn, "a job failed, and is tried again", append(about, slog.String("error", err.Error()))...)
	return errors.New(appdb.Text(err.Error(), maxReason))
}

// maxReason bounds what is kept of an error, in bytes.
const maxReason = 2000

// bury ends a job for good.
func (r *Runner) bury(ctx context.Context, kind Kind, j Job, reason string, about []slog.Attr) error {
	reason = appdb.Text(reason, maxReason)
	r.log.LogAttrs(ctx, slog.LevelError, "a job is given up", append(about, slog.String("reason", reason))...)
	if kind.Dead != nil {
		// What a job's time was not enough for is told all the same.
		told, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := kind.Dead(told, j, reason); err != nil {
			return errors.New(appdb.Text(fmt.Sprintf("tell that a job is given up (%s): %v", reason, err), maxReason))
		}
	}
	return river.JobCancel(errors.New(reason))
}

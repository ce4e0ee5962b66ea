package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// deliveryArgs are the arguments of a delivery's job: its number alone, since jobs are not for
// what a delivery says.
type deliveryArgs struct {
	Delivery int64 `json:"delivery"`
}

// deliver acts on a delivery.
func (a *App) deliver(ctx context.Context, j jobs.Job) error {
	args, err := decode[deliveryArgs](j)
	if err != nil {
		return err
	}
	d, found, err := a.journal.Delivery(ctx, args.Delivery)
	switch {
	case err != nil:
		return err
	case !found, d.State != journal.Accepted:
		return nil // it was done when a run before this one was cut short
	case d.Body == nil:
		return jobs.Dead("its body is not kept any more")
	}
	if err := a.act(ctx, d.Delivery); err != nil {
		return a.failed(ctx, d.Number, err)
	}
	crash("before done")
	return a.ends.Do(ctx, journal.End{Number: d.Number, State: journal.Done})
}

// act calls the handlers of a delivery, all of them, whatever one answers.
func (a *App) act(ctx context.Context, d hook.Delivery) error {
	d, err := a.installations.resolve(ctx, d)
	if err == nil {
		err = a.installations.check(ctx, d)
	}
	if err != nil {
		return a.translate(d, err)
	}
	var errs []error
	for _, h := range a.handlers[d.Event] {
		if err := a.call(ctx, h, d); err != nil {
			errs = append(errs, a.translate(d, err))
		}
	}
	return worst(errs)
}

// call calls a handler and makes an error of a panic, so that the others are called all the same.
func (a *App) call(ctx context.Context, h handler.Handler, d hook.Delivery) (err error) {
	defer a.recovered(ctx, &err)
	return h.Handle(ctx, d, a.effects)
}

// recovered makes an error of a panic, and says where it was.
func (a *App) recovered(ctx context.Context, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
		a.log.LogAttrs(ctx, slog.LevelError, "a handler panicked", slog.String("error", (*err).Error()), slog.String("stack", string(debug.Stack())))
	}
}

// worst is the error of several that says what becomes of a delivery: one that is tried again
// before one that is put off, and that before one that is given up.
func worst(errs []error) error {
	var worst error
	rank := 0
	for _, err := range errs {
		var snooze *jobs.SnoozeError
		var dead *jobs.DeadError
		n := 3
		switch {
		case errors.As(err, &snooze):
			n = 2
		case errors.As(err, &dead):
			n = 1
		}
		if n > rank {
			rank, worst = n, err
		}
	}
	return worst
}

// suspendedRetry is how often what a suspended installation's deliveries ask for is looked at
// anew.
const suspendedRetry = 2 * time.Minute

// translate says what becomes of a delivery whose handler was told of a limit of GitHub, or that
// its installation is suspended.
func (a *App) translate(d hook.Delivery, err error) error {
	var suspended *ghclient.SuspendedError
	if errors.As(err, &suspended) {
		a.installations.forget(d.Installation)
	}
	return limited(err)
}

// limited puts off what a limit of GitHub or a suspension stopped: waiting uses up no attempt.
func limited(err error) error {
	var limit *ghclient.RateLimitedError
	var suspended *ghclient.SuspendedError
	switch {
	case errors.As(err, &limit):
		return &jobs.SnoozeError{Until: limit.Until, Err: err}
	case errors.As(err, &suspended):
		return &jobs.SnoozeError{Until: time.Now().Add(suspendedRetry), Err: err}
	}
	return err
}

// failed counts a run that failed.
func (a *App) failed(ctx context.Context, number int64, err error) error {
	var snooze *jobs.SnoozeError
	if errors.As(err, &snooze) || ctx.Err() != nil {
		return err
	}
	if counted := a.journal.Failed(ctx, number); counted != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a failed run was not counted", slog.Int64("delivery", number), slog.String("error", counted.Error()))
	}
	return err
}

// deadLetter keeps why a delivery was given up.
func (a *App) deadLetter(ctx context.Context, j jobs.Job, reason string) error {
	args, err := decode[deliveryArgs](j)
	if err != nil {
		return nil // whose it was cannot be said; the janitor finds the delivery
	}
	a.metrics.dead.Inc()
	return a.ends.Do(ctx, journal.End{Number: args.Delivery, State: journal.Dead, Reason: reason})
}

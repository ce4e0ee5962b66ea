// Package handler is what the App's handlers and the App agree on: what a handler is given, and
// what it may give back. The table of handlers by event is in package app.
package handler

import (
	"context"

	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// A Handler acts on deliveries of the events that the App's table names for it.
//
// It is called at least once for each delivery, now and then more than once for one, and by
// several processes at a time: whatever it does is keyed by content (repository, commit,
// campaign), never by the delivery. Its context ends with the job's time, when the program stops,
// and when the job is another's.
//
// The error says what becomes of the delivery: nil is done; jobs.Snooze comes back at a time
// without using up an attempt; jobs.Dead gives up with a reason; any other is tried again, later
// each time, up to a bound, and is a dead letter then. Of several handlers of one event all are
// called, whatever the others answer, and all again when one is to be called again.
type Handler interface {
	Handle(ctx context.Context, d hook.Delivery, fx Effects) error
}

// Func is a function as a Handler.
type Func func(ctx context.Context, d hook.Delivery, fx Effects) error

// Handle calls f.
func (f Func) Handle(ctx context.Context, d hook.Delivery, fx Effects) error { return f(ctx, d, fx) }

// Signals is where a handler puts what it noticed.
type Signals interface {
	// Signal keeps a signal, and has it triaged soon. It returns once it is on the disk. ID,
	// Fingerprint, Episode, Count and, where they are not set, the times are filled in. SourceRef
	// should name the finding or the delivery: the same signal with the same one changes nothing.
	Signal(ctx context.Context, s triage.Signal) error
}

// A Taker takes signals to triage and on. It is called at least once for a signal as it is after
// the last that came to it, as a Handler is for deliveries, and its errors mean the same.
type Taker interface {
	Take(ctx context.Context, s triage.Signal, fx Effects) error
}

// TakerFunc is a function as a Taker.
type TakerFunc func(ctx context.Context, s triage.Signal, fx Effects) error

// Take calls f.
func (f TakerFunc) Take(ctx context.Context, s triage.Signal, fx Effects) error { return f(ctx, s, fx) }

// Effects is the one way to write to the outside.
type Effects interface {
	// Once has do called once in the whole life of key, by whichever process comes first: 90 days
	// from the last claim (journal.Retention). The key is of content: a kind and what the effect
	// is about ("check-run:acme/web:<commit>").
	//
	// The key is claimed in the database before do is called, and the receipt of do (which may be
	// nil) is recorded after it. Where an earlier claim of the key came to no record (its process
	// died, do failed), find is asked first: it looks at the outside world and returns the receipt
	// of what is there already. find must not write; do must honour its context, which ends with
	// the claim, with the job, and within a second of the kill switch.
	//
	// Once returns nil where the effect is there, by this call or an earlier one; a snooze where
	// another process holds the key or the kill switch is on; otherwise what do or find returned.
	Once(ctx context.Context, key string,
		do func(ctx context.Context) (receipt []byte, err error),
		find func(ctx context.Context) (receipt []byte, found bool, err error)) error
}

package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// The errors of Once that callers may branch on.
var (
	ErrKilled = errors.New("the kill switch is on")
	ErrFenced = errors.New("another process has claimed the effect since")
)

// EffectOptions are the settings of Effects. The zero value is ready for production.
type EffectOptions struct {
	Lease  time.Duration // how long a claim holds; 0 is DefaultLease
	Logger *slog.Logger
	// Crash is called at the named steps of Once, for tests that kill the process there; nil is
	// nothing.
	Crash func(step string)
}

// DefaultLease is how long a claim holds: a dead process's work is back within two minutes.
const DefaultLease = 90 * time.Second

// margin is how long before its lease ends whoever holds a claim must be done.
const margin = 10 * time.Second

// Effects makes writes to the outside, each once. It is safe for concurrent use.
type Effects struct {
	j      *Journal
	holder string
	opt    EffectOptions

	mu    sync.Mutex
	calls map[*context.CancelCauseFunc]struct{} // of calls that are under way
}

// Effects makes a process's Effects. holder names it among those of the database.
func (j *Journal) Effects(holder string, opt EffectOptions) *Effects {
	opt.Lease = cmp.Or(opt.Lease, DefaultLease)
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Crash == nil {
		opt.Crash = func(string) {}
	}
	return &Effects{j: j, holder: holder, opt: opt, calls: map[*context.CancelCauseFunc]struct{}{}}
}

// Once implements handler.Effects.
func (e *Effects) Once(ctx context.Context, key string, do func(context.Context) ([]byte, error), find func(context.Context) ([]byte, bool, error)) error {
	if key == "" || key != appdb.Text(key, maxKey) {
		return jobs.Dead(fmt.Sprintf("effect %.100q: not a key: empty, too long, or of odd bytes", key))
	}
	e.opt.Crash("before claim")
	c, err := e.claim(ctx, key)
	if err != nil || c.done {
		return err
	}
	e.opt.Crash("after claim")
	receipt, err := e.call(ctx, c, do, find)
	if err != nil {
		// Whether it is there is not known now: who comes next looks first.
		e.release(ctx, key, c, err)
		if errors.Is(err, ErrKilled) {
			return put(time.Now().Add(killedRetry), err)
		}
		return err
	}
	e.opt.Crash("after call")
	err = e.record(ctx, key, c, receipt)
	e.opt.Crash("after record")
	return err
}

// Orphans gives back all claims. It is for a process that is the only one of its database and
// has claimed nothing yet: whoever holds a claim is dead, and it is not known how far he came.
func (j *Journal) Orphans(ctx context.Context) error {
	_, err := j.db.Exec(ctx, "UPDATE app_effect SET state = 'failed', lease = 0, reason = 'the process that claimed it died' WHERE state = 'claimed'")
	if err != nil {
		return fmt.Errorf("give back the claims of a dead process: %w", err)
	}
	return nil
}

// maxKey is the length in bytes of the longest key.
const maxKey = 1000

// killedRetry is how long what the kill switch stopped is put off.
const killedRetry = 30 * time.Second

func put(until time.Time, why error) error { return &jobs.SnoozeError{Until: until, Err: why} }

// claim is a claim of an effect.
type claim struct {
	done  bool  // it is there: nothing is to be done
	fence int64 // of this claim
	again bool  // an earlier claim came to no record
	ends  time.Time
}

// claim takes a key, where it is free.
func (e *Effects) claim(ctx context.Context, key string) (claim, error) {
	var c claim
	began := time.Now() // the lease is no longer than from here, whatever the clocks say
	err := e.j.db.Tx(ctx, func(tx *appdb.Tx) error {
		c = claim{}
		kill, err := readSwitch(ctx, tx, Kill)
		if err != nil {
			return err
		}
		if kill.On {
			return put(time.Now().Add(killedRetry), fmt.Errorf("effect %q: %w", key, ErrKilled))
		}
		isNew, err := tx.Exec(ctx, `INSERT INTO app_effect (key, state, holder, fence, lease, claimed)
			VALUES ($1, 'claimed', $2, 1, {now} + $3, {now}) ON CONFLICT (key) DO NOTHING`, key, e.holder, e.opt.Lease.Milliseconds())
		if err != nil {
			return err
		}
		if isNew > 0 {
			c.fence = 1
			return nil
		}
		var state string
		var left int64
		lock := ""
		if tx.Postgres() != nil {
			lock = " FOR UPDATE"
		}
		if _, err := tx.One(ctx, "SELECT state, fence, lease - {now} FROM app_effect WHERE key = $1"+lock, []any{key}, &state, &c.fence, &left); err != nil {
			return err
		}
		switch {
		case state == "done":
			c.done = true
			return nil
		case state == "claimed" && left > 0:
			return put(time.Now().Add(time.Duration(left)*time.Millisecond), fmt.Errorf("effect %q: another run holds it", key))
		}
		c.fence++
		c.again = true
		_, err = tx.Exec(ctx, "UPDATE app_effect SET state = 'claimed', holder = $1, fence = $2, lease = {now} + $3, claimed = {now}, reason = '' WHERE key = $4",
			e.holder, c.fence, e.opt.Lease.Milliseconds(), key)
		return err
	})
	c.ends = began.Add(e.opt.Lease)
	var snooze *jobs.SnoozeError
	if err != nil && !errors.As(err, &snooze) {
		err = fmt.Errorf("claim the effect %q: %w", key, err)
	}
	return c, err
}

// call looks for the effect where it may be there already, and has it.
func (e *Effects) call(ctx context.Context, c claim, do func(context.Context) ([]byte, error), find func(context.Context) ([]byte, bool, error)) (receipt []byte, err error) {
	ctx, cancel := context.WithDeadlineCause(ctx, c.ends.Add(-min(margin, e.opt.Lease/4)), ErrFenced)
	defer cancel()
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	e.mu.Lock()
	e.calls[&kill] = struct{}{}
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.calls, &kill)
		e.mu.Unlock()
		if err != nil && errors.Is(context.Cause(ctx), ErrKilled) {
			err = fmt.Errorf("%w: %w", ErrKilled, err)
		}
	}()
	if c.again {
		receipt, found, err := find(ctx)
		if err != nil {
			return nil, fmt.Errorf("look whether it is there already: %w", err)
		}
		if found {
			return receipt, nil
		}
	}
	if err := e.mayStill(ctx, c); err != nil {
		return nil, err
	}
	e.opt.Crash("before call")
	return do(ctx)
}

// mayStill looks a last time before a call whether it may be made. A process that slept past its
// lease is held up here.
func (e *Effects) mayStill(ctx context.Context, c claim) error {
	kill, err := e.j.Switch(ctx, Kill)
	switch {
	case !time.Now().Before(c.ends):
		return ErrFenced
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case kill.On:
		return ErrKilled
	}
	return nil
}

// record keeps the receipt, unless another has claimed the effect meanwhile.
func (e *Effects) record(ctx context.Context, key string, c claim, receipt []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	n, err := e.j.db.Exec(ctx, `UPDATE app_effect SET state = 'done', receipt = $1, recorded = {now}, reason = ''
		WHERE key = $2 AND fence = $3 AND state = 'claimed'`, receipt, key, c.fence)
	if err == nil && n == 0 {
		err = ErrFenced
	}
	if err != nil {
		return fmt.Errorf("record the effect %q: %w", key, err)
	}
	return nil
}

// release gives a claim back whose call failed. Where this fails too, its lease ends by itself.
func (e *Effects) release(ctx context.Context, key string, c claim, why error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err := e.j.db.Exec(ctx, "UPDATE app_effect SET state = 'failed', lease = 0, reason = $1 WHERE key = $2 AND fence = $3 AND state = 'claimed'",
		appdb.Text(why.Error(), maxReason), key, c.fence)
	if err != nil {
		e.opt.Logger.LogAttrs(ctx, slog.LevelWarn, "a claim was not given back", slog.String("effect", key), slog.String("error", err.Error()))
	}
}

// watchEvery is how often a process looks at the kill switch.
const watchEvery = 300 * time.Millisecond

// Watch ends calls that are under way when the kill switch is set, by whichever process, until
// ctx ends. told, where not nil, is called with each position that is seen first.
func (e *Effects) Watch(ctx context.Context, told func(Switch)) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	seen := Switch{}
	for {
		kill, err := e.j.Switch(ctx, Kill)
		if err == nil && kill != seen {
			seen = kill
			if told != nil {
				told(kill)
			}
		}
		if err == nil && kill.On {
			e.stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (e *Effects) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for kill := range e.calls {
		(*kill)(ErrKilled)
	}
}

// Effect is an effect as it is kept.
type Effect struct {
	Key, State, Holder, Reason string
	Receipt                    []byte
	Claimed, Recorded          time.Time
}

// Effect reads an effect by its key.
func (j *Journal) Effect(ctx context.Context, key string) (e Effect, found bool, err error) {
	e.Key = key
	var claimed, recorded int64
	found, err = j.db.One(ctx, "SELECT state, holder, reason, receipt, claimed, recorded FROM app_effect WHERE key = $1", []any{key},
		&e.State, &e.Holder, &e.Reason, &e.Receipt, &claimed, &recorded)
	e.Claimed, e.Recorded = appdb.Time(claimed), appdb.Time(recorded)
	if err != nil {
		return Effect{}, false, fmt.Errorf("read the effect %q: %w", key, err)
	}
	return e, found, nil
}

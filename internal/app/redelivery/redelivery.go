// Package redelivery asks GitHub to deliver again what did not arrive: GitHub itself never does.
//
// A run lists the attempts to deliver to the App's webhook as far back as GitHub keeps them, first
// those that failed, and asks for every event that is not stored, the oldest first. An event that
// was answered with 2xx and is not stored was lost since, with a database that was put back: it is
// asked for as well.
//
// Each attempt is asked for once an hour at most, by whichever process, so that an event that
// keeps failing is tried as long as GitHub has it, and no storm comes of it.
package redelivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/handler"
)

// The defaults of Options.
const (
	DefaultMost  = 200
	DefaultPages = 200
	kept         = 3 * 24 * time.Hour // how long GitHub keeps what it delivered
	overlap      = 15 * time.Minute   // of what was looked through before
	again        = time.Hour          // until an attempt is asked for anew that came to nothing
)

// GitHub is asked as the App; *ghclient.Client is one.
type GitHub interface {
	HookDeliveries(ctx context.Context, failed bool, page string) (list []ghclient.HookDelivery, next string, err error)
	Redeliver(ctx context.Context, attempt int64) error
}

// Store tells what is stored; *journal.Journal is one.
type Store interface {
	Stored(ctx context.Context, ids []string) (map[string]bool, error)
}

// Options are the settings of a Reconciler. GitHub, Store and Effects are needed.
type Options struct {
	GitHub  GitHub
	Store   Store
	Effects handler.Effects
	Most    int // events that are asked for in one run; 0: DefaultMost
	Pages   int // of 100 attempts that are read in one run, of each list; 0: DefaultPages
	Log     *slog.Logger
	Now     func() time.Time
}

// Reconciler reconciles. It is safe for concurrent use.
type Reconciler struct {
	opt Options

	mu     sync.Mutex
	looked time.Time // all attempts before were looked through by this process
}

// New makes a Reconciler.
func New(o Options) *Reconciler {
	o.Most, o.Pages = cmp.Or(o.Most, DefaultMost), cmp.Or(o.Pages, DefaultPages)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Reconciler{opt: o}
}

// Result is what a run came to.
type Result struct {
	Missing int  // events that did not arrive
	Asked   int  // of them, those that were asked for in this run
	Left    bool // more are missing than are asked for in a run
	Cut     bool // more attempts are listed than are read in a run
}

// Run looks for what did not arrive, and asks for it. After an error the next run looks again.
func (r *Reconciler) Run(ctx context.Context) (Result, error) {
	r.mu.Lock()
	since := r.looked.Add(-overlap)
	r.mu.Unlock()
	began := r.opt.Now()
	oldest := began.Add(-kept)
	if since.Before(oldest) {
		since = oldest
	}
	var result Result
	missing := map[string]ghclient.HookDelivery{} // the newest attempt of each event
	for _, list := range []struct {
		failed bool
		since  time.Time
	}{{true, oldest}, {false, since}} {
		cut, err := r.list(ctx, list.failed, list.since, missing)
		if err != nil {
			return result, err
		}
		result.Cut = result.Cut || cut
	}
	todo := slices.SortedFunc(maps.Values(missing), func(a, b ghclient.HookDelivery) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	result.Missing = len(todo)
	for _, d := range todo {
		if result.Asked == r.opt.Most {
			result.Left = true
			break
		}
		asked, err := r.ask(ctx, d)
		if err != nil {
			return result, err
		}
		if asked {
			result.Asked++
		}
	}
	r.tell(ctx, result)
	if !result.Cut {
		r.mu.Lock()
		r.looked = began
		r.mu.Unlock()
	}
	return result, nil
}

// list adds to missing the events of a list of attempts, back to a time, that are not stored. It
// reports whether the list goes on.
func (r *Reconciler) list(ctx context.Context, failed bool, since time.Time, missing map[string]ghclient.HookDelivery) (cut bool, err error) {
	page := ""
	for range r.opt.Pages {
		attempts, next, err := r.opt.GitHub.HookDeliveries(ctx, failed, page)
		if err != nil {
			return false, fmt.Errorf("list what GitHub delivered: %w", err)
		}
		var ids []string
		for _, d := range attempts {
			ids = append(ids, d.GUID)
		}
		stored, err := r.opt.Store.Stored(ctx, ids)
		if err != nil {
			return false, err
		}
		over := next == ""
		for _, d := range attempts {
			over = over || d.At.Before(since)
			if stored[d.GUID] || d.At.Before(since) {
				continue
			}
			if had, there := missing[d.GUID]; !there || d.ID > had.ID {
				missing[d.GUID] = d
			}
		}
		if over {
			return false, nil
		}
		page = next
	}
	return true, nil
}

// ask asks for an event again, unless it was for this attempt within the hour.
func (r *Reconciler) ask(ctx context.Context, d ghclient.HookDelivery) (asked bool, err error) {
	key := fmt.Sprintf("redeliver:%s:%d:%d", d.GUID, d.ID, r.opt.Now().Sub(d.At)/again)
	err = r.opt.Effects.Once(ctx, key, func(ctx context.Context) ([]byte, error) {
		err := r.opt.GitHub.Redeliver(ctx, d.ID)
		if errors.Is(err, ghclient.ErrNotFound) {
			return []byte("GitHub has it no more"), nil
		}
		asked = err == nil
		return nil, err
	}, func(ctx context.Context) ([]byte, bool, error) {
		// It may have been asked for: then it is stored by now, or its attempt is asked for anew
		// in an hour. Asking twice is delivering twice, which does no harm.
		stored, err := r.opt.Store.Stored(ctx, []string{d.GUID})
		return nil, stored[d.GUID], err
	})
	if err != nil {
		return asked, fmt.Errorf("ask for delivery %q again: %w", d.GUID, err)
	}
	return asked, nil
}

func (r *Reconciler) tell(ctx context.Context, result Result) {
	if result.Missing > 0 {
		r.opt.Log.LogAttrs(ctx, slog.LevelWarn, "deliveries did not arrive, and are asked for again",
			slog.Int("missing", result.Missing), slog.Int("asked", result.Asked))
	}
	if result.Cut {
		r.opt.Log.LogAttrs(ctx, slog.LevelError, "GitHub lists more deliveries than are looked through in a run", slog.Int("pages", r.opt.Pages))
	}
}

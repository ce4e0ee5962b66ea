// Package change looks at what a push, a pull request or a merge group brings into a repository,
// as soon as GitHub tells of it.
//
// A delivery is a hint. What a ref names is asked of GitHub, so that deliveries that come late,
// twice, in another order or by the thousand lead to the state that there is, and to no other: of
// many to one ref only the newest state is looked at. Of that state the trees are fetched, and of
// the contents those alone that the inventory does not know.
//
// What is found goes to a check run of the commit (package checkrun), to the incidents of the
// organisation, and to triage as signals. The inventory then knows what the ref holds.
package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Incidents keeps the incidents of one organisation (incident.Filer).
type Incidents interface {
	Interest(ctx context.Context) ([]incident.Swept, error)
	File(ctx context.Context, s *incident.Sweep) incident.Outcome
}

// Options are the settings of Handlers. GitHub, AppID, Inventory and Catalogue are needed.
type Options struct {
	GitHub    *ghclient.Client // signs as the App
	AppID     int64
	Inventory *store.Store
	Catalogue func() *ioc.Set
	// Exclusions are what an organisation has decided to live with; nil is nothing.
	Exclusions func(ctx context.Context, organisation string) (sweep.Exclusions, error)
	// Incidents gives the incidents of an organisation; nil, and a nil answer, is none.
	Incidents func(ctx context.Context, organisation string) (Incidents, error)
	// Raise takes a signal to triage; nil takes none.
	Raise func(ctx context.Context, s triage.Signal) error
	// Scope says how much of a repository is looked at; nil is all. github may read the contents of
	// it. After an error what it gives counts all the same.
	Scope func(ctx context.Context, github settings.Getter, repository string) (settings.Scope, error)

	Workers int    // of the process: how many deliveries it acts on at a time; 0 is 16
	Version string // of the program
	Dir     string // of temporary files; os.TempDir() if ""
	// Now is the clock that all processes have in common: by it goes when a delivery came, and when
	// GitHub was asked; nil is this machine's.
	Now func() time.Time
	Log *slog.Logger
}

// Handlers are the handlers of this package. They are safe for concurrent use.
type Handlers struct {
	opt     Options
	clients clients
	checks  *checkrun.Publisher
	gate    gate
	told    told
}

// New makes the handlers. Nothing is asked yet.
func New(opt Options) *Handlers {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Workers <= 0 {
		opt.Workers = 16
	}
	h := &Handlers{opt: opt, clients: clients{github: opt.GitHub}}
	h.checks = checkrun.New(checkrun.Options{Records: opt.Inventory.Records(checkrun.RecordKind), AppID: opt.AppID, Now: opt.Now})
	h.gate = newGate(opt.Workers)
	return h
}

// Table are the handlers by event.
func (h *Handlers) Table() map[string]handler.Handler {
	return map[string]handler.Handler{
		"push":         handler.Func(h.push),
		"pull_request": handler.Func(h.pullRequest),
		"merge_group":  handler.Func(h.mergeGroup),
		"check_run":    handler.Func(h.checkRun),
		"check_suite":  handler.Func(h.checkSuite),
	}
}

// read reads a delivery. One that is none of GitHub's is dead.
func read[E any, P interface {
	*E
	appevent.Event
}](d hook.Delivery) (P, error) {
	e, err := appevent.As[E, P](d.Event, d.Body)
	switch {
	case err != nil:
		return nil, jobs.Dead(err.Error())
	case e.About().Repository == nil:
		return nil, jobs.Dead(fmt.Sprintf("event %q: it names no repository", d.Event))
	}
	return e, nil
}

// fresh is how long after a delivery GitHub may show what was before it.
const fresh = time.Minute

// lags puts a delivery off where GitHub shows a state that the delivery says is over.
func (h *Handlers) lags(d hook.Delivery, what string) error {
	if h.opt.Now().Sub(d.Received) > fresh {
		return nil
	}
	return &jobs.SnoozeError{Until: time.Now().Add(3 * time.Second), Err: fmt.Errorf("GitHub does not show %s yet", what)}
}

// subject is a commit to look at, and what it is compared with.
type subject struct {
	part checkrun.Part // without a verdict
	head string
	root string // id of the head's tree, where it is known
	// base gives the commit that it is compared with, once there is something to compare; "" is
	// none.
	base func(ctx context.Context) (string, error)
	show func(*shown) // what the ref shows beside its files; may be nil
	// always says that the check run is made also where there is nothing to say.
	always bool
	anew   bool // somebody asked for it again
}

// outcome is what became of a subject.
type outcome struct {
	events  []finding.Event // of the head
	brought []*finding.Finding
	failed  error // something could not be read, and may be another time
}

// look looks at a subject, says in its check run what it brings in, and writes down what its
// contents hold, with the state of those refs that keep names. Nothing else is written outside.
func (h *Handlers) look(ctx context.Context, w *work, s subject, keep func(ref string) bool) (outcome, error) {
	after, events, err := w.sweep(ctx, s.part.Ref, s.head, s.root, s.show)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{events: events, failed: again(&after)}
	change := checkrun.Change{What: s.part.What, After: after, Revision: w.set.Revision()}
	if !after.Clean() {
		if change.Base, err = s.base(ctx); err != nil {
			change.Base, change.Before = "its base", &checkrun.Look{Failed: err.Error()}
		}
		if change.Before == nil && change.Base != "" {
			before, _, err := w.sweep(ctx, "base", change.Base, "", nil)
			if err != nil {
				return outcome{}, err
			}
			if failed := again(&before); failed != nil && before.Failed == "" {
				before.Failed = failed.Error()
			}
			change.Before = &before
		}
	}
	if err := w.memory.Write(ctx, keep); err != nil {
		return outcome{}, err
	}
	out.brought = brought(&change)
	s.part.Base, s.part.Verdict = change.Base, checkrun.Judge(change)
	return out, h.publish(ctx, w, s)
}

// brought are the findings that count and were not there before.
func brought(c *checkrun.Change) []*finding.Finding {
	was := map[string]bool{}
	if c.Before != nil && c.Before.Failed == "" {
		for _, f := range c.Before.Findings {
			if f.State == finding.Active {
				was[f.Fingerprint] = true
			}
		}
	}
	var out []*finding.Finding
	for _, f := range c.After.Findings {
		if f.State == finding.Active && !was[f.Fingerprint] {
			out = append(out, f)
		}
	}
	return out
}

// publish puts the part into the check run of the head. Without a check run, one that has nothing
// to say is made for those alone who wait for it.
func (h *Handlers) publish(ctx context.Context, w *work, s subject) error {
	if !w.scope.Checks {
		return nil
	}
	commit := checkrun.Commit{Server: h.opt.GitHub.Host(), Repository: w.repo.ID, FullName: w.name, SHA: s.head}
	if !s.always && s.part.Verdict.Conclusion == checkrun.Success {
		known, err := h.checks.Known(ctx, commit)
		if err != nil || len(known) == 0 {
			return err
		}
	}
	client, err := h.clients.get(ctx, w.name, w.repo.ID, checkrun.Permissions)
	if err == nil {
		err = h.checks.Publish(ctx, w.fx, client, commit, s.part, s.anew)
	}
	var permitted *ghclient.NotPermittedError
	if errors.As(err, &permitted) {
		h.clients.forget(w.repo.ID)
		h.tellOnce(ctx, w, permitted)
		return nil // findings go to incidents and triage all the same
	}
	return soon(err)
}

// tellOnce says, once in a while for each installation, that check runs are not made.
func (h *Handlers) tellOnce(ctx context.Context, w *work, err *ghclient.NotPermittedError) {
	owner, _, _ := strings.Cut(w.name, "/")
	if h.told.first(owner, h.opt.Now()) {
		h.opt.Log.LogAttrs(ctx, slog.LevelWarn, "no check runs are made: grant the App the permission", slog.String("permission", "checks=write"),
			slog.String("account", owner), slog.String("error", err.Error()))
	}
}

// together is the error of several things that were done one after the other, in one line.
func together(errs ...error) error {
	var out error
	for _, err := range errs {
		switch {
		case err == nil:
		case out == nil:
			out = err
		default:
			out = fmt.Errorf("%w; %w", out, err)
		}
	}
	return out
}

// soon shortens the wait for an effect that another process holds: its lease is far longer than it
// takes.
func soon(err error) error {
	var snooze *jobs.SnoozeError
	var limited *ghclient.RateLimitedError
	if errors.As(err, &snooze) && !errors.As(err, &limited) && !errors.Is(err, journal.ErrKilled) && time.Until(snooze.Until) > 3*time.Second {
		return &jobs.SnoozeError{Until: time.Now().Add(3 * time.Second), Err: snooze.Err}
	}
	return err
}

package orgsweep

import (
	"context"
	"errors"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// Kept is the run of a sweep in its inventory; nil remembers nothing.
type Kept struct {
	Pages *store.Pages

	store  *store.Store
	run    inventory.Run
	memory *lookup.Memory
}

// Remember begins a run of a scope, and gives the sweep its memory.
func Remember(ctx context.Context, st *store.Store, scope string, opt *sweep.Options) (*Kept, error) {
	k := &Kept{store: st, run: inventory.Run{Scope: scope, Catalogue: opt.Set.Revision(), Started: time.Now()}}
	var err error
	if k.run.ID, _, err = st.Begin(ctx, k.run); err != nil {
		return nil, err
	}
	if k.memory, err = lookup.NewMemory(ctx, st, k.run.ID, opt.Set); err != nil {
		return nil, err
	}
	if k.Pages, err = st.Pages(ctx); err != nil {
		return nil, err
	}
	opt.Memory = k.memory
	return k, nil
}

// Finish ends the run: what was kept is written whatever became of the sweep.
func (k *Kept) Finish(ctx context.Context, summary *finding.Summary, seen *View) error {
	if k == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	err := k.memory.Flush(ctx)
	if err == nil {
		err = k.Pages.Save(ctx)
	}
	k.run.Interrupted = summary.Interrupted
	k.run.Problems = seen.problems
	k.run.Finished = time.Now()
	return errors.Join(err, k.store.Finish(ctx, k.run, seen.Whole && !summary.Interrupted && err == nil))
}

// View is what a run saw of its scope.
type View struct {
	// Whole says that a repository that was not seen is none of the scope any more. One that a
	// selection leaves out, which nobody pushed to of late, or that is not shown, is there.
	Whole bool

	problems []*finding.Problem // of the run itself
}

// Event takes an event of the run.
func (v *View) Event(e finding.Event) {
	p, ok := e.(*finding.Problem)
	if !ok {
		return
	}
	if p.Repository == "" {
		v.problems = append(v.problems, p)
	}
	if p.Repository == "" || p.Code == string(source.CodePartialView) {
		v.Whole = false
	}
}

// Held passes events on but for the summary, which it keeps until Release: what comes up after a
// sweep belongs to it.
type Held struct {
	Next func(finding.Event) error

	summary *finding.Summary
}

// Event takes an event.
func (h *Held) Event(e finding.Event) error {
	if s, ok := e.(*finding.Summary); ok {
		h.summary = s
		return nil
	}
	return h.Next(e)
}

// Problem adds a problem that came up after the sweep, to the stream and to its summary.
func (h *Held) Problem(s *finding.Summary, p *finding.Problem) error {
	s.Problems++
	if s.Exit == 0 {
		s.Exit = 3
	}
	return h.Next(p)
}

// Release passes the summary on.
func (h *Held) Release() error {
	if h.summary == nil {
		return nil
	}
	return h.Next(h.summary)
}

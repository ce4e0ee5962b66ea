package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// inventoryVariable names the inventory where no flag does; its URL may hold a password.
const inventoryVariable = "WORMSWEEP_INVENTORY"

// addInventory defines the flag that names an inventory.
func addInventory(flags *pflag.FlagSet, name *string) {
	flags.StringVar(name, "inventory", "", "`FILE` that remembers between runs, or postgres://...; "+inventoryVariable+" otherwise")
}

// openToRead opens the inventory that a command asks.
func openToRead(ctx context.Context, name string) (*store.Store, error) {
	name = cmp.Or(name, os.Getenv(inventoryVariable))
	if name == "" {
		return nil, usage(errors.New("no inventory is named: --inventory FILE"))
	}
	st, err := store.Open(ctx, name, store.Options{ReadOnly: true})
	switch {
	case errors.Is(err, store.ErrNone):
		return nil, usage(err)
	case err != nil:
		return nil, exitError{exitUnknown, err}
	}
	return st, nil
}

// openToWrite opens the inventory of a sweep, and makes it first where there is none. Where none
// is named it is nil.
func openToWrite(ctx context.Context, name string) (*store.Store, error) {
	if name = cmp.Or(name, os.Getenv(inventoryVariable)); name == "" {
		return nil, nil //nolint:nilnil // nothing is remembered
	}
	st, err := store.Open(ctx, name, store.Options{})
	if errors.Is(err, fs.ErrNotExist) { // its folder
		return nil, fmt.Errorf("--inventory: %w: %w", err, errWrongUse)
	}
	if err != nil {
		return nil, fmt.Errorf("--inventory: %w", err)
	}
	return st, nil
}

// remembering is the run of a sweep in its inventory; nil remembers nothing.
type remembering struct {
	store  *store.Store
	run    inventory.Run
	memory *lookup.Memory
	pages  *store.Pages
}

// remember begins a run of a scope.
func remember(ctx context.Context, st *store.Store, scope string, opt *sweep.Options) (*remembering, error) {
	r := &remembering{store: st, run: inventory.Run{Scope: scope, Catalogue: opt.Set.Revision(), Started: time.Now()}}
	var err error
	if r.run.ID, _, err = st.Begin(ctx, r.run); err != nil {
		return nil, err
	}
	if r.memory, err = lookup.NewMemory(ctx, st, r.run.ID, opt.Set); err != nil {
		return nil, err
	}
	if r.pages, err = st.Pages(ctx); err != nil {
		return nil, err
	}
	opt.Memory = r.memory
	return r, nil
}

// view is what a run saw of its scope.
type view struct {
	problems []*finding.Problem // of the run itself
	// whole says that a repository that was not seen is none of the scope any more. One that a
	// selection leaves out, which nobody pushed to of late, or that is not shown, is there.
	whole bool
}

// event takes an event of the run.
func (v *view) event(e finding.Event) {
	p, ok := e.(*finding.Problem)
	if !ok {
		return
	}
	if p.Repository == "" {
		v.problems = append(v.problems, p)
	}
	if p.Repository == "" || p.Code == string(source.CodePartialView) {
		v.whole = false
	}
}

// finish ends the run: what was kept is written whatever became of the sweep.
func (r *remembering) finish(ctx context.Context, summary *finding.Summary, seen *view) error {
	if r == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	err := r.memory.Flush(ctx)
	if err == nil {
		err = r.pages.Save(ctx)
	}
	r.run.Interrupted = summary.Interrupted
	r.run.Problems = seen.problems
	r.run.Finished = time.Now()
	return errors.Join(err, r.store.Finish(ctx, r.run, seen.whole && !summary.Interrupted && err == nil))
}

package lookup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Rematch is a sweep with opt over what the inventory has, for a new catalogue: its events are
// those that a sweep of the same refs would emit, and nothing is asked of anybody. Memory and
// Selection of opt are not used. Nothing is written to the inventory. What a sweep did not come to
// look at, or did not keep, is in none of its repositories: that is a problem, until one of the same
// scope comes to its end.
func Rematch(ctx context.Context, st *store.Store, opt sweep.Options, emit func(finding.Event) error) (*finding.Summary, error) {
	return rematch(ctx, st, opt, !opt.Explain, emit)
}

// rematch is Rematch. With brief, repositories of which the index says that nothing is met are told as the
// last sweep told them; the answer is the same.
func rematch(ctx context.Context, st *store.Store, opt sweep.Options, brief bool, emit func(finding.Event) error) (*finding.Summary, error) {
	if opt.Set == nil {
		opt.Set = &ioc.Set{}
	}
	lacking, err := unswept(ctx, st)
	if err != nil {
		return nil, err
	}
	all, err := newStored(ctx, st, opt.Set, brief)
	if err != nil {
		return nil, err
	}
	opt.Problems = append(slices.Clone(opt.Problems), lacking...)
	opt.Memory, opt.Selection = all, ""
	return sweep.Run(ctx, all.repositories(ctx), opt, emit)
}

// Lacking is what keeps an inventory from having all that there is: what the last sweeps did not come
// to look at, and the repositories that they did not read whole.
func Lacking(ctx context.Context, st *store.Store) ([]*finding.Problem, error) {
	out, err := unswept(ctx, st)
	if err != nil {
		return nil, err
	}
	runs, err := st.Runs(ctx, 1)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		out = append(out, &finding.Problem{Code: string(source.CodeNotKept), Detail: "nothing was ever swept into the inventory"})
	}
	unread, err := st.Unread(ctx)
	if len(unread) > 0 {
		out = append(out, &finding.Problem{
			Code:   string(source.CodeNotKept),
			Detail: fmt.Sprintf("repositories that were not read whole: %d; the first: %q", len(unread), unread[0]),
		})
	}
	return out, err
}

// unswept are the scopes of which the last sweep that ended did not see all, or none ended. One that
// was not swept for as long as an inventory remembers is in use no more.
func unswept(ctx context.Context, st *store.Store) ([]*finding.Problem, error) {
	runs, err := st.Runs(ctx, maxRuns)
	if err != nil {
		return nil, err
	}
	var last time.Time
	for _, r := range runs {
		if r.Started.After(last) {
			last = r.Started
		}
	}
	var scopes []string
	why := map[string]string{} // of those; "" is nothing
	for _, r := range runs {   // the newest first
		if last.Sub(r.Started) > store.Keep {
			continue
		}
		old, seen := why[r.Scope]
		if !seen {
			scopes = append(scopes, r.Scope)
			why[r.Scope] = notEnded
		}
		if (!seen || old == notEnded) && !r.Finished.IsZero() {
			why[r.Scope] = unsound(&r)
		}
	}
	var out []*finding.Problem
	for _, scope := range scopes {
		if why[scope] != "" {
			out = append(out, &finding.Problem{Code: string(source.CodeNotKept), Detail: fmt.Sprintf("the last sweep of %q %s", scope, why[scope])})
		}
	}
	return out, nil
}

const (
	maxRuns  = 100_000 // which no inventory has
	notEnded = "did not come to its end: the inventory may lack repositories"
)

// unsound says what keeps an inventory from having all that a run was to see; "" for nothing.
func unsound(r *inventory.Run) string {
	if r.Interrupted {
		return "was stopped: the inventory may lack repositories"
	}
	for _, p := range r.Problems {
		if p.Code != sweep.CodeCatalogue { // which is of what was looked for
			return fmt.Sprintf("had a problem of its own, %s: %s", p.Code, p.Detail)
		}
	}
	return ""
}

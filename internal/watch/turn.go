package watch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/wormsweep/wormsweep/internal/policy"
)

// Turn looks at all artifacts that are due, the longest due first: those of one registry together,
// at most as many as its rate lets be in a turn, and the registries beside each other, so that one
// that hangs holds up none. An error is of the records: what a registry did not answer is unknown,
// and counted.
func (w *Watcher) Turn(ctx context.Context, artifacts []*policy.Artifact) (Count, error) {
	due, recently, err := w.due(ctx, artifacts)
	if err != nil {
		return Count{}, err
	}
	var mu sync.Mutex
	var total Count
	var changed []*policy.Artifact
	var failed []error
	var wg sync.WaitGroup
	for _, group := range due {
		wg.Go(func() {
			count, news, err := w.group(ctx, group)
			mu.Lock()
			defer mu.Unlock()
			total.add(count)
			changed = append(changed, news...)
			if err != nil {
				failed = append(failed, err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return total, err
	}
	// What was published within minutes is judged beside each other: one after the other, none of
	// it looks like many at once.
	if all := union(changed, recently); len(changed) > 0 && len(all) >= together {
		count, err := w.Look(ctx, all)
		count.Looked = 0 // they were counted
		total.add(count)
		return total, err
	}
	return total, nil
}

// candidate is an artifact that is due.
type candidate struct {
	artifact *policy.Artifact
	state    State
	version  int64
}

// due gives the artifacts that are due by registry, and those that changed a little while ago.
func (w *Watcher) due(ctx context.Context, artifacts []*policy.Artifact) (map[string][]candidate, []*policy.Artifact, error) {
	now := w.opt.Now()
	groups := map[string][]candidate{}
	var recently []*policy.Artifact
	for _, a := range artifacts {
		s, version, err := w.load(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		if !s.Changed.IsZero() && now.Sub(s.Changed) < recent {
			recently = append(recently, a)
		}
		if now.Before(s.Due) {
			continue
		}
		at := registryOf(a)
		groups[at] = append(groups[at], candidate{a, s, version})
	}
	for at, group := range groups {
		slices.SortStableFunc(group, func(a, b candidate) int { return a.state.Due.Compare(b.state.Due) })
		groups[at] = group[:min(len(group), w.opt.Rate)]
	}
	return groups, recently, nil
}

// registryOf tells the registries of a policy apart.
func registryOf(a *policy.Artifact) string { return cmp.Or(a.Registry, string(a.Kind)) }

// group looks at the artifacts of one registry, so many together.
func (w *Watcher) group(ctx context.Context, group []candidate) (total Count, changed []*policy.Artifact, err error) {
	for batch := range slices.Chunk(group, w.opt.Parallel) {
		var mine []*claimed
		for _, c := range batch {
			taken, err := w.claim(ctx, c.artifact, c.state, c.version)
			switch {
			case errors.Is(err, errHeld):
				total.Held++
			case err != nil:
				return total, changed, err
			default:
				mine = append(mine, taken)
			}
		}
		count, news, err := w.look(ctx, mine, true)
		total.add(count)
		changed = append(changed, news...)
		if err != nil {
			return total, changed, err
		}
		if ctx.Err() != nil {
			break // what is left stays due
		}
	}
	return total, changed, nil
}

// Look looks at artifacts now, whether they are due or not, and judges them even where nothing has
// changed. Those that another process looks at are left to it, and are due again after that.
func (w *Watcher) Look(ctx context.Context, artifacts []*policy.Artifact) (Count, error) {
	var total Count
	var mine []*claimed
	for _, a := range artifacts {
		s, version, err := w.load(ctx, a)
		if err != nil {
			return total, err
		}
		taken, err := w.claim(ctx, a, s, version)
		switch {
		case errors.Is(err, errHeld):
			total.Held++
			if err := w.Hurry(ctx, []*policy.Artifact{a}, 0, true); err != nil {
				return total, err
			}
		case err != nil:
			return total, err
		default:
			mine = append(mine, taken)
		}
	}
	count, _, err := w.look(ctx, mine, false)
	total.add(count)
	return total, err
}

func union(a, b []*policy.Artifact) []*policy.Artifact {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func (w *Watcher) warn(ctx context.Context, what string, a *policy.Artifact, why string) {
	w.opt.Log.LogAttrs(ctx, slog.LevelWarn, what, slog.String("artifact", a.ID()), slog.String("why", why))
}

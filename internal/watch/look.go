package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
)

// seen is what a look showed of one artifact.
type seen struct {
	said     bool // anything: what has not changed says nothing
	findings []bad
	why      string // it is unknown
	young    bool   // something is too young to be judged
}

// look looks at artifacts that this process has claimed, hands on what is new, and lets go of
// them. It gives those whose registry told something new.
func (w *Watcher) look(ctx context.Context, mine []*claimed, mayBeQuiet bool) (count Count, changed []*policy.Artifact, err error) {
	if len(mine) == 0 {
		return count, nil, nil
	}
	only := make([]*policy.Artifact, len(mine))
	of := map[*policy.Artifact]*claimed{}
	by := map[string]*seen{}
	for i, c := range mine {
		only[i], of[c.artifact], by[published.PURL(c.artifact, "")] = c.artifact, c, &seen{}
	}
	quiet := func(a *policy.Artifact) bool {
		s := &of[a].state
		return mayBeQuiet && s.Failing == 0 && !s.Full && !s.Looked.IsZero()
	}
	p := &picture{settle: w.opt.Settle, now: w.opt.Now(), by: by}
	letGo := w.keep(ctx, mine)
	defer letGo()
	bounded, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	_, err = w.opt.Run(bounded, only, quiet, p.event)
	if err != nil {
		err = fmt.Errorf("look at %d artifacts: %w", len(mine), err)
	} else if bounded.Err() != nil && ctx.Err() == nil {
		p.all("the look took too long, and was ended")
	}
	if ctx.Err() != nil { // what was not asked for want of time says nothing
		letGo()
		return count, nil, errors.Join(err, w.release(ctx, mine))
	}
	if err != nil {
		p.all(err.Error())
	}
	told, takeErr := w.tell(ctx, mine, by, p.events)
	letGo()
	for _, c := range mine {
		s := by[published.PURL(c.artifact, "")]
		if s.said && s.why == "" && quiet(c.artifact) {
			changed = append(changed, c.artifact)
			c.state.Changed = w.opt.Now()
		}
		w.note(ctx, c, s, told)
		count.Looked++
		if s.why != "" {
			count.Unknown++
		}
		if len(c.state.Bad) > 0 || len(s.findings) > 0 {
			count.Bad++
		}
	}
	return count, changed, errors.Join(takeErr, w.release(ctx, mine))
}

// tell hands on what is new of the artifacts. It reports whether that was taken.
func (w *Watcher) tell(ctx context.Context, mine []*claimed, by map[string]*seen, events []finding.Event) (bool, error) {
	n := News{Events: events, Unknown: map[string]string{}}
	anything := false
	for _, c := range mine {
		purl := published.PURL(c.artifact, "")
		s := by[purl]
		bad, unknown := s.standing(&c.state)
		if slices.Equal(bad, c.state.Bad) && unknown == c.state.Unknown {
			continue
		}
		anything = true
		for _, f := range s.findings {
			if !slices.Contains(c.state.Bad, f.digest()) {
				n.Signals = append(n.Signals, f.signal(c.artifact, w.opt.Now()))
			}
		}
		if unknown {
			n.Unknown[purl] = s.why
		}
	}
	if !anything {
		return true, nil
	}
	if err := w.opt.Take(ctx, n); err != nil {
		return false, fmt.Errorf("hand on what the watch of %d artifacts has shown: %w", len(mine), err)
	}
	return true, nil
}

// standing is what there is to be handed on of an artifact after a look: its bad versions, and
// whether it has been unknown for a while. What was bad stays so while it cannot be asked.
func (s *seen) standing(before *State) (bad []string, unknown bool) {
	if !s.said {
		return before.Bad, before.Unknown
	}
	for _, f := range s.findings {
		bad = append(bad, f.digest())
	}
	if s.why != "" {
		bad = append(bad, before.Bad...)
	}
	slices.Sort(bad)
	return slices.Compact(bad), s.why != "" && !s.young && before.Failing+1 >= unknownAt
}

// note sets the state of an artifact after a look that was for news alone, or for all.
func (w *Watcher) note(ctx context.Context, c *claimed, s *seen, told bool) {
	now, before := w.opt.Now(), c.state
	bad, unknown := s.standing(&before)
	c.state.Looked, c.state.Full, c.state.Due = now, false, now.Add(w.jitter(w.opt.Every))
	switch {
	case s.why != "":
		c.state.Failing, c.state.Why = before.Failing+1, s.why
		back := min(time.Duration(1<<min(before.Failing, 10))*firstSoon, mostBack*w.opt.Every)
		if s.young {
			back = hasty
		}
		c.state.Due = now.Add(w.jitter(back))
		if before.Failing == 0 {
			w.warn(ctx, "what is published could not be asked, or not in full", c.artifact, s.why)
		}
	default:
		if before.Failing > 0 {
			w.opt.Log.LogAttrs(ctx, slog.LevelInfo, "what is published could be asked again", slog.String("artifact", c.artifact.ID()), slog.Int("failed", before.Failing))
		}
		c.state.Failing, c.state.Why, c.state.Good = 0, "", now
	}
	if now.Before(c.state.Hasty) && c.state.Due.After(now.Add(hasty)) {
		c.state.Due = now.Add(hasty)
	}
	switch {
	case told:
		c.state.Bad, c.state.Unknown = bad, unknown
	case !slices.Equal(bad, before.Bad) || unknown != before.Unknown:
		// It is looked at again, in full, and handed on then.
		c.state.Due, c.state.Failing, c.state.Why = now.Add(hasty), max(c.state.Failing, 1), "what was found could not be handed on"
	}
}

// release lets go of artifacts. One whose state somebody else wrote meanwhile is his: he hurried
// it, or took it after the claim ended.
func (w *Watcher) release(ctx context.Context, mine []*claimed) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var failed []error
	for _, c := range mine {
		c.state.Holder, c.state.Until = "", time.Time{}
		_, err := w.save(ctx, c.artifact, c.version, c.state)
		if errors.Is(err, errHeld) {
			err = w.merge(ctx, c)
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// merge writes a state over that of somebody who hurried the artifact meanwhile, and keeps the
// hurry.
func (w *Watcher) merge(ctx context.Context, c *claimed) error {
	now, version, err := w.load(ctx, c.artifact)
	if err != nil {
		return err
	}
	if now.Holder != w.opt.Holder { // the claim had ended
		return nil
	}
	c.state.Due, c.state.Hasty, c.state.Full = now.Due, now.Hasty, now.Full
	if _, err := w.save(ctx, c.artifact, version, c.state); !errors.Is(err, errHeld) {
		return err
	}
	return nil // its claim ends by itself
}

// jitter is d, give or take a tenth.
func (w *Watcher) jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(max(d/5, 1))
}

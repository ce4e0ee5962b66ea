package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/policy"
)

// schema is the version of the form of a state.
const schema = "watch/1"

// State is where the watch of an artifact stands.
type State struct {
	Schema string    `json:"schema"`
	Due    time.Time `json:"due"` // not looked at before

	Holder string    `json:"holder,omitempty"` // who looks at it
	Until  time.Time `json:"until,omitzero"`   // and until when nobody else does

	Looked  time.Time `json:"looked,omitzero"`   // the last look that came to an end
	Good    time.Time `json:"good,omitzero"`     // the last that left nothing unknown
	Failing int       `json:"failing,omitempty"` // looks in a row that left something unknown
	Why     string    `json:"why,omitempty"`     // of the last of them
	Changed time.Time `json:"changed,omitzero"`  // when its registry last told something new
	Hasty   time.Time `json:"hasty,omitzero"`    // until when it is looked at more often
	Full    bool      `json:"full,omitempty"`    // the next look judges even where nothing has changed
	Bad     []string  `json:"bad,omitempty"`     // what makes an incident and was handed on: findings, by digest, sorted
	Unknown bool      `json:"unknown,omitempty"` // that it is unknown was handed on
}

// Key is the key of an artifact's state, which is that of its record of verification.
func Key(a *policy.Artifact) string { return a.ID() + "@" + a.Registry }

// load reads a state, and its version in the records. A state that does not read back is begun
// anew: what it held costs a look, and no more.
func (w *Watcher) load(ctx context.Context, a *policy.Artifact) (State, int64, error) {
	body, version, err := w.opt.Records.Load(ctx, Key(a))
	if err != nil {
		return State{}, 0, fmt.Errorf("the watch of %q: %w", a.ID(), err)
	}
	var s State
	if version > 0 && (json.Unmarshal(body, &s) != nil || s.Schema != schema) {
		s = State{}
	}
	s.Schema = schema
	return s, version, nil
}

// errHeld is for a state that another process wrote meanwhile.
var errHeld = errors.New("another process has it")

func (w *Watcher) save(ctx context.Context, a *policy.Artifact, version int64, s State) (int64, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	next, swapped, err := w.opt.Records.Swap(ctx, Key(a), version, body)
	switch {
	case err != nil:
		return 0, fmt.Errorf("the watch of %q: %w", a.ID(), err)
	case !swapped:
		return 0, errHeld
	}
	return next, nil
}

// claimed is an artifact that this process looks at.
type claimed struct {
	artifact *policy.Artifact
	state    State
	version  int64 // of the state in the records
}

// claim takes an artifact, unless somebody has it.
func (w *Watcher) claim(ctx context.Context, a *policy.Artifact, s State, version int64) (*claimed, error) {
	now := w.opt.Now()
	if s.Holder != "" && now.Before(s.Until) {
		return nil, errHeld
	}
	s.Holder, s.Until = w.opt.Holder, now.Add(w.opt.Hold)
	next, err := w.save(ctx, a, version, s)
	if err != nil {
		return nil, err
	}
	return &claimed{a, s, next}, nil
}

// keep takes claims for longer, time and again until the end is called, which waits for it. The
// states of artifacts are not read meanwhile but by whoever has claimed them.
func (w *Watcher) keep(ctx context.Context, mine []*claimed) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(w.opt.Hold / 3)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			for _, c := range mine {
				// A claim that is lost shows when it is let go of, and one that could not be
				// written is taken for longer the next time.
				if err := w.extend(ctx, c); err != nil && ctx.Err() == nil {
					w.warn(ctx, "a claim was not taken for longer", c.artifact, err.Error())
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// extend takes a claim for longer, unless it is lost. What somebody who hurried the artifact wrote
// meanwhile stays, and is for release to see.
func (w *Watcher) extend(ctx context.Context, c *claimed) error {
	s, version, err := w.load(ctx, c.artifact)
	if err != nil || s.Holder != w.opt.Holder {
		return err
	}
	s.Until = w.opt.Now().Add(w.opt.Hold)
	next, err := w.save(ctx, c.artifact, version, s)
	if err == nil && version == c.version {
		c.version = next
	}
	return err
}

// Orphans gives back all claims on artifacts. It is for a process that is the only one of its
// records and has claimed nothing yet: whoever holds a claim is dead.
func (w *Watcher) Orphans(ctx context.Context, artifacts []*policy.Artifact) error {
	for _, a := range artifacts {
		s, version, err := w.load(ctx, a)
		if err != nil {
			return err
		}
		if s.Holder == "" {
			continue
		}
		s.Holder, s.Until = "", time.Time{}
		if _, err := w.save(ctx, a, version, s); err != nil {
			return err
		}
	}
	return nil
}

// States reads where the watch of artifacts stands, in their order.
func (w *Watcher) States(ctx context.Context, artifacts []*policy.Artifact) ([]State, error) {
	out := make([]State, len(artifacts))
	for i, a := range artifacts {
		var err error
		if out[i], _, err = w.load(ctx, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Hurry has artifacts looked at in the next turn, and more often for a while: something says that
// they are about to change. With full they are judged then even where their registry tells nothing
// new.
func (w *Watcher) Hurry(ctx context.Context, artifacts []*policy.Artifact, last time.Duration, full bool) error {
	for _, a := range artifacts {
		for try := 0; ; try++ {
			s, version, err := w.load(ctx, a)
			if err != nil {
				return err
			}
			now := w.opt.Now()
			s.Due, s.Full = now, s.Full || full
			if until := now.Add(last); until.After(s.Hasty) {
				s.Hasty = until
			}
			_, err = w.save(ctx, a, version, s)
			if err == nil {
				break
			}
			if !errors.Is(err, errHeld) || try == 5 {
				return err
			}
		}
	}
	return nil
}

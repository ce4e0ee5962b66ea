package respond

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tick is somebody's word that a step is done. Ticks lie beside a plan: they are not part of it,
// and do not change its digest.
type Tick struct {
	Step   string    `json:"step"`   // its id
	Digest string    `json:"digest"` // of the step: a step that was changed since is not done
	By     string    `json:"by"`     // who: a login
	At     time.Time `json:"at"`
	Note   string    `json:"note,omitempty"` // what the probe said
}

// Ticks are those of one plan, in the order in which they were made. The zero value has none.
type Ticks []Tick

// Of are the ticks of a step as it is with a digest, one for each person: the first. Logins are
// compared without regard to letter case, as GitHub does: one person is not two.
func (t Ticks) Of(step, digest string) (out Ticks) {
	for _, tick := range t {
		same := func(other Tick) bool { return strings.EqualFold(other.By, tick.By) }
		if tick.Step == step && tick.Digest == digest && tick.By != "" && !slices.ContainsFunc(out, same) {
			out = append(out, tick)
		}
	}
	return out
}

// By are the people who ticked the step as it now is, each once.
func (t Ticks) By(s *Step) (out []string) {
	if !slices.ContainsFunc(t, func(tick Tick) bool { return tick.Step == s.ID }) {
		return nil // to digest the step is work
	}
	for _, tick := range t.Of(s.ID, s.Digest()) {
		out = append(out, tick.By)
	}
	return out
}

// Done reports whether as many people ticked the step as it needs.
func (t Ticks) Done(s *Step) bool { return len(t.By(s)) >= s.People() }

// State is where a step stands.
type State string

// The states.
const (
	Done     State = "done"
	Ready    State = "ready"    // it can be done now
	Waiting  State = "waiting"  // for another step, or for a second person
	Withheld State = "withheld" // something is not known
	Closed   State = "closed"   // it must not be done, or can no longer be
)

// Standing is a state and why it is so, a line each.
type Standing struct {
	State State    `json:"state"`
	Why   []string `json:"why,omitempty"`
}

// Stand says where each step of the plan stands at a time, in the order of the steps. Only a step
// that is Ready may be begun.
func (p *Plan) Stand(now time.Time, ticks Ticks) []Standing {
	out := make([]Standing, len(p.Steps))
	settled := map[string]bool{} // done, or never to be done
	for i := range p.Steps {
		s := &p.Steps[i]
		out[i] = s.stand(now, ticks, settled)
		settled[s.ID] = out[i].State == Done || out[i].State == Closed
	}
	return out
}

func (s *Step) stand(now time.Time, ticks Ticks, settled map[string]bool) Standing {
	if ticks.Done(s) {
		return Standing{State: Done, Why: []string{"ticked by " + strings.Join(ticks.By(s), " and ")}}
	}
	if s.Refused != "" {
		return Standing{State: Closed, Why: []string{s.Refused}}
	}
	var closed, unknown, waits []string
	if d := s.Deadline; d != nil && !now.Before(d.At) {
		closed = append(closed, "its time ended "+stamp(d.At)+": "+d.Why)
	}
	for i := range s.Gates {
		g := &s.Gates[i]
		switch g.At(now) {
		case No:
			closed = append(closed, gateLine(g))
		case Unknown:
			unknown = append(unknown, gateLine(g))
		}
	}
	for i := range s.Commands {
		if s.Class == Human {
			break // who goes by the link fills it in
		}
		for _, blank := range s.Commands[i].Blanks() {
			unknown = append(unknown, "a command lacks: "+blank)
		}
	}
	for _, id := range s.After {
		if !settled[id] {
			waits = append(waits, "it comes after "+id)
		}
	}
	if by := ticks.By(s); len(by) > 0 {
		waits = append(waits, fmt.Sprintf("ticked by %s; it needs %d people", by[0], s.People()))
	}
	for _, x := range []struct {
		state State
		why   []string
	}{{Closed, closed}, {Withheld, unknown}, {Waiting, waits}} {
		if len(x.why) > 0 {
			return Standing{x.state, slices.Compact(x.why)}
		}
	}
	return Standing{State: Ready}
}

func gateLine(g *Gate) string {
	line := g.Question
	if g.Detail != "" {
		line += " " + g.Detail
	}
	if g.Until != nil && g.Answer == Yes {
		line += ": until " + stamp(*g.Until)
	}
	return line
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

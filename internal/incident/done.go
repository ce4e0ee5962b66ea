package incident

import (
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident/command"
	"github.com/wormsweep/wormsweep/internal/respond"
)

// Ticks are for a step as it is in the plan on the table: a responder's word that it is done.

// done takes a responder's word that a step is done.
func (c *clerk) done(rec *Record, cmd command.Command) (did, not string) {
	s, not := rec.step(cmd)
	if not != "" {
		return "", not
	}
	p, who := &rec.Response, c.event.Author.Login
	if c.written.Before(p.Plan.At.Truncate(time.Second)) { // which is as exactly as GitHub says it
		return "", "the plan has changed since you wrote that: look at the step again, and write a new comment"
	}
	ticks := p.Ticks.Of(s.ID, s.Digest)
	switch {
	case slices.ContainsFunc(ticks, func(t respond.Tick) bool { return strings.EqualFold(t.By, who) }):
		return "you ticked it already. " + rec.needs(s), ""
	case len(p.Ticks) >= MaxTicks:
		return "", "the incident has as many ticks as are kept"
	}
	p.Ticks = append(p.Ticks, respond.Tick{Step: s.ID, Digest: s.Digest, By: who, At: c.now, Note: clipped(cmd.Text, maxEntry)})
	rec.log(Entry{At: c.now, Kind: EntryDone, By: c.by, Who: who, Text: saying(s.ID, cmd.Text), Comment: c.event.Comment})
	return rec.needs(s), ""
}

// undone takes back every tick of a step: whoever sees that it is not done may say so.
func (c *clerk) undone(rec *Record, cmd command.Command) (did, not string) {
	s, not := rec.step(cmd)
	if not != "" {
		return "", not
	}
	p := &rec.Response
	before := len(p.Ticks)
	p.Ticks = slices.DeleteFunc(p.Ticks, func(t respond.Tick) bool { return t.Step == s.ID })
	if len(p.Ticks) == before {
		return "", "nobody ticked it"
	}
	rec.log(Entry{At: c.now, Kind: EntryUndone, By: c.by, Who: c.event.Author.Login, Text: saying(s.ID, cmd.Text), Comment: c.event.Comment})
	return "not done.", ""
}

func saying(step, words string) string { return strings.TrimSuffix(step+": "+words, ": ") }

// step is the step of the plan that a command names; not says why there is none.
func (r *Record) step(cmd command.Command) (s PlanStep, not string) {
	plan := r.Response.Plan
	switch {
	case r.State.over():
		return s, stands(r)
	case plan == nil || len(plan.Items) == 0:
		return s, "there is no plan with steps"
	}
	i := slices.IndexFunc(plan.Items, func(s PlanStep) bool { return s.ID == cmd.Step })
	if i < 0 {
		return s, "the plan has no step of that name: " + code("/plan") + " shows them"
	}
	return plan.Items[i], ""
}

// isDone reports whether as many people ticked a step as it needs.
func (r *Record) isDone(s PlanStep) bool {
	return len(r.Response.Ticks.Of(s.ID, s.Digest)) >= max(s.People, 1)
}

// ticked counts the steps of the plan that somebody ticked as they are.
func (r *Record) ticked() (n int) {
	if r.Response.Plan == nil {
		return 0
	}
	for _, s := range r.Response.Plan.Items {
		if len(r.Response.Ticks.Of(s.ID, s.Digest)) > 0 {
			n++
		}
	}
	return n
}

// needs says where a step stands.
func (r *Record) needs(s PlanStep) string {
	if r.isDone(s) {
		return code(s.ID) + " is done."
	}
	return code(s.ID) + " is ticked. It cannot be undone, and needs the word of a second person."
}

// tickWords say who ticked a step, when, and what that is worth; "" where there is nothing to say.
func (r *Record) tickWords(s PlanStep) string {
	var by []string
	for _, t := range r.Response.Ticks.Of(s.ID, s.Digest) {
		by = append(by, t.By+" "+minute(t.At))
	}
	switch {
	case r.isDone(s):
		return "done, by " + strings.Join(by, " and ")
	case len(by) > 0:
		return "ticked by " + by[0] + ", and needs a second person"
	case slices.ContainsFunc(r.Response.Ticks, func(t respond.Tick) bool { return t.Step == s.ID }):
		return "not done: it has changed since it was ticked"
	case s.People > 1:
		return "needs two people"
	}
	return ""
}

// PlanLines are the steps of the plan on the table, a line each: name, who ticked it, what it is. They
// may hold what is from outside.
func (r *Record) PlanLines() (out []string) {
	if r.Response.Plan == nil {
		return nil
	}
	for _, s := range r.Response.Plan.Items {
		line := s.ID
		if words := r.tickWords(s); words != "" {
			line += " (" + words + ")"
		}
		out = append(out, line+": "+s.Text)
	}
	return out
}

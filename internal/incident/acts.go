package incident

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Raise adds a signal to an incident, and opens one where there is none or it was over. A signal that
// is there already, and was noticed once more (Seen has something else), opens one that was over, too.
// The issue is written by Show. An incident with a signal is declared over by a person alone.
func (d *Desk) Raise(ctx context.Context, c Campaign, s Signal) error {
	if c.ID == "" || len(c.ID) > 200 || strings.ContainsFunc(c.ID, unicode.IsControl) || clipped(c.ID, 200) != c.ID || s.Source == "" || s.Ref == "" {
		return fmt.Errorf("incident %q: a signal needs an incident, a source and a reference", c.ID)
	}
	s.Source, s.Ref, s.Subject, s.Detail = clipped(s.Source, 100), clipped(s.Ref, maxEntry), clipped(s.Subject, maxEntry), clipped(s.Detail, maxEntry)
	s.Seen = slices.Clone(s.Seen[:min(len(s.Seen), maxSeen)])
	for i, seen := range s.Seen {
		s.Seen[i] = clipped(seen, maxEntry)
	}
	now := d.opt.Now().UTC()
	first := func() *Record {
		return &Record{Schema: RecordSchema, Organisation: d.opt.Organisation, Campaign: c, State: Open, Status: Open, FirstSeen: now}
	}
	_, err := d.change(ctx, c.ID, first, func(rec *Record) error {
		p := &rec.Response
		over := rec.State.over() || rec.State == Cured
		i := slices.IndexFunc(p.Signals, func(old Signal) bool { return old.Source == s.Source && old.Ref == s.Ref })
		switch {
		case i >= 0 && !p.Signals[i].again(s):
			return nil
		case i >= 0 && !over: // its text is newer, and that is all
			p.Revision++
			return nil
		case i < 0 && len(p.Signals) < MaxSignals:
			p.Signals = append(p.Signals, s)
		}
		rec.log(Entry{At: now, Kind: EntrySignal, By: ByProgram, Text: s.Source + " " + s.Ref})
		if over {
			p.Closing, p.Reopening = false, rec.State.over()
			rec.must(Open, act{by: ByProgram, at: now, why: "a new signal"})
			rec.tellLater(rec.notice(NoticeChanged))
		}
		return nil
	})
	return err
}

// again takes what a signal was noticed by once more, and reports whether there is any such thing.
func (s *Signal) again(now Signal) bool {
	fresh := slices.DeleteFunc(slices.Clone(now.Seen), func(seen string) bool { return slices.Contains(s.Seen, seen) })
	if len(fresh) == 0 {
		return false
	}
	s.Seen = append(s.Seen, fresh...)
	s.Seen, s.Detail = s.Seen[max(0, len(s.Seen)-maxSeen):], now.Detail
	return true
}

// maxLines bounds the lists of a verdict and a plan; more are counted in a last line.
const maxLines = 100

// clippedAll is of strings what a record keeps of them.
func clippedAll(all []string) []string {
	out := make([]string, 0, min(len(all), maxLines+1))
	for _, s := range all[:min(len(all), maxLines)] {
		out = append(out, clipped(s, maxEntry))
	}
	if more := len(all) - maxLines; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return out
}

// ErrOtherPlan says that another plan was put on the table meanwhile.
var ErrOtherPlan = errors.New("another plan is on the table")

// SetPlan puts the plan that is on the table into an incident, with a part of a long summary and of
// many steps. A step that is another one than before is not done, whoever ticked it. over is the plan
// that was there before what p is made of was read, nil for none: where it is there no more the error
// wraps ErrOtherPlan, since the other one may be made of more. The incident is not Unplanned any more.
func (d *Desk) SetPlan(ctx context.Context, id string, over *PlanRef, p PlanRef) error {
	p.Kind, p.Digest, p.With, p.Summary = clipped(p.Kind, maxEntry), clipped(p.Digest, maxEntry), clippedAll(p.With), clippedAll(p.Summary)
	p.Items = slices.Clone(p.Items[:min(len(p.Items), MaxSteps)])
	for i, s := range p.Items {
		p.Items[i] = PlanStep{clipped(s.ID, maxEntry), clipped(s.Digest, maxEntry), clipped(s.Text, maxEntry), s.People}
	}
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		switch old := rec.Response.Plan; {
		case !old.same(over):
			return fmt.Errorf("%q: %w", id, ErrOtherPlan)
		case old.same(&p):
			old.Open = p.Open
			rec.planned()
			return nil
		}
		rec.planned()
		before := rec.ticked()
		rec.Response.Plan = &p
		text := p.Kind + " " + p.Digest
		if lost := before - rec.ticked(); lost > 0 {
			text += ": " + count(lost, "ticked step is", "ticked steps are") + " not as before, or gone"
		}
		rec.log(Entry{At: d.opt.Now(), Kind: EntryPlan, By: ByProgram, Text: text})
		return nil
	})
	return err
}

// Unplanned says that the plan of an incident could not be made, and why. What was said first stays until a
// plan is set, or nothing is to be planned: what fails each time in other words is no news.
func (d *Desk) Unplanned(ctx context.Context, id, why string) error {
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		if rec.Response.Unplanned != nil {
			return nil
		}
		rec.Response.Unplanned = &Unplanned{d.opt.Now().UTC(), clipped(why, maxEntry)}
		rec.Response.Revision++
		return nil
	})
	return err
}

// NothingToPlan says that there is no plan because nothing is to be done.
func (d *Desk) NothingToPlan(ctx context.Context, id string) error {
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		rec.planned()
		return nil
	})
	return err
}

// planned has the incident not be Unplanned any more.
func (r *Record) planned() {
	if r.Response.Unplanned != nil {
		r.Response.Unplanned = nil
		r.Response.Revision++
	}
}

// same reports whether two plans say the same. Only nil is the same as nil.
func (p *PlanRef) same(other *PlanRef) bool {
	if p == nil || other == nil {
		return p == other
	}
	return p.Digest == other.Digest && slices.Equal(p.With, other.With) && len(p.Items) == len(other.Items)
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// AddEvidence writes down what was kept. The same digest at the same place is one piece.
func (d *Desk) AddEvidence(ctx context.Context, id string, e Evidence) error {
	if e.What == "" || e.Where == "" || !sha256Form.MatchString(e.SHA256) || e.Bytes < 0 {
		return fmt.Errorf("incident %q: evidence needs what it is, where it lies, and its SHA-256", id)
	}
	e.What, e.Where, e.By = clipped(e.What, maxEntry), clipped(e.Where, maxEntry), clipped(e.By, 100)
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		p := &rec.Response
		if slices.ContainsFunc(p.Evidence, func(old Evidence) bool { return old.SHA256 == e.SHA256 && old.Where == e.Where }) {
			return nil
		}
		rec.log(Entry{At: d.opt.Now(), Kind: EntryEvidence, By: ByProgram, Who: e.By, Text: e.What + ", sha256 " + e.SHA256})
		if len(p.Evidence) >= MaxEvidence {
			p.More++
			return nil
		}
		p.Evidence = append(p.Evidence, e)
		return nil
	})
	return err
}

// Contain says that an incident does not spread any more: the program looked, and why says at what.
// The error is a *MoveError where the incident is not in a state for that.
func (d *Desk) Contain(ctx context.Context, id, why string) error {
	if why == "" {
		return errors.New("contained: by what?")
	}
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		if rec.State == Contained {
			return nil
		}
		return rec.contain(act{by: ByProgram, at: d.opt.Now().UTC(), why: why})
	})
	return err
}

func (r *Record) contain(a act) error {
	if err := r.move(Contained, a); err != nil {
		return err
	}
	n := r.notice(NoticeContained)
	n.Who, n.Text = a.who, clipped(a.why, maxEntry)
	r.tellLater(n)
	return nil
}

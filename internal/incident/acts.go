package incident

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Raise adds a signal to an incident, and opens one where there is none or it was over. The issue
// is written by Show. An incident with a signal is declared over by a person alone.
func (d *Desk) Raise(ctx context.Context, c Campaign, s Signal) error {
	if c.ID == "" || len(c.ID) > 200 || clipped(c.ID, 200) != c.ID || s.Source == "" || s.Ref == "" {
		return fmt.Errorf("incident %q: a signal needs an incident, a source and a reference", c.ID)
	}
	s.Source, s.Ref, s.Subject, s.Detail = clipped(s.Source, 100), clipped(s.Ref, maxEntry), clipped(s.Subject, maxEntry), clipped(s.Detail, maxEntry)
	now := d.opt.Now().UTC()
	first := func() *Record {
		return &Record{Schema: RecordSchema, Organisation: d.opt.Organisation, Campaign: c, State: Open, Status: Open, FirstSeen: now}
	}
	_, err := d.change(ctx, c.ID, first, func(rec *Record) error {
		p := &rec.Response
		if slices.ContainsFunc(p.Signals, func(old Signal) bool { return old.Source == s.Source && old.Ref == s.Ref }) {
			return nil
		}
		rec.log(Entry{At: now, Kind: EntrySignal, By: ByProgram, Text: s.Source + " " + s.Ref})
		if len(p.Signals) < MaxSignals {
			p.Signals = append(p.Signals, s)
		}
		if rec.State.over() || rec.State == Cured {
			p.Closing, p.Reopening = false, rec.State.over()
			rec.must(Open, act{by: ByProgram, at: now, why: "a new signal"})
			rec.tellLater(rec.notice(NoticeChanged))
		}
		return nil
	})
	return err
}

// SetVerdict puts what triage decided into an incident.
func (d *Desk) SetVerdict(ctx context.Context, id string, v Verdict) error {
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		if old := rec.Response.Verdict; old != nil && old.Digest == v.Digest && old.Scenario == v.Scenario && slices.Equal(old.Open, v.Open) && slices.Equal(old.Path, v.Path) {
			return nil
		}
		rec.Response.Verdict = &v
		rec.log(Entry{At: d.opt.Now(), Kind: EntryVerdict, By: ByProgram, Text: v.Scenario})
		return nil
	})
	return err
}

// SetPlan puts the plan that is on the table into an incident.
func (d *Desk) SetPlan(ctx context.Context, id string, p PlanRef) error {
	_, err := d.change(ctx, id, nil, func(rec *Record) error {
		if old := rec.Response.Plan; old != nil && old.Digest == p.Digest {
			return nil
		}
		rec.Response.Plan = &p
		rec.log(Entry{At: d.opt.Now(), Kind: EntryPlan, By: ByProgram, Text: p.Kind + " " + p.Digest})
		return nil
	})
	return err
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// AddEvidence writes down what was kept. The same digest at the same place is one piece.
func (d *Desk) AddEvidence(ctx context.Context, id string, e Evidence) error {
	if e.What == "" || e.Where == "" || !sha256Form.MatchString(e.SHA256) || e.Bytes < 0 {
		return fmt.Errorf("incident %q: evidence needs what it is, where it lies, and its SHA-256", id)
	}
	e.What, e.Where = clipped(e.What, maxEntry), clipped(e.Where, maxEntry)
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

// Tick does what time asks for, and makes up for what was broken off: it is called every minute or so,
// by any number of processes. now is one clock for all of them, the database's. Each role is told
// once. What failed for one incident does not keep the others from it.
func (d *Desk) Tick(ctx context.Context, now time.Time, fx Effects) error {
	ids, err := d.Incidents(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
		if err := d.tick(ctx, id, now.UTC(), fx); err != nil {
			errs = append(errs, fmt.Errorf("incident %q: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (d *Desk) tick(ctx context.Context, id string, now time.Time, fx Effects) error {
	rec, err := d.Incident(ctx, id)
	if err != nil {
		return err
	}
	if d.rings(rec, now) {
		// Nobody is called for an issue that a person has closed.
		if err := d.byHand(ctx, id, ""); err != nil {
			return err
		}
		rec, err = d.change(ctx, id, nil, func(rec *Record) error {
			d.late(rec, now)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if p := rec.Response; p.Shown < p.Revision || p.Closing || len(p.Outbox) > 0 || rec.Owed != nil && d.opt.Notifier != nil {
		return d.Show(ctx, id, fx)
	}
	return nil
}

// rings reports whether time asks for anything, and leaves a mark of it in rec.
func (d *Desk) rings(rec *Record, now time.Time) bool {
	noticed, revision := rec.Response.Noticed, rec.Response.Revision
	d.takeOn(rec)
	d.late(rec, now)
	return !rec.Response.Noticed.Equal(noticed) || rec.Response.Revision != revision
}

// late writes down who is to be told, since something was not done in time.
func (d *Desk) late(rec *Record, now time.Time) {
	p := &rec.Response
	switch {
	case rec.State == Open && rec.Issue > 0 && p.Noticed.IsZero():
		p.Noticed = now // by a release that had no clock
	case rec.State == Open && rec.Issue > 0:
		due := min(int(now.Sub(p.Noticed)/d.desk.AckWithin), len(d.desk.Ladder)-1)
		for p.Escalated < due {
			p.Escalated++
			d.tell(rec, now, NoticeEscalated, d.desk.Ladder[p.Escalated], fmt.Sprintf("nobody acknowledged it within %s", short(time.Duration(p.Escalated)*d.desk.AckWithin)))
		}
	case rec.State == Cured && !p.Overdue && now.Sub(p.Since) >= d.desk.CloseOut:
		p.Overdue = true
		d.tell(rec, now, NoticeOverdue, Role{"on-call", d.desk.OnCall}, fmt.Sprintf("proven clean for %s, and nobody declared it over", short(d.desk.CloseOut)))
	}
}

func (d *Desk) tell(rec *Record, now time.Time, kind NoticeKind, to Role, why string) {
	rec.log(Entry{At: now, Kind: EntryTold, By: ByProgram, Text: to.Name + ": " + why})
	n := rec.notice(kind)
	n.Role, n.Team, n.Text = to.Name, to.Team, why
	rec.tellLater(n)
}

// short is a duration without what is zero.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour", "hours")
	case d%time.Minute == 0:
		return count(int(d/time.Minute), "minute", "minutes")
	}
	return d.String()
}

// pay tells the chat what is owed of what a sweep saw, or of an incident that a signal opened.
func (d *Desk) pay(ctx context.Context, rec *Record, issue Issue, fx Effects) error {
	if rec.Owed == nil || d.opt.Notifier == nil {
		return nil
	}
	n := *rec.Owed
	key := fmt.Sprintf("incident-notice:%s:%d:%d:%s", storeKey(d.opt.Organisation, rec.Campaign.ID), rec.Response.Episode, rec.Sequence, n.Kind)
	n.URL = issue.URL
	if err := d.notify(ctx, key, n, fx); err != nil {
		return err
	}
	_, err := d.change(ctx, rec.Campaign.ID, nil, func(now *Record) error {
		if now.Sequence == rec.Sequence && now.Owed != nil && now.Owed.Kind == n.Kind {
			now.Owed = nil
		}
		return nil
	})
	return err
}

func (d *Desk) notify(ctx context.Context, key string, n Notice, fx Effects) error {
	err := fx.Once(ctx, key, func(ctx context.Context) ([]byte, error) {
		return nil, d.opt.Notifier.Notify(ctx, n)
	}, func(context.Context) ([]byte, bool, error) {
		return nil, false, nil // a chat cannot be asked: twice is better than never
	})
	if err != nil {
		return fmt.Errorf("the chat was not told: %w", err)
	}
	return nil
}

// deliver tells what is owed: the chat all of it, and the issue, in a comment, who is to come.
func (d *Desk) deliver(ctx context.Context, id string, fx Effects) error {
	rec, err := d.Incident(ctx, id)
	if err != nil || len(rec.Response.Outbox) == 0 && rec.Owed == nil || rec.Issue == 0 || rec.Claim != nil && d.opt.Now().Before(rec.Claim.Until) {
		return err // nothing to tell, nothing to lead to yet, or somebody is about to tell it
	}
	issue, err := d.opt.Tracker.Issue(ctx, rec.Issue)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("issue %d: %w", rec.Issue, err)
	}
	errs := []error{d.pay(ctx, rec, issue, fx)}
	for _, owed := range rec.Response.Outbox {
		if err := d.told(ctx, rec, issue, owed, fx); err != nil {
			errs = append(errs, err)
			continue
		}
		_, err := d.change(ctx, id, nil, func(rec *Record) error {
			rec.Response.Outbox = slices.DeleteFunc(rec.Response.Outbox, func(o Owed) bool {
				return o.Sequence == owed.Sequence && o.Notice.Kind == owed.Notice.Kind
			})
			return nil
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// told tells one notice where it is to be told.
func (d *Desk) told(ctx context.Context, rec *Record, issue Issue, owed Owed, fx Effects) error {
	name := fmt.Sprintf("%s:%d:%s", storeKey(d.opt.Organisation, rec.Campaign.ID), owed.Sequence, owed.Notice.Kind)
	n := owed.Notice
	if n.Role != "" && issue.Number > 0 {
		body := "Told " + code(n.Role) + ": " + code(n.Text) + ".\n"
		if n.Team != "" {
			body = "@" + d.opt.Organisation + "/" + n.Team + "\n\n" + body
		}
		head := d.opt.Key.commentHead(markAnswer, rec.Organisation, rec.Campaign.ID, "told "+name)
		text := func(context.Context) (string, error) { return body, nil }
		if err := d.once(ctx, "incident-told:"+name, issue.Number, head, text, fx); err != nil {
			return err
		}
	}
	if d.opt.Notifier == nil {
		return nil
	}
	n.URL = issue.URL
	return d.notify(ctx, "incident-notice:"+name, n, fx)
}

// once writes a comment of ours on an issue once. head is its first line, by which it is found again.
func (d *Desk) once(ctx context.Context, key string, issue int, head string, text func(ctx context.Context) (string, error), fx Effects) error {
	return fx.Once(ctx, key, func(ctx context.Context) ([]byte, error) {
		body, err := text(ctx)
		if err != nil {
			return nil, err
		}
		c, err := d.opt.Tracker.Comment(ctx, issue, head+"\n"+body)
		return fmt.Append(nil, c.ID), err
	}, func(ctx context.Context) ([]byte, bool, error) {
		all, err := d.opt.Tracker.ListComments(ctx, issue)
		for _, c := range all {
			if marked(c.Body, head) {
				return fmt.Append(nil, c.ID), true, err
			}
		}
		return nil, false, err
	})
}

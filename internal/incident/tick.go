package incident

import (
	"context"
	"errors"
	"fmt"
	"time"
)

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
	var before error
	if d.rings(rec, now) {
		// Nobody is called for an issue that is closed. Where that cannot be known, somebody is.
		before = errors.Join(d.byHand(ctx, id, ""), d.Show(ctx, id, fx))
		rec, err = d.change(ctx, id, nil, func(rec *Record) error {
			d.late(rec, now)
			return nil
		})
		if err != nil {
			return errors.Join(before, err)
		}
	}
	if p := rec.Response; p.Shown < p.Revision || p.Closing || len(p.Outbox) > 0 || !d.handed(rec) || rec.Owed != nil && d.opt.Notifier != nil {
		return errors.Join(before, d.Show(ctx, id, fx))
	}
	return before
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

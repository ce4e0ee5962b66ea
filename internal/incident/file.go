package incident

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// closeDuplicate stands in Done for an issue that was closed in favour of another.
const closeDuplicate ActionKind = "close a duplicate"

// maxTurns is how often the work on one incident begins again because another run changed the
// record.
const maxTurns = 5

// incident does what is to be done for one campaign.
func (f *Filer) incident(ctx context.Context, c Campaign, s *Sweep) (Done, error) {
	done := Done{Campaign: c.ID}
	for range maxTurns {
		err := f.turn(ctx, c, s, &done)
		if !errors.Is(err, errElsewhere) {
			return done, err
		}
	}
	return done, errElsewhere
}

// turn is one attempt: look, and where there is something to write, claim, look again, write,
// and keep the record.
func (f *Filer) turn(ctx context.Context, c Campaign, s *Sweep, done *Done) error {
	rec, version, err := f.unclaimed(ctx, c.ID)
	if err != nil {
		return err
	}
	in := Input{Key: f.opt.Key, Organisation: f.opt.Organisation, Campaign: c, Sweep: s, Stamp: Stamp{Swept: s.started, Report: f.opt.Report}, Commands: f.opt.Commands}
	if version > 0 {
		in.Previous = rec
	}
	in.Owners = f.owners.of(ctx, s, rec, c.ID)
	return f.carryOut(ctx, in, rec, version, done)
}

// show is an attempt to have an issue show what its record has, without a sweep. Where another run
// is writing it the error is a *BusyError; that run begins again with the record as it is now.
func (f *Filer) show(ctx context.Context, campaign string) error {
	rec, version, err := f.load(ctx, campaign)
	switch {
	case err != nil:
		return err
	case version == 0 || rec.Response.Shown >= rec.Response.Revision && !rec.Response.Closing:
		return nil
	case rec.Claim != nil && rec.Claim.Holder != f.holder && f.opt.Now().Before(rec.Claim.Until):
		return &BusyError{rec.Claim.Until}
	}
	rec.Claim = nil
	now := f.opt.Now().UTC()
	in := Input{Key: f.opt.Key, Organisation: f.opt.Organisation, Campaign: rec.Campaign, Previous: rec, Now: now, Stamp: Stamp{Acted: now}, Commands: f.opt.Commands}
	return f.carryOut(ctx, in, rec, version, &Done{Campaign: campaign})
}

// BusyError says that another run writes the issue.
type BusyError struct{ Until time.Time } // of its claim

func (e *BusyError) Error() string { return "another run is writing the issue" }

// carryOut does what follows from an input, but for the issue, which it looks for.
func (f *Filer) carryOut(ctx context.Context, in Input, rec *Record, version int64, done *Done) error {
	others, err := f.look(ctx, &in)
	if err != nil {
		return err
	}
	done.at(in.Issue)
	planned := Plan(in)
	switch {
	case planned.Record == nil && len(others) == 0:
		return nil
	case f.opt.DryRun:
		return f.rehearse(ctx, in, others, done)
	case len(planned.Actions) == 0 && len(others) == 0:
		return f.keep(ctx, rec, planned.Record, version)
	}
	w := &work{Filer: f, rec: planned.Ahead, version: version, in: in, done: done}
	return w.run(ctx)
}

// keep saves a record, if it changed.
func (f *Filer) keep(ctx context.Context, old, rec *Record, version int64) error {
	before, err := old.encode()
	if err != nil {
		return err
	}
	f.settle(rec)
	after, err := rec.encode()
	if err != nil || version > 0 && bytes.Equal(before, after) {
		return err
	}
	_, err = f.save(ctx, rec, version)
	return err
}

// unclaimed loads the record, and waits while another run holds it.
func (f *Filer) unclaimed(ctx context.Context, campaign string) (*Record, int64, error) {
	poll := min(2*time.Second, f.opt.Lease/20)
	for waited := time.Duration(0); ; {
		rec, version, err := f.load(ctx, campaign)
		if err != nil {
			return nil, 0, err
		}
		if rec.Claim == nil || rec.Claim.Holder == f.holder || f.opt.DryRun {
			rec.Claim = nil
			return rec, version, nil
		}
		for now := version; now == version; waited += poll {
			switch {
			case !f.opt.Now().Before(rec.Claim.Until):
				rec.Claim = nil
				return rec, version, nil
			case waited > 4*f.opt.Lease:
				return nil, 0, errors.New("another run is writing its issue, and does not come to an end")
			}
			if err := f.opt.Sleep(ctx, poll); err != nil {
				return nil, 0, err
			}
			if _, now, err = f.opt.Store.Load(ctx, storeKey(f.opt.Organisation, campaign)); err != nil {
				return nil, 0, fmt.Errorf("record of the incident %q: %w", campaign, err)
			}
		}
	}
}

// look finds the incident's issue, and others of ours with its mark: two runs that shared no
// record made them. The first that was made is the incident's, unless none has the mark; then
// it is the one that the record names.
func (f *Filer) look(ctx context.Context, in *Input) (others []Issue, err error) {
	issues, err := f.opt.Tracker.ListOwn(ctx)
	if err != nil {
		return nil, fmt.Errorf("list of our issues: %w", err)
	}
	in.Issue = nil
	for _, issue := range issues {
		h, ok := f.opt.Key.readHead(in.Organisation, in.Campaign.ID, issue.Body)
		switch {
		case !ok || h.state == markDuplicate:
		case in.Issue == nil:
			in.Issue = &issue
		case issue.Number < in.Issue.Number:
			others = append(others, *in.Issue)
			in.Issue = &issue
		default:
			others = append(others, issue)
		}
	}
	if in.Previous == nil || in.Previous.Issue == 0 || in.Issue != nil && in.Issue.Number <= in.Previous.Issue {
		return others, nil
	}
	// The record names an issue that the list does not show: its label or mark was taken away,
	// or the list lags behind.
	issue, err := f.opt.Tracker.Issue(ctx, in.Previous.Issue)
	switch {
	case errors.Is(err, ErrNotFound):
		return others, nil
	case err != nil:
		return nil, fmt.Errorf("issue %d: %w", in.Previous.Issue, err)
	}
	if h, ok := f.opt.Key.readHead(in.Organisation, in.Campaign.ID, issue.Body); ok && h.state == markDuplicate {
		return others, nil
	}
	if in.Issue != nil {
		others = append(others, *in.Issue)
	}
	in.Issue = &issue
	return others, nil
}

// rehearse says what would be done.
func (f *Filer) rehearse(ctx context.Context, in Input, others []Issue, done *Done) error {
	if in.Issue != nil {
		var err error
		if in.Comments, err = f.opt.Tracker.ListComments(ctx, in.Issue.Number); err != nil {
			return fmt.Errorf("comments of issue %d: %w", in.Issue.Number, err)
		}
	}
	done.Actions = Plan(in).Actions
	for range others {
		done.Actions = append(done.Actions, Action{Kind: closeDuplicate})
	}
	return nil
}

// at notes the issue.
func (d *Done) at(issue *Issue) {
	if issue != nil {
		d.Issue, d.URL = issue.Number, issue.URL
	}
}

package incident

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// IssueEvent is what a delivery says of an issue. It is a hint: what became of the issue is asked.
type IssueEvent struct {
	Action      string // "closed", "reopened"; others do nothing
	Repository  string // OWNER/NAME
	Issue       int
	PullRequest bool
	Sender      Account // who is said to have done it
}

// HandleIssue takes note of an incident's issue that a person closed or opened again, so that nobody
// is called for one that is over. It is called as often as it is delivered.
func (d *Desk) HandleIssue(ctx context.Context, e IssueEvent, fx Effects) error {
	if !strings.EqualFold(e.Repository, d.desk.Repository) || e.PullRequest || e.Issue <= 0 ||
		strings.EqualFold(e.Sender.Login, d.desk.Author) || e.Action != "closed" && e.Action != "reopened" {
		return nil
	}
	rec, err := d.byIssue(ctx, e.Issue)
	if err != nil || rec == nil {
		return err
	}
	if err := d.byHand(ctx, rec.Campaign.ID, e.Sender.Login); err != nil {
		return err
	}
	return d.Show(ctx, rec.Campaign.ID, fx)
}

// byHand asks whether a person closed the issue, or opened it again, and writes that down.
func (d *Desk) byHand(ctx context.Context, id, who string) error {
	rec, err := d.Incident(ctx, id)
	if err != nil || rec.Issue == 0 {
		return err
	}
	issue, err := d.opt.Tracker.Issue(ctx, rec.Issue)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // the next sweep makes another
	case err != nil:
		return fmt.Errorf("issue %d: %w", rec.Issue, err)
	}
	h, _ := d.opt.Key.readHead(d.opt.Organisation, id, issue.Body)
	_, err = d.change(ctx, id, nil, func(now *Record) error {
		claimed := now.Claim != nil && d.opt.Now().Before(now.Claim.Until) // somebody writes it just now
		a := act{by: ByHand, who: who, at: d.opt.Now().UTC()}
		switch p := &now.Response; {
		case claimed || p.Closing || p.Reopening || now.Issue != rec.Issue || now.State != rec.State:
		case issue.Open && now.State.over():
			now.Insisted = now.State == Closed && h.state == markClosed
			now.must(Open, a)
		case !issue.Open && !now.State.over() && h.state == markOpen:
			now.must(Dismissed, a)
		case !issue.Open && !now.State.over():
			now.Response.Revision++ // we closed it, and did not come to write that down
		}
		return nil
	})
	return err
}

package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// handed reports whether the issue is assigned to its owner, as far as that can be.
func (d *Desk) handed(rec *Record) bool {
	p := &rec.Response
	return d.desk.Assigner == nil || rec.Issue == 0 || rec.State.over() || p.Owner == p.Assigned
}

// hand assigns the issue to its owner.
func (d *Desk) hand(ctx context.Context, id string, fx Effects) error {
	rec, err := d.Incident(ctx, id)
	if err != nil || d.handed(rec) {
		return err
	}
	owner := rec.Response.Owner
	key := fmt.Sprintf("incident-assignee:%s:%d:%s", storeKey(d.opt.Organisation, id), rec.Response.Revision, owner)
	err = fx.Once(ctx, key, func(ctx context.Context) ([]byte, error) {
		return nil, d.desk.Assigner.Assign(ctx, rec.Issue, owner)
	}, func(context.Context) ([]byte, bool, error) {
		return nil, false, nil // to assign it once more does nothing
	})
	var refused *RefusedError
	if err != nil && !errors.As(err, &refused) { // who cannot be assigned leads all the same
		return fmt.Errorf("assign issue %d: %w", rec.Issue, err)
	}
	_, err = d.change(ctx, id, nil, func(now *Record) error {
		if now.Response.Owner == owner {
			now.Response.Assigned = owner
		}
		return nil
	})
	return err
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

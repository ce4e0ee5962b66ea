package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// work is the writing for one incident, under a claim.
type work struct {
	*Filer
	in      Input
	rec     *Record // as kept now
	version int64   // of it
	done    *Done
}

// run claims the record, looks again, writes, and keeps the record that follows. When it
// fails, the record keeps what was found, and the next run looks before it writes.
func (w *work) run(ctx context.Context) error {
	if err := w.claim(ctx); err != nil {
		return err
	}
	final, err := w.write(ctx)
	if err == nil {
		final.Claim = nil
		w.settle(final)
		_, err = w.save(ctx, final, w.version)
		return err
	}
	if !errors.Is(err, errElsewhere) {
		w.rec.Claim = nil
		if _, e := w.save(context.WithoutCancel(ctx), w.rec, w.version); e != nil && !errors.Is(e, errElsewhere) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// claim takes the record, or takes it for longer.
func (w *work) claim(ctx context.Context) error {
	w.rec.Claim = &Claim{Holder: w.holder, Until: w.opt.Now().Add(w.opt.Lease)}
	version, err := w.save(ctx, w.rec, w.version)
	if err == nil {
		w.version = version
	}
	return err
}

// write carries out a plan that is made under the claim, and gives the record after it.
func (w *work) write(ctx context.Context) (*Record, error) {
	w.in.Previous = w.rec.clone()
	w.in.Previous.Claim = nil
	others, err := w.look(ctx, &w.in)
	if err != nil {
		return nil, err
	}
	if w.in.Issue != nil {
		if w.in.Comments, err = w.opt.Tracker.ListComments(ctx, w.in.Issue.Number); err != nil {
			return nil, fmt.Errorf("comments of issue %d: %w", w.in.Issue.Number, err)
		}
	}
	planned := Plan(w.in)
	for _, a := range planned.Actions {
		if err := w.act(ctx, a); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Kind, err)
		}
		w.done.Actions = append(w.done.Actions, a)
		if a.Kind == Create {
			// Where another run shares no record with this one, the list decides.
			first := w.in.Issue
			if others, err = w.look(ctx, &w.in); err != nil {
				return nil, err
			}
			if w.in.Issue != nil && w.in.Issue.Number < first.Number {
				if !slices.ContainsFunc(others, func(i Issue) bool { return i.Number == first.Number }) {
					others = append(others, *first) // the list lags behind
				}
				if err := w.closeOthers(ctx, others); err != nil {
					return nil, err
				}
				return nil, w.restart(ctx)
			}
			w.in.Issue = first
		}
	}
	if err := w.closeOthers(ctx, others); err != nil {
		return nil, err
	}
	w.done.at(w.in.Issue)
	if w.in.Issue != nil {
		planned.Record.Issue = w.in.Issue.Number
	}
	return planned.Record, nil
}

// restart lets go of the claim, so that the next turn begins with the issue of another run.
func (w *work) restart(ctx context.Context) error {
	w.rec.Claim, w.rec.Issue = nil, w.in.Issue.Number
	if _, err := w.save(ctx, w.rec, w.version); err != nil {
		return err
	}
	return errElsewhere
}

// closeOthers closes issues in favour of the incident's.
func (w *work) closeOthers(ctx context.Context, others []Issue) error {
	for _, other := range others {
		body := w.in.Key.issueHead(w.in.Organisation, w.in.Campaign.ID, head{state: markDuplicate, digest: noDigest}) +
			fmt.Sprintf("\nThis issue was opened twice. It goes on in #%d.\n", w.in.Issue.Number)
		if err := w.edit(ctx, other.Number, body, StateNotPlanned); err != nil {
			return fmt.Errorf("close issue %d, a duplicate of %d: %w", other.Number, w.in.Issue.Number, err)
		}
		w.done.Actions = append(w.done.Actions, Action{Kind: closeDuplicate})
	}
	return nil
}

// act carries out one action.
func (w *work) act(ctx context.Context, a Action) error {
	t := w.opt.Tracker
	switch a.Kind {
	case Create:
		return w.once(ctx, func() error {
			issue, err := t.Create(ctx, a.Title, a.Body)
			if err == nil {
				w.in.Issue = &issue
			}
			return err
		}, func() (bool, error) {
			_, err := w.look(ctx, &w.in)
			return w.in.Issue != nil, err
		})
	case Update, Reopen:
		return w.edit(ctx, w.in.Issue.Number, a.Body, StateOpen)
	case Close:
		return w.edit(ctx, w.in.Issue.Number, a.Body, StateCompleted)
	case Dismiss:
		return w.edit(ctx, w.in.Issue.Number, a.Body, StateNotPlanned)
	}
	if a.ID != 0 {
		return w.again(ctx, func() error { return t.EditComment(ctx, a.ID, a.Body) })
	}
	return w.once(ctx, func() error {
		_, err := t.Comment(ctx, w.in.Issue.Number, a.Body)
		return err
	}, func() (bool, error) {
		comments, err := t.ListComments(ctx, w.in.Issue.Number)
		for _, c := range comments {
			if marked(c.Body, a.Head) {
				return true, err
			}
		}
		return false, err
	})
}

func (w *work) edit(ctx context.Context, number int, body string, state IssueState) error {
	return w.again(ctx, func() error { return w.opt.Tracker.Edit(ctx, number, body, state) })
}

// maxWrites bounds the writes of one run. GitHub takes 500 an hour from one account, what
// people write with it included.
const maxWrites = 400

var errTooMany = fmt.Errorf("%d writes in one run: the rest is for the next run", maxWrites)

// pace comes before each write: a pause, and the claim taken for longer where it nears its end.
func (w *work) pace(ctx context.Context) error {
	if w.writes++; w.writes > maxWrites {
		return errTooMany
	}
	if w.writes > 1 {
		if err := w.opt.Sleep(ctx, w.opt.Pause); err != nil {
			return err
		}
	}
	if w.rec.Claim.Until.Sub(w.opt.Now()) < w.opt.Lease/2 {
		if err := w.claim(ctx); err != nil {
			return err
		}
	}
	if w.opt.Gate != nil {
		return w.opt.Gate(ctx)
	}
	return nil
}

// again writes what may be written twice.
func (w *work) again(ctx context.Context, do func() error) error {
	for tries := 0; ; tries++ {
		if err := w.pace(ctx); err != nil {
			return err
		}
		err := do()
		if err == nil || tries == 1 || refused(err) || ctx.Err() != nil {
			return err
		}
	}
}

// once writes what must not be written twice. Where nobody knows whether it was, it looks
// before it writes again.
func (w *work) once(ctx context.Context, do func() error, look func() (bool, error)) error {
	for tries := 0; ; tries++ {
		if err := w.pace(ctx); err != nil {
			return err
		}
		err := do()
		if err == nil || refused(err) || ctx.Err() != nil {
			return err
		}
		for _, wait := range []time.Duration{1, 2, 4} {
			if e := w.opt.Sleep(ctx, wait*time.Second); e != nil {
				return errors.Join(err, e)
			}
			there, e := look()
			if there {
				return nil
			}
			if e != nil {
				err = errors.Join(err, e)
				tries = 1 // who cannot look does not write again
			}
		}
		if tries == 1 {
			return fmt.Errorf("nobody knows whether it was written, and the next run looks first: %w", err)
		}
	}
}

func refused(err error) bool {
	var r *RefusedError
	return errors.As(err, &r)
}

// settle sees to what a record has for the chat and the clock before it is kept.
func (f *Filer) settle(rec *Record) {
	if f.opt.Notifier == nil {
		rec.Owed = nil
	}
	if f.opt.Commands && rec.State == Open && rec.Issue > 0 && rec.Response.Noticed.IsZero() {
		rec.Response.Noticed = f.opt.Now().UTC()
	}
}

// notify tells the chat what is owed, and writes down that it was told.
func (f *Filer) notify(ctx context.Context, campaign, url string) error {
	if f.opt.Notifier == nil || f.opt.DryRun {
		return nil
	}
	rec, version, err := f.load(ctx, campaign)
	if err != nil || rec.Owed == nil || rec.Claim != nil {
		return err
	}
	n := *rec.Owed
	n.URL = url
	if f.opt.Gate != nil {
		if err := f.opt.Gate(ctx); err != nil {
			return err
		}
	}
	if err := f.opt.Notifier.Notify(ctx, n); err != nil {
		return fmt.Errorf("the chat was not told, and the next run tells it: %w", err)
	}
	rec.Owed = nil
	if _, err := f.save(ctx, rec, version); err != nil && !errors.Is(err, errElsewhere) {
		return err
	}
	return nil
}

package checkrun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// Name is the name of the check run, which a rule of a branch may require.
const Name = "Wormsweep"

// Permissions are what a client of a Publisher may do.
var Permissions = ghclient.Permissions{"checks": "write", "metadata": "read"}

// Effects is the one way to write to the outside (handler.Effects).
type Effects interface {
	Once(ctx context.Context, key string,
		do func(ctx context.Context) (receipt []byte, err error),
		find func(ctx context.Context) (receipt []byte, found bool, err error)) error
}

// Options are the settings of a Publisher.
type Options struct {
	Records Records
	AppID   int64
	Details string // address of the page behind "Details"; "" is the check run's own
	Now     func() time.Time
}

// Publisher keeps the check runs of commits. It is safe for concurrent use, by several processes
// with the same Records as well.
type Publisher struct {
	opt   Options
	locks locks
}

// New makes a Publisher.
func New(opt Options) *Publisher {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Publisher{opt: opt}
}

// Known gives the parts that were published of a commit, none where it has no check run of ours.
func (p *Publisher) Known(ctx context.Context, c Commit) ([]Part, error) {
	rec, _, err := load(ctx, p.opt.Records, c)
	if err != nil {
		return nil, err
	}
	return rec.Parts, nil
}

// Publish puts a part into the check run of a commit, which is made where there is none. What is
// said already is not said again, unless anew asks for it: somebody asked for the check to be run
// again, and waits for an answer.
//
// Contents are published one after the other, whichever process made them: a newer one waits for
// the older, and never the other way round.
func (p *Publisher) Publish(ctx context.Context, fx Effects, client *ghclient.Client, c Commit, part Part, anew bool) error {
	unlock, err := p.locks.take(ctx, c.key())
	if err != nil {
		return err
	}
	defer unlock()
	rec, err := change(ctx, p.opt.Records, c, func(r *record) bool {
		news := r.put(part)
		if r.Sequence == 0 || news || anew && r.Published == r.Sequence {
			r.Sequence++
		}
		return true
	})
	if err != nil {
		return err
	}
	for before := rec.Published + 1; before < rec.Sequence; before++ {
		// Either it is there, or whoever was to publish it never will.
		nothing := func(context.Context) ([]byte, error) { return []byte("superseded"), nil }
		never := func(context.Context) ([]byte, bool, error) { return nil, false, nil }
		if err := fx.Once(ctx, p.effect(c, before), nothing, never); err != nil {
			return err
		}
	}
	if rec.Published == rec.Sequence {
		return nil
	}
	w := &writing{p: p, client: client, commit: c, rec: rec, content: rec.content()}
	w.owner, w.repo, _ = strings.Cut(c.FullName, "/")
	w.notes = rec.missing(w.content)
	w.mark = fmt.Sprintf("wormsweep:%d:%s", rec.Sequence, w.content.digest())
	if err := fx.Once(ctx, p.effect(c, rec.Sequence), w.write, w.find); err != nil {
		return err
	}
	_, err = change(ctx, p.opt.Records, c, func(r *record) bool {
		if r.Published >= rec.Sequence {
			return false
		}
		r.Published = rec.Sequence
		if w.id != 0 {
			r.Run = w.id
		}
		for _, a := range w.notes {
			r.Noted = append(r.Noted, a.digest())
		}
		return true
	})
	return err
}

func (p *Publisher) effect(c Commit, sequence int) string {
	return fmt.Sprintf("check-run:%s:%d", c.key(), sequence)
}

// writing is the publication of one content.
type writing struct {
	p           *Publisher
	client      *ghclient.Client
	commit      Commit
	owner, repo string
	rec         *record
	content     Verdict
	notes       []Annotation // that are not there yet
	mark        string       // external id of the check run once all of it is there

	id     int64 // of the check run, once it is known
	there  int   // annotations that it has
	listed bool
}

// more ends the mark of a check run whose annotations are not all there.
const more = ":more"

// find looks whether the content is there.
func (w *writing) find(ctx context.Context) (receipt []byte, found bool, err error) {
	run, err := w.list(ctx)
	if err != nil || run == nil {
		return nil, false, err
	}
	return w.receipt(), run.GetExternalID() == w.mark, nil
}

// list finds the check run of our App and name.
func (w *writing) list(ctx context.Context) (*github.CheckRun, error) {
	name, filter := Name, "all"
	list, _, err := w.client.REST().Checks.ListCheckRunsForRef(ctx, w.owner, w.repo, w.commit.SHA, &github.ListCheckRunsOptions{
		CheckName: &name, Filter: &filter, AppID: &w.p.opt.AppID, ListOptions: github.ListOptions{PerPage: 100},
	})
	if err != nil {
		return nil, fmt.Errorf("list the check runs of %q: %w", w.commit.SHA, err)
	}
	w.listed = true
	var last *github.CheckRun
	for _, run := range list.CheckRuns {
		// What the list was asked for is not believed.
		if run.GetName() == Name && run.GetApp().GetID() == w.p.opt.AppID && run.GetHeadSHA() == w.commit.SHA && (last == nil || run.GetID() > last.GetID()) {
			last = run
		}
	}
	if last != nil {
		w.id, w.there = last.GetID(), last.GetOutput().GetAnnotationsCount()
		if last.GetExternalID() != w.mark+more {
			w.there = 0 // of another content
		} else {
			w.there -= len(w.rec.Noted)
		}
	}
	return last, nil
}

func (w *writing) receipt() []byte { return fmt.Appendf(nil, "check run %d", w.id) }

// perRequest is how many annotations GitHub takes at once.
const perRequest = 50

// write makes the check run or changes it, in as many requests as its annotations take. What an
// attempt before this one wrote of them is not written again.
func (w *writing) write(ctx context.Context) ([]byte, error) {
	switch {
	case w.listed: // it was looked for
	case w.rec.Run != 0:
		w.id = w.rec.Run
	case w.rec.Sequence > 1: // the one that made it did not come to write that down
		if _, err := w.list(ctx); err != nil {
			return nil, err
		}
	}
	left := w.notes[min(max(w.there, 0), len(w.notes)):]
	for first := true; first || len(left) > 0; first = false {
		some := left[:min(len(left), perRequest)]
		left = left[len(some):]
		mark := w.mark
		if len(left) > 0 {
			mark += more
		}
		if err := w.request(ctx, mark, some); err != nil {
			return nil, err
		}
	}
	return w.receipt(), nil
}

func (w *writing) request(ctx context.Context, mark string, notes []Annotation) error {
	ctx = ghclient.Urgent(ctx) // somebody waits for it to merge
	completed, conclusion, now := "completed", string(w.content.Conclusion), &github.Timestamp{Time: w.p.opt.Now().UTC()}
	output := &github.CheckRunOutput{Title: &w.content.Title, Summary: &w.content.Summary}
	for i := range notes {
		a := &notes[i]
		level := string(a.Level)
		output.Annotations = append(output.Annotations, &github.CheckRunAnnotation{
			Path: &a.Path, StartLine: &a.Line, EndLine: &a.Line, AnnotationLevel: &level, Title: &a.Title, Message: &a.Message,
		})
	}
	var details *string
	if w.p.opt.Details != "" {
		details = &w.p.opt.Details
	}
	if w.id != 0 {
		_, _, err := w.client.REST().Checks.UpdateCheckRun(ctx, w.owner, w.repo, w.id, github.UpdateCheckRunOptions{
			Name: Name, DetailsURL: details, ExternalID: &mark, Status: &completed, Conclusion: &conclusion, CompletedAt: now, Output: output,
		})
		if err != nil {
			return fmt.Errorf("change check run %d of %q: %w", w.id, w.commit.SHA, err)
		}
		return nil
	}
	run, _, err := w.client.REST().Checks.CreateCheckRun(ctx, w.owner, w.repo, github.CreateCheckRunOptions{
		Name: Name, HeadSHA: w.commit.SHA, DetailsURL: details, ExternalID: &mark, Status: &completed, Conclusion: &conclusion,
		StartedAt: now, CompletedAt: now, Output: output,
	})
	if err != nil {
		return fmt.Errorf("make the check run of %q: %w", w.commit.SHA, err)
	}
	if w.id = run.GetID(); w.id == 0 {
		return errors.New("make the check run: the answer has no number")
	}
	return nil
}

// locks are held by key within this process, so that the parts of one commit do not wait for the
// lease of each other's claims.
type locks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

func (l *locks) take(ctx context.Context, key string) (unlock func(), err error) {
	for {
		l.mu.Lock()
		busy := l.held[key]
		if busy == nil {
			if l.held == nil {
				l.held = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			l.held[key] = mine
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.held, key)
				l.mu.Unlock()
				close(mine)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

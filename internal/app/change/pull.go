package change

import (
	"context"
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
)

// looked are the actions after which a pull request is to be looked at: its head or its base is
// another, or it is open again. Drafts are looked at as others are: their CI runs as well.
var looked = []string{"opened", "synchronize", "reopened", "ready_for_review", "edited"}

// pullRequest looks at what a pull request brings in.
func (h *Handlers) pullRequest(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := read[appevent.PullRequest](d)
	if err != nil {
		return err
	}
	if !slices.Contains(looked, e.Action) || e.Pull.State != "open" {
		return nil
	}
	p := pull{number: e.Number, base: e.Pull.Base.SHA, head: e.Pull.Head.SHA, before: e.Before}
	return h.gate.run(ctx, d, e.Repository.ID, fmt.Sprintf("pull/%d", e.Number), func(ctx context.Context) error {
		return h.pulled(ctx, d, e.Repository, p, fx)
	})
}

// pull is a pull request as somebody told of it.
type pull struct {
	number             int64
	base, head, before string
	anew               bool
}

func (p *pull) ref() string { return fmt.Sprintf("refs/pull/%d/head", p.number) }

func (h *Handlers) pulled(ctx context.Context, d hook.Delivery, repo *appevent.Repository, p pull, fx handler.Effects) error {
	w, err := h.open(ctx, d, repo, fx)
	if err != nil {
		return err
	}
	defer w.close()
	refs, err := w.refs(ctx, p.ref())
	if err != nil {
		return err
	}
	head, there := refs[p.ref()]
	switch {
	case !there:
		if err := h.lags(d, "the pull request"); err != nil {
			return err
		}
		return nil // it is gone with its repository, or the server keeps no such refs
	case head != p.head && head == p.before:
		if err := h.lags(d, "the push"); err != nil {
			return err
		}
	}
	return h.pulledAt(ctx, w, d, p, head)
}

func (h *Handlers) pulledAt(ctx context.Context, w *work, d hook.Delivery, p pull, head string) error {
	if w.excluded(ctx) {
		return nil
	}
	out, err := h.look(ctx, w, subject{
		part:   checkrun.Part{Name: fmt.Sprintf("pull/%d", p.number), What: fmt.Sprintf("pull request %d", p.number), Pull: p.number, Ref: p.ref()},
		head:   head,
		base:   func(ctx context.Context) (string, error) { return w.mergeBase(ctx, p.base, head) },
		always: true, anew: p.anew,
	}, func(string) bool { return false })
	return together(err, h.raise(ctx, w, d, p.ref(), head, p.number, out.brought), out.failed)
}

// mergeGroup looks at what a merge queue is about to merge.
func (h *Handlers) mergeGroup(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := read[appevent.MergeGroup](d)
	if err != nil {
		return err
	}
	if e.Action != "checks_requested" {
		return nil
	}
	g := *e.Group
	return h.gate.run(ctx, d, e.Repository.ID, "merge/"+g.HeadSHA, func(ctx context.Context) error {
		w, err := h.open(ctx, d, e.Repository, fx)
		if err != nil {
			return err
		}
		defer w.close()
		return h.grouped(ctx, w, d, g.HeadSHA, g.HeadRef, g.BaseSHA, false)
	})
}

func (h *Handlers) grouped(ctx context.Context, w *work, d hook.Delivery, head, ref, base string, anew bool) error {
	if w.excluded(ctx) {
		return nil
	}
	out, err := h.look(ctx, w, subject{
		part: checkrun.Part{Name: "merge/" + base, What: "a group of the merge queue", Ref: ref},
		head: head, base: func(context.Context) (string, error) { return base, nil }, always: true, anew: anew,
	}, func(string) bool { return false })
	return together(err, h.raise(ctx, w, d, ref, head, 0, out.brought), out.failed)
}

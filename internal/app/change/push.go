package change

import (
	"context"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
)

// push looks at a branch or tag that was made, moved or deleted.
func (h *Handlers) push(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := read[appevent.Push](d)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(e.Ref, source.Branches) && !strings.HasPrefix(e.Ref, source.Tags) {
		return nil
	}
	return h.gate.run(ctx, d, e.Repository.ID, e.Ref, func(ctx context.Context) error { return h.pushed(ctx, d, e, fx) })
}

func (h *Handlers) pushed(ctx context.Context, d hook.Delivery, e *appevent.Push, fx handler.Effects) error {
	w, err := h.open(ctx, d, e.Repository, fx)
	if err != nil {
		return err
	}
	defer w.close()
	home := source.Branches + e.Repository.DefaultBranch
	refs, err := w.refs(ctx, e.Ref, home)
	if err != nil {
		return err
	}
	head, there := refs[e.Ref]
	switch {
	case !there && !e.Gone():
		if err := h.lags(d, "the ref"); err != nil {
			return err
		}
		return h.gone(ctx, w, e.Ref)
	case !there:
		return h.gone(ctx, w, e.Ref)
	case head == e.Before && e.Before != e.After:
		if err := h.lags(d, "the push"); err != nil {
			return err
		}
	}
	if w.left(ctx, e.Ref) {
		return nil
	}
	s := subject{
		part: checkrun.Part{Name: "push/" + e.Ref, What: "a push", Ref: e.Ref},
		head: head, show: showing(e, head), root: rootOf(e, head),
		base: func(context.Context) (string, error) {
			switch {
			case !appevent.IsZero(e.Before) && e.Before != head:
				return e.Before, nil
			case e.Ref != home && refs[home] != head:
				return refs[home], nil // of a ref that is new; "" where there is no such branch
			}
			return "", nil
		},
	}
	keep := func(ref string) bool { return ref == e.Ref }
	var out outcome
	if strings.HasPrefix(e.Ref, source.Tags) { // its commit is that of a branch, which has the check run
		out, err = h.tagged(ctx, w, s, keep)
	} else {
		out, err = h.look(ctx, w, s, keep)
	}
	if len(out.events) == 0 {
		return err
	}
	return together(err, h.raise(ctx, w, d, e.Ref, head, 0, active(out.events)), h.file(ctx, w, e.Ref, head, out.events), out.failed)
}

// tagged is look without a check run.
func (h *Handlers) tagged(ctx context.Context, w *work, s subject, keep func(string) bool) (outcome, error) {
	after, events, err := w.sweep(ctx, s.part.Ref, s.head, s.root, s.show)
	if err == nil {
		err = w.memory.Write(ctx, keep)
	}
	return outcome{events: events, failed: again(&after)}, err
}

// rootOf is the id of the tree of a head, where the push tells it.
func rootOf(e *appevent.Push, head string) string {
	if e.Head != nil && e.Head.ID == head && appevent.IsCommit(e.Head.Tree) {
		return e.Head.Tree
	}
	return ""
}

// showing gives what the push shows beside files: the name of the ref, and of its commit the
// message.
func showing(e *appevent.Push, head string) func(*shown) {
	return func(s *shown) {
		var c *source.Commit
		if e.Head != nil && e.Head.ID == head {
			c = &source.Commit{Tree: e.Head.Tree, Message: e.Head.Message}
			for _, p := range []*appevent.Person{e.Head.Author, e.Head.Committer} {
				if p == nil {
					continue
				}
				if text := fmt.Sprintf("%s <%s>", p.Name, p.Email); len(c.People) == 0 || c.People[0] != text {
					c.People = append(c.People, text)
				}
			}
		}
		s.repo.Show(s.ref, c)
	}
}

// gone takes it that a ref is not there any more: what was found there is settled, and who-has
// does not name it.
func (h *Handlers) gone(ctx context.Context, w *work, ref string) error {
	repo := inventory.Repository{Server: h.opt.GitHub.Host(), Number: w.repo.ID, Name: w.name}
	if err := h.opt.Inventory.Write(ctx, 0, &inventory.Batch{Repositories: []*inventory.Sighting{{
		Repository: repo, Selection: "told", Asked: w.asked, Told: true, Gone: []string{ref},
	}}}); err != nil {
		return err
	}
	return h.fileGone(ctx, w, ref)
}

package change

import (
	"context"
	"strings"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
)

// checkRun looks again where somebody asked for our check run to be run again.
func (h *Handlers) checkRun(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := read[appevent.CheckRun](d)
	if err != nil {
		return err
	}
	if e.Action != "rerequested" || e.Run.App == nil || e.Run.App.ID != h.opt.AppID || e.Run.Name != checkrun.Name {
		return nil
	}
	return h.rerun(ctx, d, e.Repository, e.Run.HeadSHA, e.Run.Pulls, fx)
}

// checkSuite looks again where somebody asked for all of our check runs of a commit.
func (h *Handlers) checkSuite(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := read[appevent.CheckSuite](d)
	if err != nil {
		return err
	}
	if e.Action != "rerequested" || e.Suite.App == nil || e.Suite.App.ID != h.opt.AppID || e.Suite.HeadSHA == "" {
		return nil
	}
	return h.rerun(ctx, d, e.Repository, e.Suite.HeadSHA, e.Suite.Pulls, fx)
}

// rerun looks again at all that is known with a commit as its head: as it was, since a check run
// is of the commit, whatever the pull request has come to since.
func (h *Handlers) rerun(ctx context.Context, d hook.Delivery, repo *appevent.Repository, head string, pulls []appevent.PullOf, fx handler.Effects) error {
	return h.gate.run(ctx, d, repo.ID, "rerun/"+head, func(ctx context.Context) error {
		w, err := h.open(ctx, d, repo, fx)
		if err != nil {
			return err
		}
		defer w.close()
		parts, err := h.checks.Known(ctx, checkrun.Commit{Server: h.opt.GitHub.Host(), Repository: repo.ID, SHA: head})
		if err != nil {
			return err
		}
		if len(parts) == 0 { // of another database, or older than what is kept
			for i := range pulls {
				p := &pulls[i]
				if err := h.pulledAt(ctx, w, d, pull{number: p.Number, base: p.Base.SHA, anew: true}, head); err != nil {
					return err
				}
			}
			return nil
		}
		var errs []error
		for i := range parts {
			errs = append(errs, h.again(ctx, w, d, parts[i], head))
		}
		return together(errs...)
	})
}

// again looks at one part again.
func (h *Handlers) again(ctx context.Context, w *work, d hook.Delivery, part checkrun.Part, head string) error {
	base, merge := strings.CutPrefix(part.Name, "merge/")
	switch {
	case part.Pull != 0:
		base, err := h.baseOf(ctx, w, part, head)
		if err != nil {
			return err
		}
		return h.pulledAt(ctx, w, d, pull{number: part.Pull, base: base, anew: true}, head)
	case merge:
		return h.grouped(ctx, w, d, head, part.Ref, base, true)
	}
	out, err := h.look(ctx, w, subject{
		part: checkrun.Part{Name: part.Name, What: part.What, Ref: part.Ref}, head: head,
		base:   func(context.Context) (string, error) { return part.Base, nil },
		always: true, anew: true,
	}, func(string) bool { return false })
	return together(err, out.failed)
}

// baseOf is what a pull request is to be compared with: as it was, or what its base branch is at
// now where nothing was compared.
func (h *Handlers) baseOf(ctx context.Context, w *work, part checkrun.Part, head string) (string, error) {
	if appevent.IsCommit(part.Base) {
		return part.Base, nil
	}
	home := "refs/heads/" + w.repo.DefaultBranch
	refs, err := w.refs(ctx, home)
	if err != nil {
		return "", err
	}
	if base := refs[home]; base != "" {
		return base, nil
	}
	return head, nil
}

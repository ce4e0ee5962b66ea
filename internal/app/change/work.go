package change

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// work is the work on one delivery: one repository, one catalogue.
type work struct {
	h      *Handlers
	repo   *appevent.Repository
	name   string // "OWNER/NAME", as it is now
	fx     handler.Effects
	set    *ioc.Set
	memory *lookup.Direct
	client *ghclient.Client
	one    *github.One
	scope  settings.Scope
	// asked is when refs were last asked for.
	asked time.Time
	// received is when the delivery came: what GitHub does not show yet is waited for.
	received time.Time
}

// reading is what looking takes.
var reading = ghclient.Permissions{"contents": "read", "metadata": "read"}

// open begins the work. The caller closes it.
func (h *Handlers) open(ctx context.Context, d hook.Delivery, repo *appevent.Repository, fx handler.Effects) (*work, error) {
	w := &work{h: h, repo: repo, name: repo.FullName, fx: fx, set: h.opt.Catalogue(), received: d.Received}
	w.memory = lookup.NewDirect(h.opt.Inventory, w.set)
	if err := w.reopen(ctx); err != nil {
		return w, err
	}
	w.rescope(ctx)
	return w, nil
}

func (w *work) reopen(ctx context.Context) error {
	client, err := w.h.clients.get(ctx, w.name, w.repo.ID, reading)
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		return jobs.Dead(fmt.Sprintf("dropped: the App is not installed on %q any more", w.name))
	case ghclient.Status(err) == unprocessable && w.h.opt.Now().Sub(w.received) > fresh: // no token is made for it
		return jobs.Dead(fmt.Sprintf("dropped: %q is not there any more, or not for the App", w.name))
	case err != nil:
		return fmt.Errorf("%q: %w", w.name, err)
	}
	w.client = client
	w.one, err = github.NewOne(client, github.Named{Number: w.repo.ID, Node: w.repo.Node, FullName: w.name}, github.Options{Dir: w.h.opt.Dir})
	return err
}

// unprocessable is the status with which GitHub refuses a token for a repository that it does not
// show the App.
const unprocessable = 422

func (w *work) close() {
	if w.one != nil {
		_ = w.one.Close() // temporary files without a name
	}
}

// refs asks what refs name. A repository that has another name by now is asked under that.
func (w *work) refs(ctx context.Context, names ...string) (map[string]string, error) {
	w.asked = w.h.opt.Now()
	refs, err := w.one.Refs(ctx, names...)
	if err == nil || !elsewhere(err) {
		return refs, err
	}
	name, found := w.nameNow(ctx)
	if !found {
		return nil, err
	}
	if name == "" {
		return nil, jobs.Dead(fmt.Sprintf("dropped: %q is not there any more, or not for the App", w.name))
	}
	if name == w.name {
		return nil, err
	}
	w.close()
	w.name = name
	if err := w.reopen(ctx); err != nil {
		return nil, err
	}
	return w.one.Refs(ctx, names...)
}

// elsewhere reports whether git's answer is that of an address at which the repository is not.
func elsewhere(err error) bool {
	var status *gitwire.StatusError
	return errors.As(err, &status) && (status.Status == 404 || status.Status == 401 || status.Status == 403 || status.Status/100 == 3)
}

// nameNow asks for the repository by its number: "" where it is not there for the App. found is
// false where that could not be asked.
func (w *work) nameNow(ctx context.Context) (name string, found bool) {
	var repo struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
	}
	_, err := w.client.Get(ctx, "repositories/"+strconv.FormatInt(w.repo.ID, 10), nil, &repo)
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		return "", true
	case err != nil || repo.ID != w.repo.ID:
		return "", false
	}
	return repo.FullName, true
}

// shown takes what a ref shows beside its files.
type shown struct {
	repo *source.Repository
	ref  source.Ref
}

// sweep sweeps one commit, under the name of a ref.
func (w *work) sweep(ctx context.Context, ref, commit, root string, show func(*shown)) (checkrun.Look, []finding.Event, error) {
	state := github.State{Ref: source.Ref{Name: ref, Commit: commit}, Root: root}
	repo, err := w.one.Repository(state)
	if err != nil {
		return checkrun.Look{Failed: err.Error()}, nil, nil //nolint:nilerr // a commit that cannot be read is an answer
	}
	repo.Asked = w.asked
	var properties []ioc.Property
	if show != nil {
		show(&shown{repo, state.Ref})
		properties = seen
	}
	owner := ownerOf(w.name)
	var exclusions sweep.Exclusions
	if w.h.opt.Exclusions != nil {
		var err error
		if exclusions, err = w.h.opt.Exclusions(ctx, owner); err != nil {
			return checkrun.Look{}, nil, err
		}
	}
	var look checkrun.Look
	var events []finding.Event
	_, err = sweep.Run(ctx, alone(repo), sweep.Options{
		Set: w.set, Exclusions: exclusions, Jobs: 2, InFlight: 1, Memory: w.memory, Selection: "told",
		Shown: properties, NoSizes: true, Version: w.h.opt.Version, Paths: []string{w.name}, Partial: true, Now: w.h.opt.Now,
	}, func(e finding.Event) error {
		events = append(events, e)
		switch e := e.(type) {
		case *finding.Finding:
			look.Findings = append(look.Findings, e)
		case *finding.Problem:
			look.Problems = append(look.Problems, e)
		case *finding.Summary:
			look.Files, look.Packages = e.Files.Parsed, e.Packages
		}
		return nil
	})
	if err == nil {
		err = ctx.Err()
	}
	return look, events, err
}

// seen are the properties that a push shows.
var seen = []ioc.Property{ioc.RefBranch, ioc.RefTag, ioc.CommitID, ioc.TreeID, ioc.CommitMessage, ioc.CommitAuthor}

func alone(repo *source.Repository) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) { yield(repo, nil) }
}

// passing are the codes of problems that may not be there when it is tried again.
var passing = map[string]bool{string(source.CodeFetch): true, string(source.CodeMissing): true, sweep.CodeInterrupted: true, sweep.CodeInventory: true}

// again gives the error for a look that something kept from being whole which may pass.
func again(l *checkrun.Look) error {
	for _, p := range l.Problems {
		if passing[p.Code] && p.Exclusion == nil {
			return fmt.Errorf("not all could be read: %s: %s", p.Code, p.Detail)
		}
	}
	return nil
}

// mergeBase asks where the history of a head left that of a base.
func (w *work) mergeBase(ctx context.Context, base, head string) (string, error) {
	var got struct {
		Base struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
	}
	_, err := w.client.Get(ctx, "repos/"+w.name+"/compare/"+base+"..."+head, url.Values{"per_page": {"1"}}, &got)
	switch {
	case errors.Is(err, ghclient.ErrNotFound): // they have nothing in common
		return base, nil
	case err != nil:
		return "", fmt.Errorf("where it left its base: %w", err)
	case !appevent.IsCommit(got.Base.SHA):
		return "", errors.New("where it left its base: GitHub's answer names no commit")
	}
	return got.Base.SHA, nil
}

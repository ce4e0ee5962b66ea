package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/hint"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/orgverify"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/watch"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// publishing looks after what one policy says is published. Without a policy it is nil.
type publishing struct {
	app     *App
	policy  *policy.Policy
	all     []*policy.Artifact
	watcher *watch.Watcher
	// accepted are the changes that a person took for good; nil is none.
	accepted func(a *policy.Artifact, version string) bool

	mu    sync.Mutex
	asked *orgverify.Asked
	made  time.Time
}

// watchRecords is the kind of records in which it is kept when an artifact is due.
const watchRecords = "watch"

// How long what a verification starts from is believed without looking for newer roots, and how
// soon an artifact is looked at again for a hint.
const (
	rootsHold = 12 * time.Hour
	hintGap   = 20 * time.Second
)

// newPublishing fails where a change was accepted of what the policy does not name.
func newPublishing(a *App, p *policy.Policy) (*publishing, error) {
	w := &publishing{app: a, policy: p}
	var err error
	if w.accepted, err = orgverify.Accepted(p, a.config.Accepted); err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	for i := range p.Artifacts {
		w.all = append(w.all, &p.Artifacts[i])
	}
	w.watcher = watch.New(watch.Options{
		Run: w.run, Records: a.inventory.Records(watchRecords), Take: w.take, Every: a.config.WatchEvery, Holder: a.jobs.ID(), Log: a.log, Now: a.now,
	})
	return w, nil
}

// reader gives whom to ask for what we publish.
func (p *publishing) reader(ctx context.Context) (func(*policy.Artifact) (registry.Reader, error), error) {
	opt, err := p.options(ctx)
	return opt.Reader, err
}

// options are those of a run over the policy, with who is asked.
func (p *publishing) options(ctx context.Context) (published.Options, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked == nil || time.Since(p.made) > rootsHold {
		trust, err := orgverify.BuiltIn()
		if err != nil {
			return published.Options{}, err
		}
		if !p.app.config.Offline {
			trust.Refresh(ctx, "")
		}
		trust.Stale(time.Now())
		for _, note := range trust.Notes {
			p.app.log.LogAttrs(ctx, slog.LevelWarn, "what verification starts from", slog.String("note", note))
		}
		asked, err := orgverify.New(ctx, orgverify.Options{
			Policy: p.policy, Trust: trust, Getenv: os.Getenv, Client: p.app.github, GitHubURL: p.app.config.GitHub, Store: p.app.inventory,
		})
		if err != nil {
			return published.Options{}, fmt.Errorf("ask GitHub about what is published: %w", err)
		}
		p.asked, p.made = asked, time.Now()
	}
	set := p.app.catalogue.Set()
	stats := set.Stats()
	opt := published.Options{
		File: p.app.config.Policy, Listed: orgverify.Listed(set),
		Catalogue: finding.Catalogue{Revision: set.Revision(), Campaigns: stats.Campaigns, Indicators: stats.Indicators, Packages: stats.Packages, Versions: stats.Versions},
	}
	opt.Accepted = p.accepted
	excluded, err := p.app.exclusions.now(ctx, p.policy.Organisation)
	if err != nil {
		return published.Options{}, err
	}
	if excluded != nil {
		opt.Excluded = excluded.Of
	}
	p.asked.Into(&opt)
	return opt, nil
}

// run is watch.Options.Run.
func (p *publishing) run(ctx context.Context, only []*policy.Artifact, quiet func(*policy.Artifact) bool, emit func(finding.Event) error) (*finding.Summary, error) {
	opt, err := p.options(ctx)
	if err != nil {
		return nil, err
	}
	opt.Only, opt.Quiet = only, quiet
	return published.Run(ctx, opt, emit)
}

// take is watch.Options.Take: bad versions are signals, and what was seen is filed.
func (p *publishing) take(ctx context.Context, n watch.News) error {
	for _, s := range n.Signals {
		if err := p.app.Signal(ctx, s); err != nil {
			return err
		}
	}
	for purl, why := range n.Unknown {
		p.app.log.LogAttrs(ctx, slog.LevelError, "what is published has been unknown for a while", slog.String("artifact", purl), slog.String("why", why))
	}
	f, err := p.app.filing(ctx, p.policy.Organisation, true)
	if err != nil || f == nil {
		return err
	}
	for _, e := range n.Events {
		if err := f.event(e); err != nil {
			return err
		}
	}
	return f.file(ctx, "watch")
}

// turn is the job that watches.
func (a *App) watch(ctx context.Context, _ jobs.Job) error {
	p := a.publishing()
	if p == nil {
		return nil
	}
	_, err := p.watcher.Turn(ctx, p.all)
	return limited(err)
}

// hinted acts on an event that says that something may have been published: the artifact is looked
// at now, where it was not a moment ago, and more often for a while.
func (a *App) hinted(ctx context.Context, d hook.Delivery, _ handler.Effects) error {
	p := a.publishing()
	if p == nil {
		return nil
	}
	h, err := hint.Of(d, p.policy)
	if err != nil {
		return jobs.Dead(err.Error())
	}
	if h.Signal != nil {
		if err := a.Signal(ctx, *h.Signal); err != nil {
			return err
		}
	}
	if len(h.Artifacts) == 0 {
		return nil
	}
	w := p.watcher
	if err := w.Hurry(ctx, h.Artifacts, h.Expect, true); err != nil {
		return err
	}
	states, err := w.States(ctx, h.Artifacts)
	if err != nil {
		return err
	}
	var now []*policy.Artifact
	for i, artifact := range h.Artifacts {
		if a.jobs.Now().Sub(states[i].Looked) > hintGap && !slices.Contains(now, artifact) {
			now = append(now, artifact)
		}
	}
	_, err = w.Look(ctx, now)
	return err
}

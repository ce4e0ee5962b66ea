package published

import (
	"context"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Sources tell what the repository of an artifact knows of its versions. They are safe for
// concurrent use; what could not be asked is in the answer. *buildrun.Reader is one.
type Sources interface {
	Source(ctx context.Context, w buildrun.Wanted) drift.Source
	Run(ctx context.Context, q buildrun.Question) drift.Asked[drift.Run]
	// Tree gives the files of a commit: path to git blob id.
	Tree(ctx context.Context, repo, commit string) drift.Asked[map[string]string]
}

// told is what of a repository is kept between runs: answers that do not change, and runs, of
// which GitHub forgets the old ones.
type told struct {
	At       time.Time               `json:"at"`                  // until when runs are known
	RunsFrom time.Time               `json:"runs_from,omitzero"`  // since when
	Runs     []drift.RunSeen         `json:"runs,omitempty"`      // those near the publishing of a version
	Tags     map[string]drift.Tag    `json:"tags,omitempty"`      // whose time is known, or known to be none
	OnBranch map[string]drift.Answer `json:"on_branch,omitempty"` // answers of yes
	Commits  map[string]drift.Answer `json:"commits,omitempty"`   // answers of yes
}

const (
	oldestRun = 90 * 24 * time.Hour // how far back runs are asked for, at first
	overlap   = 24 * time.Hour      // runs that began so long before the last time are asked for again: they had not published yet
	nearby    = time.Hour           // runs that are kept begin or end so near to a publishing
)

// source asks the repository about what is not known from before, and adds what is.
func (r *run) source(ctx context.Context, a *artifact) drift.Source {
	if r.opt.Sources == nil || a.policy.Source == "" {
		return drift.Source{Repository: a.policy.Source}
	}
	before := &a.record.Told
	w := r.wanted(a, before)
	s := r.opt.Sources.Source(ctx, w)
	if w.RunsFrom.IsZero() {
		s.Runs, s.RunsFrom = drift.Told(slices.Clone(before.Runs)), before.RunsFrom
	}
	for name, tag := range s.Tags.Value {
		if kept, there := before.Tags[name]; there && kept.Commit == tag.Commit {
			s.Tags.Value[name] = kept
		}
	}
	for into, from := range map[*map[string]drift.Answer]map[string]drift.Answer{&s.OnBranch: before.OnBranch, &s.Commits: before.Commits} {
		if *into == nil {
			*into = map[string]drift.Answer{}
		}
		for commit, answer := range from {
			(*into)[commit] = answer
		}
	}
	if s.Runs.Known && !w.RunsFrom.IsZero() && !before.RunsFrom.IsZero() && !s.RunsFrom.After(before.At) {
		kept := slices.DeleteFunc(slices.Clone(before.Runs), func(run drift.RunSeen) bool {
			return slices.ContainsFunc(s.Runs.Value, func(now drift.RunSeen) bool { return now.Start.Equal(run.Start) && now.Workflow == run.Workflow })
		})
		s.Runs.Value, s.RunsFrom = append(kept, s.Runs.Value...), before.RunsFrom
	}
	a.told = r.keep(a, before, &s, !w.RunsFrom.IsZero())
	return s
}

// wanted is what is not known from before. Where nothing was published since, runs are not asked
// for: RunsFrom is zero.
func (r *run) wanted(a *artifact, before *told) buildrun.Wanted {
	w := buildrun.Wanted{Repository: a.policy.Source, Branch: a.policy.Branch}
	runs := !a.unchanged || before.At.IsZero() // where nothing was published, nothing is compared with them
	if !before.At.IsZero() {
		w.RunsFrom = before.At.Add(-overlap)
	}
	oldest := r.started
	for i := range a.today.Listing.Releases {
		release := &a.today.Listing.Releases[i]
		if at, known := release.Time.Get(); known && at.Before(oldest) {
			oldest = at
		}
		if head, known := release.Head.Get(); known && before.Commits[head].Truth != drift.Yes {
			w.Heads = append(w.Heads, head)
		}
		name, ok := a.policy.GitTag(release.Version)
		if !ok {
			continue
		}
		tag, there := before.Tags[name]
		if !there || a.policy.Branch != "" && before.OnBranch[tag.Commit].Truth != drift.Yes {
			w.Tags = append(w.Tags, name)
		}
	}
	switch {
	case !runs:
		w.RunsFrom = time.Time{}
	case w.RunsFrom.IsZero():
		if w.RunsFrom = r.started.Add(-oldestRun); oldest.After(w.RunsFrom) {
			w.RunsFrom = oldest.Add(-nearby)
		}
	}
	return w
}

// keep is what the next run need not ask. runs says that runs were asked for in this one.
func (r *run) keep(a *artifact, before *told, s *drift.Source, runs bool) told {
	k := told{At: before.At, RunsFrom: before.RunsFrom, Runs: before.Runs, Tags: map[string]drift.Tag{}, OnBranch: map[string]drift.Answer{}, Commits: map[string]drift.Answer{}}
	for name, tag := range s.Tags.Value {
		if tag.Time.Knowledge != registry.Unknown {
			k.Tags[name] = tag
		}
	}
	for into, from := range map[*map[string]drift.Answer]map[string]drift.Answer{&k.OnBranch: s.OnBranch, &k.Commits: s.Commits} {
		for commit, answer := range from {
			if answer.Truth == drift.Yes {
				(*into)[commit] = answer
			}
		}
	}
	if runs && s.Runs.Known {
		k.At, k.RunsFrom, k.Runs = r.started, s.RunsFrom, nil
		for _, run := range s.Runs.Value {
			if slices.ContainsFunc(a.today.Listing.Releases, func(p registry.Published) bool {
				at, known := p.Time.Get()
				return known && at.After(run.Start.Add(-nearby)) && (run.End.IsZero() || at.Before(run.End.Add(nearby)))
			}) {
				k.Runs = append(k.Runs, run)
			}
		}
	}
	return k
}

package buildrun

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Wanted says what of a repository is asked.
type Wanted struct {
	Repository string    // "owner/name"
	Branch     string    // of the policy; "" for none
	Tags       []string  // whose time is wanted, and whether their commits are on Branch; at most maxWanted are asked
	Heads      []string  // commits of which it is wanted whether the repository has them; as many
	RunsFrom   time.Time // runs since then; zero asks for none
}

// maxWanted bounds the requests for one repository.
const maxWanted = 200

// Source reads what the rules compare publishes with. What could not be asked is unknown in it.
func (r *Reader) Source(ctx context.Context, w Wanted) drift.Source {
	s := drift.Source{Repository: w.Repository, RunsFrom: w.RunsFrom, Commits: map[string]drift.Answer{}, OnBranch: map[string]drift.Answer{}}
	if !ghread.IsRepo(w.Repository) {
		gap := verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("%.200q is not a repository of GitHub", w.Repository)}
		s.Tags, s.Releases, s.Runs = drift.Untold[map[string]drift.Tag](gap), drift.Untold[[]drift.Release](gap), drift.Untold[[]drift.RunSeen](gap)
		return s
	}
	s.Tags = r.tags(ctx, w)
	s.Releases = r.releases(ctx, w.Repository)
	if !w.RunsFrom.IsZero() {
		s.Runs, s.RunsFrom = r.seenRuns(ctx, w.Repository, w.RunsFrom)
	}
	if w.Branch != "" {
		for _, name := range bounded(w.Tags) {
			if tag, ok := s.Tags.Value[name]; ok {
				s.OnBranch[tag.Commit] = r.OnBranch(ctx, w.Repository, w.Branch, tag.Commit)
			}
		}
	}
	for _, head := range bounded(w.Heads) {
		head = strings.ToLower(head)
		if s.Commits[head].Truth == drift.Unknown {
			s.Commits[head] = r.known(ctx, w, &s, head)
		}
	}
	return s
}

func bounded(list []string) []string { return list[:min(len(list), maxWanted)] }

// tags lists the tags with their commits, and asks for the times of those that are wanted.
func (r *Reader) tags(ctx context.Context, w Wanted) drift.Asked[map[string]drift.Tag] {
	type tagJSON struct {
		Name   string `json:"name"`
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}
	list, whole, err := ghread.Pages(ctx, r.Reader, ghread.RepoPath(w.Repository)+"/tags", url.Values{}, ghread.Plain[tagJSON])
	if err != nil {
		return drift.Untold[map[string]drift.Tag](ghread.GapOf("tags of "+w.Repository, err))
	}
	out := map[string]drift.Tag{}
	for _, t := range list {
		out[t.Name] = drift.Tag{Commit: strings.ToLower(t.Commit.SHA)}
	}
	if !whole { // what is wanted can still be asked by its name
		for _, name := range bounded(w.Tags) {
			if _, there := out[name]; !there {
				return drift.Untold[map[string]drift.Tag](verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("tags of %q: more than %d", w.Repository, len(list))})
			}
		}
	}
	for _, name := range bounded(w.Tags) {
		if tag, ok := out[name]; ok {
			tag.Time = r.tagTime(ctx, w.Repository, name)
			out[name] = tag
		}
	}
	return drift.Told(out)
}

// tagTime is when an annotated tag was made; of a plain one it is absent.
func (r *Reader) tagTime(ctx context.Context, repo, name string) registry.Fact[time.Time] {
	var none registry.Fact[time.Time]
	if !ghread.IsRef(name) {
		return none
	}
	type refJSON struct {
		Object struct {
			Type string `json:"type"`
			SHA  string `json:"sha"`
		} `json:"object"`
	}
	ref, err := ghread.Get[refJSON](ctx, r.Reader, ghread.RepoPath(repo)+"/git/ref/tags/"+ghread.EscapePath(name), nil)
	switch {
	case err == nil && ref.Object.Type == "commit":
		return registry.None[time.Time]()
	case err != nil || ref.Object.Type != "tag" || !ghread.IsCommit(strings.ToLower(ref.Object.SHA)):
		return none
	}
	type annotated struct {
		Tagger struct {
			Date time.Time `json:"date"`
		} `json:"tagger"`
	}
	tag, err := ghread.Get[annotated](ctx, r.Reader, ghread.RepoPath(repo)+"/git/tags/"+ref.Object.SHA, nil)
	if err != nil || tag.Tagger.Date.IsZero() {
		return none
	}
	return registry.Known(tag.Tagger.Date)
}

func (r *Reader) releases(ctx context.Context, repo string) drift.Asked[[]drift.Release] {
	type releaseJSON struct {
		Tag       string    `json:"tag_name"`
		Draft     bool      `json:"draft"`
		Published time.Time `json:"published_at"`
	}
	list, whole, err := ghread.Pages(ctx, r.Reader, ghread.RepoPath(repo)+"/releases", url.Values{}, ghread.Plain[releaseJSON])
	switch {
	case err != nil:
		return drift.Untold[[]drift.Release](ghread.GapOf("releases of "+repo, err))
	case !whole:
		return drift.Untold[[]drift.Release](verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("releases of %q: more than %d", repo, len(list))})
	}
	out := []drift.Release{}
	for _, release := range list {
		if !release.Draft {
			out = append(out, drift.Release{Tag: release.Tag, Time: release.Published})
		}
	}
	return drift.Told(out)
}

// seenRuns lists the runs since a time, but for those of pull requests. Where GitHub lists not all of
// them, from is the time since which it does.
func (r *Reader) seenRuns(ctx context.Context, repo string, from time.Time) (drift.Asked[[]drift.RunSeen], time.Time) {
	list, whole, err := r.Runs(ctx, repo, url.Values{"created": {">=" + ghread.Stamp(from)}})
	if err != nil {
		return drift.Untold[[]drift.RunSeen](ghread.GapOf("runs of "+repo, err)), from
	}
	out := []drift.RunSeen{}
	for i := range list {
		run := &list[i]
		if !whole && run.Created.After(from) {
			from = slices.MinFunc(list, func(a, b ghread.Run) int { return a.Created.Compare(b.Created) }).Created
		}
		if !strings.HasPrefix(run.Event, "pull_request") {
			out = append(out, drift.RunSeen{Workflow: run.Workflow(), Event: run.Event, Start: run.Start(), End: run.End()})
		}
	}
	return drift.Told(out), from
}

// known answers whether a commit is in the history of the default branch, of the policy's branch
// or of a tag's commit, or is the head of a branch.
func (r *Reader) known(ctx context.Context, w Wanted, s *drift.Source, commit string) drift.Answer {
	what := fmt.Sprintf("whether %.40q is a commit of %q", commit, w.Repository)
	if !ghread.IsCommit(commit) {
		return drift.Said(false, "not the id of a commit")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tags.Value)) {
		if s.Tags.Value[name].Commit == commit {
			return drift.Said(true, "the tag %q leads to it", name)
		}
	}
	repo, err := ghread.Get[ghread.Repo](ctx, r.Reader, ghread.RepoPath(w.Repository), nil)
	if err != nil {
		return drift.Unsaid(ghread.GapOf(what, err))
	}
	var last drift.Answer
	for _, branch := range slices.Compact([]string{repo.DefaultBranch, cmp.Or(w.Branch, repo.DefaultBranch)}) {
		if last = r.OnBranch(ctx, w.Repository, branch, commit); last.Truth != drift.No {
			return last
		}
	}
	heads, err := ghread.Get[[]struct {
		Name string `json:"name"`
	}](ctx, r.Reader, ghread.RepoPath(w.Repository)+"/commits/"+commit+"/branches-where-head", nil)
	switch {
	case err != nil && strings.Contains(last.Detail, "has no commit"):
		return last
	case err != nil:
		return drift.Unsaid(ghread.GapOf(what, err))
	case len(heads) > 0:
		return drift.Said(true, "it is the head of the branch %q", heads[0].Name)
	}
	return last
}

package drift

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Source is what is known of the repository that an artifact is made from.
type Source struct {
	Repository string // "owner/name"
	// Tags are all tags of the repository by name.
	Tags Asked[map[string]Tag]
	// Releases are its GitHub releases, drafts left out.
	Releases Asked[[]Release]
	// Runs are its workflow runs from RunsFrom on, those of pull requests left out.
	Runs     Asked[[]RunSeen]
	RunsFrom time.Time
	// Commits says which commits are in the history of one of its branches or tags, by id in
	// lower case. A commit that is only in a fork is not.
	Commits map[string]Answer
	// OnBranch says which commits are in the history of the policy's branch.
	OnBranch map[string]Answer
	// Digests are the digests that its own runs say they pushed, as algorithm:hex.
	Digests Asked[[]string]
}

// Tag is a git tag.
type Tag struct {
	Commit string                   // id of the commit that it leads to, in lower case
	Time   registry.Fact[time.Time] // of an annotated tag; absent of a plain one
}

// Release is a GitHub release.
type Release struct {
	Tag  string
	Time time.Time // of its publishing
}

// RunSeen is a workflow run, as a list shows it.
type RunSeen struct {
	Workflow   string // path in the repository: ".github/workflows/release.yml"
	Event      string
	Start, End time.Time // End is of its last change; zero where it has not ended
}

// Run is the run of GitHub Actions that a certificate says it was made by, as far as it could be
// asked. Package buildrun makes it. It is kept between two runs, for GitHub keeps it for a while
// only.
type Run struct {
	URL        string    `json:"url"`
	Attempt    int       `json:"attempt,omitempty"`
	Repository string    `json:"repository,omitempty"` // "owner/name", of the run's own word
	Workflow   string    `json:"workflow,omitempty"`   // path
	Event      string    `json:"event,omitempty"`
	Head       string    `json:"head,omitempty"` // commit
	Ref        string    `json:"ref,omitempty"`  // branch or tag, without refs/
	Actor      string    `json:"actor,omitempty"`
	Triggered  string    `json:"triggered,omitempty"` // who started this attempt
	Start      time.Time `json:"start,omitzero"`
	End        time.Time `json:"end,omitzero"`

	// Found: there is such a run.
	Found Answer `json:"found,omitzero"`
	// Same: repository by number, workflow, event and commit are the certificate's.
	Same Answer `json:"same,omitzero"`
	// Succeeded: it ended, and well.
	Succeeded Answer `json:"succeeded,omitzero"`
	// Published: a step that publishes ran in it, and well.
	Published Answer `json:"published,omitzero"`
	// Untrusted: it was started by what somebody outside can start (pull_request_target, ...).
	Untrusted Answer `json:"untrusted,omitzero"`
	// OnBranch: its commit is in the history of the branch that the policy names, or of the
	// default branch.
	OnBranch Answer `json:"on_branch,omitzero"`
	// Protected: that branch is protected.
	Protected Answer `json:"protected,omitzero"`
	// Poisoned: it could restore a cache that an untrusted run wrote.
	Poisoned Answer `json:"poisoned,omitzero"`
	// Raced: while it ran, an untrusted run could write a cache that it restores.
	Raced Answer `json:"raced,omitzero"`
}

// answers are what was asked about a run that was found.
func (r *Run) answers() []*Answer {
	return []*Answer{&r.Same, &r.Succeeded, &r.Published, &r.Untrusted, &r.OnBranch, &r.Protected, &r.Poisoned, &r.Raced}
}

// Gaps are why answers about the run are not known.
func (r *Run) Gaps() (out []verify.Gap) {
	if r.Found.Truth == Unknown {
		return []verify.Gap{r.Found.Gap}
	}
	if r.Found.Truth == No {
		return nil
	}
	for _, a := range r.answers() {
		if a.Truth == Unknown {
			out = append(out, a.Gap)
		}
	}
	return out
}

// whole reports whether everything about it is known.
func (r *Run) whole() bool {
	for _, a := range r.answers() {
		if a.Truth == Unknown {
			return false
		}
	}
	return r.Found.Truth == Yes
}

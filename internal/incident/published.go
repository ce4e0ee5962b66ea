package incident

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// PublishedByUs is the campaign of versions that the organisation published, or that somebody
// published in its name: Scenario C of the runbook. Its repositories are artifacts, by purl, and
// its refs are versions.
func PublishedByUs() Campaign {
	return Campaign{ID: finding.PublishedByUs, Title: finding.PublishedByUsTitle, Severity: "critical"}
}

// published reports whether the record is of what we published.
func (r *Record) published() bool { return r.Campaign.ID == finding.PublishedByUs }

// reasonGone is the reason of a ledger row of a version that was there yesterday and is no
// longer published.
const reasonGone = "gone"

// speaksOf reports whether the sweep says anything of a campaign: what repositories hold is told
// by a sweep of these, what we published by a verification of that, and either of those that were
// joined.
func (s *Sweep) speaksOf(campaign string) bool {
	if campaign == finding.PublishedByUs {
		return s.verified
	}
	return s.swept || !s.verified
}

// artifact reports whether a repository of an event is an artifact.
func artifact(repository string) bool { return strings.HasPrefix(repository, "pkg:") }

// maxEvidence is how many lines of evidence are kept of one version.
const maxEvidence = 8

// evidence are the lines below a thing.
func (t Thing) evidence() string {
	var b strings.Builder
	for _, line := range t.Evidence {
		b.WriteString("  - " + code(line) + "\n")
	}
	return b.String()
}

// nouns are what the texts call repositories and places.
type nouns struct{ repository, repositories, place, places string }

func (r *Record) nouns() nouns {
	if r.published() {
		return nouns{"artifact", "artifacts", "version", "versions"}
	}
	return nouns{"repository", "repositories", "place", "places"}
}

// scenarioC are the first steps where we are the source, in our own words.
func (w *writer) scenarioC() string {
	steps := []string{
		w.onIt() + " Call the publisher of the artifact and whoever is on call. These versions are **published by us**: this is Scenario C.",
		"Keep the evidence first: the files as the registry serves them, its metadata, the run that published and its logs. Withdraw nothing before that.",
		"Move the registry's tags (npm's " + code("latest") + ", an image's tags) back to the last good version. That can be undone, and stops most installs.",
		"Then withdraw each version as its registry allows: npm deprecates at once and unpublishes within 72 hours where nothing depends on it; PyPI yanks, and deletes, by hand; an image's manifest is deleted by digest; a Go version is retracted by a higher one, and its tag is left alone. What cannot be undone waits for two people.",
		"Stop the workflow that published, and rotate every credential that could have: registry tokens, the runner's secrets, trusted publishers that were added.",
		"Who locks it? Ask the inventory (" + code("sweeper who-has") + "), and tell those outside with an advisory that names the exact versions.",
		"Publish clean under a new number, from a fresh runner, with no cache, and reviewed by two people.",
		"Leave the closing to the verification: it closes this issue when each version below is verified, or no longer published.",
	}
	var b strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step)
	}
	return b.String()
}

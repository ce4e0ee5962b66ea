package report

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// help is what a viewer shows beside a result: what was met, and what to do. It is the same
// for every campaign; what differs stands in the result.
type help struct {
	met   string // what the indicator type is met by
	means string
	steps []string
}

// helpOf gives the help of an indicator type.
func helpOf(indicator string) help {
	switch indicator {
	case "package":
		return help{"a lockfile names a listed package version, or carries a listed digest", lockfileMeans, lockfileSteps}
	case "dependency_ref":
		return help{"a lockfile takes a dependency from a listed commit", lockfileMeans, lockfileSteps}
	case "file":
		return help{"a file has a listed path, size, git blob id or digest", fileMeans, fileSteps}
	case finding.TypePublished:
		return help{"a version that was published is not as the policy and the versions before it say", publishedMeans, publishedSteps}
	case "workflow":
		return help{"a workflow file has a listed path", fileMeans, fileSteps}
	}
	return help{"a listed indicator is met", fileMeans, fileSteps}
}

const publishedMeans = "Somebody may have published in our name: whoever installs this version runs what they wrote."

var publishedSteps = []string{
	"Call the artifact's publisher and whoever is on call: this is Scenario C of the runbook.",
	"Keep the evidence before anything is withdrawn: the files, the registry's metadata, the run and its logs.",
	"Point the registry's tags at the last good version; then deprecate, yank or unpublish as the registry allows.",
	"Stop the workflow that published it, and rotate every credential that could have.",
	"Publish a clean version under a new number, and tell those who use it.",
}

const lockfileMeans = "The next install from this lockfile would fetch the listed package, and an earlier one may have."

var lockfileSteps = []string{
	"Find out whether it ran: CI runs and installs of this repository while the version was live.",
	"Install, build and publish nothing from this repository before it is cured.",
	"Lock a known good version, with install scripts off, and commit the lockfile.",
	"Where it ran, remove what it left behind first, then rotate every credential that the job or machine could read.",
	"Sweep again: the result goes away when nothing is left.",
}

const fileMeans = "What lies here is, or carries the mark of, the campaign's own code. Editors, agents and CI run some such files unasked."

var fileSteps = []string{
	"Do not open the folder in an editor or agent, and stop the workflows of this repository.",
	"Find out who brought the file in, when, and on which branches it is: the account may be taken over.",
	"Remove it from every branch.",
	"Where it ran, remove what it left behind first, then rotate every credential that the job or machine could read.",
	"Sweep again: the result goes away when nothing is left.",
}

// text is the help for viewers without Markdown.
func (h help) text() string {
	out := h.means
	for i, step := range h.steps {
		out += fmt.Sprintf(" %d. %s", i+1, step)
	}
	return out
}

func (h help) markdown() string {
	var b strings.Builder
	b.WriteString(h.means + "\n\n")
	for i, step := range h.steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step)
	}
	return b.String()
}

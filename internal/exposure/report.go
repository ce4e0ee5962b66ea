package exposure

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The sources of answers.
const (
	SourceCatalogue = "catalogue"
	SourcePolicy    = "policy"
	SourceInventory = "inventory"
	SourceGitHub    = "github"
)

// Window is the time in which a package was bad: from, and until when runs are looked at.
type Window struct {
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Report is what data says of a signal.
type Report struct {
	// Facts has an answer to each question that was asked.
	Facts  triage.Facts `json:"facts"`
	Window Window       `json:"window,omitzero"`

	Campaigns []string         `json:"campaigns,omitempty"` // ids of the packs that list it
	Holdings  []lookup.Holding `json:"-"`                   // who locks it, or did
	Runs      []Run            `json:"runs,omitempty"`      // whose commit had it, or may have had
	Looked    Looked           `json:"looked"`
	Gaps      []Gap            `json:"gaps,omitempty"`
	// Later is when to ask on what was not answered for a limit, of GitHub's or of Limits, or since a run is not
	// over: another question goes on where this one ended. Zero is that asking on brings nothing.
	Later time.Time `json:"later,omitzero"`
}

// Looked counts what was looked at.
type Looked struct {
	Repositories int `json:"repositories"`
	Runs         int `json:"runs"`
	Commits      int `json:"commits"`
}

// Gap is something that could not be asked, and the question that it leaves open.
type Gap struct {
	Question string `json:"question"`
	verify.Gap
}

// Run is a workflow run whose commit had the package, or may have had it.
type Run struct {
	Repository string        `json:"repository"`
	ID         int64         `json:"id"`
	URL        string        `json:"url,omitempty"`
	Workflow   string        `json:"workflow"`
	Event      string        `json:"event"`
	Head       string        `json:"head"`
	Branch     string        `json:"branch,omitempty"`
	Actor      string        `json:"actor,omitempty"`
	Fork       bool          `json:"fork,omitempty"` // of a pull request of a fork: it is given no secret
	Started    time.Time     `json:"started"`
	Running    bool          `json:"running,omitempty"` // it is not over: more jobs may come
	Had        triage.Answer `json:"had"`               // whether what it checked out locks the package
	Jobs       []Job         `json:"jobs,omitempty"`
}

// RunnerKind is whose runner a job ran on.
type RunnerKind string

// The kinds of runners. "" is that it is not known.
const (
	Hosted     RunnerKind = "hosted"      // GitHub's, thrown away after the job
	SelfHosted RunnerKind = "self-hosted" // our own
	NoRunner   RunnerKind = "none"        // nobody took the job
)

// Job is a job of a run.
type Job struct {
	Name      string        `json:"name"`
	Attempt   int           `json:"attempt"`
	Started   time.Time     `json:"started,omitzero"`
	Ended     string        `json:"ended,omitempty"` // GitHub's conclusion
	Installed triage.Answer `json:"installed"`

	Runner      RunnerKind `json:"runner,omitempty"`
	RunnerName  string     `json:"runner_name,omitempty"`
	RunnerGroup string     `json:"runner_group,omitempty"`
	Labels      []string   `json:"labels,omitempty"`

	// Secrets are those that the job could read, by name. With AllSecrets, which says why, they
	// are all that there are, as far as GitHub told.
	Secrets    []Secret `json:"secrets,omitempty"`
	AllSecrets string   `json:"all_secrets,omitempty"`
	// Token are the permissions that its token could write with; "default" where the workflow
	// does not say, and the repository's setting was not told.
	Token       []string        `json:"token,omitempty"`
	IDToken     bool            `json:"id_token,omitempty"` // it could have an identity of ours signed, for clouds and registries
	Environment string          `json:"environment,omitempty"`
	Publishes   []registry.Kind `json:"publishes,omitempty"` // by steps that are known to
	// Unknown says why what the job is given is not known, "" where it is.
	Unknown string `json:"unknown,omitempty"`
}

// Secret is a secret by its name; its value is nowhere.
type Secret struct {
	Name  string `json:"name"`
	Scope string `json:"scope"` // "repository", "organisation", "environment", "dependabot"; "" where it was not told
	// Updated is when it was last changed: one that was changed after the run is rotated.
	Updated time.Time `json:"updated,omitzero"`
}

package chaos

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// Evidence is what is left of a run.
type Evidence struct {
	Attempts []Attempt
	Stored   []journal.Delivery // all of them, without bodies

	Waiting []string // jobs that have not ended, but for those of schedules
	Claims  []string // keys of effects that somebody holds, and whose lease has not ended

	Issues    []githubtest.Issue               // of the repository of the incidents
	CheckRuns map[string][]githubtest.CheckRun // by repository

	Runs    []Run    // the runs over all that there is
	Lacking []string // what the inventory says that it has not read
	Holds   []string // repositories that have what was planted, as the inventory has it

	Outputs    map[string]string // by what it is: "log of the first process"
	Violations []string          // githubtest.Server.Violations

	Truth Truth
}

// Attempt is one attempt to deliver.
type Attempt struct {
	Hook   int64
	ID     string // of the event
	Status int    // of the answer; 0 when there was none
	At     time.Time
	// Listed says that it is on GitHub's record. What somebody else sends (a replay under another
	// number) is not.
	Listed bool
	// Lies says that its headers are not those of its body: it may be refused, and be dead.
	Lies bool
}

// Run is the record of the last run over all that there is.
type Run struct {
	Name              string
	Started, Finished time.Time // zero for never
	Exit, Problems    int
}

// Truth is what the sender knows.
type Truth struct {
	Campaign string          // of what it planted
	Planted  map[string]bool // repositories by name: true has it now on a branch, false has not
	Heads    []Head
	Asked    int               // comments with a question, by somebody who may ask
	Secrets  map[string]string // by what they are; none of them may be in an output
}

// Head is a commit of which the sender knows what its check run has to say.
type Head struct {
	Repository, Commit string
	What               string   // "a pull request that brings it in"
	Conclusions        []string // the right ones
	// Needed says that there must be a check run. Without it there may be none.
	Needed bool
}

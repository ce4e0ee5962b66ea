package githubtest

import (
	"cmp"
	"time"
)

// Runs is what a repository has of GitHub Actions, and of what protects its branches.
type Runs struct {
	Runs      []Run
	Caches    []Cache
	Protected []string // branches with branch protection
	Rules     []string // branches that a ruleset holds for

	Secrets           []Secret // of the repository
	DependabotSecrets []Secret
	Environments      []Environment
	ReadToken         bool // a job's token may only read, where the workflow does not say
}

// Secret is a secret by its name. A server has no value of any.
type Secret struct {
	Name    string
	Updated time.Time
	// Of an organisation: "all", "private" or "selected"; "all" when empty. Of "selected", Selected are
	// the names of the repositories that see it.
	Visibility string
	Selected   []string
}

// Environment is an environment of a repository.
type Environment struct {
	Name    string
	Secrets []Secret
}

// Run is one workflow run, or a later attempt of it.
type Run struct {
	ID         int64  // given by the server when 0
	Attempt    int    // 1 when 0
	Workflow   string // path
	Event      string // "push" when empty
	Status     string // "completed" when empty
	Conclusion string // "success" when empty and completed
	Head       string // commit
	Branch     string // or tag, without refs/
	Actor      string // login of a user; the owner of the repository when empty
	Start, End time.Time
	Jobs       []Job
	// Pull is the number of its pull request, whose base is the commit Base; GitHub shows neither of
	// a fork's. Fork is the fork, OWNER/NAME, that the head is of.
	Pull int
	Base string
	Fork string
	// Referenced are the workflows that its own calls: at which commit they were, by what "uses" says.
	Referenced map[string]string
}

// Job is one job of a run.
type Job struct {
	ID         int64
	Name       string
	Conclusion string // "success" when empty
	Steps      []Step
	// Runner, Group and Labels are those of GitHub's own when empty. Runner "-" is none: the job
	// was never taken.
	Runner   string
	RunnerID int64
	Group    string
	Labels   []string
}

// Step is one step of a job.
type Step struct {
	Name       string
	Conclusion string // "success" when empty
}

// Cache is a cache of GitHub Actions.
type Cache struct {
	ID       int64
	Ref, Key string
	Created  time.Time
	Accessed time.Time // Created when zero
}

// AddRun adds a run to the repository and gives it as it is then.
func (r *Repo) AddRun(run Run) Run {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	run.ID = cmp.Or(run.ID, s.newID())
	s.lastID = max(s.lastID, run.ID)
	run.Attempt = max(run.Attempt, 1)
	run.Event = cmp.Or(run.Event, "push")
	run.Status = cmp.Or(run.Status, "completed")
	if run.Status == "completed" {
		run.Conclusion = cmp.Or(run.Conclusion, "success")
	}
	for i := range run.Jobs {
		run.Jobs[i].ID = s.newID()
	}
	r.Actions.Runs = append(r.Actions.Runs, run)
	return run
}

// AddCache adds a cache to the repository.
func (r *Repo) AddCache(c Cache) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = s.newID()
	if c.Accessed.IsZero() {
		c.Accessed = c.Created
	}
	r.Actions.Caches = append(r.Actions.Caches, c)
}

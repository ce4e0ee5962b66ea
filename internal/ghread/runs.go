package ghread

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Run is a workflow run as GitHub describes one.
type Run struct {
	ID         int64     `json:"id"`
	Path       string    `json:"path"`
	Event      string    `json:"event"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	HeadSHA    string    `json:"head_sha"`
	HeadBranch string    `json:"head_branch"`
	Attempt    int       `json:"run_attempt"`
	Created    time.Time `json:"created_at"`
	Started    time.Time `json:"run_started_at"`
	Updated    time.Time `json:"updated_at"`
	HTMLURL    string    `json:"html_url"`
	Actor      Account   `json:"actor"`
	Triggering Account   `json:"triggering_actor"`
	Repository Repo      `json:"repository"`
	// Head is the repository that the head commit is of: a fork, of some pull requests. It has no
	// id where that is gone.
	Head  Repo   `json:"head_repository"`
	Pulls []Pull `json:"pull_requests"` // none for pull requests of forks
}

// Account is a user or an App.
type Account struct {
	Login string `json:"login"`
}

// Repo is a repository.
type Repo struct {
	ID            int64  `json:"id"`
	FullName      string `json:"full_name"`
	DefaultBranch string `json:"default_branch"`
}

// Pull is a pull request of a run.
type Pull struct {
	Number int64  `json:"number"`
	Base   Commit `json:"base"`
}

// Commit is a commit and the branch that it was on.
type Commit struct {
	Ref string `json:"ref"`
	SHA string `json:"sha"`
}

// Workflow is the path of the run's workflow; GitHub adds "@ref" to some.
func (r *Run) Workflow() string {
	path, _, _ := strings.Cut(r.Path, "@")
	return path
}

// End is when it ended, zero while it runs.
func (r *Run) End() time.Time {
	if r.Status != "completed" {
		return time.Time{}
	}
	return r.Updated
}

// Start is when its last attempt started.
func (r *Run) Start() time.Time {
	if r.Started.IsZero() {
		return r.Created
	}
	return r.Started
}

// Runs lists workflow runs, the latest first, and reports whether all of them are among them. What it gives
// is not to be changed.
func (r *Reader) Runs(ctx context.Context, repo string, query url.Values) ([]Run, bool, error) {
	return Pages(ctx, r, RepoPath(repo)+"/actions/runs", runsQuery(query), func(page []byte) ([]Run, int, error) {
		return Counted[Run](page, "workflow_runs")
	})
}

// LatestRuns are the first of the runs that Runs lists, a page of them, and how many there are in all.
func (r *Reader) LatestRuns(ctx context.Context, repo string, query url.Values) (latest []Run, total int, err error) {
	type runs struct {
		Total *int  `json:"total_count"`
		Runs  []Run `json:"workflow_runs"`
	}
	query = runsQuery(query)
	query.Set("per_page", fmt.Sprint(pageSize))
	page, err := Get[runs](ctx, r, RepoPath(repo)+"/actions/runs", query)
	switch {
	case err != nil:
		return nil, 0, err
	case page.Total == nil || page.Runs == nil || len(page.Runs) > *page.Total:
		return nil, 0, fmt.Errorf("the answer is no list of runs of %q", repo)
	}
	return slices.Clip(page.Runs), *page.Total, nil
}

// runsQuery is a query with what else is asked for runs.
func runsQuery(query url.Values) url.Values {
	all := url.Values{"exclude_pull_requests": {"true"}}
	maps.Copy(all, query)
	return all
}

// Job is a job as GitHub describes one.
type Job struct {
	ID         int64     `json:"id"`
	Attempt    int       `json:"run_attempt"`
	Name       string    `json:"name"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	Started    time.Time `json:"started_at"`
	Labels     []string  `json:"labels"`
	// Runner is 0, and its names are "", where none took the job.
	Runner      int64  `json:"runner_id"`
	RunnerName  string `json:"runner_name"`
	RunnerGroup string `json:"runner_group_name"`
	Steps       []struct {
		Name       string `json:"name"`
		Conclusion string `json:"conclusion"`
	} `json:"steps"`
}

// Jobs lists the jobs of one attempt of a run.
func (r *Reader) Jobs(ctx context.Context, repo string, run int64, attempt int) ([]Job, bool, error) {
	path := fmt.Sprintf("%s/actions/runs/%d/attempts/%d/jobs", RepoPath(repo), run, attempt)
	return Pages(ctx, r, path, url.Values{}, jobsOf)
}

// settled is how long after its end nothing of a run changes any more: what GitHub says of its jobs may come
// later than what it says of the run.
const settled = 10 * time.Minute

// AllJobs lists the jobs of all attempts of a run. Those of one that is over hold until it is started again.
func (r *Reader) AllJobs(ctx context.Context, repo string, run *Run) ([]Job, bool, error) {
	path := fmt.Sprintf("%s/actions/runs/%d/jobs", RepoPath(repo), run.ID)
	name := fmt.Sprintf("%s of attempt %d, %s", path, run.Attempt, Stamp(run.Updated))
	over := r.memory != nil && !run.End().IsZero() && r.memory.now().Sub(run.End()) > settled
	return pages(ctx, r, name, path, Lasting(over), url.Values{"filter": {"all"}}, jobsOf)
}

func jobsOf(page []byte) ([]Job, int, error) { return Counted[Job](page, "jobs") }

// Stamp is a time as GitHub's filters have it.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

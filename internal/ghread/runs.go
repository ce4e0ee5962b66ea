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
	Head Repo `json:"head_repository"`
	// Referenced are the workflows that its last attempt called, as they were then.
	Referenced []Referenced `json:"referenced_workflows"`
	Pulls      []Pull       `json:"pull_requests"` // none for pull requests of forks
}

// Referenced is a workflow that was called, "owner/name/path@ref", its ref, which may be in full
// ("refs/heads/main") or not there, and the commit that it was.
type Referenced struct {
	Path string `json:"path"`
	SHA  string `json:"sha"`
	Ref  string `json:"ref"`
}

// Called is the commit that a workflow was, "owner/name/path", when the last attempt of the run called it at a
// ref; "" where GitHub does not tell. In which form it tells the ref, its description leaves open.
func (r *Run) Called(address, ref string) string {
	var told []string // commits
	for _, c := range r.Referenced {
		path, at, _ := strings.Cut(c.Path, "@")
		sha := strings.ToLower(c.SHA)
		if !sameAddress(path, address) || !IsCommit(sha) {
			continue
		}
		if short := ShortRef(ref); short == ShortRef(at) || short == ShortRef(c.Ref) || strings.EqualFold(ref, sha) {
			told = append(told, sha)
		}
	}
	if told = slices.Compact(slices.Sorted(slices.Values(told))); len(told) == 1 { // else a branch and a tag have one name
		return told[0]
	}
	return ""
}

// sameAddress compares "owner/name/path", of which GitHub tells letter cases of the path alone apart.
func sameAddress(a, b string) bool {
	one, two := strings.SplitN(a, "/", 3), strings.SplitN(b, "/", 3)
	return len(one) == 3 && len(two) == 3 && strings.EqualFold(one[0], two[0]) && strings.EqualFold(one[1], two[1]) && one[2] == two[2]
}

// ShortRef is a branch or tag without "refs/heads/" or "refs/tags/".
func ShortRef(ref string) string {
	return strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
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

// MostListed is how many runs GitHub lists of those that a filter lets through.
const MostListed = 1000

// Runs lists workflow runs, the latest first, and reports whether all of them are among them. What it gives
// is not to be changed.
func (r *Reader) Runs(ctx context.Context, repo string, query url.Values) (runs []Run, whole bool, err error) {
	l, err := pages(ctx, r, runsOf(repo, query, 0), runsOfPage)
	return slices.Clip(l.Items), l.Whole, err
}

// RunsUpTo is Runs, and tells how many there are. Of more than MostListed it reads the first page alone: who
// asks has to ask for fewer.
func (r *Reader) RunsUpTo(ctx context.Context, repo string, query url.Values) (runs []Run, total int, whole bool, err error) {
	l, err := pages(ctx, r, runsOf(repo, query, MostListed), runsOfPage)
	return slices.Clip(l.Items), l.Total, l.Whole, err
}

func runsOf(repo string, query url.Values, most int) list {
	all := url.Values{"exclude_pull_requests": {"true"}}
	maps.Copy(all, query)
	path := RepoPath(repo) + "/actions/runs"
	return list{name: fmt.Sprint(path, " ", most), path: path, query: all, most: most}
}

func runsOfPage(page []byte) ([]Run, int, error) { return Counted[Run](page, "workflow_runs") }

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
// may is asked before GitHub is, and its error is that of AllJobs; nil is that it may.
func (r *Reader) AllJobs(ctx context.Context, repo string, run *Run, may func() error) ([]Job, bool, error) {
	path := fmt.Sprintf("%s/actions/runs/%d/jobs", RepoPath(repo), run.ID)
	l, err := pages(ctx, r, list{
		name: fmt.Sprintf("%s of attempt %d, %s since %s", path, run.Attempt, run.Status, Stamp(run.Updated)), path: path, query: url.Values{"filter": {"all"}}, may: may,
		lasts: func(now time.Time) bool { return !run.End().IsZero() && now.Sub(run.End()) > settled },
	}, jobsOf)
	return slices.Clip(l.Items), l.Whole, err
}

func jobsOf(page []byte) ([]Job, int, error) { return Counted[Job](page, "jobs") }

// Stamp is a time as GitHub's filters have it.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

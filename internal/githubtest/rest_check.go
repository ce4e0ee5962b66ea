package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// CheckRun is a check run of a commit.
type CheckRun struct {
	ID                     int64
	Name, HeadSHA          string
	ExternalID, DetailsURL string
	Status, Conclusion     string
	Title, Summary, Text   string
	Annotations            []CheckAnnotation
	StartedAt, CompletedAt time.Time
	Writes                 int // requests that made or changed it

	app   *App
	suite int64
}

// CheckAnnotation is a note of a check run on lines of a file.
type CheckAnnotation struct {
	Path       string `json:"path"`
	StartLine  int    `json:"start_line"`
	EndLine    int    `json:"end_line"`
	Level      string `json:"annotation_level"`
	Message    string `json:"message"`
	Title      string `json:"title"`
	RawDetails string `json:"raw_details"`
}

// GitHub's limits of check runs.
const (
	maxAnnotations = 50 // of one request
	maxCheckText   = 65_535
	sameName       = 1_000 // check runs of one name in a suite
)

// checkBody is what check runs are made and changed with.
type checkBody struct {
	Name        *string    `json:"name"`
	HeadSHA     *string    `json:"head_sha"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	Status      *string    `json:"status"`
	Conclusion  *string    `json:"conclusion"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string           `json:"title"`
		Summary     *string           `json:"summary"`
		Text        *string           `json:"text"`
		Annotations []CheckAnnotation `json:"annotations"`
	} `json:"output"`
}

var (
	checkStatuses    = []string{"queued", "in_progress", "completed"}
	checkConclusions = []string{"action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"}
	checkLevels      = []string{"notice", "warning", "failure"}
)

// CheckRuns gives the check runs of the repository in the order in which they were made.
func (r *Repo) CheckRuns() []CheckRun {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var out []CheckRun
	for _, run := range r.checks {
		shown := *run
		shown.Annotations = slices.Clone(run.Annotations)
		out = append(out, shown)
	}
	return out
}

// checkApp is the App that asks, or nil after an answer: nobody else may.
func (c *call) checkApp() *App {
	if t := c.who.token; t != nil && t.install != nil {
		return t.install.App
	}
	c.fail(http.StatusForbidden, "You must authenticate via a GitHub App.")
	return nil
}

// refusedCheck answers for a body that GitHub does not take.
func (c *call) refusedCheck(b *checkBody) bool {
	wrong := func(field, message string) bool {
		c.invalid("CheckRun", field, "invalid", message)
		return true
	}
	switch {
	case b.Status != nil && !slices.Contains(checkStatuses, *b.Status):
		return wrong("status", "not a status")
	case b.Conclusion != nil && !slices.Contains(checkConclusions, *b.Conclusion):
		return wrong("conclusion", "not a conclusion")
	case value(b.Status) == "completed" && b.Conclusion == nil:
		return wrong("conclusion", "a completed check run has a conclusion")
	}
	if b.Output == nil {
		return false
	}
	o := b.Output
	switch {
	case o.Title == nil || o.Summary == nil:
		return wrong("output", "title and summary are needed")
	case utf8.RuneCountInString(*o.Summary) > maxCheckText || utf8.RuneCountInString(value(o.Text)) > maxCheckText:
		return wrong("output", "only 65535 characters are allowed")
	case len(o.Annotations) > maxAnnotations:
		return wrong("annotations", "no more than 50 annotations")
	}
	for _, a := range o.Annotations {
		if a.Path == "" || strings.HasPrefix(a.Path, "/") || a.StartLine < 1 || a.EndLine < a.StartLine || a.Message == "" ||
			!slices.Contains(checkLevels, a.Level) || len(a.Message) > 64<<10 || len(a.RawDetails) > 64<<10 || utf8.RuneCountInString(a.Title) > 255 {
			return wrong("annotations", fmt.Sprintf("annotation of %q", a.Path))
		}
	}
	return false
}

// apply changes a run.
func (run *CheckRun) apply(b *checkBody, now time.Time) {
	for _, set := range []struct {
		from *string
		to   *string
	}{{b.Name, &run.Name}, {b.DetailsURL, &run.DetailsURL}, {b.ExternalID, &run.ExternalID}, {b.Status, &run.Status}, {b.Conclusion, &run.Conclusion}} {
		if set.from != nil {
			*set.to = *set.from
		}
	}
	if b.StartedAt != nil {
		run.StartedAt = *b.StartedAt
	}
	switch {
	case b.Conclusion != nil:
		run.Status = "completed"
		run.CompletedAt = now
		if b.CompletedAt != nil {
			run.CompletedAt = *b.CompletedAt
		}
	case run.Status != "completed":
		run.Conclusion, run.CompletedAt = "", time.Time{}
	}
	if o := b.Output; o != nil {
		run.Title, run.Summary, run.Text = value(o.Title), value(o.Summary), value(o.Text)
		run.Annotations = append(run.Annotations, o.Annotations...)
	}
	run.Writes++
}

func createCheckRun(c *call) {
	var asked checkBody
	if !c.body(&asked) {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	app := c.checkApp()
	if app == nil {
		return
	}
	id, err := gitstore.ParseID(value(asked.HeadSHA))
	o, there := c.repo.Content.Object(id)
	switch {
	case value(asked.Name) == "":
		c.invalid("CheckRun", "name", "missing_field", "name is missing")
		return
	case err != nil || !there || o.Kind != gitstore.Commit:
		c.invalid("CheckRun", "head_sha", "invalid", "No commit found for SHA: "+value(asked.HeadSHA))
		return
	case c.refusedCheck(&asked):
		return
	}
	now := c.Now()
	run := &CheckRun{ID: c.s.newID(), HeadSHA: id.String(), Status: "queued", StartedAt: now, app: app}
	same := 0
	for _, other := range c.home.checks {
		if other.HeadSHA == run.HeadSHA && other.app == app {
			run.suite = other.suite
			if other.Name == *asked.Name {
				same++
			}
		}
	}
	if same >= sameName {
		c.invalid("CheckRun", "name", "invalid", "too many check runs of this name")
		return
	}
	if run.suite == 0 {
		run.suite = c.s.newID()
	}
	run.apply(&asked, now)
	c.home.checks = append(c.home.checks, run)
	c.Status = http.StatusCreated
	c.json(c.checkJSON(run))
}

// checkOf finds the check run of the path, or answers that there is none.
func (c *call) checkOf() *CheckRun {
	for _, run := range c.home.checks {
		if strconv.FormatInt(run.ID, 10) == c.path("check_run_id") {
			return run
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
	return nil
}

func updateCheckRun(c *call) {
	var asked checkBody
	if !c.body(&asked) {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	app := c.checkApp()
	if app == nil {
		return
	}
	run := c.checkOf()
	switch {
	case run == nil:
	case run.app != app:
		c.fail(http.StatusForbidden, "Invalid app_id `"+strconv.FormatInt(app.ID, 10)+"` - check run can only be modified by the GitHub App that created it.")
	case c.refusedCheck(&asked):
	default:
		run.apply(&asked, c.Now())
		c.json(c.checkJSON(run))
	}
}

func getCheckRun(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if run := c.checkOf(); run != nil {
		c.json(c.checkJSON(run))
	}
}

func listCheckAnnotations(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	run := c.checkOf()
	if run == nil {
		return
	}
	c.json(pageOf(c, run.Annotations, func(a CheckAnnotation) any {
		return map[string]any{
			"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": nil, "end_column": nil,
			"annotation_level": a.Level, "title": a.Title, "message": a.Message, "raw_details": a.RawDetails,
			"blob_href": c.s.base + "/" + c.repo.FullName() + "/blob/" + run.HeadSHA + "/" + escape(a.Path),
		}
	}))
}

// listCheckRuns lists those of a commit, the newest of each name and App alone unless all are
// asked for.
func listCheckRuns(c *call) {
	query := c.request.URL.Query()
	id, ok := c.resolve(c.path("ref"))
	if !ok {
		c.fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.path("ref"))
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	type of struct {
		name string
		app  *App
	}
	seen := map[of]bool{}
	var shown []*CheckRun
	for _, run := range slices.Backward(c.home.checks) {
		name, app, status := query.Get("check_name"), query.Get("app_id"), query.Get("status")
		switch {
		case run.HeadSHA != id.String(), name != "" && run.Name != name, status != "" && run.Status != status,
			app != "" && app != strconv.FormatInt(run.app.ID, 10):
			continue
		case query.Get("filter") != "all" && seen[of{run.Name, run.app}]:
			continue
		}
		seen[of{run.Name, run.app}] = true
		shown = append(shown, run)
	}
	total := len(shown)
	c.json(map[string]any{"total_count": total, "check_runs": pageOf(c, shown, func(run *CheckRun) any { return c.checkJSON(run) })})
}

// checkJSON shows a check run. Callers hold the lock.
func (c *call) checkJSON(run *CheckRun) map[string]any {
	url := c.s.api("/repos/%s/check-runs/%d", c.repo.FullName(), run.ID)
	page := fmt.Sprintf("%s/%s/runs/%d", c.s.base, c.repo.FullName(), run.ID)
	or := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	details := run.DetailsURL
	if details == "" {
		details = page
	}
	pulls := []any{}
	for _, p := range c.home.Pulls {
		if shown := pullOf(c.repo, p); !p.Closed && !p.Fork && shown.head().String() == run.HeadSHA {
			pulls = append(pulls, c.pullInBrief(p))
		}
	}
	return map[string]any{
		"id": run.ID, "node_id": node("CR", run.ID), "head_sha": run.HeadSHA, "external_id": or(run.ExternalID), "name": run.Name,
		"url": url, "html_url": page, "details_url": details, "status": run.Status, "conclusion": or(run.Conclusion),
		"started_at": stamp(run.StartedAt), "completed_at": stamp(run.CompletedAt), "check_suite": map[string]any{"id": run.suite},
		"app": c.s.appJSON(run.app), "pull_requests": pulls,
		"output": map[string]any{
			"title": or(run.Title), "summary": or(run.Summary), "text": or(run.Text),
			"annotations_count": len(run.Annotations), "annotations_url": url + "/annotations",
		},
	}
}

// pullInBrief shows a pull request as runs do.
func (c *call) pullInBrief(p Pull) map[string]any {
	shown := pullOf(c.repo, p)
	repo := map[string]any{"id": c.repo.ID, "url": c.s.api("/repos/%s", c.repo.FullName()), "name": c.repo.Name}
	base, _ := gitstore.Lookup(c.repo.Content, "refs/heads/"+shown.base())
	return map[string]any{
		"id": p.ID, "number": p.Number, "url": c.s.api("/repos/%s/pulls/%d", c.repo.FullName(), p.Number),
		"head": map[string]any{"ref": p.Branch, "sha": shown.head().String(), "repo": repo},
		"base": map[string]any{"ref": shown.base(), "sha": base.String(), "repo": repo},
	}
}

// CheckRunPayload is the payload of something that was done to a check run, such as
// "rerequested". It panics where there is none of that number.
func (r *Repo) CheckRunPayload(id int64, action string) map[string]any {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(r.checks, func(run *CheckRun) bool { return run.ID == id })
	if i < 0 {
		panic(fmt.Sprintf("githubtest: %s has no check run %d", r.FullName(), id))
	}
	c := &call{s: s, repo: r.Repository, home: r}
	run := c.checkJSON(r.checks[i])
	api := s.api("/repos/%s/check-suites/%d", r.FullName(), r.checks[i].suite)
	run["check_suite"] = map[string]any{
		"id": r.checks[i].suite, "node_id": node("CS", r.checks[i].suite), "head_branch": nil, "head_sha": r.checks[i].HeadSHA, "status": "completed",
		"conclusion": run["conclusion"], "url": api, "before": nil, "after": nil, "pull_requests": run["pull_requests"], "app": run["app"],
		"created_at": run["started_at"], "updated_at": run["started_at"],
	}
	return map[string]any{"action": action, "check_run": run, "repository": s.repository(r)}
}

// MergeGroupPayload is the payload of a merge queue that made a commit of pull requests, or let it
// go.
func (r *Repo) MergeGroupPayload(branch string, head gitstore.ID, action string) map[string]any {
	s := r.server
	base, _ := gitstore.Lookup(r.Content, "refs/heads/"+branch)
	_, o, _ := gitstore.Peel(r.Content, head)
	commit, err := gitstore.DecodeCommit(o.Data)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	person := map[string]any{"name": "Mona Lisa", "email": "monalisa@example.com"}
	payload := map[string]any{
		"action": action, "repository": s.repository(r),
		"merge_group": map[string]any{
			"head_sha": head.String(), "head_ref": "refs/heads/gh-readonly-queue/" + branch + "/pr-1-" + base.String(),
			"base_sha": base.String(), "base_ref": "refs/heads/" + branch,
			"head_commit": map[string]any{
				"id": head.String(), "tree_id": commit.Tree.String(), "message": commit.Message, "timestamp": stamp(founded), "author": person, "committer": person,
			},
		},
	}
	if action == "destroyed" {
		payload["reason"] = "dequeued"
	}
	return payload
}

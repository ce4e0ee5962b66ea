package githubtest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// maxListedRuns is how many runs GitHub lists where a filter is set.
const maxListedRuns = 1000

// listRuns lists the latest attempt of each run, the newest run first.
func listRuns(c *call) {
	query := c.request.URL.Query()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	latest, created := map[int64]Run{}, map[int64]time.Time{}
	for _, r := range c.home.Actions.Runs {
		if r.Attempt >= latest[r.ID].Attempt {
			latest[r.ID] = r
		}
		if at, there := created[r.ID]; !there || r.Start.Before(at) {
			created[r.ID] = r.Start
		}
	}
	from, to, err := createdRange(query.Get("created"))
	if err != nil {
		c.fail(http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	var shown []Run
	for _, r := range latest {
		if fits(query.Get("event"), r.Event) && fits(query.Get("head_sha"), r.Head) && fits(query.Get("branch"), r.Branch) &&
			!created[r.ID].Before(from) && (to.IsZero() || !created[r.ID].After(to)) {
			shown = append(shown, r)
		}
	}
	slices.SortFunc(shown, func(a, b Run) int { return cmp.Or(created[b.ID].Compare(created[a.ID]), cmp.Compare(b.ID, a.ID)) })
	total := len(shown)
	if len(query.Get("event")+query.Get("head_sha")+query.Get("branch")+query.Get("created")) > 0 {
		shown = shown[:min(total, maxListedRuns)]
	}
	c.json(map[string]any{"total_count": total, "workflow_runs": pageOf(c, shown, func(r Run) any { return c.runJSON(r) })})
}

// created is when the first attempt of a run started.
func (c *call) created(r Run) time.Time {
	first := r
	for _, other := range c.home.Actions.Runs {
		if other.ID == r.ID && other.Attempt < first.Attempt {
			first = other
		}
	}
	return first.Start
}

func fits(want, got string) bool { return want == "" || want == got }

// createdRange reads "FROM..TO", ">=FROM" and "<=TO".
func createdRange(text string) (from, to time.Time, err error) {
	first, last := text, ""
	switch {
	case text == "":
		return from, to, nil
	case strings.HasPrefix(text, ">="):
		first = text[2:]
	case strings.HasPrefix(text, "<="):
		first, last = "", text[2:]
	default:
		first, last, _ = strings.Cut(text, "..")
	}
	if first != "" {
		from, err = time.Parse(time.RFC3339, first)
	}
	if last != "" && err == nil {
		to, err = time.Parse(time.RFC3339, last)
	}
	return from, to, err
}

// findRun finds the run and attempt of the path, or answers that there is none.
func (c *call) findRun() (Run, bool) {
	id, _ := strconv.ParseInt(c.path("run_id"), 10, 64)
	attempt, _ := strconv.Atoi(c.path("attempt_number"))
	for _, r := range c.home.Actions.Runs {
		if r.ID == id && r.Attempt == attempt {
			return r, true
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
	return Run{}, false
}

func getRunAttempt(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if r, ok := c.findRun(); ok {
		c.json(c.runJSON(r))
	}
}

func listAttemptJobs(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	r, ok := c.findRun()
	if !ok {
		return
	}
	c.json(map[string]any{"total_count": len(r.Jobs), "jobs": pageOf(c, r.Jobs, func(j Job) any { return c.jobJSON(r, j) })})
}

// listJobs lists the jobs of the latest attempt of a run, or of all of them.
func listJobs(c *call) {
	id, _ := strconv.ParseInt(c.path("run_id"), 10, 64)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	type attempt struct {
		Run
		Job
	}
	latest := 0
	for _, r := range c.home.Actions.Runs {
		if r.ID == id {
			latest = max(latest, r.Attempt)
		}
	}
	if latest == 0 {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	var shown []attempt
	for _, r := range c.home.Actions.Runs {
		if r.ID != id || r.Attempt != latest && c.request.URL.Query().Get("filter") != "all" {
			continue
		}
		for _, j := range r.Jobs {
			shown = append(shown, attempt{r, j})
		}
	}
	c.json(map[string]any{"total_count": len(shown), "jobs": pageOf(c, shown, func(a attempt) any { return c.jobJSON(a.Run, a.Job) })})
}

func (c *call) runJSON(r Run) map[string]any {
	api := c.s.api("/repos/%s/actions/runs/%d", c.repo.FullName(), r.ID)
	actor := c.s.accounts[strings.ToLower(cmp.Or(r.Actor, c.repo.Owner))]
	if actor == nil {
		actor = c.s.accounts[strings.ToLower(c.repo.Owner)]
	}
	var conclusion any
	if r.Conclusion != "" {
		conclusion = r.Conclusion
	}
	end := r.End
	if end.IsZero() {
		end = r.Start
	}
	referenced := []any{}
	for _, uses := range slices.Sorted(maps.Keys(r.Referenced)) {
		referenced = append(referenced, map[string]any{"path": uses, "sha": r.Referenced[uses]})
	}
	pulls, head := []any{}, c.s.repository(c.home)
	if r.Pull > 0 && r.Fork == "" && c.request.URL.Query().Get("exclude_pull_requests") != "true" {
		pulls = append(pulls, c.pullOfRun(r))
	}
	if r.Fork != "" {
		head["full_name"], head["fork"] = r.Fork, true
	}
	name := strings.TrimSuffix(r.Workflow[strings.LastIndexByte(r.Workflow, '/')+1:], ".yml")
	return map[string]any{
		"id": r.ID, "node_id": node("WFR", r.ID), "name": name, "head_branch": r.Branch, "head_sha": r.Head, "path": r.Workflow,
		"display_title": name, "run_number": 1, "run_attempt": r.Attempt, "event": r.Event, "status": r.Status, "conclusion": conclusion,
		"workflow_id": 7, "check_suite_id": r.ID, "check_suite_node_id": node("CS", r.ID), "pull_requests": pulls,
		"created_at": stamp(c.created(r)), "run_started_at": stamp(r.Start), "updated_at": stamp(end),
		"actor": c.s.user(actor), "triggering_actor": c.s.user(actor), "referenced_workflows": referenced,
		"url": api, "html_url": fmt.Sprintf("%s/%s/actions/runs/%d", c.s.base, c.repo.FullName(), r.ID),
		"jobs_url": api + "/jobs", "logs_url": api + "/logs", "artifacts_url": api + "/artifacts", "cancel_url": api + "/cancel",
		"rerun_url": api + "/rerun", "previous_attempt_url": nil, "workflow_url": c.s.api("/repos/%s/actions/workflows/7", c.repo.FullName()),
		"check_suite_url": c.s.api("/repos/%s/check-suites/%d", c.repo.FullName(), r.ID),
		"head_commit": map[string]any{
			"id": r.Head, "tree_id": r.Head, "message": "change", "timestamp": stamp(r.Start),
			"author": map[string]any{"name": "Wren", "email": "wren@example.com"}, "committer": map[string]any{"name": "Wren", "email": "wren@example.com"},
		},
		"repository": c.s.repository(c.home), "head_repository": head,
	}
}

func (c *call) pullOfRun(r Run) map[string]any {
	repo := map[string]any{"id": c.repo.ID, "name": c.repo.Name, "url": c.s.api("/repos/%s", c.repo.FullName())}
	return map[string]any{
		"id": r.ID, "number": r.Pull, "url": c.s.api("/repos/%s/pulls/%d", c.repo.FullName(), r.Pull),
		"head": map[string]any{"ref": r.Branch, "sha": r.Head, "repo": repo}, "base": map[string]any{"ref": c.repo.defaultBranch(), "sha": r.Base, "repo": repo},
	}
}

func (c *call) jobJSON(r Run, j Job) map[string]any {
	api := c.s.api("/repos/%s", c.repo.FullName())
	steps := []any{}
	for i, s := range j.Steps {
		steps = append(steps, map[string]any{
			"name": s.Name, "status": "completed", "conclusion": cmp.Or(s.Conclusion, "success"), "number": i + 1,
			"started_at": stamp(r.Start), "completed_at": stamp(r.Start),
		})
	}
	runner := map[string]any{"id": cmp.Or(j.RunnerID, 1), "name": cmp.Or(j.Runner, "GitHub Actions 1"), "group": cmp.Or(j.Group, "GitHub Actions"), "group_id": 0}
	if j.Runner == "-" {
		runner = map[string]any{}
	}
	labels := j.Labels
	if labels == nil {
		labels = []string{"ubuntu-latest"}
	}
	return map[string]any{
		"id": j.ID, "run_id": r.ID, "run_attempt": r.Attempt, "node_id": node("CR", j.ID), "head_sha": r.Head, "head_branch": r.Branch,
		"run_url": fmt.Sprintf("%s/actions/runs/%d", api, r.ID), "url": fmt.Sprintf("%s/actions/jobs/%d", api, j.ID),
		"html_url":      fmt.Sprintf("%s/%s/actions/runs/%d/job/%d", c.s.base, c.repo.FullName(), r.ID, j.ID),
		"check_run_url": fmt.Sprintf("%s/check-runs/%d", api, j.ID), "workflow_name": "release", "name": j.Name,
		"status": "completed", "conclusion": cmp.Or(j.Conclusion, "success"), "steps": steps, "labels": labels,
		"created_at": stamp(r.Start), "started_at": stamp(r.Start), "completed_at": stamp(r.Start),
		"runner_id": runner["id"], "runner_name": runner["name"], "runner_group_id": runner["group_id"], "runner_group_name": runner["group"],
	}
}

func listCaches(c *call) {
	query := c.request.URL.Query()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var shown []Cache
	for _, cache := range c.home.Actions.Caches {
		ref := query.Get("ref")
		if (ref == "" || ref == cache.Ref || "refs/heads/"+ref == cache.Ref) && strings.HasPrefix(cache.Key, query.Get("key")) {
			shown = append(shown, cache)
		}
	}
	slices.SortStableFunc(shown, func(a, b Cache) int { return b.Created.Compare(a.Created) })
	c.json(map[string]any{"total_count": len(shown), "actions_caches": pageOf(c, shown, func(cache Cache) any {
		return map[string]any{
			"id": cache.ID, "ref": cache.Ref, "key": cache.Key, "version": strings.Repeat("7", 64), "size_in_bytes": 1024,
			"created_at": stamp(cache.Created), "last_accessed_at": stamp(cache.Accessed),
		}
	})})
}

// compareCommits compares BASE...HEAD by their histories.
func compareCommits(c *call) {
	base, head, both := strings.Cut(c.path("basehead"), "...")
	from, ok := c.resolve(base)
	to, found := c.resolve(head)
	if !both || !ok || !found {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	ours, theirs := c.ancestors(from), c.ancestors(to)
	var ahead, behind int
	merge, common := c.mergeBase(ours, to)
	if !common { // GitHub does not compare these: of the histories of tests, many have no common beginning
		merge = from
	}
	for id := range theirs {
		if !ours[id] {
			ahead++
		}
	}
	for id := range ours {
		if !theirs[id] {
			behind++
		}
	}
	status := map[[2]bool]string{{false, false}: "identical", {true, false}: "ahead", {false, true}: "behind", {true, true}: "diverged"}[[2]bool{ahead > 0, behind > 0}]
	web := c.s.base + "/" + c.repo.FullName() + "/compare/" + base + "..." + head
	c.json(map[string]any{
		"url": c.s.api("/repos/%s/compare/%s...%s", c.repo.FullName(), base, head), "html_url": web, "permalink_url": web,
		"diff_url": web + ".diff", "patch_url": web + ".patch", "base_commit": c.commitJSON(from), "merge_base_commit": c.commitJSON(merge),
		"status": status, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead, "commits": []any{}, "files": []any{},
	})
}

// mergeBase is the first commit of a history, from its head on, that is in another.
func (c *call) mergeBase(other map[gitstore.ID]bool, head gitstore.ID) (gitstore.ID, bool) {
	seen := map[gitstore.ID]bool{}
	for todo := []gitstore.ID{head}; len(todo) > 0; {
		id := todo[0]
		todo = todo[1:]
		id, o, ok := gitstore.Peel(c.repo.Content, id)
		if !ok || seen[id] || o.Kind != gitstore.Commit {
			continue
		}
		if seen[id] = true; other[id] {
			return id, true
		}
		commit, err := gitstore.DecodeCommit(o.Data)
		if err != nil {
			panic(err) // a repository that the test broke is not for REST
		}
		todo = append(todo, commit.Parents...)
	}
	return gitstore.ID{}, false
}

// ancestors are a commit and all that it follows on.
func (c *call) ancestors(id gitstore.ID) map[gitstore.ID]bool {
	seen := map[gitstore.ID]bool{}
	for todo := []gitstore.ID{id}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		id, o, ok := gitstore.Peel(c.repo.Content, id)
		if !ok || seen[id] || o.Kind != gitstore.Commit {
			continue
		}
		seen[id] = true
		commit, err := gitstore.DecodeCommit(o.Data)
		if err != nil {
			panic(err) // a repository that the test broke is not for REST
		}
		todo = append(todo, commit.Parents...)
	}
	return seen
}

// commitJSON shows a commit as "commit".
func (c *call) commitJSON(id gitstore.ID) map[string]any {
	id, o, _ := gitstore.Peel(c.repo.Content, id)
	commit, err := gitstore.DecodeCommit(o.Data)
	if err != nil {
		panic(err)
	}
	api := c.s.api("/repos/%s/commits/%s", c.repo.FullName(), id)
	parents := []any{}
	for _, p := range commit.Parents {
		parents = append(parents, map[string]any{"sha": p.String(), "url": c.s.api("/repos/%s/commits/%s", c.repo.FullName(), p)})
	}
	return map[string]any{
		"sha": id.String(), "node_id": "C_" + id.String(), "url": api, "comments_url": api + "/comments",
		"html_url": c.s.base + "/" + c.repo.FullName() + "/commit/" + id.String(), "author": nil, "committer": nil, "parents": parents,
		"commit": map[string]any{
			"url": c.gitURL("commits", id), "author": who(commit), "committer": who(commit), "message": commit.Message, "comment_count": 0,
			"tree": map[string]any{"sha": commit.Tree.String(), "url": c.gitURL("trees", commit.Tree)},
		},
	}
}

func getBranch(c *call) {
	name := c.path("branch")
	id, ok := gitstore.Lookup(c.repo.Content, "refs/heads/"+name)
	if !ok {
		c.fail(http.StatusNotFound, "Branch not found")
		return
	}
	api := c.s.api("/repos/%s/branches/%s", c.repo.FullName(), escape(name))
	c.s.mu.Lock()
	protected := slices.Contains(c.home.Actions.Protected, name)
	c.s.mu.Unlock()
	c.json(map[string]any{
		"name": name, "commit": c.commitJSON(id), "protected": protected, "protection_url": api + "/protection",
		"protection": map[string]any{"enabled": protected},
		"_links":     map[string]any{"self": api, "html": c.s.base + "/" + c.repo.FullName() + "/tree/" + escape(name)},
	})
}

func listBranchRules(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	rules := []any{}
	if slices.Contains(c.home.Actions.Rules, c.path("branch")) {
		rules = append(rules, map[string]any{"type": "deletion", "ruleset_source_type": "Repository", "ruleset_source": c.repo.FullName(), "ruleset_id": 1})
	}
	c.json(rules)
}

func listBranchesWhereHead(c *call) {
	id, ok := c.resolve(c.path("commit_sha"))
	if !ok {
		c.fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.path("commit_sha"))
		return
	}
	shown := []any{}
	for _, r := range c.refs("refs/heads/") {
		if r.ID == id {
			shown = append(shown, map[string]any{
				"name": strings.TrimPrefix(r.Name, "refs/heads/"), "protected": false,
				"commit": map[string]any{"sha": id.String(), "url": c.s.api("/repos/%s/commits/%s", c.repo.FullName(), id)},
			})
		}
	}
	c.json(shown)
}

func getTagObject(c *call) {
	id, o, ok := c.object("tag_sha", gitstore.Tag)
	if !ok {
		return
	}
	tag, err := gitstore.DecodeTag(o.Data)
	if err != nil {
		panic(err)
	}
	_, when, _ := strings.Cut(string(o.Data), "\ntagger ")
	when, _, _ = strings.Cut(when, "\n")
	seconds, _ := strconv.ParseInt(strings.Fields(when[strings.LastIndexByte(when, '>')+1:])[0], 10, 64)
	name, address, _ := strings.Cut(when[:strings.LastIndexByte(when, '>')], " <")
	c.json(map[string]any{
		"sha": id.String(), "node_id": "T_" + id.String(), "url": c.gitURL("tags", id), "tag": tag.Name, "message": tag.Message,
		"tagger":       map[string]any{"name": name, "email": address, "date": stamp(time.Unix(seconds, 0))},
		"object":       map[string]any{"sha": tag.Target.String(), "type": tag.Kind.String(), "url": c.gitURL(tag.Kind.String()+"s", tag.Target)},
		"verification": map[string]any{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	})
}

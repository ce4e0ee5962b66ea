package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxIssueBody is the number of characters that the body of an issue or comment may have.
const maxIssueBody = 65_536

// issue is an issue.
type issue struct {
	id               int64
	number           int
	title, body      string
	state, reason    string
	locked           bool
	labels           []string
	assignees        []string // logins
	author           *Account
	app              *App // that wrote it
	created, updated time.Time
	closed           time.Time
	seen             time.Time // from then on lists show it as it is
	stale            *issue    // how lists show it before; nil when they do not
	comments         []comment
}

// Issue is an issue of a repository, for a test to look at.
type Issue struct {
	Number      int
	Title, Body string
	State       string // "open" or "closed"
	Labels      []string
	Author      string
	Comments    []string
	Assignees   []string
}

// Issues gives the issues of the repository by number.
func (r *Repo) Issues() []Issue {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	var out []Issue
	for _, i := range r.issues {
		shown := Issue{i.number, i.title, i.body, i.state, slices.Clone(i.labels), i.author.Login, nil, slices.Clone(i.assignees)}
		for _, c := range i.comments {
			shown.Comments = append(shown.Comments, c.body)
		}
		out = append(out, shown)
	}
	return out
}

// AddIssue adds an issue that a user wrote, and gives its number.
func (r *Repo) AddIssue(author *Account, title, body string, labels ...string) int {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	i := r.add(author, nil, title, body, labels)
	i.seen = time.Time{}
	return i.number
}

func (r *Repo) add(author *Account, app *App, title, body string, labels []string) *issue {
	s := r.server
	r.number++
	now := s.opts.Now()
	i := &issue{
		id: s.newID(), number: r.number, title: title, body: body, state: "open", labels: slices.Clone(labels), author: author,
		app: app, created: now, updated: now, seen: now.Add(s.opts.IssueDelay),
	}
	r.issues = append(r.issues, i)
	r.makeLabels(labels)
	return i
}

// issueJSON shows an issue. Callers hold the lock.
func (c *call) issueJSON(i *issue) map[string]any {
	api := c.s.api("/repos/%s/issues/%d", c.repo.FullName(), i.number)
	labels := []any{}
	for _, name := range i.labels {
		labels = append(labels, c.labelJSON(*c.home.labelNamed(name)))
	}
	shown := map[string]any{
		"id": i.id, "node_id": node("I", i.id), "number": i.number, "title": i.title, "body": i.body, "state": i.state,
		"state_reason": nil, "locked": i.locked, "user": c.s.user(i.author), "labels": labels,
		"assignee": nil, "assignees": []any{}, "milestone": nil, "comments": len(i.comments),
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stamp(i.closed),
		"url": api, "repository_url": c.s.api("/repos/%s", c.repo.FullName()), "labels_url": api + "/labels{/name}",
		"comments_url": api + "/comments", "events_url": api + "/events",
		"html_url":           c.s.base + "/" + c.repo.FullName() + "/issues/" + strconv.Itoa(i.number),
		"author_association": "NONE", "performed_via_github_app": nil,
	}
	if i.reason != "" {
		shown["state_reason"] = i.reason
	}
	assignees := []any{}
	for _, login := range i.assignees {
		assignees = append(assignees, c.s.user(c.s.accounts[strings.ToLower(login)]))
	}
	if shown["assignees"] = assignees; len(assignees) > 0 {
		shown["assignee"] = assignees[0]
	}
	if i.app != nil {
		shown["performed_via_github_app"] = c.s.appJSON(i.app)
	}
	return shown
}

func listIssues(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	query := c.request.URL.Query()
	var found []*issue
	for _, i := range c.home.issues {
		if now := c.Now(); now.Before(i.seen) {
			if i = i.stale; i == nil {
				continue
			}
		}
		state := query.Get("state")
		if state == "" {
			state = "open"
		}
		if state != "all" && state != i.state || !hasAll(i.labels, query.Get("labels")) {
			continue
		}
		if creator := query.Get("creator"); creator != "" && !strings.EqualFold(creator, i.author.Login) && !strings.EqualFold(creator, "app/"+strings.TrimSuffix(i.author.Login, "[bot]")) {
			continue
		}
		if since, err := time.Parse(time.RFC3339, query.Get("since")); err == nil && i.updated.Before(since) {
			continue
		}
		found = append(found, i)
	}
	if query.Get("direction") != "asc" {
		slices.Reverse(found) // newest first
	}
	c.json(pageOf(c, found, func(i *issue) any { return c.issueJSON(i) }))
}

// hasAll reports whether a comma-separated list of labels is among names.
func hasAll(names []string, wanted string) bool {
	for name := range strings.SplitSeq(wanted, ",") {
		if name != "" && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return false
		}
	}
	return true
}

// issueBody is the body of a request that makes or changes an issue.
type issueBody struct {
	Title       *string
	Body        *string
	State       *string
	StateReason *string `json:"state_reason"`
	Labels      *[]string
	Assignees   *[]string
}

// tooLong answers for a body that is longer than GitHub takes.
func (c *call) tooLong(body *string) bool {
	if body == nil || utf8.RuneCountInString(*body) <= maxIssueBody {
		return false
	}
	c.invalid("Issue", "body", "custom", "body is too long (maximum is 65536 characters)")
	return true
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// writer gives the account and App that write with the token of the request.
func (c *call) writer() (*Account, *App) {
	t := c.who.token
	if t.install != nil {
		return t.owner, t.install.App
	}
	return t.owner, nil
}

func createIssue(c *call) {
	var asked issueBody
	if !c.body(&asked) || c.tooLong(asked.Body) {
		return
	}
	if value(asked.Title) == "" {
		c.invalid("Issue", "title", "missing_field", "title is missing")
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	author, app := c.writer()
	var labels []string
	if asked.Labels != nil {
		labels = *asked.Labels
	}
	i := c.home.add(author, app, value(asked.Title), value(asked.Body), labels)
	c.Status = http.StatusCreated
	c.Header.Set("Location", c.s.api("/repos/%s/issues/%d", c.repo.FullName(), i.number))
	c.json(c.issueJSON(i))
}

// issueOf gives the issue of the path, or answers that there is none.
func (c *call) issueOf() *issue {
	for _, i := range c.home.issues {
		if strconv.Itoa(i.number) == c.path("issue_number") {
			return i
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
	return nil
}

func getIssue(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if i := c.issueOf(); i != nil {
		c.json(c.issueJSON(i))
	}
}

func updateIssue(c *call) {
	var asked issueBody
	if !c.body(&asked) || c.tooLong(asked.Body) {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i := c.issueOf()
	if i == nil {
		return
	}
	now := c.Now()
	if !now.Before(i.seen) {
		before := *i
		i.stale = &before
	}
	i.seen = now.Add(c.s.opts.IssueDelay)
	if asked.Title != nil {
		i.title = *asked.Title
	}
	if asked.Body != nil {
		i.body = *asked.Body
	}
	if asked.Labels != nil {
		i.labels = slices.Clone(*asked.Labels)
		c.home.makeLabels(i.labels)
	}
	if asked.Assignees != nil { // GitHub drops in silence who cannot be one
		i.assignees = slices.DeleteFunc(slices.Clone(*asked.Assignees), func(login string) bool { return c.s.accounts[strings.ToLower(login)] == nil })
	}
	if asked.State != nil && *asked.State != i.state {
		i.state, i.reason, i.closed = *asked.State, value(asked.StateReason), time.Time{}
		if i.state == "closed" {
			i.closed = now
			if i.reason == "" {
				i.reason = "completed"
			}
		} else {
			i.reason = "reopened"
		}
	}
	i.updated = now
	c.json(c.issueJSON(i))
}

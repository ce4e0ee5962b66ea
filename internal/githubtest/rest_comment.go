package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// comment is a comment on an issue.
type comment struct {
	id               int64
	body             string
	author           *Account
	app              *App // that wrote it, for itself or for its author
	created, updated time.Time
}

// AddComment adds a comment to an issue, and gives its id. Where via is not nil, it is the App that
// wrote it in the author's name.
func (r *Repo) AddComment(issue int, author *Account, via *App, body string) int64 {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, i := range r.issues {
		if i.number == issue {
			now := r.server.opts.Now()
			m := comment{r.server.newID(), body, author, via, now, now}
			i.comments, i.updated = append(i.comments, m), now
			return m.id
		}
	}
	panic(fmt.Sprintf("githubtest: no issue %d", issue))
}

// EditComment changes a comment, as its author or whoever may write there can.
func (r *Repo) EditComment(id int64, body string) {
	r.server.Update(func() {
		_, m := r.comment(id)
		m.body, m.updated = body, r.server.opts.Now()
	})
}

// DeleteComment deletes a comment.
func (r *Repo) DeleteComment(id int64) {
	r.server.Update(func() {
		i, _ := r.comment(id)
		i.comments = slices.DeleteFunc(i.comments, func(m comment) bool { return m.id == id })
	})
}

// comment finds a comment and its issue; nil for none.
func (r *Repo) comment(id int64) (*issue, *comment) {
	for _, i := range r.issues {
		for n := range i.comments {
			if i.comments[n].id == id {
				return i, &i.comments[n]
			}
		}
	}
	return nil, nil
}

// commentOf gives the comment of the path, or answers that there is none.
func (c *call) commentOf() (*issue, *comment) {
	id, err := strconv.ParseInt(c.path("comment_id"), 10, 64)
	i, m := c.home.comment(id)
	if err != nil || m == nil {
		c.fail(http.StatusNotFound, "Not Found")
		return nil, nil
	}
	return i, m
}

func (c *call) commentJSON(i *issue, m comment) map[string]any {
	shown := map[string]any{
		"id": m.id, "node_id": node("IC", m.id), "body": m.body, "user": c.s.user(m.author),
		"url":        c.s.api("/repos/%s/issues/comments/%d", c.repo.FullName(), m.id),
		"issue_url":  c.s.api("/repos/%s/issues/%d", c.repo.FullName(), i.number),
		"html_url":   c.s.base + "/" + c.repo.FullName() + "/issues/" + strconv.Itoa(i.number) + "#issuecomment-" + strconv.FormatInt(m.id, 10),
		"created_at": stamp(m.created), "updated_at": stamp(m.updated), "author_association": "NONE",
		"performed_via_github_app": nil,
	}
	if m.app != nil {
		shown["performed_via_github_app"] = c.s.appJSON(m.app)
	}
	return shown
}

func getComment(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if i, m := c.commentOf(); m != nil {
		c.json(c.commentJSON(i, *m))
	}
}

func listComments(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if i := c.issueOf(); i != nil {
		c.json(pageOf(c, i.comments, func(m comment) any { return c.commentJSON(i, m) }))
	}
}

func createComment(c *call) {
	var asked issueBody
	if !c.body(&asked) || c.tooLong(asked.Body) {
		return
	}
	if value(asked.Body) == "" {
		c.invalid("IssueComment", "body", "missing_field", "body can't be blank")
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	i := c.issueOf()
	if i == nil {
		return
	}
	author, app := c.writer()
	now := c.Now()
	m := comment{c.s.newID(), *asked.Body, author, app, now, now}
	i.comments = append(i.comments, m)
	i.updated = now
	c.Status = http.StatusCreated
	c.json(c.commentJSON(i, m))
}

func updateComment(c *call) {
	var asked issueBody
	if !c.body(&asked) || c.tooLong(asked.Body) {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if i, m := c.commentOf(); m != nil {
		m.body, m.updated = value(asked.Body), c.Now()
		c.json(c.commentJSON(i, *m))
	}
}

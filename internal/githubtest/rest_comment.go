package githubtest

import (
	"net/http"
	"strconv"
	"time"
)

// comment is a comment on an issue.
type comment struct {
	id               int64
	body             string
	author           *Account
	created, updated time.Time
}

func (c *call) commentJSON(i *issue, m comment) map[string]any {
	return map[string]any{
		"id": m.id, "node_id": node("IC", m.id), "body": m.body, "user": c.s.user(m.author),
		"url":        c.s.api("/repos/%s/issues/comments/%d", c.repo.FullName(), m.id),
		"issue_url":  c.s.api("/repos/%s/issues/%d", c.repo.FullName(), i.number),
		"html_url":   c.s.base + "/" + c.repo.FullName() + "/issues/" + strconv.Itoa(i.number) + "#issuecomment-" + strconv.FormatInt(m.id, 10),
		"created_at": stamp(m.created), "updated_at": stamp(m.updated), "author_association": "NONE",
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
	author, _ := c.writer()
	now := c.Now()
	m := comment{c.s.newID(), *asked.Body, author, now, now}
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
	for _, i := range c.home.issues {
		for n := range i.comments {
			if m := &i.comments[n]; strconv.FormatInt(m.id, 10) == c.path("comment_id") {
				m.body, m.updated = value(asked.Body), c.Now()
				c.json(c.commentJSON(i, *m))
				return
			}
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

package appevent

import "github.com/go-json-experiment/json/jsontext"

// Issues is something that was done to an issue.
type Issues struct {
	Common
	Issue *Issue `json:"issue"`
}

// Issue is an issue, or a pull request where Pull is set.
type Issue struct {
	ID     int64          `json:"id"`
	Number int64          `json:"number"`
	Title  string         `json:"title"`
	Body   string         `json:"body"`
	State  string         `json:"state"`
	User   *Account       `json:"user"`
	Pull   jsontext.Value `json:"pull_request"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
	URL string `json:"html_url"`
	// App is the App that wrote it on its own behalf; nil for people.
	App *NumberedSlug `json:"performed_via_github_app"`
}

// IsPull reports whether the issue is that of a pull request.
func (i *Issue) IsPull() bool { return len(i.Pull) > 0 && i.Pull.Kind() != 'n' }

func (e *Issues) check(c *checker) {
	c.action(&e.Common)
	c.issue(e.Issue)
}

func (c *checker) issue(i *Issue) {
	if i == nil {
		c.fail("no issue")
		return
	}
	c.id("issue", i.ID)
	c.id("issue", i.Number)
	if i.User != nil {
		c.account("issue", i.User)
	}
}

// IssueComment is a comment that was written, edited or deleted on an issue or pull request.
type IssueComment struct {
	Common
	Issue   *Issue   `json:"issue"`
	Comment *Comment `json:"comment"`
}

// Comment is a comment.
type Comment struct {
	ID          int64         `json:"id"`
	Body        string        `json:"body"`
	User        *Account      `json:"user"` // nil for one who left
	Association string        `json:"author_association"`
	Created     Time          `json:"created_at"`
	Updated     Time          `json:"updated_at"`
	URL         string        `json:"html_url"`
	App         *NumberedSlug `json:"performed_via_github_app"` // nil for people
}

func (e *IssueComment) check(c *checker) {
	c.action(&e.Common)
	c.issue(e.Issue)
	if e.Comment == nil {
		c.fail("no comment")
		return
	}
	c.id("comment", e.Comment.ID)
	if e.Comment.User != nil {
		c.account("comment", e.Comment.User)
	}
}

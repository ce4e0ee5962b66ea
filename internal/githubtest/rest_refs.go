package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

func (c *call) refJSON(ref gitstore.Ref) map[string]any {
	kind := gitstore.Commit
	if o, ok := c.repo.Content.Object(ref.ID); ok {
		kind = o.Kind
	}
	return map[string]any{
		"ref": ref.Name, "node_id": "REF_" + ref.Name, "url": c.s.api("/repos/%s/git/%s", c.repo.FullName(), escape(ref.Name)),
		"object": map[string]any{"type": kind.String(), "sha": ref.ID.String(), "url": c.gitURL(kind.String()+"s", ref.ID)},
	}
}

func getRef(c *call) {
	if c.refuseEmpty() {
		return
	}
	name := "refs/" + c.path("ref")
	id, ok := gitstore.Lookup(c.repo.Content, name)
	if !ok {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.json(c.refJSON(gitstore.Ref{Name: name, ID: id}))
}

// refs gives the refs whose names begin with prefix.
func (c *call) refs(prefix string) []gitstore.Ref {
	return slices.DeleteFunc(slices.Clone(c.repo.Content.Refs()), func(r gitstore.Ref) bool { return !strings.HasPrefix(r.Name, prefix) })
}

func listMatchingRefs(c *call) {
	if c.refuseEmpty() {
		return
	}
	c.json(pageOf(c, c.refs("refs/"+c.path("ref")), func(r gitstore.Ref) any { return c.refJSON(r) }))
}

func listBranches(c *call) {
	const prefix = "refs/heads/"
	c.json(pageOf(c, c.refs(prefix), func(r gitstore.Ref) any {
		return map[string]any{
			"name": strings.TrimPrefix(r.Name, prefix), "protected": false,
			"commit": map[string]any{"sha": r.ID.String(), "url": c.s.api("/repos/%s/commits/%s", c.repo.FullName(), r.ID)},
		}
	}))
}

// listTags lists tags with the commits that they lead to.
func listTags(c *call) {
	const prefix = "refs/tags/"
	c.json(pageOf(c, c.refs(prefix), func(r gitstore.Ref) any {
		name := strings.TrimPrefix(r.Name, prefix)
		id, _, _ := gitstore.Peel(c.repo.Content, r.ID)
		api := c.s.api("/repos/%s", c.repo.FullName())
		return map[string]any{
			"name": name, "node_id": "REF_" + r.Name,
			"commit":      map[string]any{"sha": id.String(), "url": api + "/commits/" + id.String()},
			"zipball_url": api + "/zipball/" + escape(r.Name), "tarball_url": api + "/tarball/" + escape(r.Name),
		}
	}))
}

// listPulls lists pull requests, newest first.
func listPulls(c *call) {
	state := c.request.URL.Query().Get("state")
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var shown []Pull
	for _, p := range slices.Backward(c.home.Pulls) {
		if state == "all" || (state == "closed") == p.Closed {
			shown = append(shown, p)
		}
	}
	c.json(pageOf(c, shown, func(p Pull) any { return c.pullJSON(p) }))
}

func (c *call) pullJSON(p Pull) map[string]any {
	api := c.s.api("/repos/%s", c.repo.FullName())
	pull, issue := fmt.Sprintf("%s/pulls/%d", api, p.Number), fmt.Sprintf("%s/issues/%d", api, p.Number)
	html := fmt.Sprintf("%s/%s/pull/%d", c.s.base, c.repo.FullName(), p.Number)
	shown := pullOf(c.repo, p)
	owner := c.s.accounts[strings.ToLower(c.repo.Owner)]
	author := owner
	if a := c.s.accounts[strings.ToLower(p.Author)]; a != nil {
		author = a
	}
	side := func(branch string, id gitstore.ID) map[string]any {
		return map[string]any{
			"label": c.repo.Owner + ":" + branch, "ref": branch, "sha": id.String(),
			"user": c.s.user(owner), "repo": c.s.repository(c.home),
		}
	}
	base, _ := gitstore.Lookup(c.repo.Content, "refs/heads/"+shown.base())
	link := func(to string) map[string]any { return map[string]any{"href": to} }
	return map[string]any{
		"id": p.ID, "node_id": node("PR", p.ID), "number": p.Number, "title": p.Title, "body": nil, "draft": p.Draft,
		"state": strings.ToLower(shown.state()), "locked": false, "user": c.s.user(author),
		"assignee": nil, "assignees": []any{}, "requested_reviewers": []any{}, "requested_teams": []any{},
		"labels": []any{}, "milestone": nil, "author_association": "MEMBER", "auto_merge": nil,
		"created_at": stamp(c.repo.PushedAt), "updated_at": stamp(c.repo.PushedAt), "closed_at": nil, "merged_at": nil, "merge_commit_sha": nil,
		"head": side(p.Branch, shown.head()), "base": side(shown.base(), base),
		"url": pull, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "issue_url": issue,
		"commits_url": pull + "/commits", "review_comments_url": pull + "/comments",
		"review_comment_url": api + "/pulls/comments{/number}", "comments_url": issue + "/comments",
		"statuses_url": api + "/statuses/" + shown.head().String(),
		"_links": map[string]any{
			"self": link(pull), "html": link(html), "issue": link(issue), "comments": link(issue + "/comments"),
			"review_comments": link(pull + "/comments"), "review_comment": link(api + "/pulls/comments{/number}"),
			"commits": link(pull + "/commits"), "statuses": link(api + "/statuses/" + shown.head().String()),
		},
	}
}

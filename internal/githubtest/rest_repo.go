package githubtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// repository shows a repository as "repository", of which "minimal-repository" is a part.
func (s *Server) repository(r *Repo) map[string]any {
	api := s.api("/repos/%s", r.FullName())
	web := s.base + "/" + r.FullName()
	shown := map[string]any{
		"id": r.ID, "node_id": node("R", r.ID), "name": r.Name, "full_name": r.FullName(),
		"owner": s.user(s.accounts[strings.ToLower(r.Owner)]), "private": r.isPrivate(), "visibility": r.Visibility,
		"description": nil, "fork": r.Fork, "archived": r.Archived, "disabled": r.Disabled,
		"url": api, "html_url": web, "git_url": strings.Replace(web, "http:", "git:", 1) + ".git",
		"ssh_url": "git@localhost:" + r.FullName() + ".git", "clone_url": web + ".git", "svn_url": web, "mirror_url": nil,
		"homepage": nil, "language": nil, "forks_count": 0, "forks": 0, "stargazers_count": 0, "watchers_count": 0, "watchers": 0,
		"size": r.Kilobytes, "default_branch": r.defaultBranch(), "open_issues_count": r.open(), "open_issues": r.open(),
		"is_template": false, "topics": topics(r.Topics), "has_issues": !r.IssuesOff, "has_projects": true, "has_wiki": true,
		"has_pages": false, "has_downloads": true, "has_discussions": false, "license": nil,
		"pushed_at": stamp(r.PushedAt), "created_at": stamp(r.CreatedAt), "updated_at": stamp(r.PushedAt),
	}
	if r.Description != "" {
		shown["description"] = r.Description
	}
	for name, template := range repoAddresses {
		shown[name+"_url"] = api + template
	}
	return shown
}

// repoAddresses are the addresses that every repository shows, below its own.
var repoAddresses = map[string]string{
	"archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}",
	"branches": "/branches{/branch}", "collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}",
	"commits": "/commits{/sha}", "compare": "/compare/{base}...{head}", "contents": "/contents/{+path}",
	"contributors": "/contributors", "deployments": "/deployments", "downloads": "/downloads", "events": "/events",
	"forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}", "git_tags": "/git/tags{/sha}",
	"hooks": "/hooks", "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
	"issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages",
	"merges": "/merges", "milestones": "/milestones{/number}", "notifications": "/notifications{?since,all,participating}",
	"pulls": "/pulls{/number}", "releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}",
	"subscribers": "/subscribers", "subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
}

func topics(names []string) []string { return append([]string{}, names...) }

// fullRepo shows a repository as "full-repository".
func (s *Server) fullRepo(r *Repo) map[string]any {
	shown := s.repository(r)
	shown["network_count"], shown["subscribers_count"] = 0, 0
	return shown
}

// open counts the open issues and pull requests.
func (r *Repo) open() int {
	n := 0
	for _, i := range r.issues {
		if i.state == "open" {
			n++
		}
	}
	for _, p := range r.Pulls {
		if !p.Closed {
			n++
		}
	}
	return n
}

func getRepo(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.json(c.s.fullRepo(c.home))
}

// visible gives the repositories of an account that the client sees, in the order that was
// asked for or else by the field that order names.
func (c *call) visible(owner *Account, order string) []*Repo {
	var repos []*Repo
	for _, r := range c.s.sorted() {
		if strings.EqualFold(r.Owner, owner.Login) && c.s.sees(c.who, &r.Repository) && ofType(r, c.request.URL.Query().Get("type")) {
			repos = append(repos, r)
		}
	}
	query := c.request.URL.Query()
	order = cmp.Or(query.Get("sort"), order)
	direction := query.Get("direction")
	if order == "full_name" {
		if direction == "desc" {
			slices.Reverse(repos)
		}
		return repos
	}
	at := func(r *Repo) time.Time {
		if order == "created" {
			return r.CreatedAt
		}
		return r.PushedAt
	}
	slices.SortStableFunc(repos, func(a, b *Repo) int {
		rising := cmp.Or(at(a).Compare(at(b)), cmp.Compare(a.ID, b.ID))
		if direction == "asc" {
			return rising
		}
		return -rising
	})
	return repos
}

// ofType reports whether a list of one type of repositories shows r.
func ofType(r *Repo, typ string) bool {
	switch typ {
	case Public, Private, Internal:
		return r.Visibility == typ || typ == Private && r.isPrivate()
	case "forks":
		return r.Fork
	case "sources":
		return !r.Fork
	}
	return true
}

func listOrgRepos(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.json(pageOf(c, c.visible(c.org, "created"), func(r *Repo) any { return c.s.repository(r) }))
}

func listUserRepos(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	user := c.s.accounts[strings.ToLower(c.path("username"))]
	if user == nil {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	repos := c.visible(user, "full_name")
	c.json(pageOf(c, repos, func(r *Repo) any { return c.s.repository(r) }))
}

// counts gives how many public and other repositories an account has.
func (s *Server) counts(owner *Account) (public, private int) {
	for _, r := range s.repos {
		switch {
		case !strings.EqualFold(r.Owner, owner.Login):
		case r.Visibility == Public:
			public++
		default:
			private++
		}
	}
	return public, private
}

func getOrg(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	public, private := c.s.counts(c.org)
	api := c.s.api("/orgs/%s", c.org.Login)
	shown := map[string]any{
		"login": c.org.Login, "id": c.org.ID, "node_id": node("O", c.org.ID), "type": "Organization",
		"url": api, "repos_url": api + "/repos", "events_url": api + "/events", "hooks_url": api + "/hooks",
		"issues_url": api + "/issues", "members_url": api + "/members{/member}", "public_members_url": api + "/public_members{/member}",
		"avatar_url": c.s.base + "/avatars/o", "html_url": c.s.base + "/" + c.org.Login, "description": nil,
		"has_organization_projects": true, "has_repository_projects": true, "public_repos": public, "public_gists": 0,
		"followers": 0, "following": 0, "created_at": stamp(founded), "updated_at": stamp(founded), "archived_at": nil,
	}
	if c.s.allowedInOrg(c.who, c.org, permission{c.s.opts.PrivateCount, "read"}) {
		shown["total_private_repos"], shown["owned_private_repos"] = private, private
	}
	c.json(shown)
}

func getUser(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	a := c.s.accounts[strings.ToLower(c.path("username"))]
	if a == nil {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	public, _ := c.s.counts(a)
	shown := c.s.user(a)
	for name, value := range map[string]any{
		"user_view_type": "public", "name": nil, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil,
		"bio": nil, "public_repos": public, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": stamp(founded), "updated_at": stamp(founded),
	} {
		shown[name] = value
	}
	c.json(shown)
}

package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// Team is a team of an organisation.
type Team struct {
	ID      int64
	Slug    string
	Parent  string   // slug of the team above it; its members count there, too
	Members []string // logins
	Pending []string // logins of those who were asked and did not accept yet
}

// AddTeam adds a team to an organisation, and makes members of the organisation of those of the team.
func (s *Server) AddTeam(org *Account, slug string, members ...string) {
	var strangers []string
	s.Update(func() {
		org.Teams = append(org.Teams, &Team{ID: s.newID(), Slug: slug, Members: members})
		for _, login := range members {
			if !slices.Contains(org.Members, login) {
				strangers = append(strangers, login)
			}
		}
	})
	s.AddMembers(org, strangers...)
}

// ChangeTeam changes a team.
func (s *Server) ChangeTeam(org *Account, slug string, change func(*Team)) {
	s.Update(func() { change(org.team(slug)) })
}

func (a *Account) team(slug string) *Team {
	for _, t := range a.Teams {
		if strings.EqualFold(t.Slug, slug) {
			return t
		}
	}
	return nil
}

// has reports whether a team or one below it has a member.
func (a *Account) has(t *Team, login string, list func(*Team) []string) bool {
	if slices.ContainsFunc(list(t), func(m string) bool { return strings.EqualFold(m, login) }) {
		return true
	}
	return slices.ContainsFunc(a.Teams, func(below *Team) bool { return below.Parent == t.Slug && a.has(below, login, list) })
}

// findTeam finds the team of the path. GitHub has none for who may not see it.
func (c *call) findTeam() *Team {
	c.Header.Set("X-Accepted-Github-Permissions", need("members:read").String())
	if t := c.org.team(c.path("team_slug")); t != nil && c.s.allowedInOrg(c.who, c.org, need("members:read")) {
		return t
	}
	c.fail(http.StatusNotFound, "Not Found")
	return nil
}

func listTeamMembers(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.findTeam()
	if t == nil {
		return
	}
	var members []*Account
	for _, login := range c.org.Members {
		if c.org.has(t, login, func(t *Team) []string { return t.Members }) {
			members = append(members, c.s.accounts[strings.ToLower(login)])
		}
	}
	c.json(pageOf(c, members, func(a *Account) any { return c.s.user(a) }))
}

func getTeamMembership(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.findTeam()
	if t == nil {
		return
	}
	login, state := c.path("username"), ""
	switch {
	case c.org.has(t, login, func(t *Team) []string { return t.Members }):
		state = "active"
	case c.org.has(t, login, func(t *Team) []string { return t.Pending }):
		state = "pending"
	default:
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.json(map[string]any{"state": state, "role": "member", "url": c.s.api("/organizations/%d/team/%d/memberships/%s", c.org.ID, t.ID, login)})
}

func getOrgMembership(c *call) {
	if !c.mayInOrg("members:read") {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	login := c.path("username")
	member := c.s.accounts[strings.ToLower(login)]
	if member == nil || !slices.ContainsFunc(c.org.Members, func(m string) bool { return strings.EqualFold(m, login) }) {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	org := c.s.api("/orgs/%s", c.org.Login)
	c.json(map[string]any{
		"state": "active", "role": "member", "url": org + "/memberships/" + member.Login, "organization_url": org, "user": c.s.user(member),
		"organization": map[string]any{
			"login": c.org.Login, "id": c.org.ID, "node_id": node("O", c.org.ID), "url": org, "repos_url": org + "/repos", "events_url": org + "/events",
			"hooks_url": org + "/hooks", "issues_url": org + "/issues", "members_url": org + "/members{/member}", "public_members_url": org + "/public_members{/member}",
			"avatar_url": c.s.base + "/avatars/u/1", "description": nil,
		},
	})
}

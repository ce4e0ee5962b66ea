package githubtest

import "strings"

// listMembers lists the members of the organisation. Without the permission they are the
// public ones, of which a simulated organisation has none.
func listMembers(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var members []*Account
	if c.s.allowedInOrg(c.who, c.org, need("members:read")) {
		for _, login := range c.org.Members {
			members = append(members, c.s.accounts[strings.ToLower(login)])
		}
	}
	c.json(pageOf(c, members, func(a *Account) any { return c.s.user(a) }))
}

func listOrgRunners(c *call) {
	if c.mayInOrg("organization_self_hosted_runners:read") {
		c.runners(c.org.Runners)
	}
}

func listRepoRunners(c *call) { c.runners(c.repo.Runners) }

func (c *call) runners(runners []Runner) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	shown := pageOf(c, runners, func(r Runner) any {
		labels := []any{}
		for i, name := range r.Labels {
			labels = append(labels, map[string]any{"id": i + 1, "name": name, "type": "custom"})
		}
		return map[string]any{"id": r.ID, "name": r.Name, "os": "linux", "status": "online", "busy": false, "labels": labels, "runner_group_id": 1}
	})
	c.json(map[string]any{"total_count": len(runners), "runners": shown})
}

func getMeta(c *call) {
	c.json(map[string]any{
		"verifiable_password_authentication": false,
		"hooks":                              []string{"127.0.0.0/8"}, "web": []string{"127.0.0.0/8"}, "api": []string{"127.0.0.0/8"}, "git": []string{"127.0.0.0/8"},
	})
}

// AddMembers makes users, those that are not there, and members of an organisation of them.
func (s *Server) AddMembers(org *Account, logins ...string) {
	for _, login := range logins {
		s.mu.Lock()
		there := s.accounts[strings.ToLower(login)] != nil
		s.mu.Unlock()
		if !there {
			s.AddUser(login)
		}
	}
	s.Update(func() { org.Members = append(org.Members, logins...) })
}

// Organization gives an account by its login, or nil.
func (s *Server) Organization(login string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[strings.ToLower(login)]
}

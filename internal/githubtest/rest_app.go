package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stamp is how GitHub writes a time.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// user shows an account as "simple-user".
func (s *Server) user(a *Account) map[string]any {
	api := s.api("/users/%s", a.Login)
	return map[string]any{
		"login": a.Login, "id": a.ID, "node_id": node("U", a.ID), "type": a.Kind, "site_admin": false,
		"avatar_url": s.base + "/avatars/u/" + strconv.FormatInt(a.ID, 10), "gravatar_id": "",
		"url": api, "html_url": s.base + "/" + a.Login,
		"followers_url": api + "/followers", "following_url": api + "/following{/other_user}",
		"gists_url": api + "/gists{/gist_id}", "starred_url": api + "/starred{/owner}{/repo}",
		"subscriptions_url": api + "/subscriptions", "organizations_url": api + "/orgs", "repos_url": api + "/repos",
		"events_url": api + "/events{/privacy}", "received_events_url": api + "/received_events",
	}
}

func (s *Server) appJSON(app *App) map[string]any {
	return map[string]any{
		"id": app.ID, "slug": app.Slug, "node_id": node("A", app.ID), "name": app.Slug, "client_id": app.ClientID(),
		"owner": s.user(s.accounts[strings.ToLower(s.opts.Org)]), "description": nil,
		"external_url": s.base + "/" + app.Slug, "html_url": s.base + "/apps/" + app.Slug,
		"created_at": stamp(founded), "updated_at": stamp(founded), "permissions": app.permissions(), "events": app.events(),
	}
}

// permissions are what the App asks for.
func (a *App) permissions() map[string]string {
	if a.made != nil {
		return a.made.DefaultPermissions
	}
	return DefaultPermissions()
}

// events are what the App subscribes to.
func (a *App) events() []string {
	if a.hook == nil {
		return []string{}
	}
	return append([]string{}, a.hook.Events...)
}

// founded is when what has no time of its own was made.
var founded = time.Date(2024, 2, 1, 8, 0, 0, 0, time.UTC)

func getApp(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.json(c.s.appJSON(c.who.app))
}

func (s *Server) installationJSON(in *Installation) map[string]any {
	selection := "all"
	if in.Selected != nil {
		selection = "selected"
	}
	shown := map[string]any{
		"id": in.ID, "app_id": in.App.ID, "app_slug": in.App.Slug, "target_id": in.Account.ID, "target_type": in.Account.Kind,
		"account": s.user(in.Account), "repository_selection": selection, "permissions": in.Permissions, "events": in.App.events(),
		"single_file_name": nil, "created_at": stamp(founded), "updated_at": stamp(founded), "suspended_by": nil, "suspended_at": nil,
		"access_tokens_url": s.api("/app/installations/%d/access_tokens", in.ID), "repositories_url": s.api("/installation/repositories"),
		"html_url": fmt.Sprintf("%s/organizations/%s/settings/installations/%d", s.base, in.Account.Login, in.ID),
	}
	if in.Suspended {
		shown["suspended_at"], shown["suspended_by"] = stamp(founded), s.user(in.Account)
	}
	return shown
}

// installations gives those of the App that asks.
func (c *call) installations() []*Installation {
	return slices.DeleteFunc(slices.Clone(c.s.installs), func(in *Installation) bool { return in.App != c.who.app })
}

func listInstallations(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.json(pageOf(c, c.installations(), func(in *Installation) any { return c.s.installationJSON(in) }))
}

func getInstallation(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, in := range c.installations() {
		if strconv.FormatInt(in.ID, 10) == c.path("installation_id") {
			c.json(c.s.installationJSON(in))
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

func getOrgInstallation(c *call) { c.installationOn(c.org.Login, "Organization") }

func getUserInstallation(c *call) { c.installationOn(c.path("username"), "User") }

// installationOn shows the App's installation on an account of a kind.
func (c *call) installationOn(login, kind string) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, in := range c.installations() {
		if strings.EqualFold(in.Account.Login, login) && in.Account.Kind == kind {
			c.json(c.s.installationJSON(in))
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

func getRepoInstallation(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, in := range c.installations() {
		if in.covers(&c.repo) {
			c.json(c.s.installationJSON(in))
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

// createInstallationToken makes a token, narrowed to repositories and permissions.
func createInstallationToken(c *call) {
	var asked struct {
		Repositories  []string
		RepositoryIDs []int64 `json:"repository_ids"`
		Permissions   map[string]string
	}
	if !c.body(&asked) {
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	all := c.installations()
	i := slices.IndexFunc(all, func(in *Installation) bool { return strconv.FormatInt(in.ID, 10) == c.path("installation_id") })
	if i < 0 {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	in := all[i]
	if in.Suspended {
		c.fail(http.StatusForbidden, "This installation has been suspended")
		return
	}
	if len(asked.Repositories)+len(asked.RepositoryIDs) > 500 {
		c.fail(http.StatusUnprocessableEntity, "There are too many repositories specified.")
		return
	}
	permissions, missing := within(in.Permissions, asked.Permissions)
	if missing != "" {
		c.fail(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation.")
		return
	}
	t := &token{kind: installationToken, owner: in.App.bot, install: in, permissions: permissions}
	shown := map[string]any{"permissions": permissions, "repository_selection": "all"}
	if in.Selected != nil {
		shown["repository_selection"] = "selected"
	}
	if asked.Repositories != nil || asked.RepositoryIDs != nil {
		repos := c.named(in, asked.Repositories, asked.RepositoryIDs)
		if repos == nil {
			c.fail(http.StatusUnprocessableEntity, "There is at least one repository that does not exist or is not accessible to the parent installation.")
			return
		}
		t.repos = map[int64]bool{}
		list := []any{}
		for _, r := range repos {
			t.repos[r.ID] = true
			list = append(list, c.s.repository(r))
		}
		shown["repositories"], shown["repository_selection"] = list, "selected"
	}
	shown["token"] = c.s.addInstallationToken(t)
	shown["expires_at"] = stamp(t.expires)
	c.Status = http.StatusCreated
	c.json(shown)
}

// named gives the repositories that a token is narrowed to, or nil when one is not the
// installation's.
func (c *call) named(in *Installation, names []string, ids []int64) []*Repo {
	var repos []*Repo
	for _, name := range names {
		repos = append(repos, c.s.find(in.Account.Login+"/"+name))
	}
	for _, id := range ids {
		repos = append(repos, c.s.byID[id])
	}
	if slices.ContainsFunc(repos, func(r *Repo) bool { return r == nil || !in.covers(&r.Repository) }) {
		return nil
	}
	return repos
}

func deleteInstallationToken(c *call) {
	if c.who.token == nil || c.who.token.install == nil {
		c.fail(http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	_, secret, _ := strings.Cut(c.request.Header.Get("Authorization"), " ")
	c.s.Revoke(secret)
	c.Status = http.StatusNoContent
}

func listInstallationRepos(c *call) {
	t := c.who.token
	if t == nil || t.install == nil && t.kind != actionsToken {
		c.fail(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var repos []*Repo
	for _, r := range c.s.repos {
		if c.s.holds(c.who, &r.Repository) {
			repos = append(repos, r)
		}
	}
	selection := "all"
	if t.install == nil || t.install.Selected != nil || t.repos != nil {
		selection = "selected"
	}
	c.json(map[string]any{
		"total_count": len(repos), "repository_selection": selection,
		"repositories": pageOf(c, repos, func(r *Repo) any { return c.s.repository(r) }),
	})
}

func getRateLimit(c *call) {
	c.free = true
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	show := func(resource string) any {
		b := c.s.bucket(c.who, resource)
		return map[string]any{"limit": b.limit, "used": min(b.used, b.limit), "remaining": b.remaining(), "reset": b.reset.Unix()}
	}
	search := map[string]any{"limit": 30, "used": 0, "remaining": 30, "reset": c.Now().Add(time.Minute).Unix()}
	c.json(map[string]any{
		"resources": map[string]any{"core": show(coreResource), "graphql": show(graphQLResource), "search": search},
		"rate":      show(coreResource),
	})
}

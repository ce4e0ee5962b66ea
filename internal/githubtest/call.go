package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// documentation is where every error of GitHub's points.
const documentation = "https://docs.github.com/rest"

// call is one request to a route.
type call struct {
	*Exchange
	s       *Server
	request *http.Request // with the values of the path
	repo    Repository    // a copy, where the path names one
	home    *Repo         // the repository itself
	org     *Account      // where the path names one
}

// run finds what the path names, checks the permission and serves the route.
func (c *call) run(r *route) {
	isApp := c.who.app != nil
	switch {
	case r.needs == "app" && !isApp:
		c.fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
		return
	case r.needs != "app" && isApp && r.needs != "":
		c.fail(http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	if c.path("repo") != "" && !c.findRepo(r) || c.path("org") != "" && !c.findOrg() {
		return
	}
	r.serve(c)
}

func (c *call) path(name string) string { return c.request.PathValue(name) }

// findRepo finds the repository of the path, or answers why it cannot be had.
func (c *call) findRepo(r *route) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	full := c.path("owner") + "/" + c.path("repo")
	repo := c.s.find(full)
	if repo == nil {
		if moved := c.s.byID[c.s.renamed[strings.ToLower(full)]]; moved != nil && c.s.sees(c.who, &moved.Repository) {
			c.redirect(full, moved.ID)
			return false
		}
	}
	if r.needs == "app" {
		if repo == nil {
			c.fail(http.StatusNotFound, "Not Found")
			return false
		}
		c.home, c.repo = repo, repo.Repository
		return true
	}
	if repo == nil || !c.s.sees(c.who, &repo.Repository) {
		c.fail(http.StatusNotFound, "Not Found")
		return false
	}
	c.home, c.repo = repo, repo.Repository
	return c.permitted(r)
}

// permitted checks the permission, and that the repository takes what is asked.
func (c *call) permitted(r *route) bool {
	p := need(r.needs)
	c.Header.Set("X-Accepted-Github-Permissions", p.String())
	writes := c.request.Method != http.MethodGet
	if !c.s.allowed(c.who, &c.repo, p) {
		if writes {
			c.s.violationLocked("%s %s without the permission %s", c.request.Method, c.request.URL.Path, p)
		}
		c.fail(http.StatusForbidden, c.notAccessible())
		return false
	}
	switch {
	case c.repo.Disabled && r.path != "/repos/{owner}/{repo}":
		c.fail(http.StatusForbidden, "Repository access blocked")
		return false
	case writes && c.repo.Archived:
		c.fail(http.StatusForbidden, "Repository was archived so is read-only.")
		return false
	case writes && c.repo.Locked:
		c.fail(http.StatusForbidden, "Repository has been locked for migration.")
		return false
	case p.name == "issues" && c.repo.IssuesOff:
		c.fail(http.StatusGone, "Issues has been disabled in this repository.")
		return false
	}
	return true
}

func (e *Exchange) notAccessible() string {
	if e.who.token != nil && e.who.token.kind == personalToken {
		return "Resource not accessible by personal access token"
	}
	return "Resource not accessible by integration"
}

// redirect sends the client from the old name of a repository to its number.
func (c *call) redirect(full string, id int64) {
	_, rest, _ := strings.Cut(strings.ToLower(c.request.URL.Path), "/repos/"+strings.ToLower(full))
	to := c.s.api("/repositories/%d%s", id, rest)
	if query := c.request.URL.RawQuery; query != "" {
		to += "?" + query
	}
	c.Header.Set("Location", to)
	c.Status = http.StatusMovedPermanently
	if c.request.Method != http.MethodGet {
		c.Status = http.StatusTemporaryRedirect
	}
	c.json(map[string]any{"message": "Moved Permanently", "url": to, "documentation_url": documentation})
}

func (c *call) findOrg() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.org = c.s.accounts[strings.ToLower(c.path("org"))]
	if c.org == nil || c.org.Kind != "Organization" {
		c.fail(http.StatusNotFound, "Not Found")
		return false
	}
	return true
}

// mayInOrg checks a permission in the organisation of the path.
func (c *call) mayInOrg(p string) bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.Header.Set("X-Accepted-Github-Permissions", need(p).String())
	if c.s.allowedInOrg(c.who, c.org, need(p)) {
		return true
	}
	c.fail(http.StatusForbidden, c.notAccessible())
	return false
}

// api gives an address below the REST root.
func (s *Server) api(format string, args ...any) string {
	return s.base + restRoot + fmt.Sprintf(format, args...)
}

// json makes v the answer.
func (e *Exchange) json(v any) {
	e.Answer.Reset()
	enc := json.NewEncoder(&e.Answer)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // nothing that a server holds is unfit for JSON
	}
}

// fail makes an error the answer.
func (e *Exchange) fail(status int, message string) { e.failAt(status, message, documentation) }

func (e *Exchange) failAt(status int, message, documentation string) {
	e.Status = status
	e.json(map[string]any{"message": message, "documentation_url": documentation, "status": strconv.Itoa(status)})
}

// invalid answers that a field of the body is wrong.
func (c *call) invalid(resource, field, code, message string) {
	c.Status = http.StatusUnprocessableEntity
	c.json(map[string]any{
		"message": "Validation Failed", "documentation_url": documentation, "status": "422",
		"errors": []any{map[string]any{"resource": resource, "field": field, "code": code, "message": message}},
	})
}

// body reads the body of the request, or answers that it is no JSON.
func (c *call) body(into any) bool {
	if len(c.Body) == 0 {
		return true
	}
	if err := json.Unmarshal(c.Body, into); err != nil {
		c.fail(http.StatusBadRequest, "Problems parsing JSON")
		return false
	}
	return true
}

// page gives the bounds of the page of a list of n that was asked for, and links to others.
func (c *call) page(n int) (from, to int) {
	query := c.request.URL.Query()
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	last := max(1, (n+size-1)/size)
	var links []string
	link := func(page int, rel string) {
		query.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<%s?%s>; rel=%q`, c.s.base+c.request.URL.EscapedPath(), query.Encode(), rel))
	}
	if number > 1 {
		link(number-1, "prev")
	}
	if number < last {
		link(number+1, "next")
		link(last, "last")
	}
	if number > 1 {
		link(1, "first")
	}
	if links != nil {
		c.Header.Set("Link", strings.Join(links, ", "))
	}
	from = min((number-1)*size, n)
	return from, min(from+size, n)
}

// pageOf answers with one page of a list.
func pageOf[T any](c *call, list []T, show func(T) any) []any {
	from, to := c.page(len(list))
	shown := make([]any, 0, to-from)
	for _, item := range list[from:to] {
		shown = append(shown, show(item))
	}
	return shown
}

// escape escapes a name that stands in an address and keeps its slashes.
func escape(name string) string { return (&url.URL{Path: name}).EscapedPath() }

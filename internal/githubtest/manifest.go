package githubtest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Manifest is what somebody wants a new App to be. Its members are those of
// https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest.
type Manifest struct {
	Name           string `json:"name"`
	URL            string `json:"url"`
	HookAttributes struct {
		URL    string `json:"url"`
		Active *bool  `json:"active"`
	} `json:"hook_attributes"`
	RedirectURL           string            `json:"redirect_url"`
	CallbackURLs          []string          `json:"callback_urls"`
	SetupURL              string            `json:"setup_url"`
	Description           string            `json:"description"`
	Public                bool              `json:"public"`
	DefaultEvents         []string          `json:"default_events"`
	DefaultPermissions    map[string]string `json:"default_permissions"`
	RequestOAuthOnInstall bool              `json:"request_oauth_on_install"`
	SetupOnUpdate         bool              `json:"setup_on_update"`

	owner string
	until time.Time
}

// manifestLife is how long GitHub keeps a manifest that was not converted.
const manifestLife = time.Hour

// EventPermissions are the permissions of which an App needs one, to read, to be told of an
// event; none of one that every App may be told of. From "Webhook events and payloads" of GitHub's
// documentation.
var EventPermissions = map[string][]string{
	"branch_protection_rule": {"administration"}, "check_run": {"checks"}, "check_suite": {"checks"}, "create": {"contents"},
	"delete": {"contents"}, "dependabot_alert": {"vulnerability_alerts"}, "deploy_key": {"deployments"}, "issue_comment": {"issues", "pull_requests"},
	"issues": {"issues"}, "member": {"members"}, "membership": {"members"}, "merge_group": {"merge_queues"}, "meta": nil,
	"organization": {"members"}, "public": {"metadata"}, "pull_request": {"pull_requests"}, "push": {"contents"},
	"registry_package": {"packages"}, "release": {"contents"}, "repository": {"metadata"}, "repository_advisory": {"repository_advisories"},
	"repository_ruleset": {"administration"}, "secret_scanning_alert": {"secret_scanning_alerts"},
	"secret_scanning_alert_location": {"secret_scanning_alerts"}, "security_advisory": nil, "team": {"members"},
	"workflow_job": {"actions"}, "workflow_run": {"actions"},
}

// faults are what GitHub's page would say of a manifest.
func (m *Manifest) faults() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch {
	case m.URL == "":
		say("Url cannot be blank")
	case m.HookAttributes.URL == "":
		say("Hook url cannot be blank")
	case len(m.Name) > 34:
		say("Name is too long (maximum is 34 characters)")
	}
	if u, err := url.Parse(m.RedirectURL); err != nil || u.Host == "" {
		say("Redirect url is not valid")
	}
	if u, err := url.Parse(m.HookAttributes.URL); err != nil || u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") {
		say("Hook url is not supported because it isn't reachable over the public Internet (%s)", m.HookAttributes.URL)
	}
	for _, event := range m.DefaultEvents {
		needs, known := EventPermissions[event]
		if !known || len(needs) > 0 && !slices.ContainsFunc(needs, func(p string) bool { return m.DefaultPermissions[p] != "" }) {
			say("Default events unsupported: %s", event)
		}
	}
	for name, level := range m.DefaultPermissions {
		if !slices.Contains(levels[1:], level) {
			say("Default permission records resource %s has no level %s", name, level)
		}
	}
	return out
}

// registrationPage asks the owner whether the App is to be made.
var registrationPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Register a GitHub App</title></head><body>
{{if .Faults}}<ul id="faults">{{range .Faults}}<li>{{.}}</li>{{end}}</ul>
{{else}}<h1>Create GitHub App for {{.Owner}}</h1>
<form method="post" action="/settings/apps/create"><input type="hidden" name="code" value="{{.Code}}"><input type="hidden" name="state" value="{{.State}}">
<button id="create" type="submit">Create GitHub App for {{.Owner}}</button></form>{{end}}
</body></html>
`))

// registration are the pages by which an App is made, for whoever is at the browser.
func (s *Server) registration(mux *http.ServeMux) {
	begin := func(_ http.ResponseWriter, r *http.Request) {
		e := r.Context().Value(exchangeKey{}).(*Exchange)
		e.route = "POST /settings/apps/new"
		e.beginRegistration(r.PathValue("org"))
	}
	mux.HandleFunc("POST /settings/apps/new", begin)
	mux.HandleFunc("POST /organizations/{org}/settings/apps/new", begin)
	mux.HandleFunc("POST /settings/apps/create", func(_ http.ResponseWriter, r *http.Request) {
		e := r.Context().Value(exchangeKey{}).(*Exchange)
		e.route = "POST /settings/apps/create"
		e.endRegistration()
	})
}

// form reads a body that a browser's form sends.
func (e *Exchange) form() url.Values {
	values, err := url.ParseQuery(string(e.Body))
	if err != nil || !strings.HasPrefix(e.Request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return url.Values{}
	}
	return values
}

func (e *Exchange) beginRegistration(org string) {
	s := e.server
	form := e.form()
	m := &Manifest{}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.owner = "monalisa"
	if org != "" {
		account := s.accounts[strings.ToLower(org)]
		if account == nil {
			e.fail(http.StatusNotFound, "Not Found")
			return
		}
		m.owner = account.Login
	}
	page := struct {
		Owner, Code, State string
		Faults             []string
	}{Owner: m.owner, State: form.Get("state")}
	if state := e.Request.URL.Query().Get("state"); state != "" {
		page.State = state
	}
	dec := json.NewDecoder(strings.NewReader(form.Get("manifest")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		page.Faults = []string{"Error parsing manifest: " + err.Error()}
	} else {
		page.Faults = m.faults()
	}
	if page.Faults == nil {
		page.Code = strings.ToLower(rand.Text() + rand.Text())
		m.until = s.opts.Now().Add(manifestLife)
		s.manifests[page.Code] = m
	}
	e.Header.Set("Content-Type", "text/html; charset=utf-8")
	e.Header.Set("Referrer-Policy", "origin-when-cross-origin")
	e.Answer.Reset()
	if err := registrationPage.Execute(&e.Answer, page); err != nil {
		panic(err) // the buffer takes everything
	}
}

func (e *Exchange) endRegistration() {
	s := e.server
	form := e.form()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.manifests[form.Get("code")]
	if m == nil {
		e.fail(http.StatusNotFound, "Not Found")
		return
	}
	to, err := url.Parse(m.RedirectURL)
	if err != nil {
		panic(err) // it was read before
	}
	query := to.Query()
	query.Set("code", form.Get("code"))
	if state := form.Get("state"); state != "" {
		query.Set("state", state)
	}
	to.RawQuery = query.Encode()
	e.Header.Set("Location", to.String())
	e.Status = http.StatusFound
	e.Answer.Reset()
}

// convertManifest makes the App of a code, once, and tells its secrets, once. It is installed by
// Install.
func convertManifest(c *call) {
	c.s.mu.Lock()
	m := c.s.manifests[c.path("code")]
	delete(c.s.manifests, c.path("code"))
	c.s.mu.Unlock()
	if m == nil || !c.Now().Before(m.until) {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	app := c.s.AddApp(slug(m.Name))
	secret := rand.Text()
	if m.HookAttributes.Active == nil || *m.HookAttributes.Active {
		c.s.SetWebhook(app, Webhook{URL: m.HookAttributes.URL, Secret: secret, Events: append([]string{}, m.DefaultEvents...)})
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	app.made = m
	shown := c.s.appJSON(app)
	shown["name"], shown["owner"] = m.Name, c.s.user(c.s.owner(m.owner))
	shown["client_secret"], shown["webhook_secret"], shown["pem"] = rand.Text(), secret, string(app.Key)
	c.Status = http.StatusCreated
	c.json(shown)
}

// owner gives an account, which is made when it is that of who does what a test does.
func (s *Server) owner(login string) *Account {
	if a := s.accounts[strings.ToLower(login)]; a != nil {
		return a
	}
	return s.ghost()
}

// slug is the name of an App in addresses.
func slug(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
}

// Registered gives the Apps that were made of a manifest.
func (s *Server) Registered() []*App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.apps), func(a *App) bool { return a.made == nil })
}

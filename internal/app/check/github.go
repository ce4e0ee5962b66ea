package check

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident/githubissues"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// mayDiffer is by how much this machine's clock may be off before GitHub refuses the App's
// signatures.
const mayDiffer = 45 * time.Second

// is tells an answer that says no from none.
func is(err error) Outcome {
	var (
		permitted *ghclient.NotPermittedError
		suspended *ghclient.SuspendedError
	)
	if errors.Is(err, ghclient.ErrNotFound) || errors.Is(err, ghclient.ErrBadCredentials) || errors.As(err, &permitted) || errors.As(err, &suspended) {
		return Missing
	}
	return Unknown
}

func (c *checker) app(ctx context.Context) {
	const part = "App"
	client, err := ghclient.New(ghclient.Options{
		BaseURL: c.Config.GitHub, Auth: ghclient.Auth{AppID: c.Config.AppID, AppKey: c.Config.AppKey},
	})
	if err != nil {
		c.say(Missing, part, "%v", err)
		return
	}
	var app struct {
		Name        string            `json:"name"`
		Permissions map[string]string `json:"permissions"`
		Events      []string          `json:"events"`
	}
	response, err := client.Get(ctx, "app", nil, &app)
	if err != nil {
		c.say(is(err), part, "%v", err)
		return
	}
	c.github, c.asked = client, app.Permissions
	c.say(OK, part, "%q, number %d", app.Name, c.Config.AppID)
	if at, err := time.Parse(time.RFC1123, response.Header.Get("Date")); err == nil {
		if off := c.Now().Sub(at).Abs(); off > mayDiffer {
			c.say(Missing, "clock", "differs from GitHub's by %s: set it, or signatures are refused", off.Round(time.Second))
		}
	}
	var lacking []string
	for _, e := range c.Tier.Events() {
		if !slices.Contains(app.Events, e.Name) && e.Name != "security_advisory" { // which GitHub does not list
			lacking = append(lacking, e.Name)
		}
	}
	c.lackingEvents = lacking
}

func (c *checker) events(context.Context) {
	const part = "events"
	switch {
	case c.github == nil:
		c.say(Unknown, part, "the App could not be asked")
	case len(c.lackingEvents) > 0:
		c.say(Missing, part, "the App does not subscribe to %s: settings of the App, Permissions & events", strings.Join(c.lackingEvents, ", "))
	default:
		c.say(OK, part, "%d that the App subscribes to", len(c.Tier.Events()))
	}
}

// installation finds the App's installation on the organisation, or the only one.
func (c *checker) installation(ctx context.Context) {
	const part = "installation"
	if c.github == nil {
		c.say(Unknown, part, "the App could not be asked")
		return
	}
	var all []struct {
		ID      int64 `json:"id"`
		Account struct {
			Login string `json:"login"`
		} `json:"account"`
		Selection   string            `json:"repository_selection"`
		Permissions map[string]string `json:"permissions"`
		Suspended   *time.Time        `json:"suspended_at"`
	}
	if err := c.get(ctx, "app/installations", url.Values{"per_page": {"100"}}, &all); err != nil {
		c.say(is(err), part, "%v", err)
		return
	}
	found := false
	for _, in := range all {
		if c.Config.Organisation != "" && !strings.EqualFold(in.Account.Login, c.Config.Organisation) {
			c.say(Note, part, "the App is installed on %q too", in.Account.Login)
			continue
		}
		found = true
		c.granted = in.Permissions
		switch {
		case in.Suspended != nil:
			c.say(Missing, part, "on %q, suspended since %s: nothing is delivered", in.Account.Login, in.Suspended.Format(time.DateOnly))
		case in.Selection != "all":
			c.say(Missing, part, "on %q, on chosen repositories: what is not chosen is not seen, nor what comes to be", in.Account.Login)
		default:
			c.say(OK, part, "on %q, all repositories", in.Account.Login)
		}
	}
	switch {
	case found:
	case c.Config.Organisation == "":
		c.say(Missing, part, "the App is not installed on any account")
	default:
		c.say(Missing, part, "the App is not installed on %q", c.Config.Organisation)
	}
}

// permissions says of each whether it was granted, and what does not work without it.
func (c *checker) permissions(context.Context) {
	if c.granted == nil {
		c.say(Unknown, "permissions", "there is no installation to look at")
		return
	}
	wanting := c.Tier
	if wanting != manifest.Blast && len(manifest.Blast.Lacking(c.granted)) == 0 {
		wanting = manifest.Blast
	}
	lacking := map[string]bool{}
	for _, p := range wanting.Lacking(c.granted) {
		lacking[p.Name] = true
	}
	rank := func(level string) int { return slices.Index([]string{"", "read", "write", "admin"}, level) }
	for _, p := range wanting.Permissions() {
		part := "permission " + p.Name + ": " + p.Level
		switch {
		case !lacking[p.Name]:
			c.say(OK, part, "%s", p.Why)
		case rank(c.asked[p.Name]) >= rank(p.Level):
			c.say(Missing, part, "%s The App asks for it: an owner of the organisation has to accept that. It is for: %s", p.Without, p.Why)
		default:
			c.say(Missing, part, "%s Add it to the App, and accept it in the organisation. It is for: %s", p.Without, p.Why)
		}
	}
	if wanting != manifest.Blast {
		c.say(Off, "permissions of "+string(manifest.Blast), "what a job could read is not named by GitHub: docs/app.md")
	}
	if beyond := wanting.Beyond(c.granted); len(beyond) > 0 {
		c.say(Note, "permissions", "granted, and used by nothing: %s", strings.Join(beyond, ", "))
	}
}

// webhook looks where GitHub delivers to, and whether that is answered.
func (c *checker) webhook(ctx context.Context) {
	const part = "webhook"
	if c.github == nil {
		c.say(Unknown, part, "the App could not be asked")
		return
	}
	var hook struct {
		URL         string `json:"url"`
		ContentType string `json:"content_type"`
		Insecure    any    `json:"insecure_ssl"` // "0", or 0
		Secret      string `json:"secret"`       // masked
	}
	if err := c.get(ctx, "app/hook/config", nil, &hook); err != nil {
		c.say(is(err), part, "%v", err)
		return
	}
	at, err := url.Parse(hook.URL)
	switch {
	case err != nil || hook.URL == "" || hook.URL == manifest.NoHook:
		c.say(Missing, part, "the App has no address to deliver to")
		return
	case hook.ContentType != "json":
		c.say(Missing, part, "deliveries are of the type %q: set application/json", hook.ContentType)
	case hook.Secret == "":
		c.say(Missing, part, "the App has no secret, and no delivery is believed")
	case hook.Insecure != "0" && hook.Insecure != 0.0:
		c.say(Missing, part, "GitHub does not look at the certificate of %q", at.Host)
	case at.Path != c.Config.Path:
		c.say(Note, part, "GitHub delivers to the path %q, and here it is %q: something between has to lead there", at.Path, c.Config.Path)
	default:
		c.say(OK, part, "GitHub delivers to %q at %q", at.Path, at.Host)
	}
	c.deliveries(ctx)
}

// deliveries looks at what GitHub delivered in the last days.
func (c *checker) deliveries(ctx context.Context) {
	const part = "deliveries"
	var list []struct {
		At     time.Time `json:"delivered_at"`
		Event  string    `json:"event"`
		Status string    `json:"status"`
		Code   int       `json:"status_code"`
	}
	if err := c.get(ctx, "app/hook/deliveries", url.Values{"per_page": {"100"}}, &list); err != nil {
		c.say(is(err), part, "%v", err)
		return
	}
	if len(list) == 0 {
		c.say(Unknown, part, "GitHub delivered nothing in the last days: nothing shows that it reaches us. Settings of the App, Advanced, has a ping to deliver again")
		return
	}
	failed := 0
	for _, d := range list {
		if d.Code < 200 || d.Code > 299 {
			failed++
		}
	}
	last := list[0]
	switch {
	case last.Code < 200 || last.Code > 299:
		c.say(Missing, part, "the last one, %q at %s, was not taken: %s; so were %d of the last %d",
			last.Event, last.At.Format(time.RFC3339), last.Status, failed, len(list))
	case failed > 0:
		c.say(Note, part, "the last one, %q at %s, was taken; %d of the last %d were not, and are asked for again",
			last.Event, last.At.Format(time.RFC3339), failed, len(list))
	default:
		c.say(OK, part, "the last one, %q at %s, was taken, and so were all of the last %d", last.Event, last.At.Format(time.RFC3339), len(list))
	}
}

// issues looks whether incidents can be filed, with a token that may do that and no more.
func (c *checker) issues(ctx context.Context) {
	const part = "issues"
	name := c.Config.Issues
	switch {
	case name == "":
		c.say(Off, part, "no repository is named, and no incident is filed")
		return
	case c.github == nil:
		c.say(Unknown, part, "the App could not be asked")
		return
	}
	writer, err := c.github.Installation(ctx, name, ghclient.Permissions{"issues": "write", "metadata": "read"})
	if err != nil {
		c.say(is(err), part, "%q: %v", name, err)
		return
	}
	tracker, err := githubissues.New(writer, name, "nobody")
	if err != nil {
		c.say(Missing, part, "%v", err)
		return
	}
	repo, err := tracker.Repository(ctx)
	switch {
	case err != nil:
		c.say(is(err), part, "%v", err)
	case !repo.Private:
		c.say(Missing, part, "%q is public, and incidents name what is not mended yet", name)
	case repo.Archived:
		c.say(Missing, part, "%q is archived: nothing can be filed there", name)
	case !repo.Issues:
		c.say(Missing, part, "%q has its issues switched off", name)
	default:
		c.say(OK, part, "%q is private, and takes issues", name)
	}
}

// responders looks whether the members of the teams can be asked for.
func (c *checker) responders(ctx context.Context) {
	const part = "responders"
	if c.Config.Responders == "" {
		c.say(Off, part, "no team is named, and no command is obeyed")
		return
	}
	c.team(ctx, part, c.Config.Responders)
	if c.Config.OnCall != "" {
		c.team(ctx, "on-call", c.Config.OnCall)
	}
}

// team looks whether a team has members.
func (c *checker) team(ctx context.Context, part, team string) {
	if c.github == nil {
		c.say(Unknown, part, "the App could not be asked")
		return
	}
	reader, err := c.github.Installation(ctx, c.Config.Organisation, ghclient.Permissions{"members": "read"})
	if err != nil {
		c.say(is(err), part, "%v", err)
		return
	}
	var members []struct{}
	path := "orgs/" + url.PathEscape(c.Config.Organisation) + "/teams/" + url.PathEscape(team) + "/members"
	switch _, err := reader.Get(ctx, path, url.Values{"per_page": {"100"}}, &members); {
	case errors.Is(err, ghclient.ErrNotFound):
		c.say(Missing, part, "there is no team %q in %q: its slug is the end of its page's address", team, c.Config.Organisation)
	case err != nil:
		c.say(is(err), part, "team %q: %v", team, err)
	case len(members) == 0:
		c.say(Missing, part, "the team %q has no members", team)
	default:
		c.say(OK, part, "the team %q, with %d members", team, len(members))
	}
}

// settings looks whether the organisation's settings can be used as they are now.
func (c *checker) settings(ctx context.Context) {
	const part = "settings"
	name := c.Config.Settings
	switch {
	case name == "":
		c.say(Off, part, "no repository is named, and everything is looked at")
		return
	case c.github == nil:
		c.say(Unknown, part, "the App could not be asked")
		return
	}
	reader, err := c.github.Installation(ctx, name, ghclient.Permissions{"contents": "read", "metadata": "read"})
	if err != nil {
		c.say(is(err), part, "%q: %v", name, err)
		return
	}
	commit, content, err := settings.ReadOrganisation(ctx, reader, name)
	switch {
	case errors.Is(err, settings.ErrUnprotected):
		c.say(Missing, part, "%v", err)
		return
	case err != nil:
		c.say(is(err), part, "%v", err)
		return
	case content == nil:
		c.say(Missing, part, "%q has no file %q", name, settings.OrganisationFile)
		return
	}
	var fault *strictyaml.Error
	switch _, err := settings.Parse(name+": "+settings.OrganisationFile, content); {
	case errors.As(err, &fault):
		c.say(Missing, part, "%v", err)
	default:
		c.say(OK, part, "of %q at commit %.12s", name, commit)
	}
}

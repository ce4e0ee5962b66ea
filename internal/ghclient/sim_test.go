package ghclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// simulated starts the simulator, which fails the test on a call before a told wait and on
// what it does not know, and gives the App's options for it.
func simulated(t *testing.T, opts githubtest.Options) (*githubtest.Server, ghclient.Options) {
	t.Helper()
	s := githubtest.Start(t, opts)
	return s, ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key}}
}

// The way of a sweep that files: list, ask, make, revoke.
func TestSimulated(t *testing.T) {
	s, opts := simulated(t, githubtest.Options{})
	s.AddFiles("web", map[string]string{"package-lock.json": "{}"})
	s.AddFiles("incidents", map[string]string{"README.md": "x"})
	app, err := ghclient.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Total int `json:"total_count"`
	}
	resp, err := c.Get(t.Context(), "installation/repositories", url.Values{"per_page": {"1"}}, &list)
	if err != nil || list.Total != 2 || resp.Next == "" || resp.ETag == "" {
		t.Errorf("%+v, %+v, error %v", list, resp, err)
	}
	again, err := c.Get(t.Context(), "installation/repositories?per_page=1", nil, nil, ghclient.IfNoneMatch(resp.ETag))
	if err != nil || !again.NotModified {
		t.Errorf("%+v, error %v", again, err)
	}
	if _, err := c.Get(t.Context(), resp.Next, nil, &list); err != nil {
		t.Error(err)
	}
	var data struct {
		Organization struct{ Login string }
	}
	if err := c.GraphQL(t.Context(), "query($o:String!){organization(login:$o){login}}", map[string]any{"o": "acme"}, &data); err != nil || data.Organization.Login != "acme" {
		t.Errorf("%+v, error %v", data, err)
	}
	if err := c.GraphQL(t.Context(), "query($o:String!){organization(login:$o){login}}", map[string]any{"o": "nobody"}, &data); !errors.Is(err, ghclient.ErrNotFound) {
		t.Errorf("error %v", err)
	}

	// What reads cannot write, and that is told with the permission that would do.
	issue := &github.IssueRequest{Title: github.String("found")}
	_, _, err = c.REST().Issues.Create(t.Context(), "acme", "incidents", issue)
	var refused *ghclient.NotPermittedError
	if !errors.As(err, &refused) || !strings.Contains(refused.Permission, "issues=write") {
		t.Errorf("error %v", err)
	}
	s.ForgetViolations() // the write that was meant to be refused
	writer, err := app.Installation(t.Context(), "acme", ghclient.Permissions{"issues": "write", "metadata": "read"}, s.Repo("acme/incidents").ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := writer.REST().Issues.Create(t.Context(), "acme", "incidents", issue); err != nil {
		t.Error(err)
	}

	// A renamed repository is followed.
	s.Repo("acme/web").Rename("shop")
	if repo, _, err := c.REST().Repositories.Get(t.Context(), "acme", "web"); err != nil || repo.GetName() != "shop" {
		t.Errorf("%v, error %v", repo, err)
	}
	for _, c := range []*ghclient.Client{c, writer} {
		if err := c.Revoke(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for _, e := range s.Log() {
		if e.UserAgent != "wormsweep" {
			t.Errorf("%s %s by %q", e.Method, e.Path, e.UserAgent)
		}
	}
}

// slept is a context as a process has it that was stopped past its deadline and has just gone on: the
// timer has not run yet.
type slept struct{ context.Context }

func (slept) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// TestSlept: what was allowed before a process was stopped is not sent after its deadline.
func TestSlept(t *testing.T) {
	s, opts := simulated(t, githubtest.Options{})
	app, err := ghclient.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.Log())
	var into struct{}
	if _, err := c.Get(slept{t.Context()}, "installation/repositories", nil, &into); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if n := len(s.Log()); n != before {
		t.Errorf("%d requests were sent", n-before)
	}
}

func TestSimulatedCredentials(t *testing.T) {
	s, opts := simulated(t, githubtest.Options{})
	s.AddFiles("web", map[string]string{"a": "b"})
	try := func(change func(*ghclient.Options), account, want string) {
		t.Helper()
		o := opts
		change(&o)
		c, err := ghclient.New(o)
		if err == nil {
			if c, err = c.Installation(t.Context(), account, reading); err == nil {
				_, err = c.Get(t.Context(), "orgs/acme", nil, nil)
			}
		}
		oneClearLine(t, err, want)
	}
	try(func(o *ghclient.Options) { o.Auth.AppKey = pemOf(keys()[1]) }, "acme", "the private key is not of the App with id")
	try(func(*ghclient.Options) {}, "nobody", `is not installed on "nobody", or there is no such account`)
	try(func(o *ghclient.Options) { o.Auth = ghclient.Auth{Token: token} }, "acme", "GitHub refused the token")
	in := s.Installation()
	s.Update(func() { in.Suspended = true })
	try(func(*ghclient.Options) {}, "acme", `on "acme" is suspended`)
	s.Update(func() {
		in.Suspended = false
		in.Permissions = map[string]string{"metadata": "read"}
	})
	try(func(*ghclient.Options) {}, "acme", `it needs the permission "contents=read"`)
	s.ForgetViolations() // what was refused is what is tried
	actions := s.ActionsToken(s.Repo("acme/web"), reading)
	c, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{Token: actions}})
	if err != nil {
		t.Fatal(err)
	}
	if name, one, err := c.SeesOneRepository(t.Context()); name != "acme/web" || !one || err != nil {
		t.Errorf("%q, %v, %v", name, one, err)
	}
}

// Faults of every kind on a tenth of all requests, hours that are too short by far, many at
// once, one clock: everything comes, and nothing before its time.
func TestSimulatedTrouble(t *testing.T) {
	clock := newClock()
	s, opts := simulated(t, githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{Core: 60, GraphQL: 30}})
	s.AddFiles("web", map[string]string{"a": "b"})
	// Every tenth request meets one of them, so that no request meets four in a row but by a
	// rare chance: each is tried twice.
	s.Break(githubtest.Rule{Fault: func(e *githubtest.Exchange) {
		if e.Number%10 != 0 || e.Kind == githubtest.Token {
			e.Serve()
			return
		}
		switch e.Number / 10 % 3 {
		case 0:
			e.Status = http.StatusBadGateway
		case 1:
			e.Status = http.StatusServiceUnavailable
		case 2:
			e.Serve()
			e.Cut = 10
		}
	}})
	opts.Now, opts.Sleep = clock.Now, clock.Sleep
	app, err := ghclient.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Installation(t.Context(), "acme", reading)
	if err != nil {
		t.Fatal(err)
	}
	const each = 15
	var done sync.WaitGroup
	for range 20 {
		done.Go(func() {
			for range each {
				twice(t, func() error {
					_, err := c.Get(context.Background(), "repos/acme/web", nil, nil)
					return err
				})
				twice(t, func() error {
					return c.GraphQL(context.Background(), "{rateLimit{remaining}}", nil, nil)
				})
			}
		})
	}
	done.Wait()
	stats := c.Stats()
	if stats.REST < 300 || stats.GraphQL < 300 || stats.Waited < 4*time.Hour || stats.Retries == 0 {
		t.Errorf("%+v", stats)
	}
	for _, e := range s.Log() {
		if e.Status == http.StatusForbidden || e.Status == http.StatusTooManyRequests {
			t.Errorf("refused: %s %s", e.Method, e.Path)
		}
	}
}

func twice(t *testing.T, do func() error) {
	if do() == nil {
		return
	}
	if err := do(); err != nil {
		t.Error(err)
	}
}

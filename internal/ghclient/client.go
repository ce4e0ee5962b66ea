package ghclient

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
)

// Options says where GitHub is and who asks. The zero value with Auth filled in is ready
// for production.
type Options struct {
	// BaseURL is "" for github.com, or the root of a GitHub Enterprise Server: its REST API
	// is at BaseURL/api/v3/, GraphQL at BaseURL/api/graphql and git at
	// BaseURL/OWNER/REPO.git. "http" is for loopback alone.
	BaseURL string
	Auth    Auth
	// MaxRequests is how many requests to REST and GraphQL this client, and all that
	// Installation makes of it, send at most: retries, answers 304 and those for tokens
	// included, git not. 0 means no bound.
	MaxRequests int
	// Transport carries the requests; nil is one with timeouts that honours the proxy of the
	// process's environment.
	Transport http.RoundTripper
	// Now and Sleep are the clock; nil is the real one. Sleep returns the context's error
	// when that is done first.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger // waits and retries; nil is silent
}

// Auth is who asks: a token, or a GitHub App with its key, and not both.
type Auth struct {
	Token  string // of a person, of Actions or of an installation
	AppID  int64
	AppKey []byte // the App's private key, PEM
	// InstallationID is the App's installation; 0 is looked up by Client.Installation.
	InstallationID int64
}

// Permissions are what a token may do: "contents" to "read".
type Permissions map[string]string

// Kind is what a client signs its requests with.
type Kind string

// The kinds.
const (
	KindApp          Kind = "app"             // the App's key: it may ask about the App alone
	KindInstallation Kind = "installation"    // tokens of an installation, made and renewed here
	KindGivenToken   Kind = "given-app-token" // a token of an installation that somebody gave: GITHUB_TOKEN is one
	KindPersonal     Kind = "personal"        // a person's token, classic or by OAuth
	KindFineGrained  Kind = "fine-grained"    // a person's fine-grained token
	KindOther        Kind = "token"           // of no format that is known
)

// Client asks GitHub as somebody. It is safe for concurrent use.
type Client struct {
	core *core
	who  *principal
	app  *app          // nil with a plain token
	own  *installation // nil but for a client of Installation
	http *http.Client  // over the transport of who
	rest *github.Client
}

// New makes a client and sends nothing. The error is for options that cannot work: no
// credentials or two, a key that is no key, an address that is none.
func New(opts Options) (*Client, error) {
	core, err := newCore(opts)
	if err != nil {
		return nil, err
	}
	auth := opts.Auth
	token := strings.TrimSpace(auth.Token)
	switch {
	case token != "" && (auth.AppID != 0 || len(auth.AppKey) > 0):
		return nil, fmt.Errorf("both a token and a GitHub App are given: give one of them")
	case token != "":
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("the token holds characters that no token has")
		}
		core.keep(token)
		return newClient(core, &principal{
			kind: kindOf(token), lim: core.limiter(0), network: core.network, explain: badToken,
			token: func(context.Context) (string, error) { return token, nil },
		}, nil, nil), nil
	case auth.AppID == 0 && len(auth.AppKey) == 0:
		return nil, fmt.Errorf("neither a token nor a GitHub App is given")
	}
	app, err := newApp(core, auth)
	if err != nil {
		return nil, err
	}
	return newClient(core, app.who, app, nil), nil
}

func newClient(core *core, who *principal, app *app, own *installation) *Client {
	c := &Client{core: core, who: who, app: app, own: own}
	c.http = &http.Client{Transport: &transport{core, who}, CheckRedirect: core.followed}
	rest := *c.http
	rest.Transport = &withoutRate{c.http.Transport}
	c.rest = github.NewClient(&rest)
	c.rest.BaseURL, c.rest.UploadURL = core.place.rest, core.place.uploads
	c.rest.UserAgent = userAgent
	return c
}

// kindOf tells the tokens apart by how they begin.
func kindOf(token string) Kind {
	switch {
	case strings.HasPrefix(token, "ghs_"):
		return KindGivenToken
	case strings.HasPrefix(token, "github_pat_"):
		return KindFineGrained
	case strings.HasPrefix(token, "ghp_"), strings.HasPrefix(token, "gho_"), strings.HasPrefix(token, "ghu_"):
		return KindPersonal
	}
	return KindOther
}

// App reports whether the client has an App's key, as the App itself or for an
// installation.
func (c *Client) App() bool { return c.app != nil }

// Kind says what the client signs with.
func (c *Client) Kind() Kind { return c.who.kind }

// SeesOneRepository reports whether the token shows one repository only, and which, as
// GITHUB_TOKEN of Actions does: an organisation cannot be swept with it. It asks GitHub
// only where the kind leaves that open.
func (c *Client) SeesOneRepository(ctx context.Context) (name string, one bool, err error) {
	if c.who.kind != KindGivenToken {
		return "", false, nil
	}
	var list struct {
		Total        int `json:"total_count"`
		Repositories []struct {
			FullName string `json:"full_name"`
		} `json:"repositories"`
	}
	if _, err := c.Get(ctx, "installation/repositories", url.Values{"per_page": {"1"}}, &list); err != nil {
		return "", false, err
	}
	if list.Total != 1 || len(list.Repositories) != 1 {
		return "", false, nil
	}
	return list.Repositories[0].FullName, true, nil
}

// Installation gives a client that signs with tokens of the App's installation on account,
// an organisation, a user or "OWNER/NAME": narrowed to the permissions, which must not be
// empty, and to the repositories by id (at most 500; none means all), and renewed before
// they expire. The first is made now, so that a wrong key, a missing or suspended
// installation or a permission that was not granted is told here. For a client with a
// plain token it is the client itself.
func (c *Client) Installation(ctx context.Context, account string, perms Permissions, repoIDs ...int64) (*Client, error) {
	if c.app == nil {
		return c, nil
	}
	in, err := c.app.installation(ctx, account, perms, repoIDs)
	if err != nil {
		return nil, err
	}
	return newClient(c.core, in.who, c.app, in), nil
}

// Revoke ends the installation's token that c holds; a request after it makes a new one. A
// token that somebody gave is left alone.
func (c *Client) Revoke(ctx context.Context) error {
	if c.own == nil {
		return nil
	}
	return c.own.revoke(ctx)
}

// REST is go-github over the transport of c. Limits, bad credentials, missing permissions
// and a spent budget are the errors of this package there too; other answers (404, 409,
// 422) are *github.ErrorResponse: see Status.
func (c *Client) REST() *github.Client { return c.rest }

// GitURL is where git finds the repository; no secret is in it.
func (c *Client) GitURL(owner, repo string) string {
	return c.core.place.git.JoinPath(url.PathEscape(owner), url.PathEscape(repo)+".git").String()
}

// Host is the host of the server, with its port where it has one of its own: "github.com".
func (c *Client) Host() string { return c.core.place.git.Host }

// Stats counts what the client, and all that Installation made of it, sent.
type Stats struct {
	REST        int // requests, with those answered 304
	NotModified int
	GraphQL     int
	Token       int // look-ups of installations, tokens made and revoked
	Git         int
	Retries     int           // of all these, those that repeat one
	Refused     int           // not sent: the budget was spent
	Waited      time.Duration // time in which a limit kept at least one request waiting
}

// Stats are the numbers so far.
func (c *Client) Stats() Stats {
	c.core.mu.Lock()
	defer c.core.mu.Unlock()
	return c.core.stats
}

package ghclient

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
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
type Client struct{}

// New makes a client and sends nothing. The error is for options that cannot work: no
// credentials or two, a key that is no key, an address that is none.
func New(opts Options) (*Client, error) { return nil, errors.ErrUnsupported }

// App reports whether a GitHub App is behind the client, as itself or by an installation.
func (c *Client) App() bool { return false }

// Kind says what the client signs with.
func (c *Client) Kind() Kind { return "" }

// SeesOneRepository reports whether the token shows one repository only, and which, as
// GITHUB_TOKEN of Actions does: an organisation cannot be swept with it. It asks GitHub
// only where the kind leaves that open.
func (c *Client) SeesOneRepository(ctx context.Context) (name string, one bool, err error) {
	return "", false, errors.ErrUnsupported
}

// Installation gives a client that signs with tokens of the App's installation on account,
// an organisation, a user or "OWNER/NAME": narrowed to the permissions, which must not be
// empty, and to the repositories by id (at most 500; none means all), and renewed before
// they expire. The first is made now, so that a wrong key, a missing or suspended
// installation or a permission that was not granted is told here. For a client with a
// plain token it is the client itself.
func (c *Client) Installation(ctx context.Context, account string, perms Permissions, repoIDs ...int64) (*Client, error) {
	return nil, errors.ErrUnsupported
}

// Revoke ends the installation's token that c holds; a request after it makes a new one. A
// token that somebody gave is left alone.
func (c *Client) Revoke(ctx context.Context) error { return errors.ErrUnsupported }

// REST is go-github over the transport of c. Limits, bad credentials, missing permissions
// and a spent budget are the errors of this package there too; other answers (404, 409,
// 422) are *github.ErrorResponse: see Status.
func (c *Client) REST() *github.Client { return nil }

// Get asks REST for what go-github is too old for. path is relative to the API's root, its
// parts escaped by the caller, or Response.Next of an earlier answer. into is nil, a *[]byte
// for the body as it came, or what JSON is decoded into.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any, opts ...GetOption) (*Response, error) {
	return nil, errors.ErrUnsupported
}

// GetOption changes one request of Client.Get.
type GetOption func(*getOptions)

type getOptions struct {
	etag, accept string
	limit        int64
}

// IfNoneMatch makes the request conditional: GitHub answers 304, for free, while the ETag
// of an earlier Response still holds. "" asks as usual.
func IfNoneMatch(etag string) GetOption { return func(o *getOptions) { o.etag = etag } }

// Accept asks for another media type than JSON, "application/vnd.github.raw+json".
func Accept(mediaType string) GetOption { return func(o *getOptions) { o.accept = mediaType } }

// Limit is the size, in bytes, over which the answer is an error; without it, MaxBody.
func Limit(bytes int64) GetOption { return func(o *getOptions) { o.limit = bytes } }

// MaxBody is the largest answer that is read, in bytes.
const MaxBody = 64 << 20

// Response is what came beside the body.
type Response struct {
	Status      int
	NotModified bool   // 304: nothing was decoded
	ETag        string // for IfNoneMatch; "" where there is none
	Next        string // the next page, for Get; "" on the last
	Header      http.Header
}

// GraphQL sends a query, or a mutation, and decodes its data into into. Beside the errors
// of the package it returns *GraphQLError. A query of which GitHub says that it took too
// long is sent once more, then is ErrTimeout: ask for less.
func (c *Client) GraphQL(ctx context.Context, query string, vars map[string]any, into any) error {
	return errors.ErrUnsupported
}

// GitURL is where git finds the repository; no secret is in it.
func (c *Client) GitURL(owner, repo string) string { return "" }

// GitTransport adds the credentials to requests for repositories of GitHub, renewing them
// as needed, and refuses requests to any other host. It waits for nothing and repeats
// nothing.
func (c *Client) GitTransport() http.RoundTripper { return nil }

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
func (c *Client) Stats() Stats { return Stats{} }

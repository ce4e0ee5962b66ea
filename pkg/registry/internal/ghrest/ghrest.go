// Package ghrest asks the REST API of GitHub for the readers of releases, attestations and
// packages: where the API is, lists of several pages with one condition for all of them, and
// errors that name the permission that is missing.
//
// It builds every address itself. A Link says whether there is another page, and with which
// cursor; it is not followed.
package ghrest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// What every request says.
const (
	Accept     = "application/vnd.github+json"
	apiVersion = "2022-11-28"
)

// API is the API of one GitHub.
type API struct {
	client *fetch.Client
	root   *url.URL // its path ends with a slash
	origin string
	hosted bool
}

// New finds the API of a GitHub at an address: "" is github.com; "https://acme.ghe.com" has its
// API at api.acme.ghe.com, and a GitHub Enterprise Server below /api/v3.
func New(client *fetch.Client, address string) (*API, error) {
	if address == "" {
		address = "https://" + host.GitHub
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("address of GitHub %q: not of the form https://HOST", address)
	}
	h := strings.ToLower(u.Host)
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v3")
	a := &API{client: client, origin: u.Scheme + "://" + h}
	switch {
	case h == host.GitHub, h == host.GitHubAPI:
		a.hosted, h, path = true, host.GitHubAPI, "/"
	case strings.HasSuffix(h, "."+host.GitHubResidency):
		a.hosted, h, path = true, "api."+strings.TrimPrefix(h, "api."), "/"
	default:
		path += "/api/v3/"
	}
	a.root = &url.URL{Scheme: u.Scheme, Host: h, Path: path}
	return a, nil
}

func loopback(name string) bool {
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback()
}

// Origin is the address of GitHub, without path.
func (a *API) Origin() string { return a.origin }

// Host is that of the API, and its port.
func (a *API) Host() string { return a.root.Host }

// Hosted reports whether GitHub runs it, and not a company.
func (a *API) Hosted() bool { return a.hosted }

// URL is the address of a path, whose parts it escapes.
func (a *API) URL(query url.Values, path ...string) string {
	u := *a.root
	escaped := make([]string, len(path))
	for i, part := range path {
		escaped[i] = url.PathEscape(part)
	}
	u.RawPath = u.EscapedPath() + strings.Join(escaped, "/")
	u.Path += strings.Join(path, "/")
	u.RawQuery = query.Encode()
	return u.String()
}

// Request is a request to the API, as package fetch takes it.
func (a *API) Request(query url.Values, path ...string) fetch.Request {
	return fetch.Request{
		URL: a.URL(query, path...), Accept: Accept, Header: http.Header{"X-Github-Api-Version": {apiVersion}},
	}
}

// Get asks and decodes. Need is the permission that the request takes, for errors.
func (a *API) Get(ctx context.Context, r fetch.Request, need string, into any) (*fetch.Answer, error) {
	answer, err := a.client.Get(ctx, r)
	if err != nil {
		return nil, Explain(err, need)
	}
	return answer, Decode(answer.Body, into)
}

// Query is Get by POST.
func (a *API) Query(ctx context.Context, r fetch.Request, question any, need string, into any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	answer, err := a.client.Query(ctx, r, body)
	if err != nil {
		return Explain(err, need)
	}
	return Decode(answer.Body, into)
}

// Decode reads an answer: exact names, none twice, one document.
func Decode(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	switch {
	case errors.Is(err, registry.ErrTooLarge):
		return fmt.Errorf("answer of GitHub: %w", err)
	case err != nil:
		return fmt.Errorf("answer of GitHub: %w: %w", err, registry.ErrMalformed)
	}
	return nil
}

// Explain says why GitHub did not answer. A limit is a 403 too, and denies nothing. What the
// token lacks is named.
func Explain(err error, need string) error {
	var status *fetch.StatusError
	if !errors.As(err, &status) {
		return err
	}
	switch h := status.Header; {
	case status.Status == http.StatusForbidden && (h.Get("X-RateLimit-Remaining") == "0" || h.Get("Retry-After") != ""):
		return fmt.Errorf("%s: status %d: over a limit of GitHub's", status.Request, status.Status)
	case status.Status == http.StatusForbidden:
		return fmt.Errorf("%w: it takes the permission %s", err, need)
	case status.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w: there is no token, or it is not valid: it takes the permission %s", err, need)
	}
	return err
}

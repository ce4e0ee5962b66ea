package ghclient

import (
	"errors"
	"fmt"
	"net/http"
)

// GitTransport adds the credentials to requests for repositories of GitHub, renewing them
// as needed, and refuses requests to any other host. It waits for nothing and repeats
// nothing. After 401 the next request has a new token, where c makes its own.
func (c *Client) GitTransport() http.RoundTripper { return &gitTransport{c.core, c.who} }

type gitTransport struct {
	core *core
	who  *principal
}

func (t *gitTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.exchange(req)
	if err != nil && req.Body != nil {
		req.Body.Close()
	}
	return resp, err
}

func (t *gitTransport) exchange(req *http.Request) (*http.Response, error) {
	name := fmt.Sprintf("git %s %q", req.Method, t.core.redact(req.URL.Path))
	if !below(t.core.place.git, req.URL) {
		return nil, fmt.Errorf("%s: %q is not where this GitHub's repositories are: not sent", name, oneLine(t.core.redact(req.URL.Host)))
	}
	if t.who.token == nil {
		return nil, fmt.Errorf("%s: %w", name, errNoToken)
	}
	token, err := t.who.token(req.Context())
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.SetBasicAuth("x-access-token", token)
	if out.Header.Get("User-Agent") == "" {
		out.Header.Set("User-Agent", "git/"+userAgent)
	}
	t.core.count(func(s *Stats) { s.Git++ })
	resp, err := t.who.network.RoundTrip(out)
	if err != nil {
		return nil, &redactedError{name + ": " + oneLine(t.core.redact(err.Error())), err}
	}
	if resp.StatusCode == http.StatusUnauthorized && t.who.refused != nil {
		t.who.refused(token, resp)
	}
	if to, err := resp.Location(); err == nil && (!below(t.core.place.git, to) || t.core.redact(to.String()) != to.String()) {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: redirected to another place than this GitHub's repositories: not followed", name)
	}
	resp.Request = req
	return resp, nil
}

// errNoToken: GitHub takes no App's key for git.
var errNoToken = errors.New("an App reads repositories with the token of an installation")

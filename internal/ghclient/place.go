package ghclient

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// place is where one GitHub has its parts.
type place struct {
	rest    *url.URL // root of REST, with a slash at its end
	graphql *url.URL
	git     *url.URL // root of the repositories, with a slash at its end
	uploads *url.URL
	hosted  bool // by GitHub, and not a server of somebody's own
}

// newPlace reads Options.BaseURL.
func newPlace(base string) (*place, error) {
	if base == "" {
		base = "https://" + host.GitHub
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("address of GitHub: %w", errors.New(oneLine(err.Error())))
	}
	shown := oneLine(u.Redacted())
	switch {
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("address of GitHub %q: not of the form https://HOST", shown)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("address of GitHub %q: has a user, a query or a fragment", shown)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("address of GitHub %q: plain http would show the token to the network", shown)
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v3")
	root := &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: path + "/"}
	switch h := root.Host; {
	case h == host.GitHub, h == host.GitHubAPI:
		return hosted(host.GitHub, host.GitHubAPI, host.GitHubUploads), nil
	case strings.HasSuffix(h, "."+host.GitHubResidency):
		// Enterprise Cloud with data residency: SUBDOMAIN.ghe.com, its API below api.
		h = strings.TrimPrefix(h, "api.")
		return hosted(h, "api."+h, "uploads."+h), nil
	}
	return &place{
		rest:    root.JoinPath("api/v3/"),
		graphql: root.JoinPath("api/graphql"),
		git:     root,
		uploads: root.JoinPath("api/uploads/"),
	}, nil
}

// hosted is a GitHub whose API has a host of its own.
func hosted(git, api, uploads string) *place {
	at := func(host, path string) *url.URL { return &url.URL{Scheme: "https", Host: host, Path: path} }
	return &place{rest: at(api, "/"), graphql: at(api, "/graphql"), git: at(git, "/"), uploads: at(uploads, "/"), hosted: true}
}

func loopback(name string) bool {
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback()
}

// requestKind is what a request is counted as.
type requestKind uint8

const (
	kindREST requestKind = iota
	kindGraphQL
	kindToken
	kindRevoke
)

// api says whether u is of the API, whether of GraphQL, and its path below the API's root.
func (p *place) api(u *url.URL) (path string, graphql, ok bool) {
	switch {
	case below(p.graphql, u) && u.Path == p.graphql.Path:
		return "/graphql", true, true
	case below(p.rest, u):
		return "/" + u.EscapedPath()[len(p.rest.EscapedPath()):], false, true
	case below(p.uploads, u):
		return "/" + u.EscapedPath()[len(p.uploads.EscapedPath()):], false, true
	}
	return "", false, false
}

// below reports whether u is root or below it: same scheme, same host, and no ".." in it.
func below(root, u *url.URL) bool {
	return u.Scheme == root.Scheme && strings.EqualFold(u.Host, root.Host) && u.User == nil &&
		strings.HasPrefix(u.EscapedPath(), root.EscapedPath()) && !strings.Contains(u.Path, "/../") && !strings.HasSuffix(u.Path, "/..")
}

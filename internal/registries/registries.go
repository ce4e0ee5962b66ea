// Package registries finds whom to ask for an artifact of a policy: the public registry of its
// kind, or one of the policy's own. It says which hosts each may lead to, and takes the tokens
// that the policy names from the environment.
package registries

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/ghpackages"
	"github.com/wormsweep/wormsweep/pkg/registry/ghreleases"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
	"github.com/wormsweep/wormsweep/pkg/registry/harbor"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
	"github.com/wormsweep/wormsweep/pkg/registry/pypi"
)

// Options are the settings of a Set.
type Options struct {
	Policy *policy.Policy
	Getenv func(name string) string // of tokens; nil: there are none
	// GitHub sends requests to GitHub's API with its credentials and limits; nil: it is asked
	// without any. GitHubURL is that of an Enterprise Server, "" for github.com.
	GitHub    http.RoundTripper
	GitHubURL string
	// GitHubFiles are the hosts that an Enterprise Server leads to for files and bundles, beside
	// its own.
	GitHubFiles []string
	// Roots of TLS are the system's, and Transport sends, where these are nil.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Set finds readers. It is safe for concurrent use.
type Set struct {
	opt Options

	mu      sync.Mutex
	readers map[string]registry.Reader
	clients map[string]*fetch.Client
}

// New makes a Set. It asks nobody yet.
func New(o Options) *Set {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	return &Set{opt: o, readers: map[string]registry.Reader{}, clients: map[string]*fetch.Client{}}
}

// ErrNoToken is returned where the policy names a variable for a token, and it is empty.
var ErrNoToken = errors.New("the token's variable is empty")

// Reader gives the reader for an artifact; two of one registry share it.
func (s *Set) Reader(a *policy.Artifact) (registry.Reader, error) {
	r := s.of(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Protocol + " " + r.Address
	if r.Protocol == "ghpackages" {
		key += " " + contentOf(r, a).Address
	}
	if reader := s.readers[key]; reader != nil {
		return reader, nil
	}
	reader, err := s.open(r, a)
	if err != nil {
		return nil, fmt.Errorf("%s: registry %q: %w", a.ID(), cmp.Or(r.Name, r.Address), err)
	}
	s.readers[key] = reader
	return reader, nil
}

// of is the registry of an artifact: the policy's, or the public one of its kind.
func (s *Set) of(a *policy.Artifact) policy.Registry {
	if r := s.opt.Policy.RegistryOf(a); r != nil {
		return *r
	}
	switch a.Kind {
	case registry.NPM:
		return policy.Registry{Protocol: "npm", Address: "https://" + host.NPM}
	case registry.PyPI:
		return policy.Registry{Protocol: "pypi", Address: "https://" + host.PyPI}
	case registry.Go:
		return policy.Registry{Protocol: "goproxy", Address: "https://" + host.GoProxy}
	case registry.OCI:
		name, _, _ := strings.Cut(a.Name, "/")
		return policy.Registry{Protocol: "oci", Address: "https://" + name}
	}
	return policy.Registry{Protocol: "ghreleases", Address: s.opt.GitHubURL}
}

// leads are the hosts to which the public registries lead for their files.
var leads = map[string][]string{
	host.PyPI:   {host.PyPIFiles},
	host.GHCR:   {host.GHCRBlobs},
	host.GitHub: {host.GitHubAPI, host.GitHubAssets, host.GitHubBundles},

	host.GitHubNPM: {host.GitHubNPMTars},
}

// client gives the client of a registry: it may ask that registry's hosts and no other.
func (s *Set) client(r policy.Registry) (*fetch.Client, error) {
	address := r.Address
	if r.Protocol == "ghreleases" || r.Protocol == "ghpackages" {
		address = cmp.Or(address, "https://"+host.GitHub)
	}
	if c := s.clients[address]; c != nil {
		return c, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no address", address)
	}
	o := fetch.Options{Hosts: append([]string{u.Host}, leads[u.Host]...), Transport: s.opt.Transport, Now: s.opt.Now}
	at := u.Host // that the token is for
	github := r.Protocol == "ghreleases" || r.Protocol == "ghpackages"
	if github {
		if at, err = ghreleases.APIHost(address); err != nil {
			return nil, err
		}
		if !slices.Contains(o.Hosts, at) {
			o.Hosts = append(o.Hosts, at)
		}
		o.Hosts = append(o.Hosts, s.opt.GitHubFiles...)
	}
	if r.Private {
		o.PrivateHosts = slices.Clone(o.Hosts)
	}
	if r.TokenEnv != "" {
		token := s.opt.Getenv(r.TokenEnv)
		if token == "" {
			return nil, fmt.Errorf("%s: %w: %w", r.TokenEnv, ErrNoToken, registry.ErrDenied)
		}
		o.Tokens = map[string]fetch.Auth{at: authOf(token)}
		if r.Protocol == "oci" && !strings.Contains(token, ":") && u.Host == host.GHCR {
			o.Tokens[at] = fetch.Basic("token", token) // its token service takes a name, and any
		}
	}
	if github {
		// Files and bundles lie on other hosts, to which GitHub's client sends nothing. Packages
		// are not shown to an App: with a token of their own they are asked for with that.
		if s.opt.GitHub != nil && r.TokenEnv == "" {
			o.Transports = map[string]http.RoundTripper{at: s.opt.GitHub}
		}
		o.PrivateHosts = slices.Clone(o.Hosts) // an Enterprise Server is often in a company's network
	}
	c, err := fetch.New(o)
	if err != nil {
		return nil, err
	}
	s.clients[address] = c
	return c, nil
}

// authOf is a token, or "name:password" as container registries and Harbor's robots have it.
func authOf(token string) fetch.Auth {
	if user, password, pair := strings.Cut(token, ":"); pair {
		return fetch.Basic(user, password)
	}
	return fetch.Bearer(token)
}

// contentOf is where the content of a GitHub package is: its own registry of the kind, which takes
// the same token.
func contentOf(r policy.Registry, a *policy.Artifact) policy.Registry {
	r.Name, r.Protocol = "", "npm"
	if a.Kind == registry.OCI {
		name, _, _ := strings.Cut(a.Name, "/")
		r.Protocol, r.Address = "oci", "https://"+name
		return r
	}
	u, err := url.Parse(r.Address)
	switch {
	case r.Address == "" || err == nil && host.IsGitHub(u.Host):
		r.Address = "https://" + host.GitHubNPM
	case err == nil:
		r.Address = "https://npm." + u.Host // a server with subdomain isolation
	}
	return r
}

func (s *Set) open(r policy.Registry, a *policy.Artifact) (registry.Reader, error) {
	c, err := s.client(r)
	if err != nil {
		return nil, err
	}
	switch r.Protocol {
	case "npm":
		return npm.New(c, npm.Options{Address: r.Address, Role: r.Role, Now: s.opt.Now})
	case "pypi":
		return pypi.New(c, pypi.Options{Address: r.Address, Role: r.Role, Now: s.opt.Now})
	case "goproxy":
		return goproxy.New(c, goproxy.Options{Address: r.Address, Role: r.Role, Now: s.opt.Now})
	case "oci":
		return oci.New(c, oci.Options{Address: r.Address, Role: r.Role, Now: s.opt.Now})
	case "harbor":
		return harbor.New(c, harbor.Options{Address: r.Address, Role: r.Role, Now: s.opt.Now})
	case "ghpackages":
		content, err := s.open(contentOf(r, a), a)
		if err != nil {
			return nil, err
		}
		o := ghpackages.Options{Address: r.Address, Type: ghpackages.NPM, Content: content, Role: r.Role, Now: s.opt.Now}
		if a.Kind == registry.OCI {
			o.Type = ghpackages.Container
		}
		return ghpackages.New(c, o)
	case "ghreleases":
		return ghreleases.New(c, ghreleases.Options{Address: r.Address, Role: r.Role, Now: s.opt.Now})
	}
	return nil, fmt.Errorf("%q is no protocol", r.Protocol)
}

// ImageTransport asks the container registries of the policy for what stands beside an image. It
// gives the transport for one artifact's registry.
func (s *Set) ImageTransport(a *policy.Artifact) (http.RoundTripper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.client(s.of(a))
	if err != nil {
		return nil, err
	}
	return c.RoundTripper(), nil
}

// GoClient is the client for the public module proxy and the checksum database, or for those of
// a policy's registry.
func (s *Set) GoClient(address string) (*fetch.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client(policy.Registry{Protocol: "goproxy", Address: address})
}

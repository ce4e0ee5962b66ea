// Package orgverify makes ready to verify what an organisation publishes, for whoever does so: the
// command, and the App on its schedule and minute by minute. It says who is asked about an
// artifact and with which token, and what a verification starts from.
package orgverify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule/gittags"
	"github.com/wormsweep/wormsweep/internal/verify/served"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

// Options are the settings of Asked. Policy and Trust are needed.
type Options struct {
	Policy *policy.Policy
	Trust  *Trust
	Getenv func(name string) string // of the registries' tokens; nil: there are none
	// Client signs as the App, or with a token; nil: GitHub is not asked for what needs one. An
	// App's is narrowed to what a verification reads in the policy's organisation.
	Client    *ghclient.Client
	GitHubURL string
	Store     *store.Store // remembers between runs; nil: nothing does
}

// Asked is who is asked during a verification. It is safe for concurrent use.
type Asked struct {
	opt     Options
	set     *registries.Set
	github  *ghclient.Client // nil without credentials
	sources *buildrun.Reader // nil without credentials
	sum     *sumdb.Client    // nil where none is to be asked
}

// ErrNoOrganisation is returned for a policy that does not name its organisation, where an App is
// to ask for it.
var ErrNoOrganisation = errors.New("with an App, the policy names the organisation")

// New makes ready. An error is ErrNoOrganisation, wraps ErrSetting, or is GitHub's of the App's
// installation.
func New(ctx context.Context, o Options) (*Asked, error) {
	a := &Asked{opt: o}
	opt := registries.Options{Policy: o.Policy, Getenv: o.Getenv, GitHubURL: o.GitHubURL}
	if client := o.Client; client != nil {
		if client.App() {
			if o.Policy.Organisation == "" {
				return nil, ErrNoOrganisation
			}
			var err error
			if client, err = orgsweep.Narrowed(ctx, client, o.Policy.Organisation, verifying); err != nil {
				return nil, err
			}
		}
		a.github, a.sources = client, buildrun.New(client, nil)
		opt.GitHub = client.REST().Client().Transport
	}
	a.set = registries.New(opt)
	var err error
	a.sum, err = OpenSum(o.Getenv, o.Store)
	return a, err
}

// verifying is what a token may do besides where the App may: runs, attestations, and packages.
// Without one of these the answers that need it are unknown.
var verifying = []string{"actions", "attestations", "packages"}

// sumVariable is the go command's own setting of the checksum database.
const sumVariable = "GOSUMDB"

// ErrSetting is wrapped by errors of a setting of the environment that cannot be used.
var ErrSetting = errors.New("it cannot be used")

// OpenSum makes ready to ask the checksum database: the public one, or as the go command has it in
// GOSUMDB, "KEY ADDRESS" or "off", for which it gives nil. The store remembers its head; nil: nothing
// does. An error wraps ErrSetting.
func OpenSum(getenv func(name string) string, st *store.Store) (*sumdb.Client, error) {
	setting := ""
	if getenv != nil {
		setting = getenv(sumVariable)
	}
	key, address, _ := strings.Cut(strings.TrimSpace(setting), " ")
	switch key {
	case "off":
		return nil, nil //nolint:nilnil // none is to be asked
	case "", host.GoSum:
		key = host.GoSumKey
	}
	if address = strings.TrimSpace(address); address == "" {
		name, _, _ := strings.Cut(key, "+")
		address = "https://" + name
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s: %q is no address: %w", sumVariable, address, ErrSetting)
	}
	o := fetch.Options{Hosts: []string{u.Host}}
	if u.Host != host.GoSum { // one of a company is in its network
		o.PrivateHosts = o.Hosts
	}
	client, err := fetch.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", sumVariable, err, ErrSetting)
	}
	opt := sumdb.Options{Key: key}
	if st != nil {
		opt.Heads = heads{st.Records("sumdb")}
	}
	sum, err := sumdb.New(sumdb.At(client, strings.TrimSuffix(address, "/")), opt)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", sumVariable, err, ErrSetting)
	}
	return sum, nil
}

// GitHub is the client that reads the organisation's repositories; nil without credentials.
func (a *Asked) GitHub() *ghclient.Client { return a.github }

// Reader gives the reader of the registry that an artifact is published at.
func (a *Asked) Reader(artifact *policy.Artifact) (registry.Reader, error) {
	return a.set.Reader(artifact)
}

// Into sets in the options of a run who is asked.
func (a *Asked) Into(opt *published.Options) {
	opt.Policy, opt.Roots, opt.Reader = a.opt.Policy, a.opt.Trust.Digest(), a.set.Reader
	opt.Checker = published.Served{For: a.Checker}
	if a.sources != nil {
		opt.Sources = a.sources
	}
	if a.opt.Store != nil {
		opt.Records = a.opt.Store.Records("published")
	}
}

// Checker gives the checker for an artifact.
func (a *Asked) Checker(artifact *policy.Artifact) *served.Checker {
	c := &served.Checker{Roots: a.opt.Trust.Roots, Archives: true, RegistryKeys: a.registryKeys}
	if a.sum != nil {
		c.Sum = a.sum
	}
	if artifact.Kind == registry.OCI {
		if transport, err := a.set.ImageTransport(artifact); err == nil {
			c.Transport = transport
		}
	}
	if artifact.Kind == registry.Go {
		c.Tags = a.tags
	}
	return c
}

// tags gives the repository of a module, nil where it is not known. What is fetched of it is let
// go of when the context of the check ends.
func (a *Asked) tags(ctx context.Context, v served.Version) gomodule.Tags {
	owner, name, ok := strings.Cut(v.Source, "/")
	if !ok {
		return nil
	}
	url, opt := cmp.Or(strings.TrimSuffix(a.opt.GitHubURL, "/"), "https://"+host.GitHub)+"/"+v.Source+".git", gitwire.Options{}
	if a.github != nil {
		url, opt.Transport = a.github.GitURL(owner, name), a.github.GitTransport()
	}
	remote := gitwire.New(url, opt)
	context.AfterFunc(ctx, func() { _ = remote.Close() })
	return gittags.NewRemote(remote)
}

// registryKeys are the keys of an npm registry: those of the public one are known.
func (a *Asked) registryKeys(name string) []trust.Key {
	if host.IsNPM(strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://")) {
		return a.opt.Trust.Keys
	}
	return nil
}

// heads keeps the head of a checksum database in the inventory.
type heads struct{ records *store.Records }

// Head is sumdb.Heads's.
func (h heads) Head(ctx context.Context, log string) ([]byte, error) {
	head, _, err := h.records.Load(ctx, log)
	return head, err
}

// SetHead is sumdb.Heads's.
func (h heads) SetHead(ctx context.Context, log string, old, head []byte) error {
	kept, version, err := h.records.Load(ctx, log)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(kept, old):
		return sumdb.ErrConflict
	}
	if _, swapped, err := h.records.Swap(ctx, log, version, head); err != nil || swapped {
		return err
	}
	return sumdb.ErrConflict
}

// Listed says whether a catalogue lists a version as a package of a campaign, and neither withdrew
// that nor calls it weak.
func Listed(set *ioc.Set) func(a *policy.Artifact, version string) (evidence string, listed bool) {
	ecosystems := map[registry.Kind]ecosystem.Ecosystem{registry.NPM: ecosystem.NPM, registry.PyPI: ecosystem.PyPI, registry.Go: ecosystem.Go}
	return func(a *policy.Artifact, version string) (string, bool) {
		e, known := ecosystems[a.Kind]
		if !known {
			return "", false
		}
		found, _ := set.Package(e, e.CanonicalName(a.Name), version)
		for _, m := range found {
			if m.Indicator.Status == ioc.Withdrawn || m.Campaign.Status == ioc.PackWithdrawn || m.Indicator.Confidence == ioc.Weak {
				continue
			}
			return fmt.Sprintf("the catalogue lists it in the campaign %q", m.Campaign.ID), true
		}
		return "", false
	}
}

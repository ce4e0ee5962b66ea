package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// planFacts are what registries say, for a plan; each is asked once about a name.
type planFacts struct {
	online bool
	named  map[registry.Kind]string // addresses that --registry names
	theirs *registries.Set          // of packages that are not ours
	own    *registries.Set          // of the policy's artifacts
	sum    *sumdb.Client

	listings map[string]planListing
}

type planListing struct {
	listing *registry.Listing
	gap     string
}

const notOnline = "no registry was asked: --online asks"

func newPlanFacts(p *planning) (*planFacts, error) {
	a := &planFacts{online: p.online, named: map[registry.Kind]string{}, listings: map[string]planListing{}}
	theirs := &policy.Policy{}
	for _, value := range p.registries {
		kind, address, ok := strings.Cut(value, "=")
		protocol := map[registry.Kind]string{registry.NPM: "npm", registry.PyPI: "pypi", registry.Go: "goproxy"}[registry.Kind(kind)]
		if !ok || protocol == "" || address == "" {
			return nil, fmt.Errorf("--registry %q: want npm, pypi or go, and =URL", value)
		}
		if !p.online {
			return nil, fmt.Errorf("--registry %q: it is asked with --online alone", value)
		}
		a.named[registry.Kind(kind)] = strings.TrimSuffix(address, "/")
		theirs.Registries = append(theirs.Registries, policy.Registry{Name: kind, Protocol: protocol, Address: strings.TrimSuffix(address, "/"), Private: true})
	}
	a.theirs = registries.New(registries.Options{Policy: theirs})
	if p.policy != nil {
		a.own = registries.New(registries.Options{Policy: p.policy, Getenv: os.Getenv})
	} else {
		a.own = a.theirs
	}
	if !p.online {
		return a, nil
	}
	client, err := fetch.New(fetch.Options{Hosts: []string{host.GoSum}})
	if err != nil {
		return nil, err
	}
	a.sum, err = sumdb.New(sumdb.At(client, "https://"+host.GoSum), sumdb.Options{})
	return a, err
}

// list is what is published under a name that is not ours, or why that is not known.
func (a *planFacts) list(ctx context.Context, e ecosystem.Ecosystem, name string) (*registry.Listing, string) {
	kind := kindOf(e)
	if kind == "" {
		return nil, "no registry says what versions it had"
	}
	artifact := &policy.Artifact{Kind: kind, Name: name}
	if a.named[kind] != "" {
		artifact.Registry = string(kind)
	}
	return a.ask(ctx, a.theirs, artifact)
}

// ofOurs is the same for an artifact of ours. The registry that the policy gives it is asked, or else
// the one that --registry names.
func (a *planFacts) ofOurs(ctx context.Context, artifact *policy.Artifact) (*registry.Listing, string) {
	if a.named[artifact.Kind] != "" && artifact.Registry == "" {
		named := *artifact
		named.Registry = string(artifact.Kind)
		return a.ask(ctx, a.theirs, &named)
	}
	return a.ask(ctx, a.own, artifact)
}

func (a *planFacts) ask(ctx context.Context, set *registries.Set, artifact *policy.Artifact) (*registry.Listing, string) {
	if !a.online {
		return nil, notOnline
	}
	key := artifact.ID() + " " + artifact.Registry
	if l, asked := a.listings[key]; asked {
		return l.listing, l.gap
	}
	l := planListing{}
	reader, err := set.Reader(artifact)
	if err == nil {
		l.listing, err = reader.List(ctx, artifact.Name, registry.Validator{})
	}
	if err != nil {
		l.listing, l.gap = nil, "its registry did not say: "+err.Error()
		if errors.Is(err, registry.ErrNotFound) {
			l.gap = "its registry has none of that name"
		}
	}
	a.listings[key] = l
	return l.listing, l.gap
}

// sumsBelow is how many versions below a bad one the checksum database is asked about.
const sumsBelow = 5

// sums are the digests of the versions of a module that come next below the bad ones, by the
// checksum database. One that it does not answer for is not among them.
func (a *planFacts) sums(ctx context.Context, l *registry.Listing, bad []string) map[string][]digest.Digest {
	var all []string
	for i := range l.Releases {
		if v := l.Releases[i].Version; version.Check(ecosystem.Go, v) == nil && !strings.Contains(v, "-") {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(x, y string) int {
		n, _ := version.Compare(ecosystem.Go, y, x) // both were checked
		return n
	})
	out := map[string][]digest.Digest{}
	for _, b := range bad {
		asked := 0
		for _, v := range all {
			if n, err := version.Compare(ecosystem.Go, v, b); b != "" && (err != nil || n >= 0) || slices.Contains(bad, v) {
				continue
			}
			if asked++; asked > sumsBelow {
				break
			}
			if _, known := out[v]; known {
				continue
			}
			if record, err := a.sum.Lookup(ctx, l.Name, v); err == nil {
				out[v] = []digest.Digest{record.Zip}
			}
		}
	}
	return out
}

// kindOf is the kind of the public registry of an ecosystem, "" for none.
func kindOf(e ecosystem.Ecosystem) registry.Kind {
	for _, kind := range registry.Kinds {
		if ecosystemOf(kind) == e {
			return kind
		}
	}
	return ""
}

// ecosystemOf is the ecosystem of a kind of artifact, "" for none.
func ecosystemOf(kind registry.Kind) ecosystem.Ecosystem {
	return map[registry.Kind]ecosystem.Ecosystem{registry.NPM: ecosystem.NPM, registry.PyPI: ecosystem.PyPI, registry.Go: ecosystem.Go}[kind]
}

package planner

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Planner has what plans are made of.
type Planner struct {
	Store  *store.Store   // nil is no inventory
	Set    *ioc.Set       // all of the catalogue
	Policy *policy.Policy // what is published by us; nil: nothing is known to be
	// Registries are asked what is published; nil is Nobody.
	Registries Registries
	// Address is the one of the registry that is asked instead of the public one of a kind, "" for
	// none: commands of a plan name it. nil is none of any kind.
	Address func(kind registry.Kind) string
	// Since is the time from which nothing that was published is believed, by a person's word; zero
	// where nobody said so.
	Since time.Time
	// Dependents and Downloads are counts that persons know, by id of the artifact ("npm:NAME").
	Dependents, Downloads map[string]int
}

// ByPerson is the campaign of findings of what a person names and no list does. Their versions are
// bad whatever the catalogue has.
const ByPerson = "named-by-a-person"

// Publishes reports whether the policy publishes a package, by its canonical name.
func (p *Planner) Publishes(e ecosystem.Ecosystem, name string) bool {
	if p.Policy == nil {
		return false
	}
	return slices.ContainsFunc(p.Policy.Artifacts, func(a policy.Artifact) bool {
		return ecosystems[a.Kind] == e && e.CanonicalName(a.Name) == name
	})
}

// Pin is the plan for findings of one campaign.
func (p *Planner) Pin(ctx context.Context, found []*finding.Finding) (*respond.Plan, error) {
	in := respond.PinInput{Findings: found, Catalogue: p.Set}
	if p.Policy != nil {
		in.Ours = p.Publishes
	}
	var err error
	if in.Packages, err = p.known(ctx, found); err != nil {
		return nil, err
	}
	return respond.PinPlan(in), nil
}

// HeldFinding is a place that holds what no list names, as a finding of a campaign.
func HeldFinding(h *lookup.Holding, campaign string) *finding.Finding {
	k := &h.Package
	src := k.Source.Kind.String()
	if k.Source.Kind == lockfile.Registry {
		src = cmp.Or(match.Host(k), src)
	}
	direct := map[lockfile.Answer]string{lockfile.Yes: "yes", lockfile.No: "no"}[k.Direct]
	f := &finding.Finding{
		State: finding.Active, Campaign: campaign, Type: "package", Reasons: []string{campaign},
		Repository: h.Repository.Name, Refs: []string{h.Ref}, Commit: h.Commit, File: h.File, Line: h.Line, Format: h.Format, Chain: h.Chain,
		Package: &finding.Package{
			PURL: k.Ecosystem.PURL(k.Name, k.Version), Ecosystem: string(k.Ecosystem), Name: k.Name, Version: k.Version, Alias: k.Alias,
			Scope: k.Scope.String(), Source: src, Direct: direct,
		},
	}
	f.Fingerprint = finding.Fingerprint(f)
	return f
}

// known is what is known of each package that findings name and that is not ours.
func (p *Planner) known(ctx context.Context, found []*finding.Finding) ([]respond.Package, error) {
	type name struct {
		e    ecosystem.Ecosystem
		name string
	}
	versions := map[name][]string{}
	var order []name
	person := map[name]bool{}
	for _, f := range found {
		if f.Package == nil {
			continue
		}
		key := name{ecosystem.Ecosystem(f.Package.Ecosystem), f.Package.Name}
		if p.Publishes(key.e, key.name) {
			continue // which is not pinned
		}
		if _, seen := versions[key]; !seen {
			order = append(order, key)
		}
		versions[key] = append(versions[key], f.Package.Version)
		person[key] = person[key] || f.Campaign == ByPerson
	}
	var out []respond.Package
	for _, key := range order {
		k := respond.Package{Ecosystem: key.e, Name: key.name, Since: p.Since}
		if person[key] {
			k.Bad = versions[key]
		}
		answer, err := p.registries().Theirs(ctx, key.e, key.name, versions[key])
		if err != nil {
			return nil, err
		}
		k.Listing, k.Gap, k.Digests = answer.Listing, answer.Gap, answer.Sums
		if err := p.record(ctx, &k); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

func (p *Planner) registries() Registries {
	if p.Registries == nil {
		return Nobody("its registry was not asked")
	}
	return p.Registries
}

// record counts what lockfiles hold of each release that the registry has.
func (p *Planner) record(ctx context.Context, k *respond.Package) error {
	if k.Listing == nil {
		return nil
	}
	var releases []lookup.Release
	for i := range k.Listing.Releases {
		r := &k.Listing.Releases[i]
		for _, f := range r.Files {
			for _, d := range f.Digests {
				releases = append(releases, lookup.Release{Version: r.Version, Digest: d})
			}
		}
		for _, d := range k.Digests[r.Version] {
			releases = append(releases, lookup.Release{Version: r.Version, Digest: d})
		}
	}
	counts, err := lookup.Recorded(ctx, p.Store, k.Ecosystem, k.Name, releases)
	if err != nil {
		return err
	}
	k.Recorded = func(v string, d digest.Digest) respond.Recorded {
		return respond.Recorded(counts[lookup.Release{Version: v, Digest: d}])
	}
	return nil
}

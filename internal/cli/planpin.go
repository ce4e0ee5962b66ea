package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/match"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// byPerson is the campaign of what a person names and no list does.
const byPerson = "named-by-a-person"

// pins are the plans for packages that are not ours: one for each campaign that was found. What is
// ours is handed to ours.
func (p *planning) pins(ours *oursFound) ([]*respond.Plan, error) {
	ctx := p.cmd.Context()
	found, err := p.found(ctx)
	if err != nil {
		return nil, err
	}
	campaigns := map[string][]*finding.Finding{}
	for _, f := range found {
		if f.Package != nil && p.ours(ecosystem.Ecosystem(f.Package.Ecosystem), f.Package.Name) {
			ours.listed(f)
		}
		campaigns[f.Campaign] = append(campaigns[f.Campaign], f)
	}
	var out []*respond.Plan
	for _, id := range slices.Sorted(maps.Keys(campaigns)) {
		in := respond.PinInput{Findings: campaigns[id], Catalogue: p.set}
		if p.policy != nil {
			in.Ours = p.ours
		}
		if in.Packages, err = p.known(ctx, campaigns[id]); err != nil {
			return nil, err
		}
		out = append(out, respond.PinPlan(in))
	}
	return out, nil
}

// ours reports whether the policy publishes a package.
func (p *planning) ours(e ecosystem.Ecosystem, name string) bool {
	if p.policy == nil {
		return false
	}
	for i := range p.policy.Artifacts {
		a := &p.policy.Artifacts[i]
		if ecosystemOf(a.Kind) == e && e.CanonicalName(a.Name) == name {
			return true
		}
	}
	return false
}

// found are the findings that a plan can be for, those of packages that a person names among them.
func (p *planning) found(ctx context.Context) ([]*finding.Finding, error) {
	// All of the catalogue, and one campaign picked of what it meets: what was listed for all of it is
	// known of the trees.
	opt := sweep.Options{Set: p.set, Version: Version(), Shown: orgsweep.Shown, NoSizes: true}
	var out []*finding.Finding
	matched := make([]bool, len(p.wanted))
	_, err := lookup.Rematch(ctx, p.store, opt, func(e finding.Event) error {
		if l, ok := e.(*finding.Problem); ok && l.Exclusion == nil {
			p.lacking = append(p.lacking, l)
		}
		f, ok := e.(*finding.Finding)
		if !ok || f.State != finding.Active && f.State != finding.Latent || len(p.campaigns) > 0 && !slices.Contains(p.campaigns, f.Campaign) {
			return nil
		}
		if len(p.wanted) == 0 {
			out = append(out, f)
			return nil
		}
		for i, q := range p.wanted {
			if f.Package != nil && names(q, f.Package) {
				matched[i] = true
				out = append(out, f)
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, q := range p.wanted {
		if matched[i] || q.Version == "" {
			continue
		}
		held, err := lookup.WhoHas(ctx, p.store, q, false)
		if err != nil {
			return nil, err
		}
		for i := range held {
			if h := &held[i]; h.Package.Source.Kind.Exact() {
				out = append(out, heldFinding(h, byPerson))
			}
		}
	}
	return out, nil
}

// names reports whether a query of --package means the package of a finding.
func names(q lookup.Query, k *finding.Package) bool {
	if string(q.Ecosystem) != k.Ecosystem || !strings.EqualFold(q.Name, k.Name) {
		return false
	}
	if q.Version == "" || k.Version == "" {
		return true
	}
	x, errX := version.Canonical(q.Ecosystem, q.Version)
	y, errY := version.Canonical(q.Ecosystem, k.Version)
	return errX == nil && errY == nil && version.Public(q.Ecosystem, y) == version.Public(q.Ecosystem, x)
}

// heldFinding is a place that holds what no list names, as a finding of a campaign.
func heldFinding(h *lookup.Holding, campaign string) *finding.Finding {
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

// known is what is known of each package that findings name.
func (p *planning) known(ctx context.Context, found []*finding.Finding) ([]respond.Package, error) {
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
		if _, seen := versions[key]; !seen {
			order = append(order, key)
		}
		versions[key] = append(versions[key], f.Package.Version)
		person[key] = person[key] || f.Campaign == byPerson
	}
	var out []respond.Package
	for _, key := range order {
		k := respond.Package{Ecosystem: key.e, Name: key.name, Since: p.since}
		if person[key] {
			k.Bad = versions[key]
		}
		k.Listing, k.Gap = p.asked.list(ctx, key.e, key.name)
		if k.Listing != nil && key.e == ecosystem.Go {
			k.Digests = p.asked.sums(ctx, k.Listing, versions[key])
		}
		if err := p.record(ctx, &k); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// record counts what lockfiles hold of each release that the registry has.
func (p *planning) record(ctx context.Context, k *respond.Package) error {
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
	counts, err := lookup.Recorded(ctx, p.store, k.Ecosystem, k.Name, releases)
	if err != nil {
		return err
	}
	k.Recorded = func(v string, d digest.Digest) respond.Recorded {
		return respond.Recorded(counts[lookup.Release{Version: v, Digest: d}])
	}
	return nil
}

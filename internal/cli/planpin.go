package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// pins are the plans for packages that are not ours: one for each campaign that was found. What is
// ours is handed to ours.
func (p *planning) pins(ours *planner.Ours) ([]*respond.Plan, error) {
	ctx := p.cmd.Context()
	found, err := p.found(ctx)
	if err != nil {
		return nil, err
	}
	campaigns := map[string][]*finding.Finding{}
	for _, f := range found {
		if f.Package != nil && p.planner.Publishes(ecosystem.Ecosystem(f.Package.Ecosystem), f.Package.Name) {
			ours.Listed(f)
		}
		campaigns[f.Campaign] = append(campaigns[f.Campaign], f)
	}
	var out []*respond.Plan
	for _, id := range slices.Sorted(maps.Keys(campaigns)) {
		plan, err := p.planner.Pin(ctx, campaigns[id])
		if err != nil {
			return nil, err
		}
		out = append(out, plan)
	}
	return out, nil
}

// found are the findings that a plan can be for, those of packages that a person names among them.
func (p *planning) found(ctx context.Context) ([]*finding.Finding, error) {
	// All of the catalogue, and one campaign picked of what it meets: what was listed for all of it is
	// known of the trees.
	opt := sweep.Options{Set: p.planner.Set, Version: Version(), Shown: orgsweep.Shown, NoSizes: true}
	var out []*finding.Finding
	matched := make([]bool, len(p.wanted))
	_, err := lookup.Rematch(ctx, p.planner.Store, opt, func(e finding.Event) error {
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
		held, err := lookup.WhoHas(ctx, p.planner.Store, q, false)
		if err != nil {
			return nil, err
		}
		for i := range held {
			if h := &held[i]; h.Package.Source.Kind.Exact() {
				out = append(out, planner.HeldFinding(h, planner.ByPerson))
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

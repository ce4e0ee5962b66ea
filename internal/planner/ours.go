package planner

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Ours collects what is bad of what we published. The zero value has nothing.
type Ours struct {
	order     []string // ids of artifacts
	artifacts map[string]*respond.Ours
}

// artifact is the one of a kind and name, which is known from then on.
func (o *Ours) artifact(kind registry.Kind, name string) *respond.Ours {
	id := string(kind) + ":" + name
	a := o.artifacts[id]
	if a == nil {
		a = &respond.Ours{Kind: kind, Name: name}
		if e := ecosystems[kind]; e != "" {
			a.PURL = e.PURL(name, "")
		}
		if o.artifacts == nil {
			o.artifacts = map[string]*respond.Ours{}
		}
		o.artifacts[id] = a
		o.order = append(o.order, id)
	}
	return a
}

// Verified takes what a verification says of a version.
func (o *Ours) Verified(v *finding.Verification) {
	a := o.artifact(v.Kind, v.Name)
	a.Source = v.Source
	if v.Artifact != "" {
		a.PURL = v.Artifact
	}
	a.Add(v)
}

// Listed takes a finding of a package of ours: the catalogue lists its version.
func (o *Ours) Listed(f *finding.Finding) {
	if f.State != finding.Active || f.Package.Version == "" {
		return
	}
	a := o.artifact(kindOf(ecosystem.Ecosystem(f.Package.Ecosystem)), f.Package.Name)
	why := "the campaign " + f.Campaign + " lists it"
	for i := range a.Bad {
		if a.Bad[i].Version == f.Package.Version {
			if !slices.Contains(a.Bad[i].Why, why) {
				a.Bad[i].Why = append(a.Bad[i].Why, why)
			}
			return
		}
	}
	a.Good = slices.DeleteFunc(a.Good, func(v string) bool { return v == f.Package.Version })
	a.Bad = append(a.Bad, respond.BadVersion{Version: f.Package.Version, Why: []string{why}})
}

// Keep takes on what was bad before and could not be looked at now. What is not published any more, or
// was verified, is not.
func (o *Ours) Keep(before []respond.Ours) {
	for i := range before {
		was := &before[i]
		a := o.artifact(was.Kind, was.Name)
		told := len(a.Good)+len(a.Bad) > 0
		if a.Source == "" {
			a.Source, a.PURL = was.Source, was.PURL
		}
		for _, v := range was.Bad {
			unknown := slices.Contains(a.Unknown, v.Version)
			if told && !unknown || slices.ContainsFunc(a.Bad, func(is respond.BadVersion) bool { return is.Version == v.Version }) {
				continue
			}
			a.Unknown = slices.DeleteFunc(a.Unknown, func(is string) bool { return is == v.Version })
			a.Bad = append(a.Bad, v)
		}
	}
}

// Bad are the artifacts with a version that is bad, in the order in which they were first taken, as
// copies.
func (o *Ours) Bad() (out []respond.Ours) {
	for _, id := range o.order {
		if a := o.artifacts[id]; len(a.Bad) > 0 {
			c := *a
			c.Bad, c.Good = slices.Clone(a.Bad), slices.Clone(a.Good)
			out = append(out, c)
		}
	}
	return out
}

// ScenarioC are the plan for what is bad of ours, and behind it that for who of us holds a bad version;
// none where nothing is bad. in is what else is known; its artifacts and consumers are filled in.
func (p *Planner) ScenarioC(ctx context.Context, bad []respond.Ours, in respond.OursInput) ([]*respond.Plan, error) {
	if len(bad) == 0 {
		return nil, nil
	}
	if p.Policy != nil {
		in.Organisation = p.Policy.Organisation
	}
	in.Artifacts = slices.Clone(bad)
	answers := make([]Answer, len(bad))
	for i := range in.Artifacts {
		answer, err := p.complete(ctx, &in.Artifacts[i])
		if err != nil {
			return nil, err
		}
		answers[i] = answer
	}
	if p.Store == nil {
		return []*respond.Plan{respond.ScenarioC(in)}, nil
	}
	held, err := p.consumers(ctx, in.Artifacts)
	if err != nil {
		return nil, err
	}
	consumers := []respond.Consumer{}
	for _, f := range held {
		consumers = append(consumers, respond.Consumer{Repository: f.Repository, File: f.File, Package: f.Package.PURL})
	}
	in.Consumers = registry.Known(consumers)
	out := []*respond.Plan{respond.ScenarioC(in)}
	if len(held) > 0 {
		pins, err := p.pinsOfOurs(ctx, in.Artifacts, answers, held)
		if err != nil {
			return nil, err
		}
		out = append(out, pins)
	}
	return out, nil
}

// pinsOfOurs is the plan for who of us holds a bad version: back to the last of ours that was verified
// and was there before the first bad one.
func (p *Planner) pinsOfOurs(ctx context.Context, artifacts []respond.Ours, answers []Answer, held []*finding.Finding) (*respond.Plan, error) {
	in := respond.PinInput{Findings: held, Catalogue: p.Set, OfOurs: true}
	for i := range artifacts {
		a := &artifacts[i]
		e := ecosystems[a.Kind]
		if e == "" {
			continue
		}
		k := respond.Package{Ecosystem: e, Name: e.CanonicalName(a.Name), Listing: a.Listing, Gap: a.Gap, Verified: a.Good, Digests: answers[i].Sums}
		for _, v := range a.Bad {
			k.Bad = append(k.Bad, v.Version)
			if t, known := v.Time.Get(); known && (k.Since.IsZero() || t.Before(k.Since)) {
				k.Since = t
			}
		}
		if err := p.record(ctx, &k); err != nil {
			return nil, err
		}
		in.Packages = append(in.Packages, k)
	}
	return respond.PinPlan(in), nil
}

// complete adds what the policy, the registry and persons say of an artifact.
func (p *Planner) complete(ctx context.Context, a *respond.Ours) (Answer, error) {
	artifact := &policy.Artifact{Kind: a.Kind, Name: a.Name}
	if p.Policy != nil {
		if known := p.Policy.Artifact(a.Kind, a.Name); known != nil {
			artifact = known
			p.byPolicy(a, known)
		}
	}
	if name, _, _ := strings.Cut(a.Name, "/"); a.Kind == registry.OCI && a.Protocol == "oci" && name == host.GHCR {
		a.Protocol = "" // it has more than its protocol says
	}
	if artifact.Registry == "" && p.Address != nil {
		a.Address = p.Address(a.Kind)
	}
	var bad []string
	for _, v := range a.Bad {
		bad = append(bad, v.Version)
	}
	answer, err := p.registries().Ours(ctx, artifact, bad)
	if err != nil {
		return answer, err
	}
	a.Listing, a.Gap = answer.Listing, answer.Gap
	if a.Listing != nil && a.Listing.Role != registry.Mirror {
		for i := range a.Bad {
			for j := range a.Listing.Releases {
				if r := &a.Listing.Releases[j]; r.Version == a.Bad[i].Version && r.Time.Knowledge == registry.Present {
					a.Bad[i].Time = r.Time
				}
			}
		}
	}
	id := string(a.Kind) + ":" + a.Name
	if n, said := p.Dependents[id]; said {
		a.Dependents = registry.Known(n)
	}
	if n, said := p.Downloads[id]; said {
		a.Downloads = registry.Known(n)
	}
	return answer, nil
}

// byPolicy adds what the policy says of an artifact.
func (p *Planner) byPolicy(a *respond.Ours, known *policy.Artifact) {
	if a.Source == "" {
		a.Source = known.Source
	}
	for _, identity := range known.Identities {
		if identity.Workflow != "" && !slices.Contains(a.Workflows, path.Base(identity.Workflow)) {
			a.Workflows = append(a.Workflows, path.Base(identity.Workflow))
		}
	}
	r := p.Policy.RegistryOf(known)
	if r == nil {
		return
	}
	a.Protocol, a.Address = r.Protocol, r.Address
	if r.Role == registry.Mirror {
		for i := range a.Bad {
			a.Bad[i].Time = registry.Fact[time.Time]{}
		}
	}
}

// consumers are the places of the inventory that hold a bad version.
func (p *Planner) consumers(ctx context.Context, artifacts []respond.Ours) ([]*finding.Finding, error) {
	var out []*finding.Finding
	for i := range artifacts {
		a := &artifacts[i]
		e := ecosystems[a.Kind]
		if e == "" {
			continue
		}
		for _, v := range a.Bad {
			q, err := lookup.ParseQuery(string(e) + ":" + a.Name + "@" + v.Version)
			if err != nil || q.Version == "" {
				continue // no lockfile can name it
			}
			held, err := lookup.WhoHas(ctx, p.Store, q, false)
			if err != nil {
				return nil, err
			}
			for j := range held {
				if h := &held[j]; h.Package.Source.Kind.Exact() {
					out = append(out, HeldFinding(h, finding.PublishedByUs))
				}
			}
		}
	}
	return out, nil
}

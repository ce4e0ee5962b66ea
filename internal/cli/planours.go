package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// oursFound collects what is bad of what we published.
type oursFound struct {
	*planning
	order     []string // ids of artifacts
	artifacts map[string]*respond.Ours
}

func newOursFound(p *planning) *oursFound {
	return &oursFound{planning: p, artifacts: map[string]*respond.Ours{}}
}

// artifact is the one of a kind and name, which is known from then on.
func (o *oursFound) artifact(kind registry.Kind, name string) *respond.Ours {
	id := string(kind) + ":" + name
	a := o.artifacts[id]
	if a == nil {
		a = &respond.Ours{Kind: kind, Name: name}
		if e := ecosystemOf(kind); e != "" {
			a.PURL = e.PURL(name, "")
		}
		o.artifacts[id] = a
		o.order = append(o.order, id)
	}
	return a
}

// read reads the stream of a verification.
func (o *oursFound) read() error {
	in := o.cmd.InOrStdin()
	if o.verified != "-" {
		f, err := os.Open(o.verified)
		if err != nil {
			return usage(fmt.Errorf("--verified %q: %w", o.verified, bare(err)))
		}
		defer f.Close()
		in = f
	}
	run, whole := false, false
	for e, err := range report.ReadStream(in) {
		if err != nil {
			return o.unread(err)
		}
		switch e := e.(type) {
		case *finding.Run:
			if !e.Published {
				return usage(fmt.Errorf("--verified %q: a stream of a sweep: want that of \"verify published --format json\"", o.verified))
			}
			run = true
		case *finding.Verification:
			o.verification(e)
		case *finding.Problem:
			if e.Exclusion == nil {
				o.lacking = append(o.lacking, e)
			}
		case *finding.Summary:
			whole = true
		}
	}
	if !run || !whole {
		return o.unread(io.ErrUnexpectedEOF)
	}
	return nil
}

// unread is the end of a stream that is not whole: of what it lacks nothing is known.
func (o *oursFound) unread(err error) error {
	if errors.Is(err, report.ErrStream) {
		return usage(fmt.Errorf("--verified %q: %w", o.verified, err))
	}
	o.lacking = append(o.lacking, &finding.Problem{Code: "stream", Detail: fmt.Sprintf("--verified %q: not whole: %v", o.verified, err)})
	return nil
}

func (o *oursFound) verification(v *finding.Verification) {
	a := o.artifact(v.Kind, v.Name)
	a.Source = v.Source
	if v.Artifact != "" {
		a.PURL = v.Artifact
	}
	a.Add(v)
}

// listed takes a version of ours that the catalogue lists.
func (o *oursFound) listed(f *finding.Finding) {
	if f.State != finding.Active || f.Package.Version == "" {
		return
	}
	e := ecosystem.Ecosystem(f.Package.Ecosystem)
	a := o.artifact(kindOf(e), f.Package.Name)
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

// plans are the plan of Scenario C, and that for who of us holds a bad version; none where nothing of
// ours is bad.
func (o *oursFound) plans() ([]*respond.Plan, error) {
	ctx := o.cmd.Context()
	in := respond.OursInput{Contact: o.contact}
	if o.policy != nil {
		in.Organisation = o.policy.Organisation
	}
	for _, id := range o.order {
		a := o.artifacts[id]
		if len(a.Bad) == 0 {
			continue
		}
		o.complete(ctx, a)
		in.Artifacts = append(in.Artifacts, *a)
	}
	if len(in.Artifacts) == 0 {
		return nil, nil
	}
	if o.store == nil {
		return []*respond.Plan{respond.ScenarioC(in)}, nil
	}
	held, err := o.consumers(ctx, in.Artifacts)
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
		pins, err := o.pinsOfOurs(ctx, in.Artifacts, held)
		if err != nil {
			return nil, err
		}
		out = append(out, pins)
	}
	return out, nil
}

// pinsOfOurs is the plan for who of us holds a bad version: back to the last of ours that was verified
// and was there before the first bad one.
func (o *oursFound) pinsOfOurs(ctx context.Context, artifacts []respond.Ours, held []*finding.Finding) (*respond.Plan, error) {
	in := respond.PinInput{Findings: held, Catalogue: o.set, OfOurs: true}
	for i := range artifacts {
		a := &artifacts[i]
		e := ecosystemOf(a.Kind)
		if e == "" {
			continue
		}
		k := respond.Package{Ecosystem: e, Name: e.CanonicalName(a.Name), Listing: a.Listing, Gap: a.Gap, Verified: a.Good}
		for _, v := range a.Bad {
			k.Bad = append(k.Bad, v.Version)
			if t, known := v.Time.Get(); known && (k.Since.IsZero() || t.Before(k.Since)) {
				k.Since = t
			}
		}
		if k.Listing != nil && e == ecosystem.Go {
			k.Digests = o.asked.sums(ctx, k.Listing, k.Bad)
		}
		if err := o.record(ctx, &k); err != nil {
			return nil, err
		}
		in.Packages = append(in.Packages, k)
	}
	return respond.PinPlan(in), nil
}

// complete adds what the policy, the registry and the flags say of an artifact.
func (o *oursFound) complete(ctx context.Context, a *respond.Ours) {
	artifact := &policy.Artifact{Kind: a.Kind, Name: a.Name}
	if o.policy != nil {
		if known := o.policy.Artifact(a.Kind, a.Name); known != nil {
			artifact = known
			if a.Source == "" {
				a.Source = known.Source
			}
			for _, identity := range known.Identities {
				if identity.Workflow != "" && !slices.Contains(a.Workflows, path.Base(identity.Workflow)) {
					a.Workflows = append(a.Workflows, path.Base(identity.Workflow))
				}
			}
			if r := o.policy.RegistryOf(known); r != nil {
				a.Protocol, a.Address = r.Protocol, r.Address
				if r.Role == registry.Mirror {
					for i := range a.Bad {
						a.Bad[i].Time = registry.Fact[time.Time]{}
					}
				}
			}
		}
	}
	if name, _, _ := strings.Cut(a.Name, "/"); a.Kind == registry.OCI && a.Protocol == "oci" && name == host.GHCR {
		a.Protocol = "" // it has more than its protocol says
	}
	if artifact.Registry == "" {
		a.Address = o.asked.named[a.Kind]
	}
	a.Listing, a.Gap = o.asked.ofOurs(ctx, artifact)
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
	if n, said := o.counts["dependents "+id]; said {
		a.Dependents = registry.Known(n)
	}
	if n, said := o.counts["downloads "+id]; said {
		a.Downloads = registry.Known(n)
	}
}

// consumers are the places of the inventory that hold a bad version.
func (o *oursFound) consumers(ctx context.Context, artifacts []respond.Ours) ([]*finding.Finding, error) {
	var out []*finding.Finding
	for i := range artifacts {
		a := &artifacts[i]
		e := ecosystemOf(a.Kind)
		if e == "" {
			continue
		}
		for _, v := range a.Bad {
			q, err := lookup.ParseQuery(string(e) + ":" + a.Name + "@" + v.Version)
			if err != nil || q.Version == "" {
				continue // no lockfile can name it
			}
			held, err := lookup.WhoHas(ctx, o.store, q, false)
			if err != nil {
				return nil, err
			}
			for j := range held {
				if h := &held[j]; h.Package.Source.Kind.Exact() {
					out = append(out, heldFinding(h, finding.PublishedByUs))
				}
			}
		}
	}
	return out, nil
}

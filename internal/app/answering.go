package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// maxLines bounds the lines of an answer to a comment, and of a plan in an incident.
const maxLines = 50

// answers implements incident.Questions from the inventory, the catalogue and GitHub.
type answers struct{ app *App }

// reply puts lines into an answer, as many as it takes.
func reply(summary string, lines, missing []string) incident.Reply {
	r := incident.Reply{Summary: summary, Lines: lines[:min(len(lines), maxLines)], Missing: missing[:min(len(missing), maxLines)]}
	r.More = len(lines) - len(r.Lines)
	if more := len(missing) - len(r.Missing); more > 0 {
		r.Missing = append(slices.Clone(r.Missing), fmt.Sprintf("and %d more", more))
	}
	return r
}

// WhoHas implements incident.Questions.
func (q answers) WhoHas(ctx context.Context, what string) (incident.Reply, error) {
	query, err := lookup.ParseQuery(what)
	if err != nil {
		return incident.Reply{Fault: err.Error()}, nil //nolint:nilerr // it was asked wrongly
	}
	held, err := lookup.WhoHas(ctx, q.app.inventory, query, false)
	if err != nil {
		return incident.Reply{}, err
	}
	problems, unknown := lookup.Lacking(ctx, q.app.inventory)
	missing := lacks(problems, unknown)
	var lines []string
	repositories := map[string]bool{}
	for i := range held {
		h := &held[i]
		repositories[h.Repository.Name] = true
		lines = append(lines, fmt.Sprintf("%s %s %s:%d %s %s", h.Repository.Name, h.Ref, h.File, h.Line, h.Package.Name, cmp.Or(h.Package.Version, h.Package.Range)))
	}
	switch {
	case len(held) > 0:
		return reply(fmt.Sprintf("%d places in %d repositories.", len(held), len(repositories)), lines, missing), nil
	case len(missing) > 0:
		return reply("Nobody is known to have it, and not all was read.", nil, missing), nil
	}
	return reply("Nobody has it.", nil, nil), nil
}

func lacks(problems []*finding.Problem, unknown error) (out []string) {
	if unknown != nil {
		out = append(out, unknown.Error())
	}
	for _, p := range problems {
		out = append(out, string(p.Code)+": "+p.Detail)
	}
	return out
}

// Exposure implements incident.Questions. Without what, it is of each package of the incident.
func (q answers) Exposure(ctx context.Context, id, what string) (incident.Reply, error) {
	var purls, missing []string
	if what != "" {
		query, err := lookup.ParseQuery(what)
		if err != nil || query.Name == "" {
			return incident.Reply{Fault: fmt.Sprintf("%q names no package, such as npm:axios@1.14.1", what)}, nil //nolint:nilerr // it was asked wrongly
		}
		purls = append(purls, query.Ecosystem.PURL(query.Name, query.Version))
	} else {
		found, problems, err := q.app.foundOf(ctx, id)
		if err != nil {
			return incident.Reply{}, err
		}
		missing = lacks(problems, nil)
		for _, f := range found {
			if f.Package != nil && !slices.Contains(purls, f.Package.PURL) {
				purls = append(purls, f.Package.PURL)
			}
		}
		slices.Sort(purls)
	}
	if len(purls) == 0 {
		return incident.Reply{Summary: "No package of the incident is in the inventory.", Missing: append(missing, "what ran where no lockfile names a package")}, nil
	}
	var lines []string
	const most = 5
	for _, purl := range purls[:min(len(purls), most)] {
		report, err := q.app.asker().Ask(ctx, exposure.Question{Signal: triage.Signal{
			Source: triage.FromManual, SourceRef: id, AlertID: triage.AlertIOC, FirstSeen: time.Now(), LastSeen: time.Now(),
			Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": purl}},
		}})
		if err != nil {
			return incident.Reply{}, err
		}
		lines = append(lines, purl+":")
		for _, id := range triage.DataQuestions {
			a := report.Facts[id].Data
			lines = append(lines, fmt.Sprintf("%s: %s. %s", id, a.Truth, a.Detail))
		}
		for _, run := range report.Runs {
			lines = append(lines, fmt.Sprintf("run %d of %s, %q, %s: had it: %s", run.ID, run.Repository, run.Workflow, run.Started.UTC().Format(time.RFC3339), run.Had.Truth))
		}
		for _, gap := range report.Gaps {
			missing = append(missing, fmt.Sprintf("%s: %s", gap.Question, gap.Detail))
		}
	}
	if more := len(purls) - most; more > 0 {
		missing = append(missing, fmt.Sprintf("%d more packages: name one", more))
	}
	return reply(fmt.Sprintf("What ran, and what it could read, of %d packages.", min(len(purls), most)), lines, missing), nil
}

// Plan implements incident.Questions.
func (q answers) Plan(ctx context.Context, id string) (incident.Reply, error) {
	plan, err := q.app.planOf(ctx, id)
	if err != nil || plan == nil {
		return incident.Reply{Summary: "There is no plan: " + noPlan, Missing: []string{"what `sweeper plan` knows with the policy and the registries"}}, err
	}
	missing := []string{notAsked}
	for _, m := range plan.Missing {
		missing = append(missing, fmt.Sprintf("%s: %s", m.What, m.Why))
	}
	return reply(fmt.Sprintf("%s. Plan %s.", plan.Title, plan.Digest()), stepsOf(plan), missing), nil
}

const (
	noPlan   = "the inventory holds no package of this incident that is somebody else's."
	notAsked = "registries are not asked for a plan here: `sweeper plan --online` has what they say, as the version to go back to"
)

func stepsOf(plan *respond.Plan) (out []string) {
	for i := range plan.Steps {
		s := &plan.Steps[i]
		line := s.Title
		if s.Repository != "" {
			line = s.Repository + ": " + line
		}
		for _, e := range s.Edits {
			line += fmt.Sprintf("; %s:%d", e.File, e.Line)
		}
		out = append(out, line)
	}
	return out
}

// planOf is the plan of an incident: Scenario C for what we published, else the one for what the
// inventory holds of a campaign of the catalogue; nil where there is nothing to be done.
func (a *App) planOf(ctx context.Context, campaign string) (*respond.Plan, error) {
	if campaign == finding.PublishedByUs {
		return a.planOfOurs(ctx)
	}
	found, problems, err := a.foundOf(ctx, campaign)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	in := respond.PinInput{Findings: found, Catalogue: a.catalogue.Set()}
	if p := a.publishing(); p != nil {
		in.Ours = p.publishes
	}
	plan := respond.PinPlan(in)
	for _, p := range problems {
		plan.Missing = append(plan.Missing, respond.Missing{What: string(p.Code), Why: p.Detail, Repository: p.Repository, File: p.File})
	}
	return plan, nil
}

// planOfOurs is the plan for the versions of ours that are bad, by a verification of now: what has not
// changed since the last one is not asked for again.
func (a *App) planOfOurs(ctx context.Context) (*respond.Plan, error) {
	publishing := a.publishing()
	if publishing == nil {
		return nil, nil //nolint:nilnil // nothing is published
	}
	opt, err := publishing.options(ctx)
	if err != nil {
		return nil, err
	}
	ours := map[string]*respond.Ours{}
	var missing []respond.Missing
	if _, err := published.Run(ctx, opt, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Verification:
			o := ours[e.Artifact]
			if o == nil {
				o = &respond.Ours{Kind: e.Kind, Name: e.Name, PURL: e.Artifact, Source: e.Source, Gap: "not asked for this plan"}
				ours[e.Artifact] = o
			}
			o.Add(e)
		case *finding.Problem:
			missing = append(missing, respond.Missing{What: string(e.Code), Why: e.Detail, Repository: e.Repository})
		}
		return nil
	}); err != nil {
		return nil, err
	}
	in := respond.OursInput{Organisation: publishing.policy.Organisation}
	consumers := []respond.Consumer{}
	for _, id := range slices.Sorted(maps.Keys(ours)) {
		o := ours[id]
		if len(o.Bad) == 0 {
			continue
		}
		if known := publishing.policy.Artifact(o.Kind, o.Name); known != nil {
			if r := publishing.policy.RegistryOf(known); r != nil && known.Registry != "" {
				o.Protocol, o.Address = r.Protocol, r.Address
			}
		}
		for i := range o.Bad {
			held, err := a.holdersOf(ctx, id, o.Bad[i].Version)
			if err != nil {
				return nil, err
			}
			consumers = append(consumers, held...)
		}
		in.Artifacts = append(in.Artifacts, *o)
	}
	if len(in.Artifacts) == 0 {
		return nil, nil //nolint:nilnil // nothing of ours is bad
	}
	in.Consumers = registry.Known(consumers)
	// Who was not read may hold one as well.
	for _, why := range lacks(lookup.Lacking(ctx, a.inventory)) {
		missing = append(missing, respond.Missing{What: "who of us holds a bad version", Why: why})
	}
	plan := respond.ScenarioC(in)
	plan.Missing = append(plan.Missing, missing...)
	return plan, nil
}

// holdersOf are the places of the inventory that hold a version of a package.
func (a *App) holdersOf(ctx context.Context, purl, version string) (out []respond.Consumer, err error) {
	e, name, _, err := ecosystem.ParsePURL(purl)
	if err != nil {
		return nil, nil //nolint:nilerr // an image is in no lockfile
	}
	query, err := lookup.ParseQuery(e.PURL(name, version))
	if err != nil {
		return nil, nil //nolint:nilerr // no lockfile has such a name
	}
	held, err := lookup.WhoHas(ctx, a.inventory, query, false)
	for i := range held {
		h := &held[i]
		out = append(out, respond.Consumer{Repository: h.Repository.Name, File: h.File, Package: e.PURL(h.Package.Name, h.Package.Version)})
	}
	return out, err
}

// foundOf is what the inventory holds of a campaign, and what of it is not known.
func (a *App) foundOf(ctx context.Context, campaign string) (found []*finding.Finding, problems []*finding.Problem, err error) {
	opt := sweep.Options{Set: a.catalogue.Set(), Shown: orgsweep.Shown, NoSizes: true}
	if opt.Exclusions, err = a.excluded(ctx, ""); err != nil {
		return nil, nil, err
	}
	_, err = lookup.Rematch(ctx, a.inventory, opt, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Finding:
			if e.Campaign == campaign && (e.State == finding.Active || e.State == finding.Latent) {
				found = append(found, e)
			}
		case *finding.Problem:
			if e.Exclusion == nil {
				problems = append(problems, e)
			}
		}
		return nil
	})
	return found, problems, err
}

// publishes reports whether the policy publishes a package.
func (p *publishing) publishes(e ecosystem.Ecosystem, name string) bool {
	kinds := map[ecosystem.Ecosystem]registry.Kind{ecosystem.NPM: registry.NPM, ecosystem.PyPI: registry.PyPI, ecosystem.Go: registry.Go}
	return slices.ContainsFunc(p.all, func(artifact *policy.Artifact) bool {
		return artifact.Kind == kinds[e] && e.CanonicalName(artifact.Name) == name
	})
}

package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/triage"
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

// answerWithin bounds how long data is asked for the answers to a comment, so that time is left to write them.
const answerWithin = jobs.DefaultTimeout * 6 / 10

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
	asking, cancel := context.WithTimeout(ctx, cmp.Or(q.app.askWithin, answerWithin))
	defer cancel()
	for _, purl := range purls[:min(len(purls), most)] {
		report, err := q.app.asker().Ask(asking, exposure.Question{Signal: q.app.manual(id, purl)})
		switch {
		case err != nil && asking.Err() != nil && ctx.Err() == nil: // what it lacks would look like nothing
			missing = append(missing, purl+": data did not answer in time; the verdict in the issue has what triage found out")
			continue
		case err != nil:
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

// Plan implements incident.Questions. The plan is put on the table as it is now: its steps are what is
// ticked.
func (q answers) Plan(ctx context.Context, id string) (incident.Reply, error) {
	desk, err := q.app.incidents.desk(ctx)
	if err != nil {
		return incident.Reply{}, err
	}
	plans, open, err := q.app.setPlan(ctx, desk, id, false)
	if err == nil && open {
		err = q.app.planSoon(ctx, id)
	}
	if err != nil {
		return incident.Reply{}, err
	}
	var missing []string
	if open {
		missing = []string{beingAsked}
	}
	if len(plans) == 0 {
		return incident.Reply{Summary: "There is no plan: " + noPlan, Missing: append(missing, "what `sweeper plan` knows with the policy and the registries")}, nil
	}
	rec, err := desk.Incident(ctx, id)
	if err != nil {
		return incident.Reply{}, err
	}
	lines := rec.PlanLines()
	for _, with := range plans[1:] {
		lines = slices.Insert(lines, 0, fmt.Sprintf("with it, and among the steps: %s. Plan %s.", with.Title, with.Digest()))
	}
	return reply(fmt.Sprintf("%s. Plan %s.", plans[0].Title, plans[0].Digest()), lines, append(missing, rec.Response.Plan.Summary...)), nil
}

const (
	noPlan     = "nothing is known to be bad of what we publish, and the inventory holds no package of this incident that is somebody else's."
	beingAsked = "what has not been asked for within the hour: it is being asked for, and the plan in the issue is made anew"
)

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

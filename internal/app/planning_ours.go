package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// oursFacts are what a verification of everything that we publish said, as it is kept for plans. It is
// good for as long as what a registry says.
type oursFacts struct {
	At      time.Time         `json:"at"`
	Bad     []respond.Ours    `json:"bad,omitempty"`
	Missing []respond.Missing `json:"missing,omitempty"` // what could not be looked at
}

const oursKey = "ours"

// plansOfOurs are the plans for the versions of ours that are bad.
func (a *App) plansOfOurs(ctx context.Context, p *planner.Planner, ask bool) (plans []*respond.Plan, open bool, err error) {
	if a.publishing() == nil {
		return nil, false, nil
	}
	var facts oursFacts
	there, err := a.kept(ctx, oursKey, &facts)
	if err != nil {
		return nil, true, err
	}
	if ask && (!there || len(facts.Missing) > 0 || !a.recent(facts.At)) {
		if facts, err = a.verifyOurs(ctx, facts); err != nil {
			return nil, true, err
		}
	}
	open = len(facts.Missing) > 0 || !a.recent(facts.At)
	if len(facts.Bad) == 0 {
		return nil, open, nil
	}
	var in respond.OursInput
	exposedOpen, err := a.exposed(ctx, facts.Bad, ask, &in)
	if err != nil {
		return nil, true, err
	}
	plans, err = p.ScenarioC(ctx, facts.Bad, in)
	if err != nil {
		return nil, true, err
	}
	plans[0].Missing = append(plans[0].Missing, facts.Missing...)
	// Who was not read may hold a bad version as well.
	for _, why := range lacks(lookup.Lacking(ctx, a.inventory)) {
		plans[0].Missing = append(plans[0].Missing, respond.Missing{What: "who of us holds a bad version", Why: why})
	}
	return plans, open || exposedOpen, nil
}

// recent reports whether what was asked for at a time is good still.
func (a *App) recent(at time.Time) bool {
	age := a.jobs.Now().Sub(at)
	return age < planner.Good && age > -planner.Good
}

// verifyNews verifies what we publish, unless the last time already showed that what a signal is about
// is bad.
func (a *App) verifyNews(ctx context.Context, purl string) error {
	facts, known, err := a.news(ctx, purl)
	if err == nil && !known {
		_, err = a.verifyOurs(ctx, facts)
	}
	return err
}

// doubtOurs has the next plan that is made with everybody asked verify what we publish, unless the last
// time already showed that what a signal is about is bad: what was said before the signal is old, even
// where there is no time to verify it now.
func (a *App) doubtOurs(ctx context.Context, purl string) error {
	facts, known, err := a.news(ctx, purl)
	if err != nil || known {
		return err
	}
	facts.At = time.Time{}
	return a.keep(ctx, oursKey, facts)
}

// news is what is kept of what we publish. known says that what a signal is about is bad by it.
func (a *App) news(ctx context.Context, purl string) (facts oursFacts, known bool, err error) {
	if _, err := a.kept(ctx, oursKey, &facts); err != nil {
		return facts, false, err
	}
	for _, o := range facts.Bad {
		artifact := a.publishing().policy.Artifact(o.Kind, o.Name)
		if artifact != nil && slices.ContainsFunc(o.Bad, func(v respond.BadVersion) bool { return published.PURL(artifact, v.Version) == purl }) {
			return facts, true, nil
		}
	}
	return facts, false, nil
}

// verifyOurs verifies everything that we publish, and keeps what is bad. What has not changed since the
// last time is not asked for again, and what was bad then and cannot be looked at now still is.
func (a *App) verifyOurs(ctx context.Context, before oursFacts) (oursFacts, error) {
	opt, err := a.publishing().options(ctx)
	if err != nil {
		return before, err
	}
	var ours planner.Ours
	unread := map[string]bool{}
	within, cancel := context.WithTimeout(ctx, verifyWithin)
	defer cancel()
	summary, err := published.Run(within, opt, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Verification:
			ours.Verified(e)
		case *finding.Problem:
			if e.Exclusion == nil {
				unread[e.Repository] = true
			}
		}
		return nil
	})
	late := within.Err() != nil && ctx.Err() == nil
	if err != nil && !late {
		return before, err
	}
	ours.Keep(slices.DeleteFunc(slices.Clone(before.Bad), func(o respond.Ours) bool { return a.publishing().policy.Artifact(o.Kind, o.Name) == nil }))
	facts := oursFacts{At: a.jobs.Now().UTC(), Bad: ours.Bad()}
	if late || summary.Interrupted {
		unread["what there was no time for"] = true
	}
	for _, what := range slices.Sorted(maps.Keys(unread)) {
		// What the network said of it is in the log, and is no fact of a plan.
		facts.Missing = append(facts.Missing, respond.Missing{What: "whether all that is published of " + what + " is ours", Why: "not all of it could be verified"})
	}
	return facts, a.keep(ctx, oursKey, facts)
}

// exposedFacts are what is kept of which CI runs installed a version, and what they could read.
type exposedFacts struct {
	At   time.Time         `json:"at"`
	Jobs []respond.Exposed `json:"jobs,omitempty"`
	Gaps []string          `json:"gaps,omitempty"`
	Open bool              `json:"open,omitempty"`
}

// Bounds of what is asked for the sake of one plan.
const (
	verifyWithin  = time.Minute
	exposedWithin = time.Minute // of all versions

	mostExposed = 50    // versions
	askExposed  = 5     // of these, that are asked about each time
	mostJobs    = 1_000 // of one version

	exposedBefore = time.Hour // clocks differ: runs are looked at from so long before the version was published
)

func exposedKey(purl string) string { return "exposed " + purl }

// keepExposed keeps what was asked about a version. What was asked for a signal is shown, and asked for
// anew: it does not begin with the publishing of the version. What was known of a job and could not be asked
// this time still is.
func (a *App) keepExposed(ctx context.Context, purl string, report *exposure.Report, forPlan bool) (exposedFacts, error) {
	facts := exposedFacts{At: a.jobs.Now().UTC()}
	if !forPlan {
		facts.At = facts.At.Add(-planner.Good)
	}
	facts.Jobs, facts.Gaps, facts.Open = planner.Exposed(purl, report)
	var before exposedFacts
	if _, err := a.kept(ctx, exposedKey(purl), &before); err != nil {
		return facts, err
	}
	for i := range before.Jobs {
		was := &before.Jobs[i]
		j := slices.IndexFunc(facts.Jobs, func(x respond.Exposed) bool {
			return x.Repository == was.Repository && x.Run == was.Run && x.Job == was.Job
		})
		switch {
		case j < 0 && facts.Open:
			facts.Jobs = append(facts.Jobs, *was)
		case j >= 0 && facts.Jobs[j].Gap != "" && was.Gap == "":
			facts.Jobs[j] = *was
		}
	}
	if more := len(facts.Jobs) - mostJobs; more > 0 {
		facts.Jobs, facts.Gaps = facts.Jobs[:mostJobs], append(facts.Gaps, fmt.Sprintf("%d more jobs that installed %s, or may have", more, purl))
	}
	return facts, a.keep(ctx, exposedKey(purl), facts)
}

// exposed fills in what CI jobs could read that installed a bad version of ours.
func (a *App) exposed(ctx context.Context, bad []respond.Ours, ask bool, in *respond.OursInput) (open bool, err error) {
	var purls []string
	windows := map[string]exposure.Window{}
	for i := range bad {
		o := &bad[i]
		artifact := a.publishing().policy.Artifact(o.Kind, o.Name)
		if artifact == nil || !planner.Replaceable(o.Kind) { // no lockfile has it
			in.ExposedGaps = append(in.ExposedGaps, "which CI runs used "+string(o.Kind)+":"+o.Name+": no lockfile says so")
			continue
		}
		for _, v := range o.Bad {
			purl := published.PURL(artifact, v.Version)
			purls = append(purls, purl)
			r := a.publishing().policy.RegistryOf(artifact)
			if at, known := v.Time.Get(); known && (r == nil || r.Role != registry.Mirror) { // whose times may be late
				windows[purl] = exposure.Window{From: at.Add(-exposedBefore)}
			}
		}
	}
	jobs, asked := []respond.Exposed{}, 0
	within, cancel := context.WithTimeout(ctx, exposedWithin)
	defer cancel()
	for i, purl := range purls {
		if i == mostExposed {
			in.ExposedGaps = append(in.ExposedGaps, fmt.Sprintf("which CI runs installed one of %d more versions", len(purls)-i))
			break
		}
		var facts exposedFacts
		there, err := a.kept(ctx, exposedKey(purl), &facts)
		if err != nil {
			return true, err
		}
		if ask && (!there || !a.recent(facts.At)) && asked < askExposed {
			asked++
			report, err := a.asker().Ask(within, exposure.Question{Signal: a.manual(finding.PublishedByUs, purl), Window: windows[purl], Patient: true})
			switch {
			case err == nil:
				if facts, err = a.keepExposed(ctx, purl, report, true); err != nil {
					return true, err
				}
				there = true
			case within.Err() == nil || ctx.Err() != nil:
				return true, err
			} // else there was no time for it: it is asked the next time
		}
		open = open || facts.Open || !a.recent(facts.At)
		if !there {
			in.ExposedGaps = append(in.ExposedGaps, "which CI runs installed "+purl+": GitHub has not been asked yet")
		}
		jobs = append(jobs, facts.Jobs...)
		in.ExposedGaps = append(in.ExposedGaps, facts.Gaps...)
	}
	in.Exposed = registry.Known(jobs)
	return open, nil
}

// manual is a person's question about a package, as a signal.
func (a *App) manual(incident, purl string) triage.Signal {
	now := a.jobs.Now()
	return triage.Signal{
		Source: triage.FromManual, SourceRef: incident, AlertID: triage.AlertIOC, FirstSeen: now, LastSeen: now,
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": purl}},
	}
}

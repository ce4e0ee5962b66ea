package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/orgverify"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The plan of an incident is put into it at once, as far as it is known without asking anybody. What
// lacks is asked for by a job, which makes the plan anew, until it is whole or planFor is over.

// Bounds of making a plan.
const (
	planFor    = 24 * time.Hour    // since the plan was asked for, or changed: how long a job goes on asking
	planNames  = 100               // names that registries are asked about, each time
	planWithin = 270 * time.Second // of one time; what is asked has bounds of its own within it
	planTold   = 10 * time.Second  // of telling the incident that there is no plan
	planTries  = 5                 // of one time, where others make it as well
	planFirst  = time.Minute       // until the second time
	planLater  = 10 * time.Minute  // at most, between two, and between the jobs for one that cannot be made
)

// Kinds of records of what plans are made of.
const (
	registryRecords = "registry"
	planRecords     = "plan"
)

// planArgs are the arguments of the job that makes a plan.
type planArgs struct {
	Incident string    `json:"incident"`
	Since    time.Time `json:"since"`
}

// planSoon has the plan of an incident made by a job, unless that is due already.
func (a *App) planSoon(ctx context.Context, id string) error {
	return a.planAfter(ctx, id, 0)
}

// planAfter is planSoon, after a pause.
func (a *App) planAfter(ctx context.Context, id string, pause time.Duration) error {
	since, job := a.jobs.Now().Add(pause).UTC(), jobs.New{Kind: kindPlan, Key: "plan " + id, Priority: triageGrown}
	job.Args = planArgs{id, since}
	if pause > 0 {
		job.At = since
	}
	return a.db.Tx(ctx, func(tx *appdb.Tx) error {
		_, err := a.jobs.Insert(ctx, tx, job)
		return err
	})
}

// makePlan is the job that makes the plan of an incident, with everybody asked. It is put off while
// somebody did not answer, and ends with what is known when planFor is over; where that is no plan, it
// does not.
func (a *App) makePlan(ctx context.Context, j jobs.Job) error {
	args, err := decode[planArgs](j)
	if err != nil {
		return err
	}
	desk, err := a.incidents.desk(ctx)
	if err != nil || desk == nil {
		return limited(err)
	}
	rec, err := desk.Incident(ctx, args.Incident)
	switch {
	case errors.Is(err, incident.ErrNoIncident):
		return nil
	case err != nil || rec.State == incident.Closed || rec.State == incident.Dismissed:
		return err
	}
	plans, open, err := a.setPlan(ctx, desk, args.Incident, true)
	err = errors.Join(limited(err), desk.Show(ctx, args.Incident, a.effects))
	switch {
	case errors.Is(err, journal.ErrKilled): // what is known is in the incident, and tick shows it
		return jobs.Snooze(time.Now().Add(killedRest))
	case err != nil:
		return limited(err)
	}
	age := a.jobs.Now().Sub(args.Since)
	switch {
	case !open:
		return nil
	case age > planFor && (len(plans) > 0 || rec.Response.Plan != nil):
		a.log.LogAttrs(ctx, slog.LevelWarn, "a plan is not whole, and nobody is asked any more", slog.String("incident", args.Incident))
		return nil
	}
	return jobs.Snooze(time.Now().Add(min(max(age, planFirst), planLater)))
}

// plansAgain has the plans made again that are not whole and have no job any more, and, without end, those
// that could not be made.
func (a *App) plansAgain(ctx context.Context, desk *incident.Desk, now time.Time) error {
	ids, err := desk.Incidents(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		rec, err := desk.Incident(ctx, id)
		if err != nil {
			continue // the desk's own tick says so
		}
		p := rec.Response.Plan
		switch {
		case rec.State == incident.Closed || rec.State == incident.Dismissed:
		case rec.Response.Unplanned != nil:
			errs = append(errs, a.planAfter(ctx, id, planLater))
		case p != nil && p.Open && now.Sub(p.At) < planFor:
			errs = append(errs, a.planSoon(ctx, id))
		}
	}
	return errors.Join(errs...)
}

// putPlan puts the plan of an incident into it, where there is one, and has a job look after what it
// lacks. purl is what the signal is about that it is for, "" for none.
func (a *App) putPlan(ctx context.Context, desk *incident.Desk, id, purl string) error {
	var news error
	if id == finding.PublishedByUs && a.publishing() != nil {
		news = a.verifyNews(ctx, purl)
	}
	_, open, err := a.setPlan(ctx, desk, id, false)
	if err := errors.Join(news, err); err != nil || open {
		return errors.Join(err, a.planSoon(ctx, id))
	}
	return nil
}

// setPlan makes the plans of an incident and puts them into it; none where nothing is to be done, or not any
// more: the plan that is there stays then. With ask, everybody is asked; open says that asking (again) may
// bring more. An incident that goes on without a plan says so, after an error whatever time is left, but where
// this process's stop is the error.
func (a *App) setPlan(ctx context.Context, desk *incident.Desk, id string, ask bool) (plans []*respond.Plan, open bool, err error) {
	plans, open, err = a.tryPlan(ctx, desk, id, ask)
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return plans, open, err
	}
	telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), planTold)
	defer cancel()
	return nil, true, errors.Join(err, desk.Unplanned(telling, id, err.Error()))
}

// tryPlan is setPlan that leaves the incident as it is after an error. Where somebody put
// another plan into the incident meanwhile, which may be for a repository more, it is made again.
func (a *App) tryPlan(ctx context.Context, desk *incident.Desk, id string, ask bool) (plans []*respond.Plan, open bool, err error) {
	within, cancel := context.WithTimeout(ctx, planWithin)
	defer cancel()
	for range planTries {
		var rec *incident.Record
		if rec, err = desk.Incident(ctx, id); err != nil {
			return nil, true, err
		}
		plans, open, err = a.plansOf(within, id, ask)
		if err != nil {
			return nil, true, fmt.Errorf("the plan of %q: %w", id, err)
		}
		old, ref := rec.Response.Plan, incident.PlanRef{}
		switch {
		case len(plans) > 0:
			ref = planRefOf(plans, open, a.now())
		case old == nil && open:
			return nil, true, desk.Unplanned(ctx, id, "what it is made of has not been asked for yet, or was not answered")
		case old == nil:
			return nil, false, desk.NothingToPlan(ctx, id)
		default: // which is over, and stays with its ticks
			ref = *old
			ref.Open = open
		}
		if err = desk.SetPlan(ctx, id, old, ref); !errors.Is(err, incident.ErrOtherPlan) {
			break
		}
	}
	return plans, open, err
}

// plansOf are the plans of an incident, the first of them its own: Scenario C for what we published,
// with that for who of us holds a bad version, else the one for what the inventory holds of a campaign
// of the catalogue.
func (a *App) plansOf(ctx context.Context, id string, ask bool) (plans []*respond.Plan, open bool, err error) {
	p, kept, err := a.planner(ctx, ask)
	if err != nil {
		return nil, true, err
	}
	if id == finding.PublishedByUs {
		plans, open, err = a.plansOfOurs(ctx, p, ask)
		return plans, open || kept.Open(), err
	}
	found, problems, err := a.foundOf(ctx, id)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	plan, err := p.Pin(ctx, found)
	if err != nil {
		return nil, true, err
	}
	for _, p := range problems {
		plan.Missing = append(plan.Missing, respond.Missing{What: string(p.Code), Why: p.Detail, Repository: p.Repository, File: p.File})
	}
	return []*respond.Plan{plan}, kept.Open(), nil
}

// planner is what makes one plan; without ask, of what is kept.
func (a *App) planner(ctx context.Context, ask bool) (*planner.Planner, *planner.Kept, error) {
	kept := &planner.Kept{Records: a.inventory.Records(registryRecords), Most: planNames, Now: a.jobs.Now}
	if a.config.NoRegistries {
		kept.Unasked = "no registry is asked for plans, by the App's configuration"
	}
	p := &planner.Planner{
		Store: a.inventory, Set: a.catalogue.Set(), Registries: kept,
		Address: func(kind registry.Kind) string { return a.config.Registries[kind] },
	}
	if a.publishing() != nil {
		p.Policy = a.publishing().policy
	}
	if !ask {
		return p, kept, nil
	}
	opt := planner.AskerOptions{Addresses: a.config.Registries, Failed: func(artifact string, err error) {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a registry did not say for a plan", slog.String("artifact", artifact), slog.String("error", err.Error()))
	}}
	var err error
	if opt.Sum, err = orgverify.OpenSum(os.Getenv, a.inventory); err != nil {
		return nil, nil, err
	}
	if a.publishing() != nil {
		if opt.Own, err = a.publishing().reader(ctx); err != nil {
			return nil, nil, err
		}
	}
	kept.Asker = planner.NewAsker(opt)
	return p, kept, nil
}

// keep puts a value into a record of what plans are made of.
func (a *App) keep(ctx context.Context, key string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("keep %q for plans: %w", key, err)
	}
	records := a.inventory.Records(planRecords)
	_, version, err := records.Load(ctx, key)
	if err == nil {
		_, _, err = records.Swap(ctx, key, version, body) // another process may have kept its own
	}
	return err
}

// kept reads a record; there is none where it does not read back.
func (a *App) kept(ctx context.Context, key string, into any) (there bool, err error) {
	body, version, err := a.inventory.Records(planRecords).Load(ctx, key)
	return err == nil && version > 0 && json.Unmarshal(body, into) == nil, err
}

// planRefOf is what an incident keeps of its plans, of a time that is held against that of comments.
func planRefOf(plans []*respond.Plan, open bool, at time.Time) incident.PlanRef {
	ref := incident.PlanRef{Kind: string(plans[0].Kind), Digest: plans[0].Digest(), At: at.UTC(), Open: open}
	for i, plan := range plans {
		if i > 0 {
			ref.With = append(ref.With, plan.Digest())
		}
		for j := range plan.Steps {
			s := &plan.Steps[j]
			ref.Items = append(ref.Items, incident.PlanStep{ID: s.ID, Digest: s.Digest(), Text: stepText(s), People: s.People()})
		}
		for _, m := range plan.Missing {
			ref.Summary = append(ref.Summary, missingText(&m))
		}
	}
	ref.Steps = len(ref.Items)
	return ref
}

// stepText is a step in one line.
func stepText(s *respond.Step) string {
	line := s.Title
	if s.Repository != "" {
		line = s.Repository + ": " + line
	}
	if s.Deadline != nil {
		line += "; until " + s.Deadline.At.UTC().Format("2006-01-02 15:04 UTC")
	}
	if s.Refused != "" {
		return line + "; not to be done: " + s.Refused
	}
	for _, g := range s.Gates {
		if g.Answer != respond.Yes {
			line += "; not before this is answered: " + g.Question
		}
	}
	for _, e := range s.Edits {
		line += "; " + e.File
		if e.Line > 0 {
			line += fmt.Sprintf(":%d", e.Line)
		}
	}
	if s.Choice == nil {
		return line
	}
	for i := range s.Commands {
		if text, whole := s.Commands[i].Shell(); whole {
			line += "; " + text
		}
	}
	return line
}

func missingText(m *respond.Missing) string {
	line := "not known: " + m.What + ": " + m.Why
	if m.Repository != "" {
		line += ", in " + m.Repository
	}
	if m.File != "" {
		line += " " + m.File
	}
	return line
}

package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// triageSignal answers the questions of the runbook about a signal from data, and puts the verdict
// into the signal's incident. A signal that needs nobody, or is an everyday one, opens none, nor one that was over:
// its verdict is logged.
func (a *App) triageSignal(ctx context.Context, s triage.Signal, fx handler.Effects) error {
	report, facts, err := a.facts(ctx, s)
	if err != nil {
		return limited(err)
	}
	verdict := triage.Run(triage.Runbook(), s, facts)
	a.log.LogAttrs(ctx, slog.LevelInfo, "a signal was triaged", slog.String("signal", s.ID), slog.String("alert", s.AlertID),
		slog.String("scenario", verdict.Scenario.String()), slog.Bool("final", verdict.Final), slog.Int("open", len(verdict.Open)))

	desk, err := a.incidents.desk(ctx)
	if err != nil || desk == nil {
		return limited(err)
	}
	campaign := a.campaignOf(&s)
	rec, err := desk.Incident(ctx, campaign.ID)
	known := err == nil
	goesOn := known && rec.State != incident.Closed && rec.State != incident.Dismissed
	switch {
	case err != nil && !errors.Is(err, incident.ErrNoIncident):
		return err
	case !goesOn && (nobodyCalled(&verdict) || everyday(&s, &verdict)), proposed(&s, &verdict):
		return nil
	case !known || !filedBySweep(&s):
		if err := desk.Raise(ctx, campaign, signalOf(&s)); err != nil {
			return err
		}
	}
	if err := desk.Triage(ctx, campaign.ID, s, facts); err != nil {
		return err
	}
	// What is known is shown, whether or not the registries answer for a plan.
	var kept error
	purl := s.Subject.Part("purl")
	if campaign.ID == incident.PublishedByUs().ID && purl != "" && report != nil {
		_, kept = a.keepExposed(ctx, purl, report, false)
	}
	return errors.Join(kept, limited(a.planInTime(ctx, desk, campaign.ID, purl)), desk.Show(ctx, campaign.ID, fx))
}

// planAtOnce bounds how long a plan is made before what is known is shown.
const planAtOnce = jobs.MaxTimeout * 2 / 10

// planInTime puts the plan of an incident into it, where it can be made in time: the incident goes on without
// one, and a job makes it.
func (a *App) planInTime(ctx context.Context, desk *incident.Desk, id, purl string) error {
	if id == finding.PublishedByUs && a.publishing() != nil {
		if err := a.doubtOurs(ctx, purl); err != nil {
			return err
		}
	}
	planning, cancel := context.WithTimeout(ctx, cmp.Or(a.planAtOnce, planAtOnce))
	defer cancel()
	err := a.putPlan(planning, desk, id, purl)
	if err != nil && planning.Err() != nil && ctx.Err() == nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a plan could not be made in time", slog.String("incident", id), slog.String("error", err.Error()))
		return a.planSoon(ctx, id)
	}
	return err
}

// askWithin bounds how long data is asked about a signal, so that time is left to call somebody.
const askWithin = jobs.MaxTimeout * 6 / 10

// facts asks data about a signal. What was not answered in time is unknown, goes to a person and is asked again
// soon; the report is nil then, since what it lacks would look like nothing.
func (a *App) facts(ctx context.Context, s triage.Signal) (*exposure.Report, triage.Facts, error) {
	asking, cancel := context.WithTimeout(ctx, cmp.Or(a.askWithin, askWithin))
	defer cancel()
	report, err := a.asker().Ask(asking, exposure.Question{Signal: s, Commits: commitsOf(&s), Patient: true})
	facts := report.Facts
	switch {
	case err != nil && asking.Err() != nil && ctx.Err() == nil:
		report = nil
		a.log.LogAttrs(ctx, slog.LevelWarn, "data did not answer about a signal in time", slog.String("signal", s.ID), slog.String("error", err.Error()))
		if err := a.triageSlow(ctx, &s, time.Time{}); err != nil {
			return nil, nil, err
		}
	case err != nil:
		return nil, nil, err
	case !report.Later.IsZero():
		a.log.LogAttrs(ctx, slog.LevelInfo, "what data says of a signal is not all of it yet", slog.String("signal", s.ID), slog.Time("asked_on", report.Later))
		if err := a.triageSlow(ctx, &s, report.Later); err != nil {
			return nil, nil, err
		}
	}
	return report, facts.With(triage.KnownFalsePositive, a.known(ctx, &s)), nil
}

// asker answers the questions of a triage from what the App has.
func (a *App) asker() *exposure.Asker {
	asker := &exposure.Asker{Set: a.catalogue.Set(), Store: a.inventory, GitHub: a.readers, Now: a.jobs.Now, Log: a.log}
	if p := a.publishing(); p != nil {
		asker.Policy = p.policy
	}
	return asker
}

// campaignOf says which incident a signal belongs to: that of its campaign, that of what we
// published, or one of its own.
func (a *App) campaignOf(s *triage.Signal) incident.Campaign {
	switch s.AlertID {
	case triage.AlertPublish, triage.AlertVerify:
		return incident.PublishedByUs()
	}
	packs := a.catalogue.Set().Campaigns()
	if i := slices.IndexFunc(packs, func(p *ioc.Pack) bool { return p.ID == s.Group }); s.Group != "" && i >= 0 {
		return incident.CampaignOf(packs[i])
	}
	c := incident.Campaign{ID: "signal-" + together(s), Title: s.AlertID}
	if filedBySweep(s) { // by a process with another catalogue
		c = incident.Campaign{ID: s.Group, Title: s.Group}
	}
	if s.Severity != triage.NoSeverity {
		c.Severity = s.Severity.String()
	}
	return c
}

// together tells which signals without a campaign are one incident. The secrets of a repository are, and the
// repositories that became public on a day: who commits a file of keys, or a worm that opens what it can reach,
// makes one incident and not hundreds.
func together(s *triage.Signal) string {
	about := *s
	switch s.AlertID {
	case triage.AlertSecret:
		if s.Subject.Part("repository") == "" {
			return s.Fingerprint
		}
		about.Subject = triage.Subject{Kind: triage.Repository, Parts: map[string]string{"repository": s.Subject.Part("repository")}}
		return triage.Fingerprint(&about)
	case triage.AlertPublicity:
		about.Subject = triage.Subject{}
		return triage.Episode(triage.Fingerprint(&about), s.FirstSeen.UTC().Truncate(24*time.Hour))
	}
	return s.Fingerprint
}

// filedBySweep reports whether a sweep files what the signal is about, and proves it gone: such an
// incident keeps no signal of its own, which a person alone could declare over.
func filedBySweep(s *triage.Signal) bool {
	return s.AlertID == triage.AlertIOC && s.Group != ""
}

// nobodyCalled reports whether a verdict asks nobody for anything.
func nobodyCalled(v *triage.Verdict) bool {
	return v.Final && (v.Scenario == triage.None || v.Scenario == triage.Pin)
}

// everyday reports whether a signal is one of many of a kind, of which the tree knows nothing: a
// member who was added. It is kept with its verdict in the log, and calls nobody.
func everyday(s *triage.Signal, v *triage.Verdict) bool {
	return slices.Contains([]string{triage.AlertMember, triage.AlertPublicity, triage.AlertAdvisory}, s.AlertID) && s.Severity == triage.Low && v.Scenario <= triage.None
}

// proposed reports whether a signal is of a change that nobody has merged, and nothing says that its
// runs did harm: its check run says what there is to say, and anybody may open a pull request.
func proposed(s *triage.Signal, v *triage.Verdict) bool {
	return s.Subject.Part("pull_request") != "" && v.Scenario <= triage.Pin
}

// commitsOf are commits that a signal says hold what it is about.
func commitsOf(s *triage.Signal) []exposure.Commit {
	repository, commit := s.Subject.Part("repository"), s.Subject.Part("commit")
	if repository == "" || commit == "" {
		return nil
	}
	return []exposure.Commit{{Repository: repository, ID: commit}}
}

func signalOf(s *triage.Signal) incident.Signal {
	var detail []string
	for _, e := range s.Evidence {
		if !e.Redacted {
			detail = append(detail, e.Label+": "+e.Value)
		}
	}
	return incident.Signal{
		Source: string(s.Source), Ref: s.ID, Seen: []string{cmp.Or(s.SourceRef, strconv.Itoa(s.Count))},
		Subject: s.Subject.Key(), Detail: strings.Join(detail, "; "), At: s.FirstSeen,
	}
}

// commented carries out the commands of a comment on an incident.
func (a *App) commented(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := appevent.As[appevent.IssueComment](d.Event, d.Body)
	if err != nil {
		return jobs.Dead(err.Error())
	}
	if e.Repository == nil || !strings.EqualFold(e.Repository.FullName, a.config.Issues) {
		return nil
	}
	desk, err := a.incidents.desk(ctx)
	if err != nil || desk == nil {
		return limited(err)
	}
	c := incident.CommentEvent{
		Action: e.Action, Repository: e.Repository.FullName, Issue: int(e.Issue.Number), PullRequest: len(e.Issue.Pull) > 0,
		Comment: e.Comment.ID, Body: e.Comment.Body, Author: accountOf(e.Comment.User),
	}
	c.Author.Person = c.Author.Person && e.Comment.App == nil
	return limited(desk.HandleComment(ctx, c, fx))
}

// issueChanged takes note of an incident's issue that a person closed or opened again.
func (a *App) issueChanged(ctx context.Context, d hook.Delivery, fx handler.Effects) error {
	e, err := appevent.As[appevent.Issues](d.Event, d.Body)
	if err != nil {
		return jobs.Dead(err.Error())
	}
	if e.Repository == nil || !strings.EqualFold(e.Repository.FullName, a.config.Issues) {
		return nil
	}
	desk, err := a.incidents.desk(ctx)
	if err != nil || desk == nil {
		return limited(err)
	}
	return limited(desk.HandleIssue(ctx, incident.IssueEvent{
		Action: e.Action, Repository: e.Repository.FullName, Issue: int(e.Issue.Number), PullRequest: len(e.Issue.Pull) > 0, Sender: accountOf(e.Sender),
	}, fx))
}

func accountOf(a *appevent.Account) incident.Account {
	if a == nil {
		return incident.Account{}
	}
	return incident.Account{Login: a.Login, ID: a.ID, Person: a.Type == "User"}
}

// tick does what time asks for in incidents: who has not acknowledged, what was broken off.
func (a *App) tick(ctx context.Context, _ jobs.Job) error {
	desk, err := a.incidents.desk(ctx)
	if err != nil || desk == nil {
		return limited(err)
	}
	now := a.now() // whoever of several processes looks, the time to acknowledge is one
	return errors.Join(limited(desk.Tick(ctx, now, a.effects)), a.plansAgain(ctx, desk, now))
}

package exposure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// locked asks the inventory who locks the package, and by which way.
func (a *asked) locked(ctx context.Context) error {
	if a.Store == nil {
		a.gap(triage.Locked, verify.Gap{Code: verify.GapNotServed, Detail: "there is no inventory"})
		a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNotServed, Detail: "there is no inventory that says who locks it"})
		a.say(triage.Locked, a.withCommits(triage.Unsaid(SourceInventory, "there is no inventory")))
		return nil
	}
	var err error
	if a.report.Holdings, err = lookup.WhoHas(ctx, a.Store, a.query, true); err != nil {
		return err
	}
	whatever, err := anyVersion(a.query)
	if err != nil {
		return err
	}
	if a.others, err = lookup.WhoHas(ctx, a.Store, whatever, true); err != nil {
		return err
	}
	lacking, err := lookup.Lacking(ctx, a.Store)
	if err != nil {
		return err
	}
	for _, p := range lacking {
		a.gap(triage.Locked, verify.Gap{Code: verify.GapNotServed, Detail: p.Detail})
		a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNotServed, Detail: p.Detail})
	}
	began, err := a.began(ctx)
	if err != nil {
		return err
	}
	switch {
	case began.IsZero():
		a.gap(triage.Locked, verify.Gap{Code: verify.GapNotServed, Detail: "nothing was ever swept into the inventory"})
		a.gap(triage.CIInstalled, verify.Gap{Code: verify.GapNotServed, Detail: "nothing was ever swept into the inventory"})
	case began.After(a.report.Window.From):
		a.gap(triage.CIInstalled, verify.Gap{
			Code:   verify.GapGone,
			Detail: fmt.Sprintf("the inventory begins on %s, and the package was bad from %s on", began.Format(time.DateOnly), a.report.Window.From.Format(time.DateOnly)),
		})
	}
	a.say(triage.Locked, a.withCommits(a.answerLocked()))
	return nil
}

// anyVersion is the query for whatever version of the package.
func anyVersion(q lookup.Query) (lookup.Query, error) {
	if q.Name == "" {
		return q, nil
	}
	return lookup.ParseQuery(string(q.Ecosystem) + ":" + q.Name)
}

// began is when the first sweep that the inventory remembers began, zero for none.
func (a *asked) began(ctx context.Context) (time.Time, error) {
	const all = 100_000
	runs, err := a.Store.Runs(ctx, all)
	var began time.Time
	for i := range runs {
		if !runs[i].Finished.IsZero() && (began.IsZero() || runs[i].Started.Before(began)) {
			began = runs[i].Started
		}
	}
	return began.UTC(), err
}

func (a *asked) answerLocked() triage.Answer {
	var now, then []*lookup.Holding
	for i := range a.report.Holdings {
		if h := &a.report.Holdings[i]; h.Current {
			now = append(now, h)
		} else {
			then = append(then, h)
		}
	}
	switch {
	case len(now) > 0:
		return triage.Said(SourceInventory, true, "%d places of %d repositories lock it, the first: %s", len(now), repositories(now), place(now[0]))
	case a.gaps(triage.Locked) != "":
		return triage.Unsaid(SourceInventory, "nobody is known to lock it, but: %s", a.gaps(triage.Locked))
	case len(then) > 0:
		last := slices.MaxFunc(then, func(a, b *lookup.Holding) int { return a.LastSeen.Compare(b.LastSeen) })
		return triage.Said(SourceInventory, false, "nobody locks it now; the last was %s, until %s", place(last), last.LastSeen.UTC().Format(time.DateOnly))
	}
	return triage.Said(SourceInventory, false, "no repository locks it, nor did in the days that the inventory remembers")
}

// withCommits adds what is known from elsewhere: a head that was not swept into the inventory.
func (a *asked) withCommits(answer triage.Answer) triage.Answer {
	if answer.Truth == triage.Yes || len(a.question.Commits) == 0 {
		return answer
	}
	c := a.question.Commits[0]
	return triage.Said(SourceGitHub, true, "%d commits that were looked at hold it, the first: %.12s of %.100q", len(a.question.Commits), c.ID, c.Repository)
}

func repositories(holdings []*lookup.Holding) int {
	names := map[inventory.Repository]bool{}
	for _, h := range holdings {
		names[h.Repository] = true
	}
	return len(names)
}

func place(h *lookup.Holding) string {
	text := fmt.Sprintf("%.100q %.100q, %.200q line %d", h.Repository.Name, h.Ref, h.File, h.Line)
	if len(h.Chain) > 1 {
		text += fmt.Sprintf(", by %.300s", strings.Join(h.Chain, " > "))
	}
	return text
}

// latent are the repositories in which a range admits the version and nothing locks another: what
// an install there brought in, nobody knows.
func (a *asked) latent() []string {
	if a.query.Version == "" {
		return nil
	}
	type ref struct {
		repository inventory.Repository
		name       string
	}
	locks := map[ref]bool{}
	for i := range a.others {
		if h := &a.others[i]; h.Package.Version != "" && h.Package.Source.Kind.Exact() {
			locks[ref{h.Repository, h.Ref}] = true
		}
	}
	var out []string
	for i := range a.others {
		h := &a.others[i]
		if locks[ref{h.Repository, h.Ref}] || h.Package.Range == "" || h.Package.Version != "" || slices.Contains(out, h.Repository.Name) {
			continue
		}
		if r, err := version.ParseRange(a.query.Ecosystem, h.Package.Range); err != nil || r.Contains(a.query.Version) {
			out = append(out, h.Repository.Name)
		}
	}
	slices.Sort(out)
	return out
}

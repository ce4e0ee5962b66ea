package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/change"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// filing takes the events of a run over the organisation, or over what it publishes, and files
// what follows from them.
type filing struct {
	app          *App
	organisation string
	incidents    change.Incidents
	sweep        *incident.Sweep
	refs         *incident.AllRefs
	started      time.Time
}

// filing makes ready to file; nil where incidents are filed nowhere.
func (a *App) filing(ctx context.Context, organisation string, partial bool) (*filing, error) {
	incidents, err := a.incidents.of(ctx, organisation)
	if err != nil || incidents == nil {
		return nil, err
	}
	interest, err := incidents.Interest(ctx)
	if err != nil {
		return nil, err
	}
	f := &filing{app: a, organisation: organisation, incidents: incidents, started: time.Now(), refs: incident.NewAllRefs(interest)}
	f.sweep = incident.NewSweep(incident.SweepOptions{Interest: interest, Partial: partial, Gone: f.refs.Gone, Listed: incident.Listed(a.catalogue.Set())})
	return f, nil
}

// watch looks at the repositories of a run: a ref that is none of theirs any more is gone. nil looks at
// none.
func (f *filing) watch(repos iter.Seq2[*source.Repository, error]) iter.Seq2[*source.Repository, error] {
	if f == nil {
		return repos
	}
	return f.refs.Watch(repos)
}

// event takes an event of the run. nil takes none.
func (f *filing) event(e finding.Event) error {
	if f == nil {
		return nil
	}
	return f.sweep.Event(e)
}

// file files, once for this run. Filing looks at what is there before it writes, and so is its own
// look.
func (f *filing) file(ctx context.Context, what string) error {
	if f == nil {
		return nil
	}
	key := fmt.Sprintf("incidents:%s:%s:%d", strings.ToLower(f.organisation), what, f.started.UnixNano())
	return f.app.effects.Once(ctx, key, func(ctx context.Context) ([]byte, error) {
		out := f.incidents.File(ctx, f.sweep)
		var lines []string
		for _, done := range out.Done {
			lines = append(lines, done.String())
		}
		return []byte(strings.Join(lines, "\n")), out.Err
	}, func(context.Context) ([]byte, bool, error) { return nil, false, nil })
}

// found collects the findings of a run by what was found, for one signal each: a package in a
// thousand repositories is one thing to triage.
type found struct {
	source triage.Source
	by     map[string]*things
}

type things struct {
	first        *finding.Finding
	fingerprints []string
	repositories []string
}

// maxNamed bounds the repositories that a signal names.
const maxNamed = 50

func (f *found) event(e finding.Event) {
	hit, ok := e.(*finding.Finding)
	if !ok || hit.State != finding.Active || hit.Campaign == finding.PublishedByUs {
		return
	}
	key := hit.Campaign + "\n" + hit.Indicator
	if hit.Package != nil {
		key = hit.Campaign + "\n" + hit.Package.PURL
	}
	if f.by == nil {
		f.by = map[string]*things{}
	}
	t := f.by[key]
	if t == nil {
		t = &things{first: hit}
		f.by[key] = t
	}
	t.fingerprints = append(t.fingerprints, hit.Fingerprint)
	if !slices.Contains(t.repositories, hit.Repository) && len(t.repositories) < maxNamed {
		t.repositories = append(t.repositories, hit.Repository)
	}
}

// signals are those of what was found. The same places make the same SourceRef, so that a run that
// finds what the one before found adds nothing.
func (f *found) signals(now time.Time) []triage.Signal {
	var out []triage.Signal
	for _, t := range f.by {
		slices.Sort(t.fingerprints)
		sum := sha256.Sum256([]byte(strings.Join(t.fingerprints, "\n")))
		s := triage.Signal{
			Source: f.source, SourceRef: hex.EncodeToString(sum[:16]), AlertID: triage.AlertIOC, Group: t.first.Campaign, FirstSeen: now, LastSeen: now,
			Subject: triage.Subject{Kind: triage.Repository, Parts: map[string]string{"repository": t.first.Repository, "campaign": t.first.Campaign, "indicator": t.first.Indicator}},
			Evidence: []triage.Evidence{
				{Label: "campaign", Value: t.first.Campaign + ": " + t.first.Title},
				{Label: "places", Value: fmt.Sprintf("%d; repositories: %s", len(t.fingerprints), strings.Join(t.repositories, ", "))},
				{Label: "reasons", Value: strings.Join(t.first.Reasons, ", ")},
			},
		}
		if s.Severity.UnmarshalText([]byte(t.first.Severity)) != nil {
			s.Severity = triage.NoSeverity
		}
		if p := t.first.Package; p != nil {
			s.Subject.Kind, s.Subject.Parts["purl"] = triage.Package, p.PURL
		}
		out = append(out, s.Identified())
	}
	return out
}

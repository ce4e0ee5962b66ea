package change

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// active are the findings among events that count.
func active(events []finding.Event) []*finding.Finding {
	var out []*finding.Finding
	for _, e := range events {
		if f, ok := e.(*finding.Finding); ok && f.State == finding.Active {
			out = append(out, f)
		}
	}
	return out
}

// file takes what a ref was found to hold to the incidents of the organisation, where there is
// something to take there: a finding, or a repository of which an incident tells, for which even
// nothing is news.
func (h *Handlers) file(ctx context.Context, w *work, ref, commit string, events []finding.Event) error {
	repo := inventory.Repository{Server: h.opt.GitHub.Host(), Number: w.repo.ID, Name: w.name}
	state, known, err := h.opt.Inventory.Ref(ctx, repo, ref)
	if err != nil {
		return err
	}
	// Another time that the ref names the commit is another episode: what was settled between is
	// found again.
	episode := "0"
	if known && state.Commit == commit {
		episode = strconv.FormatInt(state.FirstSeen.UnixMilli(), 10)
	}
	return h.fileEvents(ctx, w, ref, fmt.Sprintf("%s:%s", commit, episode), events, nil)
}

// fileGone takes it to the incidents that a ref is not there any more.
func (h *Handlers) fileGone(ctx context.Context, w *work, ref string) error {
	now := h.opt.Now()
	row := &finding.Coverage{Repository: w.name, Number: w.repo.ID, Status: finding.OutOfScope, Reason: "gone"}
	events := []finding.Event{
		&finding.Run{
			Stream: finding.StreamVersion, Tool: "wormsweep", Version: h.opt.Version, Started: now.UTC(), Paths: []string{w.name}, Partial: true,
			Catalogue: finding.Catalogue{Revision: w.set.Revision()},
		},
		row,
		&finding.Summary{Repositories: finding.Repositories{Clean: 1}},
	}
	gone := func(r incident.Swept, name string) bool {
		return name == ref && (r.Number == w.repo.ID || r.Number == 0 && r.Name == w.name)
	}
	// It may come back and go again, so that the episode is one of this delivery.
	return h.fileEvents(ctx, w, ref, "gone:"+strconv.FormatInt(now.UnixMilli(), 10), events, gone)
}

func (h *Handlers) fileEvents(ctx context.Context, w *work, ref, episode string, events []finding.Event, gone func(incident.Swept, string) bool) error {
	if h.opt.Incidents == nil {
		return nil
	}
	owner := ownerOf(w.name)
	incidents, err := h.opt.Incidents(ctx, owner)
	if err != nil || incidents == nil {
		return err
	}
	interest, err := incidents.Interest(ctx)
	if err != nil {
		return err
	}
	about := slices.ContainsFunc(interest, func(r incident.Swept) bool { return r.Number == w.repo.ID || r.Number == 0 && r.Name == w.name })
	if !about && len(active(events)) == 0 {
		return nil
	}
	file := func(ctx context.Context) ([]byte, error) {
		s := incident.NewSweep(incident.SweepOptions{Interest: interest, Partial: true, Gone: gone, Listed: incident.Listed(w.set)})
		for _, e := range events {
			if err := s.Event(e); err != nil {
				return nil, err
			}
		}
		out := incidents.File(ctx, s)
		var lines []string
		for _, done := range out.Done {
			lines = append(lines, done.String())
		}
		return []byte(strings.Join(lines, "\n")), out.Err
	}
	// Filing looks at what is there before it writes, and so is its own look.
	never := func(context.Context) ([]byte, bool, error) { return nil, false, nil }
	key := fmt.Sprintf("incidents:%s:%d:%s:%s:%s", strings.ToLower(owner), w.repo.ID, ref, episode, digestOf(w.set.Revision(), events))
	return soon(w.fx.Once(ctx, key, file, never))
}

// digestOf identifies what was found with a catalogue.
func digestOf(revision string, events []finding.Event) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", revision)
	for _, e := range events {
		switch e := e.(type) {
		case *finding.Finding:
			fmt.Fprintf(sum, "%s %s %q\n", e.Fingerprint, e.State, e.Refs)
		case *finding.Problem:
			fmt.Fprintf(sum, "%q %q\n", e.File, e.Code)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// severities are those of campaigns as triage has them.
var severities = map[string]triage.Severity{"critical": triage.Critical, "high": triage.High, "medium": triage.Medium, "low": triage.Low}

// raise takes findings to triage, one signal for each thing that was found. A delivery that is acted
// on again raises the same signals.
func (h *Handlers) raise(ctx context.Context, w *work, d hook.Delivery, ref, commit string, pull int64, findings []*finding.Finding) error {
	if h.opt.Raise == nil {
		return nil
	}
	var errs []error
	raised := map[string]bool{}
	for _, f := range findings {
		s := h.signal(w, d, ref, commit, pull, f)
		if raised[s.ID] {
			continue
		}
		raised[s.ID] = true
		if err := h.opt.Raise(ctx, s); err != nil {
			errs = append(errs, err)
		}
	}
	return together(errs...)
}

func (h *Handlers) signal(w *work, d hook.Delivery, ref, commit string, pull int64, f *finding.Finding) triage.Signal {
	parts := map[string]string{
		"repository": w.name, "repository_id": strconv.FormatInt(w.repo.ID, 10), "ref": ref, "commit": commit, "file": f.File, "campaign": f.Campaign,
	}
	if pull != 0 {
		parts["pull_request"] = strconv.FormatInt(pull, 10)
	}
	if f.Line > 0 {
		parts["line"] = strconv.Itoa(f.Line)
	}
	subject := triage.Subject{Kind: triage.Repository, Parts: parts}
	if f.Package != nil {
		subject.Kind = triage.Package
		parts["purl"] = f.Package.PURL
	}
	s := triage.Signal{
		Source: triage.FromSweep, SourceRef: f.Fingerprint + "@" + commit, AlertID: triage.AlertIOC, Severity: severities[f.Severity], Subject: subject,
		Group: f.Campaign, FirstSeen: d.Received, LastSeen: d.Received,
		Evidence: []triage.Evidence{
			{Label: "campaign", Value: f.Campaign + ": " + f.Title},
			{Label: "reasons", Value: strings.Join(f.Reasons, ", ")},
			{Label: "delivery", Value: d.ID},
		},
		Links: []triage.Link{{Label: "commit", URL: fmt.Sprintf("%s/commit/%s", strings.TrimSuffix(h.opt.GitHub.GitURL(splitName(w.name)), ".git"), commit)}},
	}
	if len(f.Chain) > 0 {
		s.Evidence = append(s.Evidence, triage.Evidence{Label: "path", Value: strings.Join(f.Chain, " > ")})
	}
	return s.Identified()
}

func splitName(fullName string) (owner, name string) {
	owner, name, _ = strings.Cut(fullName, "/")
	return owner, name
}

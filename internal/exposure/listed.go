package exposure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// listed asks the catalogue, and sets the window by it.
func (a *asked) listed(purl string) {
	a.report.Window = a.question.Window
	if a.report.Window.Until.IsZero() {
		a.report.Window.Until = a.now
	}
	var matches []ioc.Match
	e, name, version, err := ecosystem.ParsePURL(purl)
	switch {
	case a.Set == nil:
		a.say(triage.Listed, triage.Unsaid(SourceCatalogue, "there is no catalogue"))
	case err != nil:
		a.say(triage.Listed, triage.Unsaid(SourceCatalogue, "%.200q is not of an ecosystem that the catalogue has: %v", purl, err))
	case version == "":
		a.say(triage.Listed, triage.Unsaid(SourceCatalogue, "%.200q names no version", purl))
	default:
		matches, _ = a.Set.Package(e, name, version)
		a.say(triage.Listed, a.answerListed(purl, matches))
	}
	if a.report.Window.From.IsZero() {
		a.report.Window.From = a.from(matches)
	}
}

func (a *asked) answerListed(purl string, matches []ioc.Match) triage.Answer {
	weak := 0
	for _, m := range matches {
		switch {
		case m.Indicator.Status == ioc.Withdrawn:
		case m.Indicator.Confidence == ioc.Weak:
			weak++
		case !slices.Contains(a.report.Campaigns, m.Campaign.ID):
			a.report.Campaigns = append(a.report.Campaigns, m.Campaign.ID)
		}
	}
	switch {
	case len(a.report.Campaigns) > 0:
		return triage.Said(SourceCatalogue, true, "%.200q is of %s", purl, strings.Join(a.report.Campaigns, ", "))
	case weak > 0: // which proves nothing by itself, and does not acquit
		return triage.Unsaid(SourceCatalogue, "%.200q is met by weak indicators alone", purl)
	}
	return triage.Said(SourceCatalogue, false, "%.200q is not in the catalogue %.12s", purl, a.Set.Revision())
}

// lookBack is how far back runs are looked at where nobody knows since when a package is bad.
const lookBack = 90 * 24 * time.Hour

// from is the earliest time at which one of the matches says that the package was bad.
func (a *asked) from(matches []ioc.Match) time.Time {
	var from time.Time
	for _, m := range matches {
		text := m.Campaign.FirstSeen
		if w := m.Indicator.Window; w != nil && w.From != "" {
			text = w.From
		}
		if t, ok := parseTime(text); ok && (from.IsZero() || t.Before(from)) {
			from = t
		}
	}
	if !from.IsZero() {
		return from
	}
	seen := a.question.Signal.FirstSeen
	if seen.IsZero() || seen.After(a.now) {
		seen = a.now
	}
	return seen.Add(-lookBack).UTC()
}

// parseTime reads RFC 3339, a date or a month, as packs have them: the beginning of it.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// kinds are the policy's kinds of the ecosystems.
var kinds = map[ecosystem.Ecosystem]registry.Kind{ecosystem.NPM: registry.NPM, ecosystem.PyPI: registry.PyPI, ecosystem.Go: registry.Go}

// published asks whether we publish the package.
func (a *asked) published(ctx context.Context, purl string) {
	e, name, _, err := ecosystem.ParsePURL(purl)
	if err != nil {
		a.say(triage.PublishedByUs, a.otherPublished(purl))
		return
	}
	answer := a.byPolicy(e, name)
	if answer.Truth != triage.Yes && a.Published != nil {
		if more := a.Published(ctx, e, name); more.Truth == triage.Yes || answer.Truth == triage.No && more.Truth == triage.Unknown {
			answer = more
		}
	}
	if answer.Truth == triage.Unknown {
		a.gap(triage.PublishedByUs, verify.Gap{Code: verify.GapNotServed, Detail: answer.Detail})
	}
	a.say(triage.PublishedByUs, answer)
}

func (a *asked) byPolicy(e ecosystem.Ecosystem, name string) triage.Answer {
	if a.Policy == nil {
		return triage.Unsaid(SourcePolicy, "there is no policy that says what we publish")
	}
	org := strings.ToLower(a.Policy.Organisation)
	switch owner, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(name), "github.com/"), "/"); {
	case e == ecosystem.Actions && org != "" && owner == org:
		return triage.Said(SourcePolicy, true, "the action %.200q is of our organisation", name)
	case e == ecosystem.Go && org != "" && owner == org && strings.HasPrefix(strings.ToLower(name), "github.com/"):
		return triage.Said(SourcePolicy, true, "the module %.200q is of our organisation", name)
	case e == ecosystem.Actions && org == "":
		return triage.Unsaid(SourcePolicy, "the policy names no organisation")
	}
	scope, _, scoped := strings.Cut(name, "/")
	for i := range a.Policy.Artifacts {
		own := &a.Policy.Artifacts[i]
		if own.Kind != kinds[e] || e == ecosystem.Actions {
			continue
		}
		if e.CanonicalName(own.Name) == name || e == ecosystem.Go && strings.EqualFold(own.Name, name) {
			return triage.Said(SourcePolicy, true, "%s is in the policy", own.ID())
		}
		if e == ecosystem.NPM && scoped && strings.HasPrefix(name, "@") && strings.HasPrefix(own.Name, scope+"/") {
			return triage.Unsaid(SourcePolicy, "%.200q is not in the policy, and %s of its scope is", name, own.ID())
		}
	}
	return triage.Said(SourcePolicy, false, "%.200q is none of the %d artifacts of the policy", name, len(a.Policy.Artifacts))
}

// otherPublished is of what no lockfile has: images and releases, by the name in their purl.
func (a *asked) otherPublished(purl string) triage.Answer {
	if a.Policy == nil {
		return triage.Unsaid(SourcePolicy, "there is no policy that says what we publish")
	}
	rest, ok := strings.CutPrefix(purl, "pkg:oci/")
	name, _, _ := strings.Cut(rest, "@")
	name, _, _ = strings.Cut(name, "?")
	if !ok || name == "" {
		return triage.Unsaid(SourcePolicy, "%.200q is of no kind that the policy has", purl)
	}
	for i := range a.Policy.Artifacts {
		own := &a.Policy.Artifacts[i]
		if own.Kind == registry.OCI && (own.Name == name || strings.HasSuffix(own.Name, "/"+name)) {
			return triage.Said(SourcePolicy, true, "%s is in the policy", own.ID())
		}
	}
	return triage.Unsaid(SourcePolicy, "no image of the policy is called %.200q", name)
}

package report

import (
	"fmt"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// descriptors are the rules or notification kinds of a run, in the order of first use.
type descriptors struct {
	list  []sarifDescriptor
	index map[string]int // by id
}

func newDescriptors() *descriptors {
	return &descriptors{list: []sarifDescriptor{}, index: map[string]int{}}
}

// add gives the index of the descriptor with that id, which describe makes on first use.
func (d *descriptors) add(id string, describe func() sarifDescriptor) int {
	i, ok := d.index[id]
	if !ok {
		i = len(d.list)
		d.index[id] = i
		d.list = append(d.list, describe())
	}
	return i
}

// ruleID is stable: GitHub follows an alert by it.
func ruleID(f *finding.Finding) string {
	id := sarifSegment(f.Campaign) + "/" + sarifSegment(f.Type)
	if f.State != finding.Active {
		id += "/" + sarifSegment(string(f.State))
	}
	return id
}

// rule gives the index of f's rule. What it says depends on the campaign, type and state
// alone, so that the rule is the same in every run.
func (d *descriptors) rule(f *finding.Finding) int {
	id := ruleID(f)
	return d.add(id, func() sarifDescriptor {
		title := f.Title
		if title == "" {
			title = f.Campaign
		}
		h := helpOf(f.Type)
		short := fmt.Sprintf("%s: %s", sarifText(title), h.met)
		full := short + ". "
		if why := stateWords[string(f.State)]; why != "" {
			full += "Set apart: " + why + "."
		} else {
			full += h.means
		}
		properties := map[string]any{"tags": []string{"security", "supply-chain"}, "precision": "low"}
		if f.State == finding.Active {
			properties["precision"] = "very-high"
			properties["security-severity"] = score(f.Severity)
		}
		return sarifDescriptor{
			ID:            id,
			Name:          limit(id, 255),
			Short:         &sarifMessage{limit(short, 1024)},
			Full:          &sarifMessage{limit(full, 1024)},
			Help:          &sarifHelp{h.text(), h.markdown()},
			Configuration: &sarifConfiguration{level(f.State)},
			Properties:    properties,
		}
	})
}

// score is the security-severity of a severity, the highest for one that is not ours.
func score(severity string) string {
	return severities[max(severityRank(severity), 0)].score
}

// limit cuts s, which is escaped, to at most n bytes.
func limit(s string, n int) string {
	const mark = " ..."
	if len(s) <= n {
		return s
	}
	head, _ := clip(s, n-len(mark))
	return head + mark
}

// notifications are what was cut, and the problems.
func (r *SARIF) notifications(codes *descriptors, results int) []sarifNotification {
	out := []sarifNotification{}
	own := func(level, id, meaning, text string) {
		i := codes.add(id, func() sarifDescriptor { return kind(id, meaning) })
		out = append(out, sarifNotification{Level: level, Message: sarifMessage{text}, Descriptor: sarifReference{id, i}})
	}
	if r.end == nil {
		own("error", "no-summary", "the sweep did not end", "The sweep did not end: what is listed is what it had found.")
	}
	total := r.active.n + r.others.n
	if total > results {
		level := "warning"
		if r.active.n > results {
			level = "error"
		}
		own(level, "results-cut", "there are more findings than GitHub takes", fmt.Sprintf(
			"%s of %s findings are not listed, %s of them active: GitHub takes %s of a run. The JSON report has all.",
			number(total-results), number(total), number(max(r.active.n-results, 0)), number(maxResults)))
	}
	if results > shownResults {
		own("warning", "results-hidden", "there are more findings than GitHub shows", fmt.Sprintf(
			"GitHub shows %s of the %s findings that are listed here. The JSON report has all.", number(shownResults), number(results)))
	}
	for _, p := range r.problems {
		out = append(out, r.problem(codes, p))
	}
	if r.moreProblems > 0 {
		own("error", "problems-cut", "there are more problems than are listed", fmt.Sprintf(
			"%s more problems are not listed here. The JSON report has all.", number(r.moreProblems)))
	}
	return out
}

func (r *SARIF) problem(codes *descriptors, p *finding.Problem) sarifNotification {
	id := sarifSegment(p.Code)
	n := sarifNotification{
		Level:      "error",
		Descriptor: sarifReference{id, codes.add(id, func() sarifDescriptor { return kind(id, problemWords[p.Code]) })},
	}
	where := "The run"
	switch {
	case p.File != "":
		where = sarifText(p.Repository) + " " + sarifText(p.File)
	case p.Repository != "":
		where = sarifText(p.Repository)
	}
	if p.File != "" {
		n.Locations = []sarifLocation{r.location(p.Repository, p.File, p.Line)}
	}
	n.Message.Text = where + ": " + sarifText(p.Code) + ": " + sarifText(p.Detail)
	if p.Exclusion != nil {
		n.Level = "note"
		n.Message.Text += " (excluded by " + sarifText(p.Exclusion.Owner) + " until " + sarifText(p.Exclusion.Expires) + ": " + sarifText(p.Exclusion.Reason) + ")"
	}
	return n
}

func kind(id, meaning string) sarifDescriptor {
	if meaning == "" {
		meaning = id
	}
	return sarifDescriptor{ID: id, Short: &sarifMessage{meaning}}
}

// properties are the totals of the run.
func (r *SARIF) properties() map[string]any {
	p := map[string]any{"coverage": escapeKeys(r.ledger)}
	if r.run != nil {
		p["catalogue"] = map[string]any{
			"revision": sarifText(r.run.Catalogue.Revision), "campaigns": r.run.Catalogue.Campaigns,
			"indicators": r.run.Catalogue.Indicators, "versions": r.run.Catalogue.Versions,
		}
	}
	if s := r.end; s != nil {
		p["repositories"] = s.Repositories
		p["files"] = s.Files
		p["packages"] = s.Packages
		p["findings"] = escapeKeys(s.Findings)
		p["problems"] = s.Problems
		p["problemsExcluded"] = s.Excluded
		p["canaries"] = map[string]any{"planted": s.Canaries.Planted, "missed": sarifTexts(s.Canaries.Missed)}
		p["notLookedAt"] = escapeKeys(s.NotLookedAt)
		p["shown"] = escapeKeys(s.Shown)
		p["unmatched"] = escapeKeys(s.Unmatched)
		p["expiredExclusions"] = sarifTexts(s.Expired)
		p["interrupted"] = s.Interrupted
	}
	return p
}

func escapeKeys[K ~string](m map[K]int) map[string]int {
	out := make(map[string]int, len(m))
	for k, n := range m {
		out[sarifText(string(k))] = n
	}
	return out
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// mdBrief, mdWord and mdProse are inert spans of a short name, a name and a sentence.
func mdBrief(s string) string { return EscapeMarkdown(s, 60) }
func mdWord(s string) string  { return EscapeMarkdown(s, 300) }
func mdProse(s string) string { return EscapeMarkdown(s, 1_000) }

// mdWords are spans of at most so many names; mdBriefs of names that are short.
func mdWords(names []string, most int) string  { return spans(names, most, mdWord) }
func mdBriefs(names []string, most int) string { return spans(names, most, mdBrief) }

func spans(names []string, most int, span func(string) string) string {
	var all []string
	for _, name := range names[:min(len(names), most)] {
		all = append(all, span(name))
	}
	text := strings.Join(all, ", ")
	if more := len(names) - most; more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

// share is a part of the document with a limit in bytes.
type share struct {
	b     strings.Builder
	limit int
	full  bool // something did not fit; nothing is added after it
}

// add appends text as long as there is room.
func (s *share) add(text string) bool {
	if s.full || s.b.Len()+len(text) > s.limit {
		s.full = true
		return false
	}
	s.b.WriteString(text)
	return true
}

// rest is kept free of a share's limit for the line that counts what did not fit.
const rest = 200

func elsewhere(n int, one, many string) string {
	return "\nand " + count(n, one, many) + " more, in the JSON report of this run.\n"
}

// findingList lists the findings by campaign.
func (r *Markdown) findingList(limit int) string {
	if len(r.campaigns) == 0 {
		return ""
	}
	s := &share{limit: limit - rest}
	campaigns := r.sortedCampaigns()
	s.add("\n### Found\n\n")
	for _, c := range campaigns {
		s.add("- " + severityMarkdown(c.severity) + " " + mdWord(c.id) + ": " + c.extent() + "\n")
	}
	listed, places := 0, 0
	for _, c := range campaigns {
		places += c.places
		s.add("\n#### " + severityMarkdown(c.severity) + " " + mdWord(c.id) + "\n\n" + mdProse(c.title) + "\n")
		for _, found := range c.sorted() {
			s.add(thingMarkdown(found))
			for _, f := range found {
				if s.add("  - " + placeMarkdown(f) + "\n") {
					listed++
				}
			}
		}
	}
	if more := places - listed; more > 0 {
		s.b.WriteString(elsewhere(more, "place", "places"))
	}
	return s.b.String()
}

func (c *mdCampaign) extent() string {
	return count(len(c.repositories), "repository", "repositories") + ", " + count(c.places, "place", "places")
}

// sorted gives the findings by what was found, those of most places first.
func (c *mdCampaign) sorted() [][]*finding.Finding {
	keys := sortedKeys(c.things)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(len(c.things[b]), len(c.things[a])) })
	out := make([][]*finding.Finding, len(keys))
	for i, key := range keys {
		out[i] = c.things[key]
	}
	return out
}

func severityMarkdown(severity string) string {
	if severityRank(severity) < 0 {
		return "severity " + mdWord(severity)
	}
	return strings.ToUpper(severity)
}

// subjectMarkdown is what was found.
func subjectMarkdown(f *finding.Finding) string {
	switch {
	case f.Package != nil:
		return mdWord(f.Package.PURL)
	case f.Digest != "":
		return mdWord(f.Type) + " " + mdWord(f.Digest)
	case f.Observable != "":
		return mdWord(f.Type) + ": " + mdWord(f.Observable)
	}
	return mdWord(f.Type) + " of indicator " + mdWord(f.Indicator)
}

// thingMarkdown is what all findings of one thing have in common.
func thingMarkdown(found []*finding.Finding) string {
	f := found[0]
	line := "\n- " + subjectMarkdown(f) + ", " + mdWord(cmp.Or(f.Confidence, "listed"))
	if len(f.Sources) > 0 {
		line += " by " + mdWords(f.Sources, 5)
	}
	if len(f.Safe) > 0 {
		line += "; known good: " + mdWords(f.Safe, 10)
	}
	if w := f.Window; w != nil && (w.From != "" || w.Until != "") {
		line += "; live"
		if w.From != "" {
			line += " from " + mdWord(w.From)
		}
		if w.Until != "" {
			line += " until " + mdWord(w.Until)
		}
	}
	if len(f.Advisory) > 0 {
		line += "; advisories: " + mdWords(f.Advisory, 10)
	}
	if f.Action != "" {
		line += "; do first: " + mdProse(f.Action)
	}
	return line + "\n"
}

// placeMarkdown is where, and how the thing came there.
func placeMarkdown(f *finding.Finding) string {
	line := mdWord(f.Repository)
	switch {
	case f.File != "":
		line += " " + fileMarkdown(f.File, f.Line)
	case len(f.Refs) > 0:
		line += " (the ref itself)"
	default:
		line += " (the repository itself)"
	}
	if len(f.Refs) > 0 {
		line += " at " + mdWords(f.Refs, 5)
	}
	p := f.Package
	if p == nil {
		return line + ", matched by " + mdWords(f.Reasons, 10)
	}
	switch chain := chainAbove(f); {
	case p.Direct == "yes":
		line += ", direct"
	case len(chain) > 0:
		line += ", by way of " + strings.Join(chainEnds(chain, mdWord), " > ")
	case p.Direct == "no":
		line += ", not direct"
	}
	if p.Scope != "" {
		line += ", " + mdWord(p.Scope)
	}
	if p.Range != "" {
		line += ", asks for " + mdWord(p.Range)
	}
	if p.Alias != "" {
		line += ", installed as " + mdWord(p.Alias)
	}
	if unusual(p.Source) {
		line += ", from " + mdWord(p.Source)
	}
	return line + ", matched by " + mdWords(f.Reasons, 10)
}

func fileMarkdown(file string, line int) string {
	if line > 0 {
		return mdWord(file) + fmt.Sprintf(" line %d", line)
	}
	return mdWord(file)
}

// problemList lists what was not looked at, by repository.
func (r *Markdown) problemList(limit int) string {
	if len(r.problems)+r.unheld == 0 {
		return ""
	}
	s := &share{limit: limit - rest}
	byRepository := map[string][]*finding.Problem{}
	for _, e := range r.problems {
		byRepository[e.Repository] = append(byRepository[e.Repository], e)
	}
	s.add("\n### Not fully looked at\n\n" + count(len(r.problems)+r.unheld, "problem", "problems") + ". What to do: docs/problems.md.\n\n")
	listed := 0
	for _, repository := range sortedKeys(byRepository) {
		name := "the whole run"
		if repository != "" {
			name = mdWord(repository)
		}
		s.add("- " + name + "\n")
		for _, e := range byRepository[repository] {
			if s.add("  - " + problemMarkdown(e) + "\n") {
				listed++
			}
		}
	}
	if more := len(r.problems) + r.unheld - listed; more > 0 {
		s.b.WriteString(elsewhere(more, "problem", "problems"))
	}
	return s.b.String()
}

func problemMarkdown(e *finding.Problem) string {
	at := ""
	switch {
	case e.File != "":
		at = fileMarkdown(e.File, e.Line)
	case e.Format != "":
		at = "format " + mdWord(e.Format)
	}
	if len(e.Refs) > 0 {
		if at != "" {
			at += " "
		}
		at += "at " + mdWords(e.Refs, 3)
	}
	if at != "" {
		at += ": "
	}
	return at + mdWord(e.Code) + ": " + mdProse(e.Detail)
}

// setApart counts what does not change the exit code, with the first of each kind.
func (r *Markdown) setApart(sum *finding.Summary, limit int) string {
	excluded := r.excluded.n
	if sum != nil {
		excluded = max(excluded, sum.Excluded)
	}
	if len(r.apart) == 0 && excluded == 0 {
		return ""
	}
	s := &share{limit: limit - rest}
	s.add("\n### Set apart\n\nWithout effect on the exit code.\n\n")
	states := sortedKeys(r.apart)
	slices.SortStableFunc(states, func(a, b finding.State) int { return cmp.Compare(stateRank(a), stateRank(b)) })
	for _, state := range states {
		a := r.apart[state]
		line := "- " + mdWord(string(state)) + ": " + count(a.n, "finding", "findings")
		if why := stateWords[string(state)]; why != "" {
			line += ", " + why
		}
		s.add(line + "\n")
		for _, f := range a.first {
			s.add("  - " + subjectMarkdown(f) + " of " + mdWord(f.Campaign) + " in " + placeMarkdown(f) + excludedMarkdown(f.Exclusion) + "\n")
		}
		if more := a.n - len(a.first); more > 0 {
			s.add("  - and " + number(more) + " more, in the JSON report of this run\n")
		}
	}
	if excluded > 0 {
		s.add("- problems that an exclusion covers: " + number(excluded) + "\n")
		for _, e := range r.excluded.first {
			s.add("  - " + mdWord(e.Repository) + " " + problemMarkdown(e) + excludedMarkdown(e.Exclusion) + "\n")
		}
		if more := excluded - len(r.excluded.first); more > 0 {
			s.add("  - and " + number(more) + " more, in the JSON report of this run\n")
		}
	}
	if s.full {
		s.b.WriteString("\nand more of this, in the JSON report of this run.\n")
	}
	return s.b.String()
}

func excludedMarkdown(e *finding.Exclusion) string {
	if e == nil {
		return ""
	}
	return "; excluded by " + mdWord(e.Owner) + " until " + mdWord(e.Expires) + ": " + mdProse(e.Reason)
}

// lookedAt says what the answer rests on, and what this command does not look at.
func (r *Markdown) lookedAt(s *finding.Summary) string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n### Looked at\n\n")
	if s.Published != nil {
		b.WriteString("- published: " + verifiedLine(s.Published) + "\n")
	}
	if !onlyPublished(s) {
		r.sweptAt(&b, s)
	}
	if run := r.run; run != nil {
		c := run.Catalogue
		fmt.Fprintf(&b, "- catalogue: %s, %s, revision %s\n", count(c.Campaigns, "campaign", "campaigns"), count(c.Versions, "exact version", "exact versions"), mdWord(c.Revision))
	}
	tallyMarkdown(&b, "names and texts beside files", s.Shown)
	for _, note := range r.left.told() {
		b.WriteString("- left out: " + mdProse(note) + "\n")
	}
	tallyMarkdown(&b, "not matched by this command, indicators of type", s.NotLookedAt)
	fmt.Fprintf(&b, "- time: %.2f s, exit code %d\n", s.Elapsed, s.Exit)
	if len(s.Expired) > 0 {
		b.WriteString("\n### Expired exclusions\n\nThey apply no more: renew them or delete them.\n\n")
		for i, e := range s.Expired {
			if i == shownApart {
				b.WriteString("- and " + number(len(s.Expired)-i) + " more, in the JSON report of this run\n")
				break
			}
			b.WriteString("- " + mdWord(e) + "\n")
		}
	}
	return b.String()
}

// onlyPublished reports whether a run was a verification, and no sweep.
func onlyPublished(s *finding.Summary) bool {
	n := s.Repositories
	return s.Published != nil && n.Hit+n.Clean+n.Unknown == 0
}

// sweptAt says what of repositories the answer rests on.
func (r *Markdown) sweptAt(b *strings.Builder, s *finding.Summary) {
	n := s.Repositories
	b.WriteString("- files: " + number(s.Files.Parsed) + " read")
	if s.Files.Unparsed > 0 {
		b.WriteString(", " + number(s.Files.Unparsed) + " not fully")
	}
	if r.hashed > 0 {
		b.WriteString(", " + number(r.hashed) + " compared by digest")
	}
	fmt.Fprintf(b, ", of %s in %s; %s\n", count(s.Files.Total, "file", "files"), count(n.Hit+n.Clean+n.Unknown, "repository", "repositories"),
		count(s.Files.Distinct, "distinct content", "distinct contents"))
	fmt.Fprintf(b, "- packages: %s\n", number(s.Packages))
	tallyMarkdown(b, "formats", r.formats)
	tallyMarkdown(b, "set aside as not the public package", s.Unmatched)
	fmt.Fprintf(b, "- canaries: %d of %d found\n", s.Canaries.Planted-len(s.Canaries.Missed), s.Canaries.Planted)
}

func tallyMarkdown(b *strings.Builder, label string, m map[string]int) {
	if len(m) == 0 {
		return
	}
	var names []string
	for _, name := range sortedKeys(m) {
		names = append(names, name+" "+number(m[name]))
	}
	b.WriteString("- " + label + ": " + mdBriefs(names, 40) + "\n")
}

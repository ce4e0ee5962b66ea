package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// writeProblems lists what was not looked at, by repository.
func writeProblems(p *page, problems []*finding.Problem, explain bool) {
	if len(problems) == 0 {
		return
	}
	byRepository := map[string][]*finding.Problem{}
	codes := map[string]bool{}
	for _, e := range problems {
		byRepository[e.Repository] = append(byRepository[e.Repository], e)
		codes[e.Code] = true
	}
	p.line("")
	p.line(p.paint(yellow, "NOT FULLY LOOKED AT") + "  " + count(len(problems), "problem", "problems") + " (what to do: docs/problems.md)")
	for _, repository := range sortedKeys(byRepository) {
		p.line("")
		if repository == "" {
			p.line("  of the whole run")
		} else {
			p.line("  " + p.paint(bold, textWord(repository)))
		}
		for _, e := range byRepository[repository] {
			p.wrap("    ", 6, problemText(e))
		}
	}
	if explain {
		p.line("")
		for _, code := range sortedKeys(codes) {
			p.wrap("  ", 4, explained(code, problemWords))
		}
	}
}

// problemText is a problem as compilers write theirs: file, line, code and detail.
func problemText(e *finding.Problem) string {
	at := ""
	switch {
	case e.File != "":
		at = fileLine(e.File, e.Line) + ": "
	case e.Format != "":
		at = "format " + textWord(e.Format) + ": "
	}
	return at + textWord(e.Code) + ": " + textProse(e.Detail)
}

// setApart lists what does not change the exit code, each state for itself.
func (r *Text) setApart(s *finding.Summary) {
	p := r.page
	for _, state := range r.states() {
		a := r.apart[state]
		p.line("")
		p.line(p.paint(bold, strings.ToUpper(textWord(string(state)))) + "  " + count(a.n, "finding", "findings") + ", without effect on the exit code")
		if why := stateWords[string(state)]; why != "" {
			p.wrap("  ", 2, why)
		}
		a.write(p, r.opt.Explain)
		more(p, a.n-len(a.first))
	}
	excluded := len(r.excluded)
	if s != nil {
		excluded = max(excluded, s.Excluded)
	}
	if excluded == 0 {
		return
	}
	p.line("")
	p.line(p.paint(bold, "EXCLUDED PROBLEMS") + "  " + number(excluded) + ", without effect on the exit code")
	for _, e := range r.excluded {
		p.line("")
		p.wrap("  "+textWord(e.Repository)+"  ", 4, problemText(e))
		p.wrap("    ", 6, excludedBy(e.Exclusion))
	}
	more(p, excluded-len(r.excluded))
}

// states are the states that are set apart, those that we know of first.
func (r *Text) states() []finding.State {
	out := sortedKeys(r.apart)
	slices.SortStableFunc(out, func(a, b finding.State) int { return cmp.Compare(stateRank(a), stateRank(b)) })
	return out
}

func stateRank(s finding.State) int {
	if i := slices.Index(finding.States, s); i >= 0 {
		return i
	}
	return len(finding.States)
}

func more(p *page, n int) {
	if n > 0 {
		p.line("")
		p.line("  and " + number(n) + " more, which --format json lists")
	}
}

// write lists the first findings: what was found, the exclusion that covers it, and the
// places.
func (a *apart) write(p *page, explain bool) {
	type header struct{ found, excluded string }
	var headers []header // in the order in which they came
	byHeader := map[header]ways{}
	for _, f := range a.first {
		h := header{subject(f) + " of " + textWord(f.Campaign), excludedBy(f.Exclusion)}
		if byHeader[h] == nil {
			headers = append(headers, h)
			byHeader[h] = ways{}
		}
		byHeader[h].add(f, explain)
	}
	for _, h := range headers {
		p.line("")
		p.wrap("  ", 4, h.found)
		if h.excluded != "" {
			p.wrap("    ", 6, h.excluded)
		}
		byHeader[h].write(p, explain)
	}
}

func excludedBy(e *finding.Exclusion) string {
	if e == nil {
		return ""
	}
	return "excluded by " + textWord(e.Owner) + " until " + textWord(e.Expires) + ": " + textProse(e.Reason)
}

// lookedAt says what the answer rests on.
func (r *Text) lookedAt(s *finding.Summary) {
	p := r.page
	p.line("")
	p.line(p.paint(bold, "LOOKED AT"))
	if s.Published != nil {
		p.label(2, "published", verifiedLine(s.Published))
	}
	if !onlyPublished(s) {
		r.sweptAt(s)
	}
	if run := r.run; run != nil {
		c := run.Catalogue
		p.label(2, "catalogue", fmt.Sprintf("%s, %s, revision %s",
			count(c.Campaigns, "campaign", "campaigns"), count(c.Versions, "exact version", "exact versions"), textWord(c.Revision)))
	}
	if n := 0; len(s.Shown) > 0 {
		for _, of := range s.Shown {
			n += of
		}
		if n > 0 {
			p.label(2, "names", tally(s.Shown))
		}
	}
	for _, note := range r.left.told() {
		p.label(2, "left out", textProse(note))
	}
	if len(s.NotLookedAt) > 0 {
		p.label(2, "not matched", "by this command: indicators of type "+tally(s.NotLookedAt))
	}
	p.label(2, "time", fmt.Sprintf("%.2f s, exit code %d", s.Elapsed, s.Exit))
}

// sweptAt says what of repositories the answer rests on.
func (r *Text) sweptAt(s *finding.Summary) {
	p := r.page
	n := s.Repositories
	files := number(s.Files.Parsed) + " read"
	if s.Files.Unparsed > 0 {
		files += ", " + number(s.Files.Unparsed) + " not fully"
	}
	if r.hashed > 0 {
		files += ", " + number(r.hashed) + " compared by digest"
	}
	files += ", of " + count(s.Files.Total, "file", "files") + " in " + count(n.Hit+n.Clean+n.Unknown, "repository", "repositories")
	p.label(2, "files", files+"; "+count(s.Files.Distinct, "distinct content", "distinct contents"))
	p.label(2, "packages", number(s.Packages))
	p.label(2, "formats", tally(r.formats))
	p.label(2, "set aside", tally(s.Unmatched))
	p.label(2, "canaries", fmt.Sprintf("%d of %d found", s.Canaries.Planted-len(s.Canaries.Missed), s.Canaries.Planted))
}

// leftOut are the notes of the ledger: what was not looked at beside trees, and why.
type leftOut struct {
	notes []string // the first of them
	n     int
}

func (l *leftOut) add(e *finding.Coverage) {
	l.n += len(e.Notes)
	for _, note := range e.Notes[:min(len(e.Notes), shownApart-len(l.notes))] {
		l.notes = append(l.notes, e.Repository+": "+note)
	}
}

// told are the first notes, and a word of the others.
func (l *leftOut) told() []string {
	if more := l.n - len(l.notes); more > 0 {
		return append(l.notes[:len(l.notes):len(l.notes)], "and "+number(more)+" more, which the JSON report lists")
	}
	return l.notes
}

func writeExpired(p *page, expired []string) {
	if len(expired) == 0 {
		return
	}
	p.line("")
	p.line(p.paint(yellow, "EXPIRED EXCLUSIONS") + "  they apply no more: renew them or delete them")
	for _, e := range expired {
		p.wrap("  ", 4, textProse(e))
	}
}

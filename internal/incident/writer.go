package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// writer makes the texts of one record.
type writer struct {
	key   Key
	rec   *Record
	ticks map[string]bool // repositories that a person has ticked
	stamp *Stamp          // nil in what a digest is made of
}

// repositoryOf is what a record has of one repository.
type repositoryOf struct {
	name         string
	open, closed []*Place
}

func (r *Record) repositories() []*repositoryOf {
	var out []*repositoryOf
	for _, p := range r.Places { // in order of repositories
		if n := len(out); n == 0 || out[n-1].name != p.Repository {
			out = append(out, &repositoryOf{name: p.Repository})
		}
		at := out[len(out)-1]
		if p.settled() {
			at.closed = append(at.closed, p)
		} else {
			at.open = append(at.open, p)
		}
	}
	return out
}

// intro is the answer, and what the incident is.
func (w *writer) intro() string {
	r := w.rec
	var b strings.Builder
	noun := r.nouns()
	open, repositories, settled := len(r.open()), 0, 0
	for _, at := range r.repositories() {
		if len(at.open) > 0 {
			repositories++
		} else {
			settled++
		}
	}
	switch {
	case r.State == Dismissed:
		fmt.Fprintf(&b, "**Over, without proof:** a person declared %s in %s over; the timeline says who and why.\n", code(r.Campaign.ID), code(r.Organisation))
	case r.State == Cured:
		fmt.Fprintf(&b, "**Proven clean:** nothing of %s is left in %s. A person has yet to declare it over.\n", code(r.Campaign.ID), code(r.Organisation))
	case open == 0 && len(r.Places) == 0 && len(r.Response.Signals) > 0:
		fmt.Fprintf(&b, "**To be looked into:** %s in %s, by %s.\n", code(r.Campaign.ID), code(r.Organisation), count(len(r.Response.Signals), "signal", "signals"))
	case r.State == Closed && len(r.Places) == 0:
		fmt.Fprintf(&b, "**Over:** %s in %s.\n", code(r.Campaign.ID), code(r.Organisation))
	case r.State == Closed:
		fmt.Fprintf(&b, "**Settled:** %s is gone from %s of %s, all in which it was found; below is how that is known.\n", code(r.Campaign.ID), count(settled, noun.repository, noun.repositories), code(r.Organisation))
	case open == 0:
		fmt.Fprintf(&b, "**Not proven clean:** no place of %s in %s is known to be left.\n", code(r.Campaign.ID), code(r.Organisation))
	default:
		at := count(repositories, noun.repository, noun.repositories)
		if r.published() {
			fmt.Fprintf(&b, "**Published by us:** %s of %s of %s not as they should be.", count(open, noun.place, noun.places), at, code(r.Organisation))
		} else {
			fmt.Fprintf(&b, "**Hit:** %s is in %s of %s, at %s.", code(r.Campaign.ID), at, code(r.Organisation), count(open, noun.place, noun.places))
		}
		if settled > 0 {
			fmt.Fprintf(&b, " %s settled since.", count(settled, noun.repository+" is", noun.repositories+" are"))
		}
		b.WriteString("\n")
	}
	if r.Dropped > 0 {
		fmt.Fprintf(&b, "\n**There are more:** %s beyond what one incident holds. The JSON report of the sweep lists them, and a person has to close this issue.\n", count(r.Dropped, "place", "places"))
	}
	if r.Lost {
		b.WriteString("\n**The record of this incident was lost.** What had been found before is not known, so that no sweep can prove it clean: a person has to close this issue.\n")
	}
	if r.Insisted && open == 0 {
		b.WriteString("\nIt was closed with proof, and a person opened it again: a person has to close it.\n")
	}
	b.WriteString("\n")
	c := r.Campaign
	if c.Title != "" {
		fmt.Fprintf(&b, "- Campaign: %s\n", code(c.Title))
	}
	if c.Severity != "" {
		fmt.Fprintf(&b, "- Severity: %s\n", code(c.Severity))
	}
	fmt.Fprintf(&b, "- State: %s\n", r.stateText())
	if r.Response.Owner != "" {
		fmt.Fprintf(&b, "- Owner: %s\n", code(r.Response.Owner))
	}
	fmt.Fprintf(&b, "- First seen here: %s\n", day(r.FirstSeen))
	if window := spanText(c.FirstSeen, c.LastSeen); window != "" {
		fmt.Fprintf(&b, "- Campaign seen anywhere: %s\n", window)
	}
	if from, until := r.window(); from != "" || until != "" {
		fmt.Fprintf(&b, "- Exposure window: %s\n", spanText(from, until))
	}
	switch {
	case w.stamp == nil:
	case w.stamp.Swept.IsZero():
		fmt.Fprintf(&b, "- Last change of this text: %s, by what is in the timeline\n", minute(w.stamp.Acted))
	default:
		fmt.Fprintf(&b, "- Last change of this text: after the sweep of %s", w.stamp.Swept.UTC().Format("2006-01-02 15:04 UTC"))
		if w.stamp.Report != "" {
			fmt.Fprintf(&b, ", full report: %s", address(w.stamp.Report))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThis text is written anew when what was found changes. Ticks are kept; for anything else, write a comment.\n")
	return b.String()
}

// window is from the first to the last moment at which anything that was found was live; an
// end that is not known for all of it is "".
func (r *Record) window() (from, until string) {
	first := true
	for _, name := range sortedKeys(r.Things) {
		win := r.Things[name].Window
		switch {
		case win == nil:
			return "", ""
		case first:
			from, until, first = win.From, win.Until, false
			continue
		}
		if from != "" {
			from = min(from, win.From) // RFC 3339, or a part of it: in order as text
		}
		if until != "" && win.Until != "" {
			until = max(until, win.Until)
		} else {
			until = ""
		}
	}
	return from, until
}

func spanText(from, until string) string {
	switch {
	case from == "" && until == "":
		return ""
	case from == until:
		return brief(from)
	case until == "":
		return "from " + brief(from)
	case from == "":
		return "until " + brief(until)
	}
	return brief(from) + " to " + brief(until)
}

// things lists what was found, by how many repositories have it.
func (w *writer) things() string {
	where := map[string]map[string]bool{}
	for _, p := range w.rec.open() {
		if where[p.Thing] == nil {
			where[p.Thing] = map[string]bool{}
		}
		where[p.Thing][p.Repository] = true
	}
	names := sortedKeys(where)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(where[b]), len(where[a])) })
	l := list{limit: maxThings}
	for _, name := range names {
		t := w.rec.Things[name]
		line := "- " + code(name)
		if !w.rec.published() {
			line += " in " + count(len(where[name]), "repository", "repositories")
		}
		if t.Confidence != "" {
			line += ", " + brief(t.Confidence)
		}
		if len(t.Safe) > 0 {
			line += ", known good: " + codes(t.Safe, 5)
		}
		if t.Window != nil {
			if text := spanText(t.Window.From, t.Window.Until); text != "" {
				line += ", live " + text
			}
		}
		if len(t.Advisory) > 0 {
			line += ", advisories: " + codes(t.Advisory, 5)
		}
		l.add(line + "\n" + t.evidence())
	}
	return l.end("- and %d more, which the JSON report of the sweep lists")
}

// codes are at most so many spans.
func codes(names []string, most int) string {
	shown := names[:min(len(names), most)]
	spans := make([]string, len(shown))
	for i, name := range shown {
		spans[i] = brief(name)
	}
	text := strings.Join(spans, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// repositories are the entries of the check list.
func (w *writer) repositories() (blocks []string) {
	noun := w.rec.nouns()
	for _, at := range w.rec.repositories() {
		if len(at.open) == 0 {
			continue
		}
		box := "[ ]"
		if w.ticks[at.name] {
			box = "[x]"
		}
		first, owners := at.open[0].FirstSeen, []string{}
		for _, p := range at.open {
			if p.FirstSeen.Before(first) {
				first = p.FirstSeen
			}
			for _, owner := range p.Owners {
				if !slices.Contains(owners, owner) {
					owners = append(owners, owner)
				}
			}
		}
		line := fmt.Sprintf("- %s %s, %s, first seen %s", box, code(at.name), count(len(at.open), noun.place, noun.places), day(first))
		if len(owners) > 0 {
			line += ", owned by " + codes(owners, 3)
		}
		l := list{limit: maxRepository}
		l.add(line + " <!-- " + w.key.tick(w.rec.Organisation, w.rec.Campaign.ID, at.name) + " -->\n")
		for _, p := range at.open {
			l.add("  - " + placeText(p) + "\n")
		}
		blocks = append(blocks, l.end("  - and %d more, which the JSON report of the sweep lists"))
	}
	return blocks
}

// name is the file and, where it is known, the line.
func (p *Place) name() string {
	switch {
	case p.Line > 0:
		return code(p.File) + fmt.Sprintf(" line %d", p.Line)
	case p.File != "":
		return code(p.File)
	case artifact(p.Repository):
		return "published"
	case slices.ContainsFunc(p.Refs, func(r *Ref) bool { return r.Name != ItselfRef }):
		return "the ref itself"
	}
	return "the repository itself"
}

// placeText says where a place is, how the thing came there, and why it may be unproven.
func placeText(p *Place) string {
	line := p.name()
	var refs, missing []string
	for _, ref := range p.Refs {
		if ref.Settled != Unsettled {
			continue
		}
		if ref.Name != ItselfRef {
			refs = append(refs, ref.Name)
		}
		if ref.Missing != "" && !slices.Contains(missing, ref.Missing) {
			missing = append(missing, ref.Missing)
		}
	}
	if len(refs) > 0 {
		line += " at " + codes(refs, 3)
	}
	line += ": " + code(p.Thing)
	if len(p.Chain) > 1 {
		steps := make([]string, len(p.Chain))
		for i, step := range p.Chain {
			if steps[i] = "..."; step != "" {
				steps[i] = brief(step)
			}
		}
		line += ", by way of " + strings.Join(steps, " > ")
	}
	if len(missing) > 0 {
		line += ". Not proven clean: " + codes(missing, 2)
	}
	return line
}

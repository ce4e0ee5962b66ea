package incident

import (
	"fmt"
	"strings"
)

// changes are the places of which there is something to be told.
type changes struct {
	found   []*Place // new, or found again after they were settled
	settled []*Place
}

func (r *Record) changes() (c changes) {
	for _, p := range r.Places {
		switch state := p.state(); {
		case state == p.Told:
		case state == ToldFound:
			c.found = append(c.found, p)
		case p.Told == ToldFound:
			c.settled = append(c.settled, p)
		}
	}
	return c
}

func (c changes) any() bool  { return len(c.found)+len(c.settled) > 0 }
func (c changes) news() bool { return len(c.found) > 0 }

// tell writes down that everything was told.
func (r *Record) tell() {
	for _, p := range r.Places {
		p.Told = p.state()
	}
}

// comment tells of changes, below words of our own.
func (p *planner) comment(words string, c changes) {
	var what strings.Builder
	fmt.Fprintf(&what, "%d %s", p.rec.Sequence, p.rec.Status)
	for _, place := range append(c.found[:len(c.found):len(c.found)], c.settled...) {
		fmt.Fprintf(&what, " %s %s", place.Fingerprint, place.state())
	}
	head := p.in.Key.commentHead(markComment, p.rec.Organisation, p.rec.Campaign.ID, digestOf(what.String()))
	for _, old := range p.in.Comments {
		if marked(old.Body, head) {
			return
		}
	}
	p.add(Action{Kind: PostComment, Head: head, Body: head + "\n" + words + c.text()})
}

// maxChanges bounds each list of a comment, in bytes.
const maxChanges = 20_000

// text lists the places by what became of them.
func (c changes) text() string {
	var b strings.Builder
	write := func(heading string, places []*Place, entry func(*Place) string) {
		if len(places) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s: %s in %s.\n\n", heading, count(len(places), "place", "places"), count(repositoriesIn(places), "repository", "repositories"))
		l := list{limit: maxChanges}
		for _, p := range places {
			l.add("- " + code(p.Repository) + " " + entry(p) + "\n")
		}
		b.WriteString(l.end("- and %d more, which the JSON report of the sweep lists"))
	}
	write("Found", c.found, placeText)
	write("Settled", c.settled, func(p *Place) string { return p.name() + ": " + proofText([]*Place{p}) })
	return b.String()
}

func repositoriesIn(places []*Place) int {
	names := map[string]bool{}
	for _, p := range places {
		names[p.Repository] = true
	}
	return len(names)
}

// proofOf is what an issue is closed with.
func proofOf(r *Record, s *Sweep) string {
	refs := map[treeKey]bool{}
	for _, p := range r.Places {
		for _, ref := range p.Refs {
			refs[treeKey{p.repository(), ref.Name}] = true
		}
	}
	return fmt.Sprintf("Closed with proof: the campaign was found at %s of %s, and each of them was settled since, the last by the sweep of %s with the catalogue of revision %s.\n",
		count(len(refs), "ref", "refs"), count(repositoriesIn(r.Places), "repository", "repositories"), s.started.Format("2006-01-02 15:04 UTC"), code(s.revision))
}

// logChanges writes into the timeline what a sweep found and proved.
func (p *planner) logChanges() {
	for _, part := range []struct {
		kind   EntryKind
		places []*Place
	}{{EntryFound, p.changes.found}, {EntrySettled, p.changes.settled}} {
		if n := len(part.places); n > 0 {
			text := fmt.Sprintf("%s in %s", count(n, "place", "places"), count(repositoriesIn(part.places), "repository", "repositories"))
			p.rec.log(Entry{At: p.in.act(BySweep).at, Kind: part.kind, By: BySweep, Text: text})
		}
	}
}

// curedOf says that nothing is left, and who has to say the rest.
func curedOf(r *Record) string {
	return fmt.Sprintf("Proven clean: nothing of %s is left. That does not end the incident: whoever is on call declares it over, with %s.\n", code(r.Campaign.ID), code("/resolve"))
}

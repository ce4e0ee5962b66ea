package report

import (
	"cmp"
	"fmt"
	"io"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// TextOptions are the settings of NewText. The zero value is ready for use.
type TextOptions struct {
	Color   bool // paint our own words, for a terminal that wants it
	Explain bool // say what codes mean, and what looks like a match and is none
	Proofs  bool // of what was published, say of every version what was proved
	Width   int  // columns; 0 is 80
}

// maxHeld bounds the places, problems and explanations that a Text holds, some 30 MB of
// them. A run with more is listed in parts.
const maxHeld = 50_000

// shownApart is how many findings of a state that is set apart are listed.
const shownApart = 10

// Text renders the stream for a person. Its first line is the answer, which only the
// summary knows, so that nothing is written before it; then follow the hits by campaign,
// the problems by repository, what is set apart, and what was looked at.
//
// A run with more than 50,000 findings and problems is listed in parts as they come. The
// first line then says so, and the answer follows after the last part.
type Text struct {
	page *page
	opt  TextOptions

	run     *finding.Run
	formats map[string]int // files read, by format
	hashed  int            // files compared by digest
	left    leftOut

	hits     hits
	problems []*finding.Problem
	near     nonMatches
	ours     published
	held     int // in hits, problems, near and ours
	parts    int // written before the summary

	apart    map[finding.State]*apart
	excluded []*finding.Problem // the first of them
	done     bool
}

// apart are the findings of a state that is set apart.
type apart struct {
	n     int
	first []*finding.Finding // at most shownApart
}

// NewText returns a renderer that writes to w when the summary comes.
func NewText(w io.Writer, opt TextOptions) *Text {
	return &Text{
		page: newPage(w, opt.Width, opt.Color), opt: opt,
		formats: map[string]int{}, apart: map[finding.State]*apart{},
	}
}

// Event takes an event.
func (r *Text) Event(e finding.Event) error {
	switch e := e.(type) {
	case *finding.Run:
		r.run = e
	case *finding.Finding:
		if e.Type == finding.TypePublished {
			break // the verification of that version says it
		}
		if e.State == finding.Active {
			r.hits.add(e, r.opt.Explain)
			r.held++
			break
		}
		a := r.apart[e.State]
		if a == nil {
			a = &apart{}
			r.apart[e.State] = a
		}
		if a.n++; a.n <= shownApart {
			a.first = append(a.first, e)
		}
	case *finding.Problem:
		switch {
		case e.Exclusion == nil:
			r.problems = append(r.problems, e)
			r.held++
		case len(r.excluded) < shownApart:
			r.excluded = append(r.excluded, e)
		}
	case *finding.NonMatch:
		if r.opt.Explain {
			r.near.add(e)
			r.held++
		}
	case *finding.Verification:
		if r.ours.add(e, r.opt.Proofs) {
			r.held++
		}
	case *finding.Coverage:
		r.left.add(e)
		switch {
		case e.Status == finding.Parsed && e.File != "":
			r.formats[e.Format]++
		case e.Status == finding.Hashed:
			r.hashed++
		}
	case *finding.Summary:
		return r.summary(e)
	default:
		return fmt.Errorf("event of type %T has no form in text", e)
	}
	if r.held >= maxHeld {
		return r.part()
	}
	return nil
}

// Close ends the text. Without a summary it says that there is no answer, and lists what
// is known.
func (r *Text) Close() error {
	if r.done {
		return nil
	}
	return r.summary(nil)
}

// part writes what is held before the answer is known.
func (r *Text) part() error {
	p := r.page
	if r.parts++; r.parts == 1 {
		verdict := "TOO MUCH FOR ONE LIST:"
		switch {
		case len(r.hits.campaigns) > 0 || r.ours.bad():
			verdict = p.paint(red, "HIT:")
		case len(r.problems) > 0:
			verdict = p.paint(yellow, "NOT CLEAN:")
		}
		p.line(verdict + " it is listed in parts, and the answer with its counts follows the last.")
	}
	r.lists()
	r.hits, r.problems, r.near, r.ours, r.held = hits{}, nil, nonMatches{}, published{}, 0
	return p.flush()
}

// lists writes what was found, what was not looked at, and what is no match.
func (r *Text) lists() {
	r.hits.write(r.page, r.opt.Explain)
	r.ours.write(r.page, r.opt.Proofs)
	writeProblems(r.page, r.problems, r.opt.Explain)
	r.near.write(r.page)
}

// summary writes all that is not written yet. s is nil when the sweep did not end.
func (r *Text) summary(s *finding.Summary) error {
	p := r.page
	r.done = true
	if one := r.ours.one(); s != nil && r.run != nil && r.run.Published && len(r.run.Paths) == 0 && one != nil {
		writeOne(p, one)
		return p.flush()
	}
	if r.parts > 0 {
		r.lists()
		p.line("")
	}
	p.line(answer(p, s))
	if s != nil && s.Interrupted {
		p.line("It was interrupted: what is not listed was not looked at.")
	}
	if s != nil && len(s.Canaries.Missed) > 0 {
		p.wrap(p.paint(red, "DO NOT TRUST THIS ANSWER:")+" ", 0, "a planted package was not found, so these formats may hide others: "+words(s.Canaries.Missed, ", "))
	}
	if r.parts == 0 {
		r.lists()
	}
	r.setApart(s)
	if s != nil {
		r.lookedAt(s)
		writeExpired(p, s.Expired)
	}
	return p.flush()
}

// answer is the first line.
func answer(p *page, s *finding.Summary) string {
	if s == nil {
		return p.paint(yellow, "NO ANSWER:") + " the sweep did not end; what follows is what it had found."
	}
	verdict, text := verdictOf(s)
	color := map[string]string{"HIT": red, "CLEAN": green}[verdict]
	return p.paint(cmp.Or(color, yellow), verdict+":") + " " + text
}

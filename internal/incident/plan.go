package incident

import (
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/report"
)

// Input is what a plan is made from.
type Input struct {
	Key          Key
	Organisation string
	Campaign     Campaign // of an id that the catalogue has no more, the id alone
	Previous     *Record  // nil for none
	// Sweep is nil where nothing was swept, and the issue is to show what people did.
	Sweep    *Sweep
	Now      time.Time // without a sweep
	Issue    *Issue    // as it stands; nil for none
	Comments []Comment // of our own author, where there is something to write
	// Owners gives the owners of a file by its repository's CODEOWNERS; nil knows none.
	Owners func(repository, file string) []string
	Stamp  Stamp
	// Commands says that the App listens to comments.
	Commands bool
}

// act is what the sweep, or a person at the issue, did.
func (in Input) act(by Mover) act {
	if in.Sweep != nil {
		return act{by: by, at: in.Sweep.started}
	}
	return act{by: by, at: in.Now}
}

// Planned is what follows from an Input.
type Planned struct {
	// Ahead is to be kept before the actions, Record after them; nil for nothing to keep. What
	// was to be told and is not when the work is broken off follows from Ahead again.
	Ahead, Record *Record
	Actions       []Action
}

// Action is one thing to be written.
type Action struct {
	Kind  ActionKind
	Title string // of Create
	Body  string
	Head  string // of Comment and Part: the first line, by which it is found again
	ID    int64  // of Part: the comment that has it now; 0 makes one
}

// ActionKind is the kind of an Action.
type ActionKind string

// The kinds. Update, Reopen, Close and Dismiss write the issue's text as well as its state.
const (
	Create      ActionKind = "create"
	Update      ActionKind = "update"
	Reopen      ActionKind = "reopen"
	Close       ActionKind = "close"
	Dismiss     ActionKind = "dismiss" // closes without proof
	PostComment ActionKind = "comment"
	WritePart   ActionKind = "part"
)

// noDigest stands in the head of an issue whose further texts are not written yet.
var noDigest = strings.Repeat("0", 64)

// Plan decides what is to be written. It is pure, and one input gives one plan.
func Plan(in Input) Planned {
	rec, h := in.begin()
	if in.Sweep != nil {
		rec.observe(in.Sweep, in.Owners)
	}
	if in.Previous == nil && (in.Sweep == nil || in.Issue == nil && len(rec.Places) == 0) {
		return Planned{}
	}
	rec.Response.Commands = rec.Response.Commands || in.Commands
	ahead := rec.clone()
	rec = rec.clone() // with its strings as a Store gives them back: equal content, equal digest
	p := &planner{in: in, head: h, rec: rec}
	// What a sweep found and nobody was told of is told by the next one.
	tell := in.Sweep != nil || in.Issue == nil
	if tell {
		p.changes = rec.changes()
	}
	if rec.Issue = 0; in.Issue != nil {
		rec.Issue = in.Issue.Number
	}
	p.decide()
	if tell {
		rec.tell()
	}
	rec.Response.Shown = rec.Response.Revision
	return Planned{Ahead: ahead, Record: rec, Actions: p.actions}
}

// begin gives the record to go on with, and the head of the issue's text.
func (in Input) begin() (*Record, head) {
	h := head{state: markOpen}
	if in.Issue != nil {
		if read, ok := in.Key.readHead(in.Organisation, in.Campaign.ID, in.Issue.Body); ok {
			h = read
		}
	}
	if in.Previous != nil {
		rec := in.Previous.clone()
		if in.Campaign.Title != "" || in.Campaign.Severity != "" { // still in the catalogue
			rec.Campaign = in.Campaign
		}
		return rec, h
	}
	rec := &Record{Schema: RecordSchema, Organisation: in.Organisation, Campaign: in.Campaign, State: Open, FirstSeen: in.act(BySweep).at}
	switch {
	case in.Issue == nil:
	case in.Issue.Open:
		rec.Lost = true
	case h.state == markClosed:
		rec.State = Closed
	default:
		rec.State = Dismissed
	}
	rec.Status = rec.State.status()
	rec.Sequence = h.sequence
	return rec, h
}

type planner struct {
	in      Input
	head    head
	rec     *Record
	changes changes
	actions []Action

	reopened bool
}

// create makes the issue. Where its text goes on in comments, it bears no digest before these
// are written.
func (p *planner) create() {
	title := "Wormsweep: " + report.EscapeTitle(p.rec.Campaign.ID) + " in " + report.EscapeTitle(p.rec.Organisation)
	if p.rec.Campaign.Severity != "" {
		title += ", " + report.EscapeTitle(p.rec.Campaign.Severity)
	}
	text, digest := p.texts()
	first := digest
	if len(text.parts) > 0 {
		first = noDigest
	}
	p.add(Action{Kind: Create, Title: title, Body: p.body(text, markOpen, first)})
	if p.parts(text); len(text.parts) > 0 {
		p.add(Action{Kind: Update, Body: p.body(text, markOpen, digest)})
	}
	p.rec.owe(NoticeFirst)
}

// update writes the texts anew if their content changed, and tells in a comment what a person
// has to know.
func (p *planner) update() {
	adopted := p.in.Previous == nil || p.in.Previous.Issue == 0 // its text is what it was made with
	tell := !adopted && p.changes.any()
	cured := p.rec.State == Cured && (p.in.Previous == nil || p.in.Previous.State != Cured)
	if tell {
		p.rec.Sequence++
	}
	if text, digest := p.texts(); digest != p.head.digest {
		p.parts(text)
		p.add(Action{Kind: Update, Body: p.body(text, markOpen, digest)})
	}
	switch {
	case tell && p.reopened:
		p.comment(openedAgain, p.changes)
		p.rec.owe(NoticeChanged)
	case tell && cured:
		p.comment(curedOf(p.rec), p.changes)
		p.rec.owe(NoticeCured)
	case tell:
		p.comment("", p.changes)
		p.rec.owe(NoticeChanged)
	case adopted && !p.rec.Lost:
		p.rec.owe(NoticeFirst) // made before, by a run that did not come to write that down
	}
}

const openedAgain = "Opened again: something was found after this issue was closed.\n"

func (p *planner) reopen() {
	p.rec.Sequence++
	text, digest := p.texts()
	p.parts(text)
	p.add(Action{Kind: Reopen, Body: p.body(text, markOpen, digest)})
	p.comment(openedAgain, p.changes)
	p.rec.owe(NoticeChanged)
}

func (p *planner) close() {
	p.rec.Sequence++
	text, digest := p.texts()
	p.parts(text)
	p.comment(proofOf(p.rec, p.in.Sweep), changes{settled: p.changes.settled})
	p.add(Action{Kind: Close, Body: p.body(text, markClosed, digest)})
	p.rec.owe(NoticeCured)
}

// resolve closes the issue of an incident that a person declared over.
func (p *planner) resolve() {
	p.rec.Response.Closing = false
	text, digest := p.texts()
	p.parts(text)
	if p.rec.State == Closed {
		p.add(Action{Kind: Close, Body: p.body(text, markClosed, digest)})
	} else {
		p.add(Action{Kind: Dismiss, Body: p.body(text, markOpen, digest)})
	}
}

func (p *planner) add(a Action) { p.actions = append(p.actions, a) }

// texts are the texts to be written, and the digest of their content.
func (p *planner) texts() (texts, string) {
	plain := writer{key: p.in.Key, rec: p.rec}
	w := writer{key: p.in.Key, rec: p.rec, ticks: p.ticks(), stamp: &p.in.Stamp}
	return w.render(), plain.render().digest()
}

// body is the text of the issue with its mark.
func (p *planner) body(t texts, state markState, digest string) string {
	return p.in.Key.issueHead(p.rec.Organisation, p.rec.Campaign.ID, head{state, p.rec.Sequence, digest}) + "\n" + t.body
}

// ticks are those that people set, but for repositories with something new.
func (p *planner) ticks() map[string]bool {
	if p.in.Issue == nil {
		return nil
	}
	var names []string
	for _, at := range p.rec.repositories() {
		names = append(names, at.name)
	}
	texts := []string{p.in.Issue.Body}
	for i := range maxParts {
		if c := p.part(i); c != nil {
			texts = append(texts, c.Body)
		}
	}
	ticked := p.in.Key.ticksOf(p.rec.Organisation, p.rec.Campaign.ID, names, texts...)
	for _, place := range p.changes.found {
		delete(ticked, place.Repository)
	}
	return ticked
}

func (p *planner) partHead(i int) string {
	return p.in.Key.commentHead(markPart, p.rec.Organisation, p.rec.Campaign.ID, fmt.Sprint(i))
}

// part is the comment that carries on the issue's text, the i-th of them; nil for none.
func (p *planner) part(i int) *Comment {
	head := p.partHead(i)
	for _, c := range p.in.Comments {
		if marked(c.Body, head) {
			return &c
		}
	}
	return nil
}

// parts brings the comments that carry on the text up to date. One that is not needed any
// more is emptied.
func (p *planner) parts(t texts) {
	for i := range maxParts {
		text, old := "This part of the list is empty now.\n", p.part(i)
		if i < len(t.parts) {
			text = fmt.Sprintf("The list of repositories, part %d of %d.\n\n", i+2, len(t.parts)+1) + t.parts[i]
		} else if old == nil {
			return
		}
		a := Action{Kind: WritePart, Head: p.partHead(i)}
		a.Body = a.Head + "\n" + text
		if old != nil {
			if a.ID = old.ID; strings.ReplaceAll(old.Body, "\r\n", "\n") == a.Body {
				continue
			}
		}
		p.add(a)
	}
}

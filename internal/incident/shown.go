package incident

import (
	"fmt"
	"strings"
	"time"
)

// What a text says of the response: only what was written down, and no times that pass.

// stateText says how far the incident has come, and by whom.
func (r *Record) stateText() string {
	text := string(r.State)
	for i := len(r.Response.Timeline) - 1; i >= 0; i-- {
		e := r.Response.Timeline[i]
		if e.Kind != EntryMoved {
			continue
		}
		if e.To == r.State {
			text += " since " + minute(e.At)
			if e.Who != "" {
				text += ", by " + code(e.Who)
			}
		}
		break
	}
	if r.State == Open && r.Response.Commands {
		text += ": nobody has acknowledged it yet"
	}
	return text
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// onIt is the first step of all.
func (w *writer) onIt() string {
	if w.rec.Response.Commands {
		return "Say that you are on it, even before you know anything: write " + code("/ack") + " in a comment."
	}
	return "Say in a comment that you are on it, even before you know anything."
}

// commands are what a comment may say.
func (w *writer) commands() string {
	if !w.rec.Response.Commands || w.rec.State.over() {
		return ""
	}
	var b strings.Builder
	b.WriteString("For members of the responders' team, each at the very beginning of a comment, before any other text. An edit of a comment does nothing.\n\n")
	for _, c := range []struct{ usage, does string }{
		{"/ack", "you are on it"},
		{"/assign @login", "who leads the response"},
		{"/who-has NAME@VERSION", "which repositories hold it, by the inventory"},
		{"/exposure", "did a CI run install it, and what could that run read"},
		{"/plan", "the plan with its digest and its steps"},
		{"/done STEP what was seen", "a step of the plan is done; what cannot be undone needs two people"},
		{"/undone STEP why", "it is not done after all"},
		{"/contained what was done", "it does not spread any more"},
		{"/answer ci-installed no REASON", "yes, no or unknown to a question of the triage, by the word before it; withdraw takes an answer back; what lowers the scenario is for whoever is on call"},
		{"/false-positive REASON until 2026-12-31", "the places below are no incident, until that day"},
		{"/resolve REASON", "it is over: for whoever is on call; without a reason once it is proven clean"},
	} {
		fmt.Fprintf(&b, "- %s: %s\n", code(c.usage), c.does)
	}
	return b.String()
}

func (w *writer) signals() string {
	l := list{limit: maxSignals}
	for _, s := range w.rec.Response.Signals {
		line := "- " + brief(s.Source) + " " + code(s.Ref)
		if s.Subject != "" {
			line += ", of " + code(s.Subject)
		}
		if !s.At.IsZero() {
			line += ", " + minute(s.At)
		}
		if s.Detail != "" {
			line += ": " + code(s.Detail)
		}
		l.add(line + "\n")
	}
	return l.end("- and %d more")
}

// triage is the verdict.
func (w *writer) triage() string {
	l := list{limit: maxTriage}
	if v := w.rec.Response.Verdict; v != nil {
		line := "**Verdict:** " + brief(v.Scenario)
		if v.Tree != "" {
			line += ", by " + brief(v.Tree)
		}
		if v.Digest != "" {
			line += ", digest " + brief(v.Digest)
		}
		l.add(line + "\n\n")
		for _, q := range v.Open {
			l.add("- " + code(q) + " **Nobody knows yet.**\n")
		}
		path := list{limit: maxTriage / 2}
		for _, s := range v.Path {
			path.add(s.line())
		}
		l.add(path.end("- and %d more lines"))
	}
	return l.end("- and %d more lines")
}

func (s *Step) line() string {
	line := "- "
	if s.ID != "" {
		line += brief(s.ID) + " "
	}
	line += code(s.Question) + ": " + brief(s.Answer)
	switch {
	case s.By != "":
		line += ", by " + brief(s.By) + ": " + code(s.Why)
		if s.Beside != "" {
			line += "; beside it, " + code(s.Beside)
		}
	case s.Source != "":
		line += ", by " + brief(s.Source)
	}
	return line + "\n"
}

// plan is the plan with the name of each step, and who ticked it.
func (w *writer) plan() string {
	p := w.rec.Response.Plan
	if p == nil {
		return w.unplanned("There is no plan yet.")
	}
	l := list{limit: maxPlan}
	if line := w.unplanned("The plan may lack what is new."); line != "" {
		l.add(line + "\n")
	}
	l.add(fmt.Sprintf("**Plan:** %s of %s, digest %s\n\n", brief(p.Kind), count(p.Steps, "step", "steps"), brief(p.Digest)))
	for _, s := range p.Items {
		line := "- " + code(s.ID)
		if words := w.rec.tickWords(s); words != "" {
			line += ", **" + code(words) + "**"
		}
		l.add(line + ": " + code(s.Text) + "\n")
	}
	missing := list{limit: maxPlan / 4}
	for _, line := range p.Summary {
		missing.add("- " + code(line) + "\n")
	}
	return l.end("- and %d more steps, which `/plan` shows") + missing.end("- and %d more lines, which `/plan` shows")
}

// unplanned says what follows from a plan that could not be made, since when and why; "" where it could, or
// nothing is to be done any more.
func (w *writer) unplanned(follows string) string {
	u := w.rec.Response.Unplanned
	if u == nil || w.rec.State.over() {
		return ""
	}
	return "**" + follows + "** Since " + minute(u.Since) + " it cannot be made, and is tried again: " + code(u.Why) + "\n"
}

// kept lists the evidence.
func (w *writer) kept() string {
	l := list{limit: maxKept, left: w.rec.Response.More}
	more := l.left
	l.left = 0
	for _, e := range w.rec.Response.Evidence {
		line := "- " + code(e.What) + " in " + code(e.Where) + ", sha256 " + code(e.SHA256)
		if e.Bytes > 0 {
			line += fmt.Sprintf(", %d bytes", e.Bytes)
		}
		if e.By != "" {
			line += ", by " + brief(e.By)
		}
		if !e.At.IsZero() {
			line += ", " + minute(e.At)
		}
		l.add(line + "\n")
	}
	l.left += more
	return l.end("- and %d more, which the record has")
}

// timeline lists the first entries and the last, and counts those between them.
func (w *writer) timeline() string {
	all := w.rec.Response.Timeline
	const first = 5
	head, tail := list{limit: maxTimeline / 4}, []string{}
	for _, e := range all[:min(first, len(all))] {
		head.add(e.line())
	}
	shown := min(first, len(all)) - head.left
	size := 0
	for i := len(all) - 1; i >= shown; i-- {
		line := all[i].line()
		if size += len(line); size > maxTimeline*3/4 {
			break
		}
		tail = append(tail, line)
	}
	var b strings.Builder
	b.WriteString(head.b.String())
	if between := len(all) - shown - len(tail); between > 0 {
		fmt.Fprintf(&b, "- %s between\n", count(between, "entry", "entries"))
	}
	for i := len(tail) - 1; i >= 0; i-- {
		b.WriteString(tail[i])
	}
	if n := w.rec.Response.Unlisted; n > 0 {
		fmt.Fprintf(&b, "- and %s more, which were not kept\n", count(n, "entry", "entries"))
	}
	return b.String()
}

// entryWords say what the kinds of entries are about.
var entryWords = map[EntryKind]string{
	EntryFound: "found", EntrySettled: "settled", EntrySignal: "signal", EntryOwner: "owner", EntryVerdict: "verdict", EntryAnswer: "answer", EntryPlan: "plan",
	EntryDone: "step done", EntryUndone: "step not done",
	EntryEvidence: "evidence kept", EntryExcluded: "false positive", EntryRefused: "refused", EntryTold: "told",
}

// moverWords say by whom, where no login does.
var moverWords = map[Mover]string{BySweep: "by a sweep", ByHand: "by a person, at the issue", ByProgram: "by the program"}

func (e *Entry) line() string {
	line := "- " + minute(e.At) + " "
	if e.Kind == EntryMoved {
		line += fmt.Sprintf("%s, was %s", e.To, e.From)
	} else {
		line += entryWords[e.Kind]
	}
	switch {
	case e.Who != "":
		line += ", by " + brief(e.Who)
	case e.Kind == EntryMoved:
		line += ", " + moverWords[e.By]
	}
	if e.Text != "" {
		line += ": " + code(e.Text)
	}
	return line + "\n"
}

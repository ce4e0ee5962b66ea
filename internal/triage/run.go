package triage

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Verdict is what a triage came to.
type Verdict struct {
	// TreeVersion and TreeDigest name the tree that was walked.
	TreeVersion int    `json:"tree_version"`
	TreeDigest  string `json:"tree_digest"`
	Signal      string `json:"signal,omitempty"` // the signal's ID

	// Scenario is the gravest that was reached: C, B, D, A, pin, none. It is none only where
	// nothing is open; Undecided is never "not an incident".
	Scenario  Scenario   `json:"scenario"`
	Scenarios []Scenario `json:"scenarios,omitempty"` // all that were reached, the gravest first
	// Final says that nothing is open. Of pin it means: not an incident.
	Final bool `json:"final"`

	Path       []Step     `json:"path"`               // the questions, in the order in which they were asked
	Outcomes   []Outcome  `json:"outcomes,omitempty"` // in the order in which they were reached
	Open       []Question `json:"open,omitempty"`
	Page       []Role     `json:"page,omitempty"` // who is paged, once each
	PostMortem bool       `json:"post_mortem,omitempty"`
}

// Step is a question that was asked.
type Step struct {
	Node     string `json:"node"`
	Ref      string `json:"ref,omitempty"`
	Question string `json:"question"`
	Answer   Answer `json:"answer"` // the one that counts
	// Beside are the other answers that there are: of data, of the signal, and of persons who
	// were overruled.
	Beside []Answer `json:"beside,omitempty"`
	Next   []string `json:"next"` // nodes; empty where this line of questions ends
}

// Outcome is an outcome that was reached.
type Outcome struct {
	Node     string        `json:"node"`
	Ref      string        `json:"ref,omitempty"`
	From     string        `json:"from"` // the node that led to it; "" for the tree's otherwise
	Scenario Scenario      `json:"scenario"`
	Action   string        `json:"action"`
	Page     []Role        `json:"page,omitempty"`
	Within   time.Duration `json:"within,omitempty"`
	Due      time.Time     `json:"due,omitzero"` // Within after the signal; zero where its time is not known
}

// Question is one that is open.
type Question struct {
	Node   string        `json:"node"`
	Ref    string        `json:"ref,omitempty"`
	Text   string        `json:"text"`
	Why    string        `json:"why,omitempty"` // why data does not answer it
	Ask    []Role        `json:"ask"`           // who has to answer it
	Within time.Duration `json:"within"`
	Due    time.Time     `json:"due,omitzero"`
}

// Run walks the tree. Everything that an answer leads to is asked, each node once, in the order
// in which it is reached.
func Run(t *Tree, s Signal, facts Facts) Verdict {
	w := &walk{tree: t, signal: &s, facts: facts, seen: map[string]bool{}}
	w.TreeVersion, w.TreeDigest, w.Signal, w.Path = t.Version, t.Digest, s.ID, []Step{}
	w.next("", t.Start)
	for len(w.todo) > 0 {
		at := w.todo[0]
		w.todo = w.todo[1:]
		if n := t.at[at.id]; n.IsQuestion() {
			w.ask(n)
		} else {
			w.reach(n, at.from)
		}
	}
	if len(w.Outcomes) == 0 {
		w.reach(t.at[t.Otherwise], "")
	}
	return w.verdict()
}

type walk struct {
	Verdict
	tree   *Tree
	signal *Signal
	facts  Facts
	seen   map[string]bool
	todo   []reached
}

// reached is a node, and the one that led to it.
type reached struct{ id, from string }

func (w *walk) next(from string, ids []string) {
	for _, id := range ids {
		if id != End && !w.seen[id] {
			w.seen[id] = true
			w.todo = append(w.todo, reached{id, from})
		}
	}
}

func (w *walk) due(within time.Duration) time.Time {
	if w.signal.FirstSeen.IsZero() || within == 0 {
		return time.Time{}
	}
	return w.signal.FirstSeen.UTC().Add(within)
}

func (w *walk) ask(n *Node) {
	step := Step{Node: n.ID, Ref: n.Ref, Question: n.Question, Next: []string{}}
	step.Answer, step.Beside = answer(n, w.signal, w.facts[n.ID])
	if next := n.Branch(step.Answer.Truth); next[0] != End {
		step.Next = slices.Clone(next)
	}
	w.Path = append(w.Path, step)
	if step.Answer.Truth == Unknown {
		w.Open = append(w.Open, Question{n.ID, n.Ref, n.Question, step.Answer.Detail, slices.Clone(n.Ask), n.Deadline, w.due(n.Deadline)})
	}
	w.next(n.ID, n.Branch(step.Answer.Truth))
}

func (w *walk) reach(n *Node, from string) {
	w.Outcomes = append(w.Outcomes, Outcome{n.ID, n.Ref, from, n.Scenario, n.Action, slices.Clone(n.Page), n.Deadline, w.due(n.Deadline)})
	for _, role := range n.Page {
		if !slices.Contains(w.Page, role) {
			w.Page = append(w.Page, role)
		}
	}
	if n.Scenario != Undecided && !slices.Contains(w.Scenarios, n.Scenario) {
		w.Scenarios = append(w.Scenarios, n.Scenario)
	}
	w.PostMortem = w.PostMortem || n.PostMortem
	w.next(n.ID, n.Then)
}

func (w *walk) verdict() Verdict {
	v := w.Verdict
	v.Final = len(v.Open) == 0
	slices.SortFunc(v.Scenarios, func(a, b Scenario) int { return cmp.Compare(b, a) })
	if len(v.Scenarios) > 0 {
		v.Scenario = v.Scenarios[0]
	}
	if v.Scenario == None && !v.Final {
		v.Scenario = Undecided
	}
	return v
}

// answer gives the answer that counts, and those beside it: the last of a person, or else the
// first that says yes or no of those that are automatic.
func answer(n *Node, s *Signal, r Record) (counts Answer, beside []Answer) {
	var automatic []Answer
	if n.Auto.Data {
		a := r.Data
		if a == (Answer{}) {
			a.Detail = "no data says"
		}
		automatic = append(automatic, a)
	}
	automatic = append(automatic, n.Auto.signal(s)...)
	i := max(0, slices.IndexFunc(automatic, func(a Answer) bool { return a.Truth != Unknown }))
	switch {
	case len(r.Persons) > 0:
		last := len(r.Persons) - 1
		return r.Persons[last], append(automatic, r.Persons[:last]...)
	case len(automatic) == 0:
		return Answer{Detail: "a person answers it"}, nil
	}
	counts = automatic[i]
	return counts, slices.Delete(automatic, i, i+1)
}

// signal gives what the signal itself answers, as far as it says something.
func (a *Auto) signal(s *Signal) []Answer {
	var out []Answer
	for _, p := range []struct {
		what, word string
		*Predicate
	}{
		{"alert", s.AlertID, &a.Alert},
		{"source", string(s.Source), &a.Source},
		{"subject", string(s.Subject.Kind), &a.Subject},
	} {
		switch {
		case p.word == "":
		case slices.Contains(p.Yes, p.word):
			out = append(out, Said(SourceSignal, true, "its %s is %.100q", p.what, p.word))
		case slices.Contains(p.No, p.word) || p.ElseNo:
			out = append(out, Said(SourceSignal, false, "its %s is %.100q", p.what, p.word))
		}
	}
	if a.Severity != NoSeverity && s.Severity != NoSeverity {
		out = append(out, Said(SourceSignal, s.Severity >= a.Severity, "its severity is %s", s.Severity))
	}
	// A package whose purl is not known may be any.
	if kind := s.Subject.Kind; a.Lacks != "" && kind != "" && s.Subject.Part(a.Lacks) == "" && !slices.Contains(identifying[kind], a.Lacks) {
		out = append(out, Said(SourceSignal, false, "its subject is a %.40s and names no %s", kind, a.Lacks))
	}
	return out
}

// Closing is somebody's wish to end a triage.
type Closing struct {
	By     string    `json:"by"`
	Roles  []Role    `json:"roles"`  // that they have
	Reason string    `json:"reason"` // in their words
	Link   string    `json:"link"`   // to the ticket or change that shows it
	At     time.Time `json:"at"`
}

// ErrClose is wrapped by the errors of MayClose.
var ErrClose = errors.New("not to be closed")

// MayClose says why a closing is refused: by somebody who may not, without reason or link, or
// while a question is open. Nil is that it may be.
func (t *Tree) MayClose(v *Verdict, c Closing) error {
	if strings.TrimSpace(c.By) == "" || c.At.IsZero() {
		return fmt.Errorf("%w: by nobody", ErrClose)
	}
	if !slices.ContainsFunc(c.Roles, func(r Role) bool { return slices.Contains(t.Close.Roles, r) }) {
		return fmt.Errorf("%w: %.100q has none of the roles %v", ErrClose, c.By, t.Close.Roles)
	}
	if strings.TrimSpace(c.Reason) == "" {
		return fmt.Errorf("%w: without a reason", ErrClose)
	}
	if u, err := url.Parse(c.Link); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%w: without a link, an https address", ErrClose)
	}
	if len(v.Open) > 0 {
		return fmt.Errorf("%w: %d questions are open, the first: %s", ErrClose, len(v.Open), v.Open[0].Text)
	}
	return nil
}

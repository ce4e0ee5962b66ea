package incident

import (
	"fmt"
	"slices"
	"time"
)

// State is how far an incident has come.
type State string

// The states. The first four are those of an incident that goes on.
const (
	Open         State = "open"         // found, and nobody has said yet that they are on it
	Acknowledged State = "acknowledged" // a responder is on it
	Contained    State = "contained"    // it does not spread any more; it is not gone
	Cured        State = "cured"        // proven gone; a person has yet to declare it over
	Closed       State = "closed"       // over, with proof
	Dismissed    State = "dismissed"    // over by the word of a person, without proof
)

// States are all of them, in the order in which an incident goes through them.
var States = []State{Open, Acknowledged, Contained, Cured, Closed, Dismissed}

// over reports whether nobody is to do anything any more.
func (s State) over() bool { return s == Closed || s == Dismissed }

// status is the word for a state in the three of earlier releases, which read records as well.
func (s State) status() State {
	if s.over() {
		return s
	}
	return Open
}

// Mover is what moves an incident from state to state.
type Mover string

// The movers.
const (
	BySweep     Mover = "sweep"     // by what it found, or proved
	ByHand      Mover = "hand"      // whoever closed or opened the issue itself
	ByResponder Mover = "responder" // a member of the responders' team, by a command
	ByOnCall    Mover = "on-call"   // who is on call, by a command: may all that a responder may
	ByProgram   Mover = "program"   // triage, with a signal; or what carried out a part of a plan, and looked that it holds
)

// moves are all that there are; of any other, nothing becomes.
var moves = []struct {
	from, to State
	by       []Mover
}{
	{Open, Acknowledged, []Mover{ByResponder, ByOnCall}},
	{Open, Contained, []Mover{ByResponder, ByOnCall, ByProgram}},
	{Open, Cured, []Mover{BySweep}},
	{Open, Dismissed, []Mover{ByOnCall, ByHand}},

	{Acknowledged, Contained, []Mover{ByResponder, ByOnCall, ByProgram}},
	{Acknowledged, Cured, []Mover{BySweep}},
	{Acknowledged, Dismissed, []Mover{ByOnCall, ByHand}},

	{Contained, Acknowledged, []Mover{BySweep}}, // more was found
	{Contained, Cured, []Mover{BySweep}},
	{Contained, Dismissed, []Mover{ByOnCall, ByHand}},

	{Cured, Open, []Mover{BySweep, ByProgram}},  // found again, or a new signal
	{Cured, Closed, []Mover{BySweep, ByOnCall}}, // a sweep where no person is needed: Record.needsPerson
	{Cured, Dismissed, []Mover{ByHand}},

	{Closed, Open, []Mover{BySweep, ByHand, ByProgram}},
	{Dismissed, Open, []Mover{BySweep, ByHand, ByProgram}},
}

// MayMove reports whether a mover may move an incident so.
func MayMove(from, to State, by Mover) bool {
	for _, m := range moves {
		if m.from == from && m.to == to {
			return slices.Contains(m.by, by)
		}
	}
	return false
}

// MoveError says that an incident cannot be moved so.
type MoveError struct {
	From, To State
	By       Mover
}

func (e *MoveError) Error() string {
	return fmt.Sprintf("an incident that is %s does not become %s by the %s", e.From, e.To, e.By)
}

// act is who does something to an incident, when and why.
type act struct {
	by      Mover
	who     string // login of a person; "" for whoever it was, and for a program
	at      time.Time
	why     string
	comment int64 // that said so; 0 for none
}

// move takes the record to another state, and writes down who did it and when.
func (r *Record) move(to State, a act) error {
	if !MayMove(r.State, to, a.by) {
		return &MoveError{r.State, to, a.by}
	}
	from := r.State
	r.State, r.Status = to, to.status()
	if to == Open { // it begins again
		r.Response.Episode++
		r.Response.Noticed, r.Response.Escalated, r.Response.Overdue = time.Time{}, 0, false
		r.forget(a.at)
	}
	r.Response.Since = a.at
	r.log(Entry{At: a.at, Kind: EntryMoved, From: from, To: to, By: a.by, Who: a.who, Text: a.why, Comment: a.comment})
	return nil
}

// must is for moves that the table has.
func (r *Record) must(to State, a act) {
	if err := r.move(to, a); err != nil {
		panic(err) // a broken invariant: the test of the table holds each
	}
}

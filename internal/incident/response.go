package incident

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/respond"
)

// Response is what people and programs do about an incident. Records of earlier releases have
// none, and go on with the zero value.
type Response struct {
	// Revision counts the changes of what follows, and Shown is the last that the text has.
	Revision int `json:"revision,omitempty"`
	Shown    int `json:"shown,omitempty"`
	// Episode counts how often the incident was opened again.
	Episode int `json:"episode,omitempty"`

	Since     time.Time `json:"since,omitzero"`      // of the state
	Noticed   time.Time `json:"noticed,omitzero"`    // when people could first read of it: the clock of acknowledging starts
	Escalated int       `json:"escalated,omitempty"` // how many roles beyond the first were told
	Overdue   bool      `json:"overdue,omitempty"`   // it was told that nobody declares it over
	// Closing says that a person resolved it by a command, and the issue is not closed yet.
	Closing bool `json:"closing,omitempty"`
	// Reopening says that a new signal came after the issue was closed, and it is not open yet.
	Reopening bool `json:"reopening,omitempty"`
	// Commands says that the App listens to comments: the text names the commands.
	Commands bool `json:"commands,omitempty"`

	Owner    string    `json:"owner,omitempty"`    // login of who leads the response
	Assigned string    `json:"assigned,omitempty"` // the owner whom the issue was assigned to
	Signals  []Signal  `json:"signals,omitempty"`
	Triaged  []Triaged `json:"triaged,omitempty"`
	Beyond   string    `json:"beyond,omitempty"`  // the gravest scenario of what is not among Triaged; "" where all is
	Verdict  *Verdict  `json:"verdict,omitempty"` // of all that is triaged
	Plan     *PlanRef  `json:"plan,omitempty"`
	// Unplanned says why there is no plan, or why the one that is there could not be made again; nil where
	// the last one that was tried could be made, or nothing is to be planned.
	Unplanned *Unplanned `json:"unplanned,omitempty"`
	// Ticks are responders' words that steps of the plan are done. Those of a step that was changed
	// since are kept, and count for nothing.
	Ticks    respond.Ticks `json:"ticks,omitempty"`
	Evidence []Evidence    `json:"evidence,omitempty"`
	More     int           `json:"more_evidence,omitempty"` // pieces beyond MaxEvidence

	Timeline []Entry   `json:"timeline,omitempty"`
	Unlisted int       `json:"unlisted,omitempty"` // entries beyond the limits
	Handled  []Handled `json:"handled,omitempty"`
	Outbox   []Owed    `json:"outbox,omitempty"`
}

// Limits of a response.
const (
	MaxSignals  = 100
	maxSeen     = 50
	MaxEvidence = 200
	MaxSteps    = 1_000 // of a plan
	MaxTicks    = 1_000
	MaxTimeline = 1_000 // entries
	MaxRefusals = 50    // of these, entries of commands that were refused
	maxHandled  = 1_000
	maxOutbox   = 50
)

// Signal is something that points to an incident beside what a sweep finds. An incident with a
// signal is declared over by a person alone.
type Signal struct {
	Source  string    `json:"source"`         // "secret-scanning", "registry"
	Ref     string    `json:"ref"`            // names it there; two of one source and ref are one
	Seen    []string  `json:"seen,omitempty"` // what it was noticed by: the last of them, at most maxSeen
	Subject string    `json:"subject,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Verdict is what triage decided.
type Verdict struct {
	Scenario string   `json:"scenario"`       // "C", "not ours"
	Tree     string   `json:"tree,omitempty"` // which tree, with its version
	Digest   string   `json:"digest,omitempty"`
	Path     []Step   `json:"path,omitempty"` // the questions in the order in which they were asked, thing after thing, the gravest first
	Open     []string `json:"open,omitempty"` // questions that nobody has answered
	// CloseOut says that a person has to declare the incident over: what proves repositories clean
	// does not prove that nothing was stolen.
	CloseOut bool      `json:"close_out,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// Step is a question of the triage and its answer, or, where there are several things, the name of one
// and its scenario before its questions.
type Step struct {
	ID       string `json:"id,omitempty"` // as a command has it: "ci-installed#2"; "#2" before the questions of a thing
	Question string `json:"question"`
	Answer   string `json:"answer"`           // "yes", "no", "unknown"
	Source   string `json:"source,omitempty"` // of the answer
	By       string `json:"by,omitempty"`     // login of a person who answered; Why is the reason
	Why      string `json:"why,omitempty"`
	Beside   string `json:"beside,omitempty"` // what else was said, of an answer by a person
}

// PlanRef is the plan that is on the table.
type PlanRef struct {
	Kind    string     `json:"kind"`
	Digest  string     `json:"digest"`
	With    []string   `json:"with,omitempty"` // digests of plans that go with it
	Steps   int        `json:"steps,omitempty"`
	Items   []PlanStep `json:"items,omitempty"`   // the steps, those of With behind its own
	Summary []string   `json:"summary,omitempty"` // a few lines more: what is not known
	At      time.Time  `json:"at,omitzero"`
	// Open says that something of it is not known, and may be told when it is asked again.
	Open bool `json:"open,omitempty"`
}

// Unplanned is that the plan of an incident cannot be made.
type Unplanned struct {
	Since time.Time `json:"since"`
	Why   string    `json:"why"` // it could not be made then
}

// PlanStep is a step of a plan.
type PlanStep struct {
	ID     string `json:"id"`     // the name that a tick is for
	Digest string `json:"digest"` // changes with everything that the step says
	Text   string `json:"text"`
	People int    `json:"people,omitempty"` // how many must tick it; 0 is one
}

// Evidence is something that was kept.
type Evidence struct {
	What   string    `json:"what"`
	Where  string    `json:"where"`
	SHA256 string    `json:"sha256"` // hex
	Bytes  int64     `json:"bytes,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// Handled is a comment whose commands were carried out, or refused.
type Handled struct {
	Comment int64     `json:"comment"`
	At      time.Time `json:"at"`
	Edited  bool      `json:"edited,omitempty"` // it was an edit of the comment, and refused
	// Answers are what there is to be said, by command. "" is answered anew when it is asked for:
	// the command was a question.
	Answers []string `json:"answers,omitempty"`
	Silent  bool     `json:"silent,omitempty"` // nothing is answered
}

// Owed is a notice that the chat has not been told yet.
type Owed struct {
	Sequence int    `json:"sequence"` // names it: the revision at which it was owed
	Notice   Notice `json:"notice"`
}

// EntryKind is the kind of an Entry.
type EntryKind string

// The kinds.
const (
	EntryMoved    EntryKind = "moved" // From, To and By are set
	EntryFound    EntryKind = "found"
	EntrySettled  EntryKind = "settled"
	EntrySignal   EntryKind = "signal"
	EntryOwner    EntryKind = "owner"
	EntryVerdict  EntryKind = "verdict"
	EntryAnswer   EntryKind = "answer"
	EntryPlan     EntryKind = "plan"
	EntryDone     EntryKind = "done"   // a step of the plan, by somebody's word
	EntryUndone   EntryKind = "undone" // not done after all
	EntryEvidence EntryKind = "evidence"
	EntryExcluded EntryKind = "excluded"
	EntryRefused  EntryKind = "refused"
	EntryTold     EntryKind = "told" // somebody was told, by the clock
)

// Entry is a line of the timeline. Entries are only ever added.
type Entry struct {
	At      time.Time `json:"at"`
	Kind    EntryKind `json:"kind"`
	From    State     `json:"from,omitempty"`
	To      State     `json:"to,omitempty"`
	By      Mover     `json:"by,omitempty"`
	Who     string    `json:"who,omitempty"`  // login
	Text    string    `json:"text,omitempty"` // may be from outside
	Comment int64     `json:"comment,omitempty"`
}

// maxEntry bounds the text of an entry, in bytes.
const maxEntry = 500

// log adds an entry. Where the timeline is full it is counted; what is refused has a small part of
// it, so that nobody fills it from outside.
func (r *Record) log(e Entry) {
	p := &r.Response
	p.Revision++
	e.At, e.Text = e.At.UTC(), clipped(e.Text, maxEntry)
	full := len(p.Timeline) >= MaxTimeline
	if e.Kind == EntryRefused {
		full = full || r.refusals() >= MaxRefusals
	}
	if full {
		p.Unlisted++
		return
	}
	p.Timeline = append(p.Timeline, e)
}

func (r *Record) refusals() (n int) {
	for _, e := range r.Response.Timeline {
		if e.Kind == EntryRefused {
			n++
		}
	}
	return n
}

// handled gives what was written down of a comment; nil for nothing.
func (r *Record) handled(comment int64, edited bool) *Handled {
	for i := range r.Response.Handled {
		if h := &r.Response.Handled[i]; h.Comment == comment && h.Edited == edited {
			return h
		}
	}
	return nil
}

// handle writes down what came of a comment. The oldest are forgotten: comments of their age are
// refused by it.
func (r *Record) handle(h Handled) {
	p := &r.Response
	p.Handled = append(p.Handled, h)
	if n := len(p.Handled); n > maxHandled {
		p.Handled = p.Handled[n-maxHandled:]
	}
}

// tellLater owes the chat a notice of what just came to pass.
func (r *Record) tellLater(n Notice) {
	p := &r.Response
	p.Outbox = append(p.Outbox, Owed{p.Revision, n})
	if n := len(p.Outbox); n > maxOutbox {
		p.Outbox = p.Outbox[n-maxOutbox:]
	}
}

// needsPerson reports whether a person has to declare the incident over, whatever is proven.
func (r *Record) needsPerson() bool {
	p := &r.Response
	return len(p.Signals) > 0 || p.Escalated > 0 || p.Verdict != nil && p.Verdict.CloseOut
}

// clipped is s of at most so many bytes, cut between characters, and valid UTF-8.
func clipped(s string, most int) string {
	s = utf8(s)
	if len(s) <= most {
		return s
	}
	const mark = "..."
	n := most - len(mark)
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + mark
}

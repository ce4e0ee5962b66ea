// Package respond makes plans: what is to be done about a finding, step by step, with the
// commands filled in, what cannot be undone, and what is not known.
//
// There are two. PinPlan is for a package of somebody else's: each repository goes back to the
// last version that is known to be good. ScenarioC is for a package of ours: what we published, or
// somebody published in our name, is taken back as far as its registry lets it be.
//
// A Plan is plain data. It is made of facts that the caller has, and this package asks nobody,
// reads no clock, writes nothing and runs nothing. The same facts give the same plan, and the same
// Digest. What was not asked is Unknown, and is never taken for a good answer: a version of which
// something is unknown is no version to pin, and a command with a blank is withheld.
//
// Strings of a plan come from repositories, registries and lists. They are data in it; the
// renderers (Text, Markdown, JSON) make them inert.
package respond

import (
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Form is the version of a plan's form, in Plan.Form. Under one version fields are added and
// none changes its meaning.
const Form = 1

// Plan is what is to be done. Its JSON form is a contract: docs/schemas/plan.json.
type Plan struct {
	Form    int        `json:"form"` // Form
	Kind    Kind       `json:"kind"`
	Title   string     `json:"title"` // one line, in our words
	About   []Subject  `json:"about"`
	Basis   []Basis    `json:"basis"`             // the facts that it is made of
	Missing []Missing  `json:"missing,omitempty"` // what is not known, or not a matter of this plan
	Steps   []Step     `json:"steps"`             // in the order in which they are done
	Checks  []Check    `json:"checks,omitempty"`  // of a clean new version
	Drafts  []Document `json:"drafts,omitempty"`  // for a person to read, change and send
}

// Kind is a kind of plan.
type Kind string

// The kinds.
const (
	Pin        Kind = "pin"        // not ours
	Withdrawal Kind = "scenario-c" // ours
)

// Subject is what a plan is about: a version of a package or artifact, or a campaign of the
// catalogue.
type Subject struct {
	Campaign  string              `json:"campaign,omitempty"`
	Ecosystem ecosystem.Ecosystem `json:"ecosystem,omitempty"`
	Kind      string              `json:"kind,omitempty"` // of an artifact of ours: "npm", "oci"
	Name      string              `json:"name,omitempty"`
	Version   string              `json:"version,omitempty"`
	PURL      string              `json:"purl,omitempty"`
	Digest    string              `json:"digest,omitempty"` // algorithm:hex, where it is known
	Why       []string            `json:"why,omitempty"`    // a line each
}

// Basis is a fact, and who said so.
type Basis struct {
	What   string `json:"what"`
	Source string `json:"source"`
}

// Missing is something that the plan cannot say, and why.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
	// Repository and File are where it is missing, where that is one place.
	Repository string `json:"repository,omitempty"`
	File       string `json:"file,omitempty"`
}

// Class says who does a step. The words are those of every action of this product.
type Class string

// The classes. Whatever the class, a step is done when its probe says so: a fresh read from the
// origin, and not the answer to the act.
const (
	Automatic Class = "A" // automatic, after its gates
	Workflow  Class = "W" // in the yank-runner workflow alone, where the credential lives
	Human     Class = "H" // a person, by the link; then the probe
)

// Step is one thing to do.
type Step struct {
	ID    string `json:"id"`    // unique in the plan, and the same in every plan about the same thing
	Title string `json:"title"` // one line
	Class Class  `json:"class"`
	Why   string `json:"why,omitempty"`
	Link  string `json:"link,omitempty"` // https, for a person

	// Irreversible says what cannot be undone; "" where it can. Such a step needs two people.
	Irreversible string `json:"irreversible,omitempty"`
	// Deadline is when it can no longer be done, or not in this way.
	Deadline *Deadline `json:"deadline,omitempty"`
	// After are the ids of steps that come first: until they are done this one must not begin.
	After []string `json:"after,omitempty"`
	Gates []Gate   `json:"gates,omitempty"` // all of them must say yes
	// Refused is why it must not, or cannot, be done at all: it is in the plan so that nobody
	// tries. Such a step has no command, and is not waited for.
	Refused string `json:"refused,omitempty"`

	Edits    []Edit    `json:"edits,omitempty"`
	Commands []Command `json:"commands,omitempty"`
	Probe    Probe     `json:"probe"`
	Notes    []string  `json:"notes,omitempty"`

	// Repository is where the step is done, where it is done in one; Choice is what it puts there.
	Repository string  `json:"repository,omitempty"`
	Choice     *Choice `json:"choice,omitempty"`
}

// People is how many must tick the step.
func (s *Step) People() int {
	if s.Irreversible != "" {
		return 2
	}
	return 1
}

// Deadline is the end of the time in which something can be done.
type Deadline struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// Gate is a question that must be answered with yes before a step.
type Gate struct {
	ID       string `json:"id"`
	Question string `json:"question"`
	Answer   Answer `json:"answer"`
	Detail   string `json:"detail,omitempty"` // what was seen, or why it is not known
	// Until is when a yes becomes a no; nil: never.
	Until *time.Time `json:"until,omitempty"`
}

// At is the answer at a time.
func (g *Gate) At(now time.Time) Answer {
	if g.Answer == Yes && g.Until != nil && !now.Before(*g.Until) {
		return No
	}
	return g.Answer
}

// Probe says how it is seen that a step is done.
type Probe struct {
	Text    string   `json:"text"`
	Command *Command `json:"command,omitempty"` // it changes nothing
}

// Edit is a change of a file: which place is wrong, and what should stand there. Nothing here
// makes it.
type Edit struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"` // 0 where it is in no one line
	What string `json:"what"`           // what the file is: "lockfile", "manifest"
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Add is a text to be put in where there is none, as it stands in the file.
	Add string `json:"add,omitempty"`
	How string `json:"how,omitempty"` // "by the command", "by hand"
}

// Check is one condition of a clean new version. A machine can answer each.
type Check struct {
	ID     string   `json:"id"`
	Text   string   `json:"text"`
	Answer Answer   `json:"answer"`
	Detail string   `json:"detail,omitempty"`
	Values []string `json:"values,omitempty"` // what it is held against: versions that are taken
}

// Document is a draft.
type Document struct {
	ID      string   `json:"id"` // its name as a file: "advisory-sdk.json"
	Title   string   `json:"title"`
	Media   string   `json:"media"` // "application/json", "text/plain"
	Text    string   `json:"text"`
	Blanks  []string `json:"blanks,omitempty"` // what a person has to fill in
	Send    Class    `json:"send"`             // who sends it
	Where   string   `json:"where"`            // where it goes
	Refused string   `json:"refused,omitempty"`
}

// Answer is the answer to a question; nobody asked is Unknown, never No.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

var answers = [...]string{Unknown: "unknown", No: "no", Yes: "yes"}

// String is "unknown", "no" or "yes".
func (a Answer) String() string {
	if int(a) < len(answers) {
		return answers[a]
	}
	return answers[Unknown]
}

// MarshalText gives the word of String.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads it, and no other word.
func (a *Answer) UnmarshalText(text []byte) error {
	for i, word := range answers {
		if word == string(text) {
			*a = Answer(i)
			return nil
		}
	}
	return fmt.Errorf("%.40q is no answer: want unknown, no or yes", text)
}

func said(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

package triage

import (
	_ "embed"
	"fmt"
	"sync"
	"time"
)

// Scenario is where a signal leads.
type Scenario uint8

// The scenarios, in rising order of what they ask for. The zero value is that it is not decided.
const (
	Undecided Scenario = iota
	None               // not an incident
	Pin                // not ours, and nobody ran it: the known-good version is pinned
	A                  // a workstation is compromised
	D                  // a pod of the cluster is
	B                  // a CI runner is
	C                  // a package that we published is
)

var scenarios = [...]string{"undecided", "none", "pin", "A", "D", "B", "C"}

// String is the scenario's word: "undecided", "none", "pin", "A", "B", "C" or "D".
func (s Scenario) String() string { return scenarios[min(s, C)] }

// MarshalText gives the word of String.
func (s Scenario) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the words of String.
func (s *Scenario) UnmarshalText(text []byte) error {
	for i, word := range scenarios {
		if word == string(text) {
			*s = Scenario(i)
			return nil
		}
	}
	return fmt.Errorf("%.40q is no scenario", text)
}

// Role is who has to do something: a key of Tree.Roles.
type Role string

// RoleText says who has a role.
type RoleText struct {
	ID   Role
	Text string
}

// Tree is a decision tree. It comes out of Parse, which holds it to its rules.
type Tree struct {
	Version   int
	Title     string
	Roles     []RoleText
	Start     []string // what is asked of every signal
	Otherwise string   // the outcome where no other is reached and nothing is open
	Nodes     []Node   // in the order of the file
	Close     CloseRule
	Digest    string // "sha256:HEX" of the file

	at map[string]*Node
}

// Node is a question, or an outcome.
type Node struct {
	ID  string
	Ref string // of the runbook: "T2a"

	// Of a question:
	Question string
	Auto     Auto
	Ask      []Role        // who answers where no data does
	Deadline time.Duration // until when, after the signal; of an outcome, until when its action is begun
	// Where the walk goes on, all of it. End alone is nowhere.
	Yes, No, Unknown []string

	// Of an outcome:
	Action     string
	Scenario   Scenario
	Page       []Role
	PostMortem bool
	Then       []string // questions that it leads to
}

// End in a branch says that it leads nowhere else.
const End = "end"

// IsQuestion reports whether the node is a question.
func (n *Node) IsQuestion() bool { return n.Question != "" }

// Branch is where an answer leads.
func (n *Node) Branch(t Truth) []string {
	return [...][]string{n.Unknown, n.No, n.Yes}[min(t, Yes)]
}

// Auto is how a question is answered without a person: the first of its predicates, in the order
// of these fields, that says yes or no. The zero value says nothing.
type Auto struct {
	Data     bool      // what Facts have of data
	Alert    Predicate // the id of the alert is one of these
	Source   Predicate
	Subject  Predicate // its kind
	Severity Severity  // it is at least this: yes, else no
	Lacks    string    // no, where the subject is of a kind that needs no such part, and has none
}

// Predicate is two lists: of what means yes, and of what means no. What is in neither says
// nothing, or no with ElseNo. What a signal does not say is in neither, whatever ElseNo.
type Predicate struct {
	Yes, No []string
	ElseNo  bool
}

// CloseRule is how a triage ends.
type CloseRule struct {
	Ref    string
	Roles  []Role // any of them may
	Action string
}

// Node finds a node by its id, nil where there is none.
func (t *Tree) Node(id string) *Node { return t.at[id] }

// The questions that data answers, by id. internal/exposure has an answer for each.
const (
	KnownFalsePositive = "known-false-positive"
	Listed             = "listed"
	PublishedByUs      = "published-by-us"
	Locked             = "locked"
	CIInstalled        = "ci-installed"
	CISelfHosted       = "ci-self-hosted"
	CISecrets          = "ci-secrets"
	CIPublishes        = "ci-publishes"
	UnexplainedPublish = "unexplained-publish"
	SecretExposed      = "secret-exposed"
)

// DataQuestions are the ids of the questions that may have data as a predicate.
var DataQuestions = []string{
	KnownFalsePositive, Listed, PublishedByUs, Locked, CIInstalled, CISelfHosted, CISecrets, CIPublishes, UnexplainedPublish, SecretExposed,
}

//go:embed tree.yaml
var runbook []byte

// Runbook is the tree that comes with the program: the runbook's, T1 to T8. It is not to be
// changed.
var Runbook = sync.OnceValue(func() *Tree {
	t, err := Parse("tree.yaml", runbook)
	if err != nil {
		panic("triage: " + err.Error())
	}
	return t
})

// Package report renders the events of a sweep: text for people, JSON Lines and SARIF for
// machines. A renderer takes the events in their order and writes what it can at once.
//
// Every string from a swept repository is hostile. Each renderer has its own escaper, and
// no name, path or version leaves it in a form that a terminal, a log or a viewer acts on.
package report

import "github.com/wormsweep/wormsweep/internal/finding"

// Renderer takes the events of one run. Close ends the output; an error of either is
// final, and the output must then not be believed.
type Renderer interface {
	Event(e finding.Event) error
	Close() error
}

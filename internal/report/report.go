// Package report renders the events of a sweep: text for people, JSON Lines and SARIF for
// machines. A renderer takes the events in their order and writes what it can at once.
//
// Every string from a swept repository is hostile. Each renderer has its own escaper
// (escape.go), and no name, path or version leaves it in a form that a terminal, a log or a
// viewer acts on.
//
// Nothing is left out in silence: what a renderer does not list, it counts.
package report

import "github.com/wormsweep/wormsweep/internal/finding"

// Renderer takes the events of one run. Close ends the output, also after a run that ended
// early; an error of either is final, and the output must then not be believed.
//
// A Renderer is not safe for concurrent use, and keeps what an event points to.
type Renderer interface {
	Event(e finding.Event) error
	Close() error
}

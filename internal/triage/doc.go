// Package triage takes a signal to a scenario of the runbook, by a tree of questions that is data.
//
// In go a Tree, a Signal and the Facts, which are the answers so far; out comes a Verdict: the
// scenarios that are reached, the path to each with every answer and its source, what is still
// open, who has to answer it and until when, and who is paged. The same input gives the same
// output. Nothing is asked here: internal/exposure asks data, and persons answer in the incident.
//
// An answer is yes, no or unknown. Unknown is the zero value, leads along a branch of its own, and
// is open until somebody answers it; a verdict with something open is not final, and never reads
// as "not an incident". A person may override what data says: both are kept, and the person's
// counts.
//
// The tree is a versioned file, tree.yaml, whose schema is docs/schemas/triage-tree.json and
// which docs/triage.md explains. A Verdict names its version and digest.
package triage

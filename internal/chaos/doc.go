// Package chaos says after a run full of faults whether the App kept its promises. It is imported
// by tests alone.
//
// Evidence is what is left of a run: the journal's tables and the inventory's records, what GitHub
// (internal/githubtest) has and what it was asked, all text that left a process, and the sender's
// own knowledge of what it planted where. Check holds the invariants against it and returns what
// contradicts them, each violation under the name of its invariant:
//
//	I1  every delivery that was answered with 2xx is stored once, and is done, or dead with a reason
//	I2  every delivery that GitHub lists as failed is asked for until I1 holds of it
//	I3  one open incident for a campaign, which names every repository that has it; no comment
//	    twice; one answer to a question; one check run for a commit, and never a good one of what is planted or was not read
//	I7  a sweep came to its end, or what answers from the inventory says what was not read
//	I8  all has come to rest without a person
//	I9  no secret is in any output
//	told  GitHub was not called before the time that it told, nor in any other way that it minds
//
// Check is a pure function. It does not know which faults there were: whatever they were, the
// promises are the same.
//
// The runs themselves are the tests of this package under the build tag chaos.
package chaos

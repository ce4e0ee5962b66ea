// Package rules holds tests of the source tree itself: which package may import which,
// which packages are pure, who may name the public registries, what may be committed, and
// that the commands in the documents work.
//
// The tests parse the files themselves. A test that asked `go list` would be answered from
// the test cache, which knows the files that a test opens and not those that its child
// processes open. They do not run under the race detector: there is nothing in them for it to
// find, and it would take them a minute.
package rules

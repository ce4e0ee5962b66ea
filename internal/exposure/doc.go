// Package exposure answers the questions of a triage from data: is the package on a list, did we
// publish it, who locks it and by which way, did a CI run install it while it was bad, on whose
// runner, and what could that job read and publish?
//
// In go a signal, the catalogue, the policy, the inventory and GitHub; out comes a Report: the
// answers, each yes, no or unknown with its source, and what they rest on. Nothing is written and
// nothing of a repository is run.
//
// A run is joined with what was locked by the tree of its head commit, which GitHub is asked for,
// and not by time alone: what was locked between two sweeps counts. No is said only where
// everything was looked at. Each permission that lacks, each list that has an end before its time
// and each bound of this package that is reached is a Gap, and keeps its question unknown.
//
// The window of a report ends where what GitHub said ends: an answer of a few minutes ago is believed where many
// repositories are asked about, but for the one whose commit the question names.
//
// What a report does not see: a lockfile that named the package for no longer than between two
// sweeps, in a repository that never else locked any version of it; what a script of the
// repository's own did; what a cache brought in. A workflow or action under a branch or tag may have been
// another when the run used it: what it installs now counts, and that it installs nothing does not.
package exposure

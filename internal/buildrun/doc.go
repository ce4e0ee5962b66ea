// Package buildrun goes from the certificate of a keyless signature to the run of GitHub Actions
// that it names, and asks GitHub about it: was it that workflow, that trigger and that commit,
// did it end well, did the step that publishes itself run, is the commit on a protected branch,
// and could a cache that it restored have been written by an untrusted run? It also reads what
// of a repository the rules of package drift compare publishes with: tags, releases and runs.
//
// Its answers are plain values of package drift, which judges them. What GitHub did not tell is
// Unknown with a verify.Gap: denied, with the permission that would do; gone, where GitHub keeps
// it no longer; no-answer; not-served, where a workflow does not show it. An error of GitHub's is
// never an error of this package, and never a No.
//
// A workflow file is read as data. Nothing of it is run, and no address in it is asked: its
// actions are looked up on the same GitHub, by owner, name and ref. "./path" of a step is in the
// workspace: the run's repository at its commit, whichever file names it, and not known where the
// job checks out something else. "$/path", and the "./path" of a workflow that a job calls, are
// of the repository of the file that names them, at its commit. What is read at a branch or tag
// of which neither the certificate nor GitHub tells what commit it was then may not be what ran:
// with it a run is not known to have published, or to restore no cache.
//
// What GitHub gives for as long as a Reader lives is asked once. A Reader is safe for concurrent
// use.
package buildrun

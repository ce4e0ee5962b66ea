// Package drift judges how versions were published: what is odd about one beside the policy,
// the versions before it, yesterday, the repository and the run that it says it comes from.
//
// It is pure. It is given what others asked: a registry's Listing, verified Proofs, Refusals
// and Gaps, a Source (tags, releases and runs of the repository), a Run (see package buildrun)
// and the files of archives (see package tarball), for all artifacts of a policy together. Of
// each it may be given less: what is not known is Unknown, and never the same as none.
//
// Apply asks every rule of the table Rules about every version and artifact. A rule fires (a
// verify.Signal), is quiet, or could not be decided (a Gap with the rule's name). Judge turns
// what was proved, refused, missing and odd into one verdict; Results does both, and gives what
// the next run needs to know of this one (Seen).
//
// A version is compared with those that were published before it, whether or not there was a
// run yesterday, so that the first run of a policy judges as the hundredth does. Only rules that
// say so need yesterday; without one they are quiet, for nothing can have changed since.
// docs/rules.md describes each rule.
package drift

// Package ghread asks GitHub's REST API, bounded and each question once, for those who go from a
// commit to the runs of GitHub Actions: runs and their jobs, files at a commit, lists page by
// page. An answer that is not of the form that GitHub promises is an error, and never an empty
// list; a list that was not read whole says so.
//
// A Reader remembers what it was answered. Readers of one Memory share that: what cannot change for good, and
// of the rest what is not older than each allows.
//
// Errors are those of internal/ghclient. GapOf makes of one the reason why something is unknown,
// with the permission that would do by its name.
package ghread

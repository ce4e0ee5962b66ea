// Package workflow reads the files of GitHub Actions as data: the jobs and steps of a workflow,
// or the steps of an action that is made of such, and what a job is given: which secrets its text
// names, the permissions of its token, its runner and its environment.
//
// It is pure, and strict: one document, no repeated and no merge keys, so that nothing is read
// otherwise than GitHub reads it. Nothing of a file is run, and no expression is worked out: one
// that could name any secret names all of them.
package workflow

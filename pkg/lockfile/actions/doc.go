// Package actions reads what GitHub Actions run: the "uses" of workflow files
// (.github/workflows) and of composite actions (action.yml).
//
// An entry is the repository that an action or reusable workflow is in, "owner/repo" in
// lower case, since GitHub does not tell letter cases apart; its version is the git ref,
// as written. Source.URL keeps the path in the repository where there is one, Commit the
// ref where it is a full commit id. "./folder", of the workspace, and "$/folder", of the file's own
// repository and commit (GitHub's changelog of 2026-07-30), are entries of kind Path, "docker://image"
// is one of kind URL.
//
// Both readers are pure functions of their bytes. The files are YAML that people write, so
// it is decoded by a library, within limits that are far above what GitHub runs: a file
// over them, and one that is no YAML, has repeated keys, merge keys or a second document,
// has a problem. Such a file is then also searched for "uses" as text, so that its entries
// are not hidden. Aliases are followed, as GitHub does since September 2025; what an
// anchor holds is an entry once, where it stands.
package actions

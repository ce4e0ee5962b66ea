// Package gomod reads the files in which Go names modules: go.mod, go.sum, go.work,
// go.work.sum and vendor/modules.txt.
//
// The readers are pure functions of their bytes, linear in time, and return entries in the
// order of the file. The grammar is that of the Go command (golang.org/ref/mod), read by
// hand, since golang.org/x/mod/modfile builds a tree to print the file again and is ten
// times as slow; the tests compare the two.
//
// A module path is compared with regard to letter case, and a version has its "v".
//
// # Entries of go.mod and go.work
//
//   - A require line is an entry of kind Registry, direct unless "// indirect".
//   - Where a replace directive overrides it, its kind is Replaced, and the directive is an
//     entry of its own: the replacement module (Registry, with the module that it stands
//     for as Alias), or a folder (Path). A replacement of a module that is not required is
//     Manifest, since Go 1.17 lists every module of a build; in an older go.mod it is
//     Registry.
//   - exclude is Excluded, retract is Retracted under the module's own path, tool is an
//     entry without a version, use a Workspace folder.
//
// A directive that is unknown is a problem, unless the file asks for a Go that is newer
// than this package; either way what looks like a requirement in it is an entry.
//
// # Entries of go.sum
//
// One entry of kind Listed for each module version: go.sum also holds what was looked at
// and not built. Digests hold the digest of the module's zip; that of its go.mod file
// alone is checked and left out, since it says nothing of the code.
package gomod

// Package lockfile says what a lockfile holds: the packages it names, from where, with
// which digests, on which line and asked for by whom, and what could not be read.
//
// The readers live in one package a family (npm, pypi, gomod, actions); package
// formats lists them in one table and picks the one for a path. A reader is a pure
// function of the bytes: it opens nothing, asks nobody and runs in time linear in its
// input. It does not panic on hostile input, and two runs over one file give one
// answer, in the order of the file.
//
// A reader is strict. A file outside the grammar that its tool writes leaves a Problem
// that names the line and the reason; what was read whole before or beside the fault
// is in Packages all the same, so that damage hides nothing. A File without problems
// was read to its end, and every entry of it is in Packages.
package lockfile

import (
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// File is what one lockfile holds.
//
// Its strings are parts of one copy of the file's text: a caller that keeps one for
// long clones it (strings.Clone), or it keeps the whole text alive. Its lists are the
// caller's, but for Options.Memory.
type File struct {
	Packages []Package // in the order of the file
	Problems []Problem // in the order of the file; empty means read whole
	Includes []Include // further files of the same format that this one names
}

// Package is one entry of a lockfile.
type Package struct {
	Ecosystem ecosystem.Ecosystem

	// Name is the canonical name (ecosystem.CanonicalName) of what is installed: an
	// npm alias stands under its target, a replaced Go module under its replacement.
	Name string

	// Version is the exact version as the file writes it, Go's with its "v"; "" when the
	// file names none.
	Version string

	// Range is what was asked for where the file asks and does not lock: a manifest's
	// or a requirement's specifier, verbatim. "" for a locked entry.
	Range string

	// Alias is the name that the package is installed under where it is not Name.
	Alias string

	Source Source
	Scope  Scope

	// Direct says that the project's own manifest asks for the package; Unknown where
	// the format does not tell.
	Direct Answer

	// Line is the 1-based line on which the entry begins.
	Line int

	// Digests are those that the file gives for the package's artifacts; a PyPI entry
	// has one for each file of the release. A damaged digest is left out, with a Problem.
	Digests []Digest

	// Address is the package that Source.URL names, where that is another package or
	// version than Name and Version, as an attacker's injected "resolved" would be; nil
	// otherwise. Both are matched. A PyPI entry of kind URL is not matched by its Name and is
	// not known to be another package, so that its Address is set in any case.
	Address *Identity

	// RequiredBy are the indices in File.Packages of the entries that ask for this one,
	// ascending and without repeats. Only with Options.Edges, and only where the format
	// tells; see File.Chain.
	RequiredBy []int32
}

// Identity is a package and a version of it, in the ecosystem of the entry it stands in.
type Identity struct {
	Name, Version string
}

// Answer is a question's answer; nobody asked is Unknown, never No.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	No
	Yes
)

// Source is where an entry's bytes come from.
type Source struct {
	Kind SourceKind

	// URL is the address or path as the file writes it, "" where it writes none: a
	// registry tarball, a git remote, a folder.
	URL string

	// Commit is the full or short commit id of a git source, "" where none is locked.
	Commit string
}

// SourceKind says what an entry is, and so whether it can be the public package of its
// name. Its String is a reason code: it stands in the column "source" of an inventory.
type SourceKind uint8

// The kinds. Registry, Listed, Installed and Vendored are exact versions of the package of
// their name; Range and Manifest show what a later install could resolve to.
const (
	Registry  SourceKind = iota // from a registry, or from whichever the tool defaults to
	Listed                      // in go.sum: hashed, not necessarily built
	Installed                   // found unpacked in node_modules or site-packages
	Vendored                    // vendored with the sources
	Git                         // a git repository, at Source.Commit
	URL                         // an archive at an address that is no registry's
	Path                        // a file or folder beside the project
	Link                        // a link to a folder of the project
	Workspace                   // a member of the project itself
	Range                       // asked for by range, not locked
	Manifest                    // asked for by a manifest, locked elsewhere
	Replaced                    // a Go module that a replace directive overrides
	Excluded                    // a Go version that an exclude directive bars
	Retracted                   // a Go version of the module itself that its author withdrew
	NoVersion                   // an entry that names no version
)

var sourceKinds = [...]string{
	Registry: "registry", Listed: "listed-not-built", Installed: "installed", Vendored: "vendored",
	Git: "git", URL: "url", Path: "file", Link: "link", Workspace: "workspace", Range: "range",
	Manifest: "manifest", Replaced: "replaced", Excluded: "excluded", Retracted: "retracted",
	NoVersion: "no-version",
}

func (k SourceKind) String() string { return sourceKinds[k] }

// Exact reports whether an entry of this kind with a version is that exact version of
// the package of its name, so that it is matched by name and belongs in an inventory.
func (k SourceKind) Exact() bool { return k <= Vendored }

// Scope is the set of ways in which an entry is wanted. The zero value is a plain
// dependency, or one whose scope the format does not tell.
type Scope uint8

// The scopes.
const (
	Dev      Scope = 1 << iota // for development and tests only
	Optional                   // left out where it does not install
	Peer                       // wanted of whoever installs the asking package
	Bundled                    // inside the archive of the asking package
	Indirect                   // marked by the file itself as asked for by others only
)

var scopeNames = [...]string{"dev", "optional", "peer", "bundled", "indirect"}

// String lists the scopes, comma-separated in the order above; "" for none.
func (s Scope) String() string {
	out := ""
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			if out != "" {
				out += ","
			}
			out += name
		}
	}
	return out
}

// Include is a file that a requirements file names with -r or -c.
type Include struct {
	Path       string // as written
	Line       int
	Constraint bool // -c: its lines bound versions and install nothing
}

// Options asks a reader for more than its entries. The zero value is the fast path.
type Options struct {
	// Edges asks for Package.RequiredBy. It costs about as much again as the reading.
	Edges bool

	// Memory, where set, is used again for the lists of File. It is for one goroutine.
	Memory *Memory
}

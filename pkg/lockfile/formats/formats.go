// Package formats is the table of the lockfile formats that Wormsweep reads.
package formats

import (
	"path"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Format is one format of lockfile.
type Format struct {
	// ID names the format in reports and in the ledger: "package-lock".
	ID        string
	Ecosystem ecosystem.Ecosystem

	// Names are the base names that select the format; "*" stands for any run of
	// characters (path.Match). Dir, where set, is the path suffix that the folder must
	// have as well: "vendor" for vendor/modules.txt.
	Names []string
	Dir   string

	// Parse reads a file of the format. It is pure and safe for concurrent use, and it
	// keeps nothing of data.
	Parse func(data []byte, opt lockfile.Options) lockfile.File

	// Sample writes a small sound file that locks one package. Every sweep reads one of
	// each format and must find the package in it: a reader that fell silent is found
	// out on the run on which it did (internal/sweep, canaries).
	Sample func(name, version string) string
}

// All lists the formats, in the order in which a path is tried against them.
var All = []Format{}

// For gives the format of the file at p (a path with slashes), nil when it is no file
// that Wormsweep reads as a lockfile.
func For(p string) *Format {
	dir, base := path.Split(p)
	_ = dir
	_ = base
	return nil
}

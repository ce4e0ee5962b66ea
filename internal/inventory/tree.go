package inventory

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Tree is what one state of a repository holds, as far as a sweep looked at it.
type Tree struct {
	Root ID
	// Selection is what decided which files are in scope: Selection(set). A tree that was listed
	// under another says nothing about the files that it left out. It is "" for a tree of which
	// something was not read: a sweep lists it again.
	Selection string

	Total      int            // files of the tree, in all
	OutOfScope map[string]int // of them, by reason
	Files      []File         // in scope, in the order of the sweep
	// Problems are what could not be listed or opened, beside those of single files.
	Problems []source.Problem
}

// File is a file of a tree that a sweep had in scope: it was parsed, hashed, or met by its path
// or size.
type File struct {
	source.File        // Blob is set where it is known
	Format      string // id of the format that it was parsed in; "" for none
	// Hashes are set for a file that was compared by digest.
	Hashes *Hashes
	// Problem is why the file was not read or hashed, though it is in scope; nil for one that was.
	Problem *source.Problem
}

// Hashes are the digests of a file's content by which file indicators know it.
type Hashes struct {
	SHA256 [32]byte
	SHA1   [20]byte
	MD5    [16]byte
}

// Blobs are the ids of the files in scope, sorted and without repeats.
func (t *Tree) Blobs() []ID {
	var out []ID
	for i := range t.Files {
		if id, err := ParseID(t.Files[i].Blob); err == nil {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(out)
}

// Selection is what decides, with the catalogue set, which files of a tree are in scope and how
// they are read.
func Selection(set *ioc.Set) string {
	return fmt.Sprintf("%d/%s", formats.Revision, set.FilesRevision())
}

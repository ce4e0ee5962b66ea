package inventory

import (
	"github.com/wormsweep/wormsweep/internal/source"
)

// Tree is what one state of a repository holds, as far as a sweep looked at it.
type Tree struct {
	Root ID
	// Selection is what decided which files are in scope: Selection(set). A tree that was listed
	// under another says nothing about the files that it left out.
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

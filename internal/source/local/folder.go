package local

import (
	"bytes"
	"errors"
	"slices"

	"github.com/wormsweep/wormsweep/internal/source"
)

// entry is a name in a folder.
type entry struct {
	name string
	size int64
	kind kind
}

type kind uint8

const (
	file kind = iota
	folder
	link
	special // a device, socket or pipe
)

func (e entry) file(path string) source.File {
	return source.File{Path: path, Size: e.size, Link: e.kind == link, Special: e.kind == special}
}

// errTooMany says that a folder was not read to its end.
var errTooMany = errors.New("more entries than are read")

// readFolder lists a folder in the order of the paths in it (source.CompareNames). With an
// error it gives what could be read; it stops with errTooMany after max entries.
func readFolder(h handle, max int) ([]entry, error) {
	entries, err := h.entries(max)
	slices.SortFunc(entries, entry.compare)
	return entries, err
}

func (e entry) compare(other entry) int {
	return source.CompareNames(e.name, e.kind == folder, other.name, other.kind == folder)
}

// git is what makes a folder a git repository.
type git uint8

const (
	notGit  git = iota
	dotGit      // it holds a .git folder, or something in its place that is none
	gitFile     // it holds a .git file, which says where the git folder is
	bare        // it is a git folder itself
)

// gitOf tells whether the folder with these entries is a git repository.
func gitOf(h handle, entries []entry) git {
	var head, objects, refs bool
	for _, e := range entries {
		switch {
		case e.name == ".git" && e.kind == file:
			return gitFile
		case e.name == ".git":
			return dotGit
		case e.name == "HEAD" && e.kind == file:
			head = true
		case e.name == "objects" && e.kind == folder:
			objects = true
		case e.name == "refs" && e.kind == folder, e.name == "packed-refs" && e.kind == file:
			refs = true // git wants the folder; it is lost where a bare repository was committed to git
		}
	}
	if head && objects && refs && looksLikeHead(h) {
		return bare
	}
	return notGit
}

// looksLikeHead keeps a folder that happens to have those names from being taken for a git
// repository.
func looksLikeHead(h handle) bool {
	text, err := h.read("HEAD", 4096)
	if err != nil {
		return false
	}
	text = bytes.TrimSpace(text)
	return bytes.HasPrefix(text, []byte("ref:")) || (len(text) == 40 || len(text) == 64) && isHex(text)
}

func isHex(text []byte) bool {
	for _, c := range text {
		if (c < '0' || '9' < c) && (c < 'a' || 'f' < c) {
			return false
		}
	}
	return true
}

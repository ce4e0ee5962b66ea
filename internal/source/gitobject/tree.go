package gitobject

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
)

// TreeEntry is an entry of a tree object.
type TreeEntry struct {
	Name string
	Mode uint32
	ID   ID
}

// The kinds of entries, in the high bits of their mode (gitformat-index, "mode").
const (
	modeKind      = 0o170000
	modeFolder    = 0o040000
	modeFile      = 0o100000
	modeLink      = 0o120000
	modeSubmodule = 0o160000
)

// Limits of the objects that are read whole.
const (
	MaxTree   = 64 << 20 // bytes of one tree object
	MaxCommit = 16 << 20
)

// ParseTree reads the content of a tree object: for each entry its mode in octal, a space,
// its name, a NUL and its id (Pro Git, section 10.2, "Tree Objects"). Entries are given in
// the order of their paths, as git writes them.
//
// The error is the first fault. Names that no file can have are left out; everything else
// that git would not have written, a name twice among it, is given all the same.
func ParseTree(data []byte) ([]TreeEntry, error) {
	entries := make([]TreeEntry, 0, len(data)/30)
	text := string(data)
	var first error
	faults := 0
	fault := func(format string, args ...any) {
		if faults++; first == nil {
			first = Corrupt(format, args...)
		}
	}
	for text != "" {
		mode, rest, ok := strings.Cut(text, " ")
		name, rest, ok2 := strings.Cut(rest, "\x00")
		var e TreeEntry
		if !ok || !ok2 || len(rest) < len(e.ID) {
			fault("the tree ends inside an entry")
			break
		}
		copy(e.ID[:], rest)
		text = rest[len(e.ID):]
		e.Name = name
		if e.Mode, ok = parseMode(mode); !ok {
			fault("the entry %q has the mode %.20q", name, mode)
			e.Mode = modeFile
		}
		switch {
		case name == "", name == ".", name == "..", strings.Contains(name, "/"):
			fault("an entry is named %q", name)
			continue
		case strings.EqualFold(name, ".git"):
			fault("an entry is named %q", name)
		}
		entries = append(entries, e)
	}
	if !slices.IsSortedFunc(entries, TreeEntry.compare) {
		fault("its entries are not in order")
		slices.SortStableFunc(entries, TreeEntry.compare)
	}
	seen := make(map[string]bool, len(entries)) // a file and a folder of one name need not be neighbours
	for _, e := range entries {
		if seen[e.Name] {
			fault("two entries are named %q", e.Name)
		}
		seen[e.Name] = true
	}
	if faults > 1 {
		first = fmt.Errorf("%w, and %d faults more", first, faults-1)
	}
	return entries, first
}

// parseMode reads an octal number of up to seven digits whose kind is known.
func parseMode(text string) (mode uint32, ok bool) {
	if text == "" || len(text) > 7 {
		return 0, false
	}
	for _, c := range []byte(text) {
		if c < '0' || '7' < c {
			return 0, false
		}
		mode = mode<<3 | uint32(c-'0')
	}
	switch mode & modeKind {
	case modeFolder, modeFile, modeLink, modeSubmodule:
		return mode, true
	}
	return 0, false
}

func (e TreeEntry) folder() bool { return e.Mode&modeKind == modeFolder }

func (e TreeEntry) compare(other TreeEntry) int {
	return source.CompareNames(e.Name, e.folder(), other.Name, other.folder())
}

// CommitTree gives the tree of a commit with this content: its first line is "tree" and an
// id.
func CommitTree(data []byte) (ID, error) { return firstLine(data, "commit", "tree ") }

// TagTarget gives what an annotated tag with this content is of: its first line is "object"
// and an id.
func TagTarget(data []byte) (ID, error) { return firstLine(data, "tag", "object ") }

func firstLine(data []byte, kind, begin string) (ID, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	text, ok := strings.CutPrefix(string(line), begin)
	id, ok2 := ParseID(text)
	if !ok || !ok2 {
		return ID{}, Corrupt("a %s that begins with %.60q names no object", kind, line)
	}
	return id, nil
}

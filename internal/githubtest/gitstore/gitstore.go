// Package gitstore holds what the repositories of the simulator contain: git objects and
// the refs that lead to them, in memory, in a folder of git's, or made on demand.
//
// It is test code. It encodes and reads objects by itself, so that the readers of the
// product are not judged by themselves.
package gitstore

import (
	"crypto/sha1" // git's object ids
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ID is the id of a git object: SHA-1 of its header and content.
type ID [sha1.Size]byte

// String gives the 40 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether id is no object's: forty zeros.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads 40 hexadecimal digits.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != hex.EncodedLen(len(id)) {
		return id, fmt.Errorf("%q is not an object id", s)
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("%q is not an object id", s)
	}
	return id, nil
}

// Kind is the kind of an object, with the number that packs give it.
type Kind uint8

// The kinds of objects.
const (
	Commit Kind = iota + 1
	Tree
	Blob
	Tag
)

var kindNames = [...]string{Commit: "commit", Tree: "tree", Blob: "blob", Tag: "tag"}

func (k Kind) String() string { return kindNames[k] }

// Object is one git object, without its header.
type Object struct {
	Kind Kind
	Data []byte
}

// ID computes the id of the object.
func (o Object) ID() ID {
	h := sha1.New()
	header := append(make([]byte, 0, 32), o.Kind.String()...)
	header = append(header, ' ')
	header = strconv.AppendInt(header, int64(len(o.Data)), 10)
	h.Write(append(header, 0))
	h.Write(o.Data)
	return ID(h.Sum(nil))
}

// Ref is a name, complete as in "refs/heads/main", and the object that it names.
type Ref struct {
	Name string
	ID   ID
}

// Content is what one repository holds. Its methods may be called at the same time.
type Content interface {
	// Head is the ref that HEAD names, which is there only when something was pushed.
	Head() string
	// Refs gives all refs but HEAD, by name.
	Refs() []Ref
	// Object gives one object, or false. The caller does not change its Data.
	Object(id ID) (Object, bool)
}

// The modes of tree entries.
const (
	ModeFile       = 0o100644
	ModeExecutable = 0o100755
	ModeSymlink    = 0o120000
	ModeTree       = 0o040000
	ModeSubmodule  = 0o160000
)

// Entry is one entry of a tree object.
type Entry struct {
	Mode uint32
	Name string
	ID   ID
}

// Kind is the kind of the object that the entry names.
func (e Entry) Kind() Kind {
	switch e.Mode {
	case ModeTree:
		return Tree
	case ModeSubmodule:
		return Commit
	}
	return Blob
}

// EncodeTree gives the content of a tree object. It sorts a copy of entries as git does: a
// folder as if its name ended in a slash.
func EncodeTree(entries []Entry) []byte {
	sorted := append([]Entry(nil), entries...)
	key := func(e Entry) string {
		if e.Mode == ModeTree {
			return e.Name + "/"
		}
		return e.Name
	}
	sort.Slice(sorted, func(i, j int) bool { return key(sorted[i]) < key(sorted[j]) })
	data := make([]byte, 0, 40*len(sorted))
	for _, e := range sorted {
		data = strconv.AppendUint(data, uint64(e.Mode), 8)
		data = append(data, ' ')
		data = append(data, e.Name...)
		data = append(data, 0)
		data = append(data, e.ID[:]...)
	}
	return data
}

// DecodeTree reads the content of a tree object that this process or git wrote.
func DecodeTree(data []byte) ([]Entry, error) {
	var entries []Entry
	for len(data) > 0 {
		head, rest, found := strings.Cut(string(data[:min(len(data), 8)]), " ")
		mode, err := strconv.ParseUint(head, 8, 32)
		if !found || err != nil {
			return nil, fmt.Errorf("a tree entry without a mode: %q", rest)
		}
		data = data[len(head)+1:]
		end := indexZero(data)
		if end < 0 || len(data) < end+1+len(ID{}) {
			return nil, fmt.Errorf("a tree entry is cut off")
		}
		entries = append(entries, Entry{uint32(mode), string(data[:end]), ID(data[end+1 : end+1+len(ID{})])})
		data = data[end+1+len(ID{}):]
	}
	return entries, nil
}

func indexZero(data []byte) int {
	for i, b := range data {
		if b == 0 {
			return i
		}
	}
	return -1
}

// CommitInfo is a commit object, as far as anybody asks.
type CommitInfo struct {
	Tree    ID
	Parents []ID
	Author  string // "Name <address>"
	When    time.Time
	Message string
}

// Encode gives the content of the commit object.
func (c CommitInfo) Encode() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	who := fmt.Sprintf("%s %d +0000", c.Author, c.When.Unix())
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s\n", who, who, c.Message)
	return []byte(b.String())
}

// DecodeCommit reads the content of a commit object.
func DecodeCommit(data []byte) (CommitInfo, error) {
	header, message, _ := strings.Cut(string(data), "\n\n")
	c := CommitInfo{Message: strings.TrimSuffix(message, "\n")}
	for line := range strings.Lines(header) {
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var err error
		switch field {
		case "tree":
			c.Tree, err = ParseID(value)
		case "parent":
			var p ID
			p, err = ParseID(value)
			c.Parents = append(c.Parents, p)
		case "author":
			c.Author, c.When = decodeWho(value)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// decodeWho reads "Name <address> seconds zone".
func decodeWho(s string) (string, time.Time) {
	end := strings.LastIndexByte(s, '>')
	fields := strings.Fields(s[end+1:])
	if end < 0 || len(fields) == 0 {
		return s, time.Time{}
	}
	seconds, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return s[:end+1], time.Time{}
	}
	return s[:end+1], time.Unix(seconds, 0).UTC()
}

// TagInfo is an annotated tag.
type TagInfo struct {
	Target  ID
	Kind    Kind // of the target
	Name    string
	Message string
}

// Encode gives the content of the tag object.
func (t TagInfo) Encode() []byte {
	return fmt.Appendf(nil, "object %s\ntype %s\ntag %s\ntagger %s %d +0000\n\n%s\n",
		t.Target, t.Kind, t.Name, DefaultAuthor, epoch.Unix(), t.Message)
}

// DecodeTag reads the content of a tag object.
func DecodeTag(data []byte) (TagInfo, error) {
	header, message, _ := strings.Cut(string(data), "\n\n")
	t := TagInfo{Message: strings.TrimSuffix(message, "\n")}
	for line := range strings.Lines(header) {
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var err error
		switch field {
		case "object":
			t.Target, err = ParseID(value)
		case "tag":
			t.Name = value
		case "type":
			for k := Commit; k <= Tag; k++ {
				if k.String() == value {
					t.Kind = k
				}
			}
		}
		if err != nil {
			return t, err
		}
	}
	if t.Kind == 0 {
		return t, fmt.Errorf("a tag without the type of its object")
	}
	return t, nil
}

// DefaultAuthor writes the commits of which nobody said who wrote them, and epoch is when.
const DefaultAuthor = "Wren Example <wren@example.com>"

var epoch = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// Peel follows annotated tags to what they name in the end. It gives false when an object
// on the way is not there.
func Peel(c Content, id ID) (ID, Object, bool) {
	for range 16 {
		o, ok := c.Object(id)
		if !ok || o.Kind != Tag {
			return id, o, ok
		}
		t, err := DecodeTag(o.Data)
		if err != nil {
			return id, o, false
		}
		id = t.Target
	}
	return id, Object{}, false
}

// TreeOf gives the tree that a commit, a tag of one, or a tree itself names.
func TreeOf(c Content, id ID) (ID, bool) {
	id, o, ok := Peel(c, id)
	switch {
	case !ok:
		return ID{}, false
	case o.Kind == Tree:
		return id, true
	case o.Kind != Commit:
		return ID{}, false
	}
	commit, err := DecodeCommit(o.Data)
	return commit.Tree, err == nil
}

// Lookup gives the object that a ref names.
func Lookup(c Content, ref string) (ID, bool) {
	refs := c.Refs()
	i := sort.Search(len(refs), func(i int) bool { return refs[i].Name >= ref })
	if i < len(refs) && refs[i].Name == ref {
		return refs[i].ID, true
	}
	return ID{}, false
}

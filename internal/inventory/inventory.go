// Package inventory is what a sweep keeps of what it read, so that the next one need not read
// it again and a new indicator is answered without asking GitHub: which ref held which tree,
// which tree which files, and which content which packages.
//
// Everything is known by what it holds: a Content by its git blob id and the reader that read
// it, a Tree by its root tree id and what selected its files. Where they are kept is the
// business of package store; this one has the values, their compact encoding, and the Terms
// under which a content is found again.
//
// Encodings are read back strictly. One that is damaged, or that this version does not know, is
// ErrDamaged: never a panic, and never a content that holds less than was put in.
package inventory

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// ErrDamaged is wrapped by the error for an encoding that does not read back.
var ErrDamaged = errors.New("damaged")

// ID is a git object id, of a blob or of a tree.
type ID [20]byte

// ParseID reads an id of 40 hex digits.
func ParseID(text string) (ID, error) {
	var id ID
	if n, err := hex.Decode(id[:], []byte(text)); err != nil || n != len(id) || len(text) != 2*len(id) {
		return ID{}, fmt.Errorf("%q: not a git object id", text)
	}
	return id, nil
}

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Key names what one reader made of one content. Another revision of the reader may find more
// in the same bytes.
type Key struct {
	Blob   ID
	Format string // formats.Format.ID
	Reader int    // formats.Revision
}

// Summary is what a run counts of a content that no indicator meets.
type Summary struct {
	Packages int
	Kinds    [lockfile.NoVersion + 1]int32 // entries by lockfile.SourceKind
	Problems int
	Includes int
}

// Repository is a repository as its server knows it. Number follows it through renames.
type Repository struct {
	Server string // host of the server, "github.com"; "" for repositories on disk
	Number int64  // the server's own id; 0 where there is none, and Name alone tells
	Name   string // "owner/name", or as reports call a repository on disk
}

// Sighting is all that one run saw of a repository.
type Sighting struct {
	Repository Repository
	// Selection is which refs the run asked for, as --refs spells it. A ref that an earlier
	// sighting of the same selection had, and that this one lacks, is gone; "all" is every
	// selection. With Problems, or a Note of a permission, nothing is: what could
	// not be asked for is as it was.
	Selection string
	Refs      []Ref
	// Asked is when the server was asked for Refs; zero is when they are written. What somebody told
	// of a ref after it (Told) is newer, and stays.
	Asked time.Time
	Shown
	// Events are those of the run in this repository; its findings and problems are kept.
	Events []finding.Event
	// Brief is what the run says of it for a catalogue of that basis (BriefBasis), nil where something
	// was met or not read.
	Brief *Brief
	Basis int64

	// Told says that somebody told of Refs, as a push does, and that nothing else of the repository
	// was looked at: all else that is known of it stays as it was, its other refs too. Of Shown and
	// Events only whether there is a problem is taken.
	Told bool
	Gone []string // with Told: full names of refs that are there no more
}

// Ref is what a ref of a repository names.
type Ref struct {
	Name   string // full name: "refs/heads/main"
	Commit string // hex
	Root   ID     // the commit's root tree; zero where it was not read
}

// State is a ref as it stood for a time: another commit is another state.
type State struct {
	Repository Repository
	Ref
	FirstSeen, LastSeen time.Time
	FirstRun, LastRun   RunID
	// Current says that no later sighting of the repository told otherwise.
	Current bool
}

// RunID names a run in a store; 0 is none.
type RunID int64

// Run is one sweep, as the store remembers it.
type Run struct {
	ID        RunID
	Scope     string // what was asked for: runs of one scope are compared, and go on where one stopped
	Catalogue string // ioc.Set.Revision
	Started   time.Time
	Finished  time.Time // zero while it runs, and for ever when it was killed
	// Interrupted says that the run was ended early, on purpose.
	Interrupted bool
	Problems    []*finding.Problem // of the run itself, in no repository
}

// Batch is what is written at once: all of it is kept, or nothing.
type Batch struct {
	Contents     []*Content
	Trees        []*Tree
	Repositories []*Sighting // with them the run is done with these repositories
}

package source

import (
	"fmt"
	"strings"
)

// Seen is a value that a repository shows beside its files: the name of a branch, its own
// description, the author of a commit.
type Seen struct {
	Property string // one of those below
	Value    string // as its author wrote it, of any bytes
	Ref      string // as Tree.Ref; "" for the repository itself
	Commit   string // the commit that Ref names, where there is one
	Where    string // what shows it, where that is another repository: a member's "octocat/new"
}

// The properties, as ioc.Property spells them.
const (
	SeenBranch      = "branch" // without refs/heads/
	SeenTag         = "tag"    // without refs/tags/
	SeenCommit      = "commit"
	SeenTree        = "tree"
	SeenMessage     = "message"
	SeenAuthor      = "author"
	SeenName        = "repository" // without its owner
	SeenDescription = "description"
	SeenTopic       = "topic"
	SeenRelease     = "release" // its title, or the tag of one without
	SeenRunner      = "runner"
)

// maxShown is how many bytes of values a repository may show, of itself and all its refs together.
const maxShown = 32 << 20

// Commit is what a commit shows.
type Commit struct {
	Tree    string // id in hex
	Message string
	People  []string // author and committer, "Name <address>"
}

// Shows adds a value that the repository shows, of a ref or of itself. Past a limit on all of them
// the rest is left out, with a Problem.
func (r *Repository) Shows(v Seen) {
	switch r.shown += len(v.Value); {
	case v.Value == "":
	case r.shown <= maxShown:
		r.Seen = append(r.Seen, v)
	case r.shown-len(v.Value) <= maxShown: // the first that is left out
		r.Problems = append(r.Problems, Problem{Code: CodeLimit, Detail: fmt.Sprintf("names, messages, authors and titles are more than %d bytes: the rest was not looked at", maxShown)})
	}
}

// Show adds what a ref shows, and with c the commit that it names, as Shows does.
func (r *Repository) Show(ref Ref, c *Commit) {
	add := func(property, value string) {
		r.Shows(Seen{Property: property, Value: value, Ref: ref.Name, Commit: ref.Commit})
	}
	for _, kind := range [...]struct{ prefix, property string }{{Branches, SeenBranch}, {Remotes, SeenBranch}, {Tags, SeenTag}} {
		if short, ok := strings.CutPrefix(ref.Name, kind.prefix); ok {
			add(kind.property, short)
		}
	}
	add(SeenCommit, ref.Commit)
	if c == nil {
		return
	}
	add(SeenTree, c.Tree)
	add(SeenMessage, c.Message)
	for _, person := range c.People {
		add(SeenAuthor, person)
	}
}

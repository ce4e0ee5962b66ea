package appevent

import "strings"

// Push is commits that came to a ref, a ref that was made, moved or deleted. GitHub sends none for
// more than three tags at once, and none over 25 MB.
type Push struct {
	Common
	Ref     string   `json:"ref"`    // full name: "refs/heads/main"
	Before  string   `json:"before"` // commit, or the zero id where the ref is new
	After   string   `json:"after"`  // commit, or the zero id where the ref is gone; of an annotated tag, the tag
	Created bool     `json:"created"`
	Deleted bool     `json:"deleted"`
	Forced  bool     `json:"forced"`
	Commits []Commit `json:"commits"` // at most 2,048, and none of them names more than 3,000 files
	Head    *Commit  `json:"head_commit"`
}

// Commit is a commit of a push.
type Commit struct {
	ID      string `json:"id"`
	Tree    string `json:"tree_id"`
	Message string `json:"message"`

	Author    *Person `json:"author"`
	Committer *Person `json:"committer"`

	Added    []string `json:"added"`
	Removed  []string `json:"removed"`
	Modified []string `json:"modified"`
}

// Person is who wrote or committed a commit, as the commit says.
type Person struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Branch is the name of the branch that was pushed to; ok is false for other refs.
func (e *Push) Branch() (name string, ok bool) { return strings.CutPrefix(e.Ref, "refs/heads/") }

// Tag is the name of the tag that was pushed; ok is false for other refs.
func (e *Push) Tag() (name string, ok bool) { return strings.CutPrefix(e.Ref, "refs/tags/") }

// Gone reports whether the ref is not there any more.
func (e *Push) Gone() bool { return IsZero(e.After) }

func (e *Push) check(c *checker) {
	c.ref("ref", e.Ref)
	if !IsZero(e.Before) {
		c.commit("before", e.Before)
	}
	if !IsZero(e.After) {
		c.commit("after", e.After)
	}
	if e.Deleted != IsZero(e.After) {
		c.fail("deleted is %t, and after is %q", e.Deleted, e.After)
	}
	for i := range e.Commits {
		c.commit("commit", e.Commits[i].ID)
	}
	if e.Head != nil {
		c.commit("head_commit", e.Head.ID)
	}
}

// Create is a branch or tag that was made.
type Create struct {
	Common
	Ref        string `json:"ref"`      // without prefix: "v1.0.0"
	RefType    string `json:"ref_type"` // "branch" or "tag"
	MainBranch string `json:"master_branch"`
	PusherType string `json:"pusher_type"`
}

func (e *Create) check(c *checker) { c.refOfType(e.Ref, e.RefType) }

// FullRef is the full name of the ref.
func (e *Create) FullRef() string { return fullRef(e.Ref, e.RefType) }

// Delete is a branch or tag that was deleted.
type Delete struct {
	Common
	Ref        string `json:"ref"`
	RefType    string `json:"ref_type"`
	PusherType string `json:"pusher_type"`
}

func (e *Delete) check(c *checker) { c.refOfType(e.Ref, e.RefType) }

// FullRef is the full name of the ref.
func (e *Delete) FullRef() string { return fullRef(e.Ref, e.RefType) }

func (c *checker) refOfType(name, kind string) {
	c.short("ref", name)
	if kind != "branch" && kind != "tag" {
		c.fail("ref_type %.40q is neither branch nor tag", kind)
	}
}

func fullRef(name, kind string) string {
	if kind == "tag" {
		return "refs/tags/" + name
	}
	return "refs/heads/" + name
}

package incident

import (
	"context"
	"errors"
	"fmt"
)

// Tracker is the repository in which issues are kept. Its methods are called one after the
// other. An error that wraps a *RefusedError says that nothing was written; after any other
// error of a method that writes, nobody knows.
type Tracker interface {
	// Repository says what the tracker is.
	Repository(ctx context.Context) (Repository, error)
	// ListOwn gives the issues, open and closed, whose author is our own account and that have
	// our label; no pull requests.
	ListOwn(ctx context.Context) ([]Issue, error)
	// Issue gives one issue; the error wraps ErrNotFound where there is none of our own author
	// under that number, or not in this repository any more.
	Issue(ctx context.Context, number int) (Issue, error)
	// Create makes an issue with our label.
	Create(ctx context.Context, title, body string) (Issue, error)
	// Edit changes the text of an issue and, where it is another than now, its state; in one
	// request.
	Edit(ctx context.Context, number int, body string, state IssueState) error
	// ListComments gives the comments of an issue whose author is our own account, in the order
	// in which they were written.
	ListComments(ctx context.Context, number int) ([]Comment, error)
	Comment(ctx context.Context, number int, body string) (Comment, error)
	EditComment(ctx context.Context, id int64, body string) error
}

// Repository is what there is to know of a tracker before it is written to.
type Repository struct {
	Name     string // OWNER/NAME
	Private  bool   // not to be seen by everybody; an internal one is private
	Archived bool
	Issues   bool // they are switched on
}

// Issue is an issue of our own author.
type Issue struct {
	Number int
	URL    string // for people
	Open   bool
	Body   string
}

// IssueState is the state that an edit leaves an issue in.
type IssueState string

// The states. The two that close differ in the reason that GitHub shows.
const (
	StateOpen       IssueState = "open"
	StateCompleted  IssueState = "completed"
	StateNotPlanned IssueState = "not planned"
)

// Comment is a comment of our own author.
type Comment struct {
	ID   int64
	Body string
}

// ErrNotFound is returned by Tracker.Issue.
var ErrNotFound = errors.New("no such issue")

// RefusedError says that nothing was changed, and that the same would be refused again.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return "refused: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// Trackers that are not to be written to.
var (
	ErrPublic    = errors.New("the repository is public, and the issues name what is open to attack")
	ErrArchived  = errors.New("the repository is archived: it takes no issues")
	ErrIssuesOff = errors.New("issues are switched off in the repository")
)

// usable gives the reason for which the repository must not be used.
func (r Repository) usable(allowPublic bool) error {
	switch {
	case r.Archived:
		return fmt.Errorf("%q: %w", r.Name, ErrArchived)
	case !r.Issues:
		return fmt.Errorf("%q: %w", r.Name, ErrIssuesOff)
	case !r.Private && !allowPublic:
		return fmt.Errorf("%q: %w", r.Name, ErrPublic)
	}
	return nil
}

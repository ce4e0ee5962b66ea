// Package appevent reads the bodies of GitHub's webhook events into types of its own.
//
// It is strict about what decides: numbers of things, names of repositories, refs, ids of
// commits, actions, and that a body has the shape of the event that a header named, which is not
// signed. It is tolerant of all else: members that it does not know are passed over, those that
// are null or missing read as zero where GitHub's own schema lets them be.
//
// Names of members are read exactly as they are written, and a member that stands twice anywhere
// in a body makes it none of GitHub's. Text that is no UTF-8 is repaired, since commits hold such.
//
// Everything that it returns was written by others: that a body names an installation, a
// repository or a commit says no more than that it does.
package appevent

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The errors of Parse that callers may branch on.
var (
	// ErrUnknown is for an event that this package has no type for. It says nothing against it.
	ErrUnknown = errors.New("an event of a kind that nothing is known of")
	// ErrShape is for a body that is of another event than the one that was named.
	ErrShape = errors.New("the body is not of that event")
	// ErrMalformed is for a body that GitHub does not send: it is no JSON, or a number, name, ref
	// or id in it is none.
	ErrMalformed = errors.New("malformed")
)

// Event is one of the types of this package, a pointer to it.
type Event interface {
	// About is what every event says: whose it is and what it is about.
	About() *Common
	// check reports what makes the body one that GitHub does not send.
	check(*checker)
}

// Common is what every event has, in part.
type Common struct {
	// Action is what was done; "" for events that have none, such as a push.
	Action       string        `json:"action"`
	Installation *Installed    `json:"installation"` // nil where the body names none: a registry_package may not
	Repository   *Repository   `json:"repository"`   // nil where the event is of none
	Organization *Account      `json:"organization"` // nil for what belongs to a person
	Sender       *Account      `json:"sender"`       // who caused it; nil where nobody is named
	Enterprise   *NumberedSlug `json:"enterprise"`
}

// About implements Event.
func (c *Common) About() *Common { return c }

// InstallationID is the installation that is named, 0 for none.
func (c *Common) InstallationID() int64 {
	if c.Installation == nil {
		return 0
	}
	return c.Installation.ID
}

// Owner is the account that the event is of: the organisation, or who owns the repository; nil
// where neither is named. With an event that names no installation it leads to one.
func (c *Common) Owner() *Account {
	switch {
	case c.Repository != nil:
		return &c.Repository.Owner
	case c.Organization != nil:
		return c.Organization
	}
	return nil
}

// Installed names an installation of an App.
type Installed struct {
	ID int64 `json:"id"`
}

// Account is a person, an organisation or a bot.
type Account struct {
	Login string `json:"login"`
	ID    int64  `json:"id"`
	Type  string `json:"type"` // "User", "Organization", "Bot"; "" where it is not said
}

// Bot reports whether an App or another machine stands behind the account.
func (a *Account) Bot() bool { return a != nil && a.Type == "Bot" }

// NumberedSlug is a thing with a name for addresses: a team, an enterprise, an App.
type NumberedSlug struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

// Repository is a repository as events show it.
type Repository struct {
	ID            int64   `json:"id"`
	Node          string  `json:"node_id"` // the id by which GraphQL knows it
	Name          string  `json:"name"`
	FullName      string  `json:"full_name"` // "OWNER/NAME"
	Owner         Account `json:"owner"`
	Description   string  `json:"description"`
	Private       bool    `json:"private"`
	Visibility    string  `json:"visibility"` // "public", "private", "internal"; "" of older servers
	Fork          bool    `json:"fork"`
	Archived      bool    `json:"archived"`
	Disabled      bool    `json:"disabled"`
	DefaultBranch string  `json:"default_branch"`
}

// options read bodies.
var options = json.JoinOptions(json.RejectUnknownMembers(false), json.MatchCaseInsensitiveNames(false),
	jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(false))

// Parse reads the body of an event by the name in the header X-GitHub-Event. The error wraps
// ErrUnknown, ErrShape or ErrMalformed.
func Parse(event string, body []byte) (Event, error) {
	form, known := forms[event]
	if !known || form.empty == nil {
		return nil, fmt.Errorf("event %q: %w", event, ErrUnknown)
	}
	if err := form.fits(body); err != nil {
		return nil, fmt.Errorf("event %q: %w", event, err)
	}
	e := form.empty()
	if err := json.Unmarshal(body, e, options); err != nil {
		return nil, fmt.Errorf("event %q: %w: %w", event, ErrMalformed, err)
	}
	c := &checker{}
	c.common(e.About())
	e.check(c)
	if c.err != nil {
		return nil, fmt.Errorf("event %q: %w: %w", event, ErrMalformed, c.err)
	}
	return e, nil
}

// As is Parse for a caller who knows the type.
func As[E any, P interface {
	*E
	Event
}](event string, body []byte) (P, error) {
	e, err := Parse(event, body)
	if err != nil {
		return nil, err
	}
	typed, ok := e.(P)
	if !ok {
		return nil, fmt.Errorf("event %q: %w: it reads as %T", event, ErrShape, e)
	}
	return typed, nil
}

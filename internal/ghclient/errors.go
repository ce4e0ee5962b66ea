package ghclient

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
)

// What an error of this package may wrap.
var (
	// ErrBudget: the request was not sent, for Options.MaxRequests had been sent before it.
	ErrBudget = errors.New("the budget of API requests is spent")
	// ErrBadCredentials: the token or the App's key is wrong, expired or revoked.
	ErrBadCredentials = errors.New("bad credentials")
	// ErrNotFound: GitHub says that there is none, or that this token may not know of it.
	ErrNotFound = errors.New("not found, or not visible with these credentials")
	// ErrTimeout: GitHub did not finish in time. A GraphQL query that asks for less may.
	ErrTimeout = errors.New("GitHub did not answer in time")
	// ErrTooLong: the answer has more bytes than are read of one. A request that asks for less
	// may have one that is read.
	ErrTooLong = errors.New("the answer is too long")
	// ErrUnknownOutcome: a write was sent and no whole answer came. It may have been carried
	// out: look before it is sent again.
	ErrUnknownOutcome = errors.New("sent, and no whole answer came: it may have been carried out")
)

// StatusError is an answer of GitHub that is an error and none of the other types. It wraps
// ErrNotFound for 404 and ErrTimeout for 502 and 504. What Client.REST returns for 404, 409,
// 410, 422 and their like is go-github's *github.ErrorResponse instead: see Status.
type StatusError struct {
	Request string // method and path
	Status  int
	Message string // GitHub's words, redacted
}

func (e *StatusError) Error() string {
	if e.Status == http.StatusNotFound {
		return fmt.Sprintf("%s: %v", e.Request, ErrNotFound)
	}
	return fmt.Sprintf("%s: status %d%s", e.Request, e.Status, inQuotes(e.Message))
}

func (e *StatusError) Unwrap() error {
	switch e.Status {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return ErrTimeout
	}
	return nil
}

// Status gives the HTTP status of the answer that err stands for, whether it came from this
// package or from go-github, and 0 where there was none.
func Status(err error) int {
	var (
		status    *StatusError
		permitted *NotPermittedError
		limited   *RateLimitedError
		suspended *SuspendedError
		response  *github.ErrorResponse
	)
	switch {
	case errors.As(err, &status):
		return status.Status
	case errors.As(err, &permitted), errors.As(err, &suspended):
		return http.StatusForbidden
	case errors.As(err, &limited):
		return http.StatusTooManyRequests
	case errors.As(err, &response) && response.Response != nil:
		return response.Response.StatusCode
	case errors.Is(err, ErrBadCredentials):
		return http.StatusUnauthorized
	}
	return 0
}

// NotPermittedError says that the credentials are good and may not do this.
type NotPermittedError struct {
	Request string // method and path; "POST /graphql" for GraphQL
	// Permission is what GitHub says would do, as in its header X-Accepted-GitHub-Permissions:
	// "administration=read", or several with "," (all) and ";" (either). "" where it did not
	// say.
	Permission string
	Message    string // GitHub's words, redacted
}

func (e *NotPermittedError) Error() string {
	if e.Permission == "" {
		return fmt.Sprintf("%s: not permitted%s", e.Request, inQuotes(e.Message))
	}
	return fmt.Sprintf("%s: not permitted: it needs the permission %q%s", e.Request, e.Permission, inQuotes(e.Message))
}

// RateLimitedError says that GitHub's limit held, longer or more often than this package
// waits, past the deadline of the context, or for a write. The next request of the same
// credentials waits until Until by itself.
type RateLimitedError struct {
	Request   string
	Until     time.Time // not before
	Secondary bool      // of requests in a short time, not of the hour
	Message   string    // GitHub's words, redacted
}

func (e *RateLimitedError) Error() string {
	kind := "rate limit"
	if e.Secondary {
		kind = "secondary rate limit"
	}
	return fmt.Sprintf("%s: %s until %s%s", e.Request, kind, e.Until.UTC().Format(time.RFC3339), inQuotes(e.Message))
}

// SuspendedError says that the App's installation is suspended, and that its owner has to
// lift that; or, where Installation is 0, that the account of the token is.
type SuspendedError struct {
	Account      string // organisation or user, "" where not known
	Installation int64
}

func (e *SuspendedError) Error() string {
	if e.Installation == 0 {
		return "the account that the token belongs to is suspended"
	}
	return fmt.Sprintf("the App's installation %d on %q is suspended", e.Installation, e.Account)
}

// GraphQLError is what a GraphQL answer says went wrong beside its data. It wraps
// ErrNotFound where all that was asked for was not found, and ErrTimeout where GitHub gave
// up on the query.
type GraphQLError struct {
	// Partial says that data came too, and was decoded into what the caller gave: a field
	// that an error's Path names is null there.
	Partial bool
	Errors  []GraphQLFault
}

// GraphQLFault is one entry of the list "errors".
type GraphQLFault struct {
	Type    string // "NOT_FOUND", "FORBIDDEN", "RESOURCE_LIMITS_EXCEEDED"; "" for some
	Message string // GitHub's words, redacted
	Path    []any  // string names and float64 indices; empty for the whole query
}

func (e *GraphQLError) Error() string {
	var b strings.Builder
	b.WriteString("GraphQL")
	for i, f := range e.Errors {
		if i == maxFaultsTold {
			fmt.Fprintf(&b, "; %d more", len(e.Errors)-i)
			break
		}
		if i > 0 {
			b.WriteString(";")
		}
		if f.Type != "" {
			fmt.Fprintf(&b, " %s", f.Type)
		}
		fmt.Fprintf(&b, " %q", f.Message)
		if len(f.Path) > 0 {
			fmt.Fprintf(&b, " at %q", oneLine(fmt.Sprintln(f.Path...)))
		}
	}
	return b.String()
}

// maxFaultsTold is how many errors of one GraphQL answer its text shows.
const maxFaultsTold = 3

// Has reports whether one of the errors is of the type.
func (e *GraphQLError) Has(kind string) bool {
	for _, f := range e.Errors {
		if f.Type == kind {
			return true
		}
	}
	return false
}

func (e *GraphQLError) Unwrap() error {
	notFound, timeout := len(e.Errors) > 0, false
	for _, f := range e.Errors {
		notFound = notFound && f.Type == "NOT_FOUND" && len(f.Path) <= 1
		timeout = timeout || f.Type == "" && strings.HasPrefix(f.Message, gaveUp)
	}
	switch {
	case notFound:
		return ErrNotFound
	case timeout:
		return ErrTimeout
	}
	return nil
}

// gaveUp begins what GitHub says, with status 200, of a query that took it too long.
const gaveUp = "Something went wrong while executing your query"

// inQuotes sets words of GitHub's behind an error.
func inQuotes(message string) string {
	if message == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", message)
}

// redactedError is a cause whose own text may hold a secret.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/uploadpack"
)

// Kind is a kind of request.
type Kind string

// The kinds of requests.
const (
	REST    Kind = "rest"
	GraphQL Kind = "graphql"
	Token   Kind = "token" // makes or ends an installation token
	Git     Kind = "git"
	Unknown Kind = "unknown" // nothing answers there
)

// Entry is one request in a server's log.
type Entry struct {
	Time      time.Time     // of its arrival, by the server's clock
	Took      time.Duration // to make the answer, without its way
	Kind      Kind
	Method    string
	Path      string // below BASE, with its query
	Route     string // the pattern that it matched, as in GitHub's documentation
	Who       string // whose limits it spends
	Secret    string // a mark of the credential: equal for equal ones
	Status    int
	In, Out   int // bytes of the bodies
	Cost      int // points of the primary limit
	Nodes     int // of GraphQL: what it could have given
	Fault     bool
	Git       *uploadpack.Request
	UserAgent string
}

// Conditional reports whether the answer was 304.
func (e Entry) Conditional() bool { return e.Status == 304 }

// Log gives the requests so far, in the order in which they were answered.
func (s *Server) Log() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// ForgetLog empties the log: the next run is counted from here.
func (s *Server) ForgetLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// Totals are sums over a log.
type Totals struct {
	Requests    map[Kind]int
	Routes      map[string]int // of REST
	Conditional int            // answered 304
	Refused     int            // answered 403 or 429
	Points      map[Kind]int
	In, Out     int
	GitOut      int // the part of Out that git was answered
	GitCommands map[string]int
	Objects     int // in packs
}

// Totals adds the log up.
func (s *Server) Totals() Totals {
	t := Totals{Requests: map[Kind]int{}, Routes: map[string]int{}, Points: map[Kind]int{}, GitCommands: map[string]int{}}
	for _, e := range s.Log() {
		t.Requests[e.Kind]++
		t.Points[e.Kind] += e.Cost
		t.In += e.In
		t.Out += e.Out
		switch {
		case e.Conditional():
			t.Conditional++
		case e.Status == http.StatusForbidden, e.Status == http.StatusTooManyRequests:
			t.Refused++
		}
		switch e.Kind {
		case REST:
			t.Routes[e.Route]++
		case Git:
			t.GitOut += e.Out
		}
		if e.Git != nil {
			t.GitCommands[e.Git.Command]++
			t.Objects += e.Git.Objects
		}
	}
	return t
}

func (t Totals) String() string {
	var b strings.Builder
	for _, kind := range []Kind{REST, GraphQL, Token, Git, Unknown} {
		if n := t.Requests[kind]; n > 0 {
			fmt.Fprintf(&b, "%s %d requests, %d points; ", kind, n, t.Points[kind])
		}
	}
	fmt.Fprintf(&b, "%d conditional; %d bytes in, %d out", t.Conditional, t.In, t.Out)
	return b.String()
}

// Package githubtest simulates GitHub for tests, demonstrations and benchmarks: REST,
// GraphQL and git over HTTP on a port of 127.0.0.1, in the layout of GitHub Enterprise
// Server (BASE/api/v3, BASE/api/graphql, BASE/OWNER/NAME.git).
//
// A server starts with one organisation and an App that is installed on it. A test adds
// repositories, makes tokens, switches faults on, lets the product run against it, and asks
// afterwards what was requested. The server counts rate limits as GitHub does, by a clock
// that the test may move, and keeps a list of violations: a call before a wait that the
// client was told, a write without permission, a request that nobody expected. Check fails
// a test that has any.
//
// It is test code: nothing but tests, figures and internal/githubtest/ghsim imports it. It
// reads and writes what GitHub sends by itself, without the packages of the product that
// do so, so that the two cannot be wrong in the same way.
package githubtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options changes a server. The zero value is GitHub as it is.
type Options struct {
	Listen string           // address; 127.0.0.1:0 when empty
	Org    string           // login of the first organisation; "acme" when empty
	Now    func() time.Time // the server's clock; time.Now when nil
	Seed   uint64           // of what happens with a probability
	Limits Limits

	TreeEntries   int           // a recursive tree is cut after so many; 100,000 when 0
	ContentBytes  int           // the contents API gives no larger file as JSON; 1 MB when 0
	IssueDelay    time.Duration // so long a new or changed issue is not seen in lists
	WholePacks    bool          // packs hold no deltas
	AnonymousFree bool          // requests without a token have no rate limit
	Enterprise    string        // the version that a GitHub Enterprise Server says it has, "3.19.0"
	TagsByToken   bool          // an ETag is of one token; GitHub was seen to do so
	// PrivateCount lets an installation see total_private_repos of its organisation only
	// with the permission that it names; organization_administration when empty.
	PrivateCount string
}

// Server is a running simulator. Its methods may be called at the same time.
type Server struct {
	opts     Options
	base     string
	http     *http.Server
	listener net.Listener
	routes   http.Handler
	stopped  chan struct{}

	mu         sync.Mutex // guards all below, and the fields of what they hold
	accounts   map[string]*Account
	repos      []*Repo // by id
	byName     []*Repo // sorted by lower-case full name; nil when it must be made again
	byID       map[int64]*Repo
	names      map[string]*Repo // by lower-case full name
	renamed    map[string]int64 // old lower-case full names
	apps       []*App
	installs   []*Installation
	tokens     map[string]*token
	advisories []Advisory
	lastID     int64
	buckets    map[bucketKey]*bucket
	minutes    map[string]*minute
	waits      map[string]wait
	rules      []*rule
	random     *rand.Rand
	log        []Entry
	bad        []string
	recorder   recorder
	store      *storage // nil until something leads there
	deliveries []*Delivery
	manifests  map[string]*Manifest // by code, until they are converted
}

// Listen starts a server.
func Listen(opts Options) (*Server, error) {
	if opts.Listen == "" {
		opts.Listen = "127.0.0.1:0"
	}
	if opts.Org == "" {
		opts.Org = "acme"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.TreeEntries == 0 {
		opts.TreeEntries = 100_000
	}
	if opts.ContentBytes == 0 {
		opts.ContentBytes = 1 << 20
	}
	if opts.PrivateCount == "" {
		opts.PrivateCount = "organization_administration"
	}
	listener, err := net.Listen("tcp", opts.Listen)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, base: "http://" + listener.Addr().String(), listener: listener,
		stopped:  make(chan struct{}),
		accounts: map[string]*Account{}, byID: map[int64]*Repo{}, names: map[string]*Repo{}, renamed: map[string]int64{},
		tokens: map[string]*token{}, lastID: 1000,
		buckets: map[bucketKey]*bucket{}, minutes: map[string]*minute{}, waits: map[string]wait{},
		random: rand.New(rand.NewPCG(opts.Seed, 0)), manifests: map[string]*Manifest{},
	}
	s.routes = s.mux()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute, ConnContext: withConnection}
	org := s.AddOrganization(opts.Org)
	s.Install(s.AddApp("sweeper"), org, DefaultPermissions())
	go func() {
		defer close(s.stopped)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.violation("the server stopped: %v", err)
		}
	}()
	return s, nil
}

// New starts a server, or panics when no port can be had.
func New(opts Options) *Server {
	s, err := Listen(opts)
	if err != nil {
		panic(fmt.Sprintf("githubtest: %v", err))
	}
	return s
}

// RecordVariable names the environment variable with a folder into which every server of a
// test writes a recording. schematest holds them against GitHub's own descriptions.
const RecordVariable = "GITHUBTEST_RECORD"

// Start starts a server for a test. At the test's end it is checked and closed.
func Start(t testing.TB, opts Options) *Server {
	t.Helper()
	s := New(opts)
	if dir := os.Getenv(RecordVariable); dir != "" {
		file, err := os.CreateTemp(dir, strings.ReplaceAll(t.Name(), "/", "-")+"-*.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		s.Record(file)
		t.Cleanup(func() { file.Close() })
	}
	t.Cleanup(func() {
		s.Close()
		s.Check(t)
	})
	return s
}

// URL gives BASE, without a slash at its end.
func (s *Server) URL() string { return s.base }

// Close stops the server. Requests that are being answered are cut off.
func (s *Server) Close() {
	if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.violation("close: %v", err)
	}
	<-s.stopped
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store != nil {
		_ = s.store.http.Close() // nothing is written
	}
	for _, r := range s.repos {
		if c, ok := r.Content.(interface{ Close() error }); ok {
			_ = c.Close() // a process of git's that was read from
		}
	}
}

// violation notes what a test should not have seen.
func (s *Server) violation(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violationLocked(format, args...)
}

func (s *Server) violationLocked(format string, args ...any) {
	s.bad = append(s.bad, fmt.Sprintf(format, args...))
}

// Violations gives what was noted so far.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.bad...)
}

// ForgetViolations empties the list, for a test that means them.
func (s *Server) ForgetViolations() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = nil
}

// Check fails the test when there are violations.
func (s *Server) Check(t testing.TB) {
	t.Helper()
	for _, v := range s.Violations() {
		t.Errorf("githubtest: %s", v)
	}
}

// connection is one TCP connection of a client.
type connection struct {
	opened time.Time
}

type connectionKey struct{}

func withConnection(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{opened: time.Now()})
}

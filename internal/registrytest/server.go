// Package registrytest is registries for tests, demos and figures: one server on loopback that
// speaks several protocols, counts what it is asked, and has faults on order.
//
// Start makes a Server, and New one that ends with a test. Each protocol is a part of it below a
// path of its own and is made by its method: Server.NPM, Server.PyPI. What is published in one is
// said in Go, or sent by the protocol where it can be.
//
// A protocol is added in files of its own: a type with ServeHTTP, and a method of Server that
// mounts it once (Server.mount). It answers by reply, which gives a body its ETag and a
// conditional request its 304, and names what it was asked with Server.asked. Faults and the rest
// come from the core: a handler writes into memory, and the core sends it, whole or broken.
package registrytest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is the registries of one address. It is safe for concurrent use.
type Server struct {
	URL  string // "http://127.0.0.1:40123"
	Host string // "127.0.0.1:40123"

	http   *http.Server
	served chan struct{}
	ended  chan struct{}

	mu      sync.Mutex
	now     func() time.Time
	mounts  []mount // the longest path first
	rules   []*rule
	counts  map[string]Count
	latency time.Duration
	npm     *NPM
	pypi    *PyPI
}

type mount struct {
	path    string // "/npm/"
	handler http.Handler
}

// Count is how often something was asked for.
type Count struct {
	Requests    int
	Conditional int // of them, those with If-None-Match or If-Modified-Since
	NotModified int // of them, those answered with 304
	Bytes       int64
}

// Start makes a server on a free port of loopback. Close ends it.
func Start() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL: "http://" + l.Addr().String(), Host: l.Addr().String(), now: time.Now, counts: map[string]Count{},
		served: make(chan struct{}), ended: make(chan struct{}),
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(l)
	}()
	return s, nil
}

// New is Start for a test, at whose end the server ends.
func New(t interface {
	Helper()
	Cleanup(f func())
	Fatal(args ...any)
},
) *Server {
	t.Helper()
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Close ends the server and its connections.
func (s *Server) Close() {
	close(s.ended)
	_ = s.http.Close()
	<-s.served
}

// SetClock gives the server another clock than time.Now.
func (s *Server) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// clock is the time of the server, in UTC and milliseconds.
func (s *Server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().UTC().Truncate(time.Millisecond)
}

// SetLatency lets every answer take a while.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// Counts is what was asked so far by kind: "npm packument", "pypi project", and "" for paths
// that no protocol knows.
func (s *Server) Counts() map[string]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]Count{}
	for kind, n := range s.counts {
		counts[kind] = n
	}
	return counts
}

// Forget sets the counts back.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.counts)
}

// mount puts a handler below a path that ends in "/". It sees the whole path.
func (s *Server) mount(path string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mounts = append(s.mounts, mount{path, h})
	slices.SortStableFunc(s.mounts, func(a, b mount) int { return len(b.path) - len(a.path) })
}

// Mount puts a handler of somebody else's below a path that ends in "/". It sees the whole
// path, and is counted as kind.
func (s *Server) Mount(path, kind string, h http.Handler) {
	s.mount(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked(w, kind)
		h.ServeHTTP(w, r)
	}))
}

// kindHeader carries what a request was about from a handler to the core. It is not sent.
const kindHeader = "X-Registrytest-Kind"

// asked names what the request is about. A handler calls it before it answers.
func (s *Server) asked(w http.ResponseWriter, kind string) { w.Header().Set(kindHeader, kind) }

// Answer is what a handler answered, before it is sent.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// recorder is the ResponseWriter of handlers.
type recorder struct {
	answer Answer
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.answer.Header }
func (r *recorder) WriteHeader(status int) {
	if r.answer.Status == 0 {
		r.answer.Status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// ServeHTTP answers by the protocol whose path it is, and as the rules say.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := s.due(r); fault != nil {
		fault(w, r, func() Answer { return s.serve(r) })
		return
	}
	s.serve(r).send(w, r)
}

// serve gives the answer of a protocol, and counts it.
func (s *Server) serve(r *http.Request) Answer {
	s.mu.Lock()
	var h http.Handler = http.NotFoundHandler()
	for _, m := range s.mounts {
		if strings.HasPrefix(r.URL.Path, m.path) {
			h = m.handler
			break
		}
	}
	latency := s.latency
	s.mu.Unlock()
	s.pause(r, latency)
	rec := &recorder{answer: Answer{Header: http.Header{}}}
	h.ServeHTTP(rec, r)
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
	rec.WriteHeader(http.StatusOK)
	rec.answer.Body = rec.body.Bytes()

	kind := rec.answer.Header.Get(kindHeader)
	rec.answer.Header.Del(kindHeader)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.counts[kind]
	n.Requests++
	if conditional(r) {
		n.Conditional++
	}
	if rec.answer.Status == http.StatusNotModified {
		n.NotModified++
	}
	n.Bytes += int64(len(rec.answer.Body))
	s.counts[kind] = n
	return rec.answer
}

// pause waits, until the request or the server ends at most.
func (s *Server) pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.ended:
	}
}

func conditional(r *http.Request) bool {
	return r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != ""
}

// send sends an answer whole.
func (a Answer) send(w http.ResponseWriter, r *http.Request) {
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	if a.Header.Get("Content-Length") == "" && a.Status != http.StatusNotModified && a.Status != http.StatusNoContent {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.Body)
	}
}

// reply answers with a body, or with 304 to whoever has that of its ETag. body is called only
// where it is needed.
func reply(w http.ResponseWriter, r *http.Request, contentType, etag string, body func() []byte) {
	if etag != "" {
		w.Header().Set("ETag", etag)
		if given := r.Header.Get("If-None-Match"); given == "*" || given != "" && slices.Contains(strings.Split(given, ", "), etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body())
}

// fail answers with a status and a message, as npm and most others write it.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, "{\"error\":%q}\n", message)
}

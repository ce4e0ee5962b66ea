package githubtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/uploadpack"
)

// maxBody bounds what is read of a request.
const maxBody = 32 << 20

// Exchange is one request and the answer that is made to it. A Fault works on it.
type Exchange struct {
	Request *http.Request
	Body    []byte // of the request
	Kind    Kind
	Number  int // of the matches of the rule, from 1

	// The answer. A fault that does not call Serve sets it itself.
	Status int
	Header http.Header
	Answer bytes.Buffer

	// What goes wrong on its way. Cut is the number of bytes of the body after which the
	// connection is closed; -1 is never. Drop closes it before anything is sent, and Reset
	// makes the client's system see a reset instead of an end. Slow is the pause before
	// each SlowBytes of the body.
	Cut       int
	Drop      bool
	Reset     bool
	Slow      time.Duration
	SlowBytes int

	// Git changes how upload-pack serves.
	Git uploadpack.Options

	server  *Server
	who     principal
	conn    *connection
	route   string
	cost    int
	nodes   int
	git     *uploadpack.Request
	served  bool
	faulty  bool
	arrived time.Time
	free    bool // the answer is not counted by the primary limit
}

// Now is the server's time.
func (e *Exchange) Now() time.Time { return e.server.opts.Now() }

// ServeHTTP answers every request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	e := &Exchange{
		Request: r, Status: http.StatusOK, Header: http.Header{}, Cut: -1, Kind: kindOf(r),
		server: s, arrived: s.opts.Now(),
	}
	e.conn, _ = r.Context().Value(connectionKey{}).(*connection)
	e.Git.Deltas = !s.opts.WholePacks
	var err error
	if e.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		http.Error(w, "the request is too large or was cut off", http.StatusBadRequest)
		return
	}
	e.answer()
	s.note(e, time.Since(began)) // before it is sent: whoever has the answer finds it in the log
	if !e.Drop {
		e.send(w)
	}
	if e.Drop || e.Cut >= 0 && e.Cut < e.Answer.Len() {
		if e.Reset {
			reset(w)
		}
		panic(http.ErrAbortHandler) // closes the connection
	}
}

// reset closes a connection so that the other side sees a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the close alone would do
	}
	_ = conn.Close() // it is meant to break
}

// kindOf tells requests apart by their path.
func kindOf(r *http.Request) Kind {
	path := r.URL.Path
	switch {
	case path == "/api/graphql":
		return GraphQL
	case strings.HasSuffix(path, "/access_tokens") || path == restRoot+"/installation/token":
		return Token
	case strings.HasPrefix(path, restRoot+"/") || path == restRoot:
		return REST
	case strings.HasSuffix(path, "/info/refs") || strings.HasSuffix(path, "/git-upload-pack"):
		return Git
	}
	return Unknown
}

// restRoot is where REST begins.
const restRoot = "/api/v3"

// answer makes the answer, with the faults that are due.
func (e *Exchange) answer() {
	s := e.server
	e.Header.Set("Server", "github.com")
	e.Header.Set("X-Github-Request-Id", fmt.Sprintf("%04X:%X", len(e.Body), e.arrived.UnixNano()))
	e.Header.Set("Content-Type", "application/json; charset=utf-8")
	if s.opts.Enterprise != "" {
		e.Header.Set("X-Github-Enterprise-Version", s.opts.Enterprise)
	}
	who, err := s.authenticate(e.Request)
	e.who = who
	if err != nil {
		if e.Kind == Git {
			e.unauthorized()
			return
		}
		status := http.StatusUnauthorized
		if errors.Is(err, errSuspended) {
			status = http.StatusForbidden
		}
		e.fail(status, err.Error())
		return
	}
	rule := s.due(e)
	if e.Kind != Git {
		s.mu.Lock()
		e.mayCall()
		m := s.minute(e.who)
		m.running++
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			m.running--
			s.mu.Unlock()
		}()
	}
	if rule != nil {
		e.faulty = true
		rule(e)
	} else {
		e.Serve()
	}
}

// mayCall notes a violation when the client was told to wait, and when it writes too soon
// after it wrote.
func (e *Exchange) mayCall() {
	what := e.Request.Method + " " + e.Request.URL.Path
	if e.Kind == REST && !reads(e.Request.Method) {
		m := e.server.minute(e.who)
		if since, gap := e.arrived.Sub(m.wrote), e.server.opts.Limits.WriteGap; gap > 0 && since < gap {
			e.server.violationLocked("%s came %v after the write before it", what, since)
		}
		m.wrote = e.arrived
	}
	for _, resource := range []string{"", e.resource()} {
		e.server.early(waitKey(e.who, resource), e.conn, what)
	}
}

func (e *Exchange) resource() string {
	if e.Kind == GraphQL {
		return graphQLResource
	}
	return coreResource
}

// Serve makes the answer that the server would give.
func (e *Exchange) Serve() {
	if e.served {
		return
	}
	e.served = true
	switch {
	case e.Kind == Git:
		e.serveGit()
		return
	case e.limited():
		return
	case e.Kind == GraphQL:
		e.serveGraphQL()
	default:
		if !e.serveNumbered() {
			e.server.routes.ServeHTTP(discard{}, e.Request.WithContext(withExchange(e.Request.Context(), e)))
		}
		if e.route == "" {
			e.unexpected()
		}
		e.conditional()
	}
	e.charge()
}

// conditional turns an answer that the client has into 304.
func (e *Exchange) conditional() {
	if e.Status != http.StatusOK || e.Request.Method != http.MethodGet && e.Request.Method != http.MethodHead {
		return
	}
	tagged := e.Answer.Bytes()
	if e.server.opts.TagsByToken {
		tagged = append([]byte(e.Request.Header.Get("Authorization")), tagged...)
	}
	sum := sha256.Sum256(tagged)
	etag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	e.Header.Set("Etag", etag)
	if match := e.Request.Header.Get("If-None-Match"); match != "" && strings.Contains(match, strings.TrimPrefix(etag, "W/")) {
		e.Status = http.StatusNotModified
		e.Answer.Reset()
		e.free = true
	}
}

// charge takes the points of an answer, and tells the state of the limit.
func (e *Exchange) charge() {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bucket(e.who, e.resource())
	if e.Kind != GraphQL {
		e.cost = 1
	}
	if e.free {
		e.cost = 0
	}
	b.used += e.cost
	b.headers(e.Header, e.resource())
}

// send writes the answer, or the part of it that comes before a cut.
func (e *Exchange) send(w http.ResponseWriter) {
	body := e.Answer.Bytes()
	cut := e.Cut >= 0 && e.Cut < len(body)
	w.Header().Set("Date", e.server.opts.Now().UTC().Format(http.TimeFormat))
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	if e.Kind != Git {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(e.Status)
	if e.Request.Method == http.MethodHead || e.Status == http.StatusNotModified || e.Status == http.StatusNoContent {
		return
	}
	if cut {
		body = body[:e.Cut]
	}
	for len(body) > 0 && e.SlowBytes > 0 {
		n := min(e.SlowBytes, len(body))
		select {
		case <-time.After(e.Slow):
		case <-e.Request.Context().Done():
			return
		}
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		flush(w)
		body = body[n:]
	}
	if _, err := w.Write(body); err == nil && cut {
		flush(w)
	}
}

func flush(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush() // a client that is gone is no failure of ours
}

// note puts the request into the log.
func (s *Server) note(e *Exchange, took time.Duration) {
	entry := Entry{
		Time: e.arrived, Took: took, Kind: e.Kind, Method: e.Request.Method, Path: e.Request.URL.RequestURI(), Route: e.route,
		Who: e.who.key(), Secret: redacted(e.Request.Header.Get("Authorization")), Status: e.Status,
		In: len(e.Body), Out: e.Answer.Len(), Cost: e.cost, Nodes: e.nodes, Fault: e.faulty, Git: e.git,
		UserAgent: e.Request.UserAgent(),
	}
	s.mu.Lock()
	s.log = append(s.log, entry)
	s.mu.Unlock()
	s.recorder.record(e)
}

// discard is a ResponseWriter for the router, whose handlers write to the exchange.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

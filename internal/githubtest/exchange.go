package githubtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
	who, err := s.authenticate(e.Request)
	e.who = who
	if err != nil {
		if e.Kind == Git {
			e.unauthorized()
			return
		}
		e.fail(http.StatusUnauthorized, err.Error())
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

// mayCall notes a violation when the client was told to wait.
func (e *Exchange) mayCall() {
	what := e.Request.Method + " " + e.Request.URL.Path
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
	sum := sha256.Sum256(e.Answer.Bytes())
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

// limited answers a request that is over a limit.
func (e *Exchange) limited() bool {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Request.URL.Path == restRoot+"/rate_limit" {
		return false
	}
	if m := s.minute(e.who); s.opts.Limits.Secondary && m.secondary(e.Kind, e.Request.Method, makesContent(e.Request)) {
		e.secondaryLimit(http.StatusForbidden, Told{RetryAfter: m.start.Add(time.Minute).Sub(s.opts.Now())}, secondaryDocumentation)
		return true
	}
	b := s.bucket(e.who, e.resource())
	if b.remaining() > 0 {
		return false
	}
	told := Told{Reset: b.reset.Sub(s.opts.Now())}
	if e.Kind == GraphQL {
		e.graphQLLimit("RATE_LIMITED", told)
		return true
	}
	e.primaryLimit(http.StatusForbidden, told)
	return true
}

func makesContent(r *http.Request) bool {
	return r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/issues") || strings.HasSuffix(r.URL.Path, "/comments"))
}

// Told is how an answer tells a client to wait. Where both are 0 the client is told nothing,
// and is to wait for a minute.
type Told struct {
	RetryAfter time.Duration // in the header retry-after
	Reset      time.Duration // until the time in x-ratelimit-reset
}

// untilOf gives the time before which a client that was told so is not to call. The header
// retry-after comes first.
func (e *Exchange) untilOf(told Told, exhausted bool) time.Time {
	switch {
	case told.RetryAfter > 0:
		return e.Now().Add(told.RetryAfter)
	case told.Reset > 0 && exhausted:
		return e.Now().Add(told.Reset)
	}
	return e.Now().Add(time.Minute)
}

// tellHeaders sets the headers of a limit. Callers hold the lock.
func (e *Exchange) tellHeaders(told Told, exhausted bool) {
	b := *e.server.bucket(e.who, e.resource())
	if told.Reset > 0 {
		b.reset = e.Now().Add(told.Reset)
	}
	if exhausted {
		b.used = b.limit
	}
	b.headers(e.Header, e.resource())
	if told.Reset == 0 && exhausted {
		e.Header.Del("X-Ratelimit-Reset")
	}
	if told.RetryAfter > 0 {
		e.Header.Set("Retry-After", strconv.Itoa(seconds(told.RetryAfter)))
	}
}

// primaryLimit answers that the hour's points are spent. Callers hold the lock.
func (e *Exchange) primaryLimit(status int, told Told) {
	e.tellHeaders(told, true)
	e.fail(status, "API rate limit exceeded for "+e.who.key()+".")
	e.server.tell(waitKey(e.who, e.resource()), e.untilOf(told, true), "primary limit", e.conn)
}

// secondaryDocumentation is where the error of a secondary limit points, today.
const secondaryDocumentation = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"

// secondaryLimit answers that too much was asked at once. Callers hold the lock.
func (e *Exchange) secondaryLimit(status int, told Told, documentation string) {
	e.tellHeaders(told, false)
	e.failAt(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", documentation)
	e.server.tell(waitKey(e.who, ""), e.untilOf(told, false), "secondary limit", e.conn)
}

// graphQLLimit answers as GraphQL does when its points are spent: with 200. GitHub was
// seen to send either of two types. Callers hold the lock.
func (e *Exchange) graphQLLimit(typ string, told Told) {
	e.tellHeaders(told, true)
	e.Status = http.StatusOK
	e.json(map[string]any{"errors": []any{map[string]any{
		"type": typ, "code": "graphql_rate_limit", "message": "API rate limit already exceeded for " + e.who.key() + ".",
	}}})
	e.server.tell(waitKey(e.who, graphQLResource), e.untilOf(told, true), "GraphQL limit", e.conn)
}

// seconds rounds up: a client that waits so long does not come too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// send writes the answer, or the part of it that comes before a cut.
func (e *Exchange) send(w http.ResponseWriter) {
	body := e.Answer.Bytes()
	cut := e.Cut >= 0 && e.Cut < len(body)
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

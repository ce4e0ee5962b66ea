package githubtest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// limited answers a request that is over a limit.
func (e *Exchange) limited() bool {
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Request.URL.Path == restRoot+"/rate_limit" {
		return false
	}
	if m := s.minute(e.who); s.opts.Limits.Secondary && m.secondary(e.Kind, e.Request.Method, makesContent(e.Request)) {
		e.secondaryLimit(http.StatusForbidden, Told{RetryAfter: m.ends().Sub(s.opts.Now())}, secondaryDocumentation)
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

// tellHeaders sets the headers of a limit, and gives the time before which a client that is
// told so is not to call: retry-after comes first, and the reset counts where the points
// are spent. Callers hold the lock.
func (e *Exchange) tellHeaders(told Told, exhausted bool) (until time.Time) {
	now := e.Now()
	until = now.Add(time.Minute)
	b := *e.server.bucket(e.who, e.resource())
	if told.Reset > 0 {
		b.reset = now.Add(told.Reset).Truncate(time.Second) // as the header has it
	}
	if exhausted {
		b.used = b.limit
	}
	b.headers(e.Header, e.resource())
	switch {
	case exhausted && told.Reset > 0:
		until = b.reset
	case exhausted:
		e.Header.Del("X-Ratelimit-Reset")
	}
	if told.RetryAfter > 0 {
		e.Header.Set("Retry-After", strconv.Itoa(seconds(told.RetryAfter)))
		until = now.Add(told.RetryAfter)
	}
	return until
}

// primaryLimit answers that the hour's points are spent. Callers hold the lock.
func (e *Exchange) primaryLimit(status int, told Told) {
	until := e.tellHeaders(told, true)
	e.fail(status, "API rate limit exceeded for "+e.who.key()+".")
	e.server.tell(waitKey(e.who, e.resource()), until, "primary limit", e.conn)
}

// secondaryDocumentation is where the error of a secondary limit points, today.
const secondaryDocumentation = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"

// secondaryLimit answers that too much was asked at once. Callers hold the lock.
func (e *Exchange) secondaryLimit(status int, told Told, documentation string) {
	until := e.tellHeaders(told, false)
	e.failAt(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", documentation)
	e.server.tell(waitKey(e.who, ""), until, "secondary limit", e.conn)
}

// graphQLLimit answers as GraphQL does when its points are spent: with 200. GitHub was
// seen to send either of two types. Callers hold the lock.
func (e *Exchange) graphQLLimit(typ string, told Told) {
	until := e.tellHeaders(told, true)
	e.Status = http.StatusOK
	e.json(map[string]any{"errors": []any{map[string]any{
		"type": typ, "code": "graphql_rate_limit", "message": "API rate limit already exceeded for " + e.who.key() + ".",
	}}})
	e.server.tell(waitKey(e.who, graphQLResource), until, "GraphQL limit", e.conn)
}

// seconds rounds up: a client that waits so long does not come too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

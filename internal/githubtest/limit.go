package githubtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Limits are the budgets of a server. Zero fields are GitHub's own.
type Limits struct {
	Core    int // REST points in a window
	GraphQL int // GraphQL points in a window
	// Window is how long points are counted; an hour when 0. The time that it ends is told in
	// whole seconds, and it ends then.
	Window time.Duration
	// Secondary switches the limits for a minute on: 900 points of REST, 2,000 of GraphQL,
	// 80 issues or comments (and 500 in an hour), 100 requests at once. A test on loopback is faster than they
	// allow, so they are off unless asked for.
	Secondary bool
	// WriteGap makes a write a violation that comes sooner than this after the one before
	// it. GitHub asks for a second.
	WriteGap time.Duration
	// Grace is how long after a told wait requests may still arrive that were on their way
	// when it was told: one on each other connection. 250 ms when 0.
	Grace time.Duration
	// Queued is how long after it one may also arrive on the connection of the answer, which it
	// waited for: a client that asks much at once cannot call it back. Not at all when 0.
	Queued time.Duration
}

// The resources that primary limits are counted for.
const (
	coreResource    = "core"
	graphQLResource = "graphql"
)

type bucketKey struct{ who, resource string }

// bucket counts the points of one window.
type bucket struct {
	limit, used int
	reset       time.Time
}

func (b *bucket) remaining() int { return max(0, b.limit-b.used) }

// headers tells the state of the bucket.
func (b *bucket) headers(h http.Header, resource string) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(b.limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(b.remaining()))
	h.Set("X-Ratelimit-Used", strconv.Itoa(min(b.used, b.limit)))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(b.reset.Unix(), 10))
	h.Set("X-Ratelimit-Resource", resource)
}

// bucket gives the bucket that a principal's requests are taken from, filled anew when its
// window is over.
func (s *Server) bucket(p principal, resource string) *bucket {
	key := bucketKey{p.key(), resource}
	now := s.opts.Now()
	b := s.buckets[key]
	if b == nil || !now.Before(b.reset) {
		window := cmp.Or(s.opts.Limits.Window, time.Hour)
		b = &bucket{limit: s.budget(p, resource), reset: now.Add(window).Truncate(time.Second)}
		s.buckets[key] = b
	}
	return b
}

// budget is how many points a principal has in a window.
func (s *Server) budget(p principal, resource string) int {
	switch {
	case resource == coreResource && s.opts.Limits.Core > 0:
		return s.opts.Limits.Core
	case resource == graphQLResource && s.opts.Limits.GraphQL > 0:
		return s.opts.Limits.GraphQL
	case p.token == nil && p.app == nil && s.opts.AnonymousFree:
		return 1 << 30
	case p.token == nil && p.app == nil && resource == graphQLResource:
		return 0
	case p.token == nil && p.app == nil:
		return 60
	case p.token != nil && p.token.kind == actionsToken:
		return 1000
	case p.token != nil && p.token.install != nil:
		in := p.token.install
		repos := 0
		for _, r := range s.repos {
			if in.covers(&r.Repository) {
				repos++
			}
		}
		return min(12_500, 5000+50*max(0, repos-20)+50*max(0, len(in.Account.Members)-20))
	}
	return 5000
}

// minute counts what the secondary limits of a principal are about.
type minute struct {
	start                  time.Time
	rest, graphQL, content int
	hour                   time.Time // when the hour began that hourly is of
	hourly                 int       // content
	running                int
	wrote                  time.Time // last
}

// The maxima of a minute, of an hour, and at once.
const (
	restPoints    = 900
	graphQLPoints = 2000
	contentMade   = 80
	contentHourly = 500
	concurrent    = 100
)

func (s *Server) minute(p principal) *minute {
	m := s.minutes[p.key()]
	if m == nil {
		m = &minute{}
		s.minutes[p.key()] = m
	}
	now := s.opts.Now()
	if now.Sub(m.start) >= time.Minute {
		m.start, m.rest, m.graphQL, m.content = now, 0, 0, 0
	}
	if now.Sub(m.hour) >= time.Hour {
		m.hour, m.hourly = now, 0
	}
	return m
}

// ends gives the time when a limit that is overstepped ends.
func (m *minute) ends() time.Time {
	if m.hourly > contentHourly {
		return m.hour.Add(time.Hour)
	}
	return m.start.Add(time.Minute)
}

// reads reports whether a method changes nothing.
func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// secondary takes a request's points, and reports whether they go over a limit.
func (m *minute) secondary(kind Kind, method string, content bool) bool {
	switch {
	case kind == GraphQL:
		m.graphQL++
	case reads(method):
		m.rest++
	default:
		m.rest += 5
	}
	if content {
		m.content++
		m.hourly++
	}
	return m.rest > restPoints || m.graphQL > graphQLPoints || m.content > contentMade || m.hourly > contentHourly || m.running > concurrent
}

// wait is a time before which a client was told not to call.
type wait struct {
	until   time.Time // by the server's clock
	told    time.Time // by the real clock
	why     string
	hearers map[*connection]bool // who have the answer, or had their one request since
}

// tell notes that the answer to a request on conn tells a principal to wait.
func (s *Server) tell(key string, until time.Time, why string, conn *connection) {
	w, before := s.waits[key]
	if !before || !s.opts.Now().Before(w.until) {
		w = wait{told: time.Now(), hearers: map[*connection]bool{}}
	}
	if until.After(w.until) {
		w.until, w.why = until, why
	}
	w.hearers[conn] = true
	s.waits[key] = w
}

// early notes a violation when a request comes before a wait is over. Of the connections
// that have not heard of it, each may have had one request on its way.
func (s *Server) early(key string, conn *connection, what string) {
	w, ok := s.waits[key]
	if !ok || !s.opts.Now().Before(w.until) {
		return
	}
	grace := s.opts.Limits.Grace
	if grace == 0 {
		grace = 250 * time.Millisecond
	}
	if time.Since(w.told) < s.opts.Limits.Queued {
		return
	}
	late := conn.opened.Sub(w.told) > grace/5 // a connection of which nobody thought then
	if !w.hearers[conn] && !late && time.Since(w.told) < grace {
		w.hearers[conn] = true
		return
	}
	s.violationLocked("%s came %v before the end of a wait (%s)", what, w.until.Sub(s.opts.Now()).Round(time.Millisecond), w.why)
}

// waitKey is where waits for a resource are kept: "" is all of a principal's.
func waitKey(p principal, resource string) string { return fmt.Sprintf("%s/%s", p.key(), resource) }

// Bucket gives the state of a limit of an installation: what is left, and until when.
func (s *Server) Bucket(in *Installation, resource string) (remaining int, reset time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bucket(principal{token: &token{install: in}}, resource)
	return b.remaining(), b.reset
}

// SetLimits puts other limits in the place of those that there are, and begins to count anew.
func (s *Server) SetLimits(limits Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Limits = limits
	clear(s.buckets)
	clear(s.minutes)
	clear(s.waits)
}

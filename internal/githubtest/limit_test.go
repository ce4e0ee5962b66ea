package githubtest_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

func TestPrimaryLimit(t *testing.T) {
	clock := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{Core: 3, GraphQL: 2}})
	s.AddFiles("one", map[string]string{"a": "1"})
	token := func() string { return s.InstallationToken(s.Installation()) }
	first := rest(t, s, token(), "/repos/acme/one")
	if left := first.header.Get("X-Ratelimit-Remaining"); left != "2" {
		t.Errorf("%s left after one of three", left)
	}
	again := rest(t, s, token(), "/repos/acme/one", "If-None-Match", first.header.Get("Etag"))
	if again.status != 304 || again.header.Get("X-Ratelimit-Remaining") != "2" || len(again.body) != 0 {
		t.Errorf("conditional: %d, %s left, %d bytes", again.status, again.header.Get("X-Ratelimit-Remaining"), len(again.body))
	}
	rest(t, s, token(), "/repos/acme/one")
	rest(t, s, token(), "/repos/acme/one")
	limited := rest(t, s, token(), "/repos/acme/one")
	if limited.status != 403 || limited.header.Get("X-Ratelimit-Remaining") != "0" {
		t.Errorf("%d %s", limited.status, limited.body)
	}
	reset, err := strconv.ParseInt(limited.header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}

	const query = "{rateLimit{cost remaining resetAt}}"
	if got := graphQL(t, s, token(), query, nil); got.json(t, "data", "rateLimit", "remaining") != 1.0 {
		t.Errorf("GraphQL has a bucket of its own: %s", got.body)
	}
	graphQL(t, s, token(), query, nil)
	if got := graphQL(t, s, token(), query, nil); got.status != 200 || got.json(t, "errors", 0, "type") != "RATE_LIMITED" {
		t.Errorf("%d %s", got.status, got.body)
	}

	clock.Add(time.Unix(reset, 0).Sub(clock.Now()))
	if got := rest(t, s, token(), "/repos/acme/one"); got.status != 200 {
		t.Errorf("at the reset: %d %s", got.status, got.body)
	}
}

func TestBudgetGrowsWithTheInstallation(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	for i := range 30 {
		s.AddFiles("r"+strconv.Itoa(i), map[string]string{"a": "1"})
	}
	got := rest(t, s, s.InstallationToken(s.Installation()), "/rate_limit")
	if got.json(t, "resources", "core", "limit") != 5500.0 {
		t.Errorf("%s", got.body)
	}
}

// TestEarlyCall asks again before the time that was told.
func TestEarlyCall(t *testing.T) {
	told := githubtest.Told{RetryAfter: 90 * time.Second}
	for _, tt := range []struct {
		what  string
		fault githubtest.Fault
		wait  time.Duration
		early bool
	}{
		{"at once", githubtest.SecondaryLimited(403, told, ""), 0, true},
		{"a second too early", githubtest.SecondaryLimited(429, told, ""), 89 * time.Second, true},
		{"in time", githubtest.SecondaryLimited(403, told, ""), 90 * time.Second, false},
		{"untold, after half a minute", githubtest.SecondaryLimited(403, githubtest.Told{}, ""), 30 * time.Second, true},
		{"untold, after a minute", githubtest.SecondaryLimited(403, githubtest.Told{}, ""), time.Minute, false},
		{"primary, before the reset", githubtest.PrimaryLimited(429, githubtest.Told{Reset: time.Hour}), 59 * time.Minute, true},
		{"primary, at the reset", githubtest.PrimaryLimited(403, githubtest.Told{Reset: time.Hour}), time.Hour, false},
	} {
		clock := newClock()
		s := githubtest.New(githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{Grace: time.Nanosecond}})
		s.AddFiles("one", map[string]string{"a": "1"})
		s.Break(githubtest.Rule{Kind: githubtest.REST, Times: 1, Fault: tt.fault})
		rest(t, s, s.InstallationToken(s.Installation()), "/repos/acme/one")
		clock.Add(tt.wait)
		rest(t, s, s.InstallationToken(s.Installation()), "/repos/acme/one")
		if v := s.Violations(); (len(v) > 0) != tt.early {
			t.Errorf("%s: violations %q", tt.what, v)
		}
		s.Close()
	}
}

// TestTimesInWholeSeconds waits for what the header says, at a time between two seconds.
func TestTimesInWholeSeconds(t *testing.T) {
	clock := newClock()
	clock.Add(700 * time.Millisecond)
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{Grace: time.Nanosecond}})
	s.AddFiles("one", map[string]string{"a": "1"})
	s.Break(githubtest.Rule{Times: 1, Fault: githubtest.PrimaryLimited(403, githubtest.Told{Reset: time.Minute})})
	got := rest(t, s, s.InstallationToken(s.Installation()), "/repos/acme/one")
	reset, err := strconv.ParseInt(got.header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	clock.Add(time.Unix(reset, 0).Sub(clock.Now()))
	rest(t, s, s.InstallationToken(s.Installation()), "/repos/acme/one")
}

// TestGrace lets a request through that was on its way on another connection.
func TestGrace(t *testing.T) {
	s := githubtest.New(githubtest.Options{Limits: githubtest.Limits{Grace: time.Hour}})
	defer s.Close()
	s.AddFiles("one", map[string]string{"a": "1"})
	s.Break(githubtest.Rule{Times: 1, Fault: githubtest.SecondaryLimited(403, githubtest.Told{RetryAfter: time.Hour}, "")})
	token := s.InstallationToken(s.Installation())
	get := func(client *http.Client) {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/api/v3/repos/acme/one", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "token "+token)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil { // so that the connection stays
			t.Fatal(err)
		}
		response.Body.Close()
	}
	a, b := &http.Client{Transport: &http.Transport{}}, &http.Client{Transport: &http.Transport{}}
	get(a)
	get(b)
	if v := s.Violations(); len(v) != 0 {
		t.Errorf("a request on another connection: %q", v)
	}
	for what, client := range map[string]*http.Client{"who was told": a, "who had its request": b} {
		s.ForgetViolations()
		get(client)
		if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], "before the end of a wait") {
			t.Errorf("%s: %q", what, v)
		}
		client.CloseIdleConnections()
	}
}

func TestSecondaryLimits(t *testing.T) {
	clock := newClock()
	s := githubtest.New(githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{Secondary: true}})
	defer s.Close()
	s.AddFiles("one", map[string]string{"a": "1"})
	token := s.InstallationToken(s.Installation())
	made := 0
	for range 81 {
		got := ask(t, "POST", s.URL()+"/api/v3/repos/acme/one/issues", "token "+token, map[string]any{"title": "x"})
		if got.status == 201 {
			made++
		} else if got.status != 403 || got.header.Get("Retry-After") == "" {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if made != 80 {
		t.Errorf("%d issues in a minute", made)
	}
	for range 10 {
		clock.Add(time.Minute)
		for range 80 {
			if ask(t, "POST", s.URL()+"/api/v3/repos/acme/one/issues", "token "+token, map[string]any{"title": "x"}).status != 201 {
				break
			}
			made++
		}
	}
	if made < 490 || made > 500 {
		t.Errorf("%d issues in an hour", made)
	}
}

func TestWriteGap(t *testing.T) {
	clock := newClock()
	s := githubtest.New(githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{WriteGap: time.Second}})
	defer s.Close()
	s.AddFiles("one", map[string]string{"a": "1"})
	token := s.InstallationToken(s.Installation())
	for _, tt := range []struct {
		after time.Duration
		soon  bool
	}{{0, false}, {time.Second, false}, {999 * time.Millisecond, true}} {
		clock.Add(tt.after)
		ask(t, "POST", s.URL()+"/api/v3/repos/acme/one/issues", "token "+token, map[string]any{"title": "x"})
		if v := s.Violations(); (len(v) > 0) != tt.soon {
			t.Errorf("%v after the one before: %q", tt.after, v)
		}
	}
}

// TestNoWriteGap: who asked for no pause between writes is told of none, whatever becomes of the clock.
func TestNoWriteGap(t *testing.T) {
	clock := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now})
	s.AddFiles("one", map[string]string{"a": "1"})
	token := s.InstallationToken(s.Installation())
	for range 2 {
		ask(t, "POST", s.URL()+"/api/v3/repos/acme/one/issues", "token "+token, map[string]any{"title": "x"})
		clock.Add(-20 * time.Minute)
	}
}

func TestTagsByToken(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{TagsByToken: true})
	s.AddFiles("one", map[string]string{"a": "1"})
	a, b := s.InstallationToken(s.Installation()), s.InstallationToken(s.Installation())
	tag := rest(t, s, a, "/repos/acme/one").header.Get("Etag")
	for token, status := range map[string]int{a: 304, b: 200} {
		if got := rest(t, s, token, "/repos/acme/one", "If-None-Match", tag); got.status != status {
			t.Errorf("%d, want %d", got.status, status)
		}
	}
}

// TestSetLimits counts anew, and in windows of the length that is set.
func TestSetLimits(t *testing.T) {
	clock := newClock()
	s := githubtest.Start(t, githubtest.Options{Now: clock.Now, Limits: githubtest.Limits{Core: 1}})
	s.SetLimits(githubtest.Limits{Core: 7, Window: 3 * time.Second})
	left, reset := s.Bucket(s.Installation(), "core")
	if wait := reset.Sub(clock.Now()); left != 7 || wait <= 2*time.Second || wait > 3*time.Second {
		t.Errorf("%d left for %v", left, wait)
	}
}

package ghclient_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// TestAbuse41: row 41 of the threat model. A clock that is wrong, or set while the client runs, costs
// one answer with 401, after which tokens are made, and replaced in time, by GitHub's.
func TestAbuse41(t *testing.T) {
	for _, wrong := range []time.Duration{10 * time.Minute, -10 * time.Minute, time.Hour, -time.Hour} {
		t.Run(wrong.String(), func(t *testing.T) {
			var passed, ours atomic.Int64 // since the start, and by how much our clock is wrong
			start := time.Now()
			githubs := func() time.Time { return start.Add(time.Duration(passed.Load())) }
			s, opts := simulated(t, githubtest.Options{Now: githubs})
			s.AddFiles("web", map[string]string{"a": "b"})
			opts.Now = func() time.Time { return githubs().Add(time.Duration(ours.Load())) }
			refused := func() (n int) { // of what the App signs itself
				for _, e := range s.Log() {
					if e.Status == http.StatusUnauthorized && !strings.HasSuffix(e.Path, "/repositories") {
						n++
					}
				}
				return n
			}
			ours.Store(int64(wrong))
			c, err := ghclient.New(opts)
			if err == nil {
				c, err = c.Installation(t.Context(), "acme", reading)
			}
			if err != nil {
				t.Fatal(err)
			}
			ask := func(want int) {
				t.Helper()
				if _, err := c.Get(t.Context(), "installation/repositories", nil, nil); err != nil {
					t.Error(err)
				}
				if got := refused(); got != want {
					t.Errorf("%d requests were refused; want %d", got, want)
				}
			}
			ask(1)
			for range 3 {
				passed.Add(int64(58 * time.Minute)) // the token ends in two minutes
				ask(1)
			}
			ours.Store(0) // it is set right
			passed.Add(int64(time.Hour))
			ask(2)
		})
	}
}

// A time that GitHub told is no further off where our clock is behind.
func TestClockBehind(t *testing.T) {
	c := newClock()
	f := serve(t, step{want: getPath, status: 429, header: map[string]string{
		"Date": c.Now().Add(time.Hour).Format(http.TimeFormat), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": c.in(time.Hour + time.Minute),
	}}, step{want: getPath, body: "{}"})
	b := connect(t, f.URL)
	if _, err := b.Get(t.Context(), "orgs/acme", nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{time.Minute + time.Second}; !slices.Equal(b.clock.slept, want) {
		t.Errorf("waited %v; want %v", b.clock.slept, want)
	}
}

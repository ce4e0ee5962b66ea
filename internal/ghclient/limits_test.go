package ghclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

const (
	getPath   = "GET /api/v3/orgs/acme"
	postQuery = "POST /api/graphql"
)

// A limit in each of its forms is waited for, and not a second less than GitHub told.
func TestLimits(t *testing.T) {
	const hour = time.Hour
	start := newClock()
	spent := func(remaining string, in time.Duration) map[string]string {
		return map[string]string{"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": start.in(in)}
	}
	ok := step{body: `{"data":{"a":1}}`}
	for _, tt := range []struct {
		name   string
		query  bool // GraphQL, or else REST
		steps  []step
		waited []time.Duration
	}{
		{"403, nothing remains", false, []step{{status: 403, header: spent("0", hour), body: `{"message":"API rate limit exceeded for installation ID 1."}`}, ok}, []time.Duration{hour + time.Second}},
		{"403, nothing remains, no words", false, []step{{status: 403, header: spent("0", hour)}, ok}, []time.Duration{hour + time.Second}},
		{"429, nothing remains", false, []step{{status: 429, header: spent("0", hour)}, ok}, []time.Duration{hour + time.Second}},
		{"403 with seconds", false, []step{{status: 403, header: map[string]string{"Retry-After": "7"}}, ok}, []time.Duration{7 * time.Second}},
		{"429 with seconds", false, []step{{status: 429, header: map[string]string{"Retry-After": "7", "X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": start.in(hour)}}, ok}, []time.Duration{7 * time.Second}},
		{"429 with no seconds", false, []step{{status: 429, header: map[string]string{"Retry-After": "0"}}, ok}, []time.Duration{time.Second}},
		{"429 with a date", false, []step{{status: 429, header: map[string]string{"Retry-After": start.Now().Add(90 * time.Second).Format(http.TimeFormat)}}, ok}, []time.Duration{91 * time.Second}},
		{"429 with nonsense", false, []step{{status: 429, header: map[string]string{"Retry-After": "soon"}}, ok}, []time.Duration{time.Minute}},
		{"a reset that is over", false, []step{{status: 429, header: spent("0", -hour)}, ok}, []time.Duration{time.Minute}},
		{"secondary without a time, and again", false, []step{
			{status: 403, body: `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}`},
			{status: 403, body: `{"message":"x","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`},
			{status: 403, body: `{"message":"You have triggered an abuse detection mechanism."}`},
			ok,
		}, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}},
		{"both at once: the later", false, []step{{status: 429, header: map[string]string{"Retry-After": "7", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": start.in(hour)}}, ok}, []time.Duration{hour + time.Second}},
		{"another limit than thought", false, []step{{status: 403, header: map[string]string{"X-RateLimit-Resource": "scim", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": start.in(hour)}}, ok}, []time.Duration{hour + time.Second}},
		{"200 with a type", true, []step{{header: spent("0", hour), body: `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded for installation ID 1."}]}`}, ok}, []time.Duration{hour + time.Second}},
		{"200 with the newer type, while some remains", true, []step{{header: spent("12", hour), body: `{"errors":[{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded"}]}`}, ok}, []time.Duration{hour + time.Second}},
		{"200 and too much at once", true, []step{{header: map[string]string{"Retry-After": "9"}, body: `{"data":null,"errors":[{"message":"You have exceeded a secondary rate limit."}]}`}, ok}, []time.Duration{9 * time.Second}},
		{"200 and too much at once, without a time", true, []step{{body: `{"errors":[{"message":"You have exceeded a secondary rate limit."}]}`}, ok}, []time.Duration{time.Minute}},
		{"GraphQL 403", true, []step{{status: 403, header: map[string]string{"Retry-After": "9"}, body: `{"message":"You have exceeded a secondary rate limit"}`}, ok}, []time.Duration{9 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.steps {
				tt.steps[i].want = getPath
				if tt.query {
					tt.steps[i].want = postQuery
				}
			}
			b := connect(t, serve(t, tt.steps...).URL)
			var err error
			if tt.query {
				err = b.GraphQL(t.Context(), "query{a}", nil, nil)
			} else {
				_, err = b.Get(t.Context(), "orgs/acme", nil, nil)
			}
			if err != nil || !slices.Equal(b.clock.slept, tt.waited) {
				t.Errorf("waited %v, error %v; want %v", b.clock.slept, err, tt.waited)
			}
			if got := b.Stats().Retries; got != len(tt.waited) {
				t.Errorf("%d retries counted; want %d", got, len(tt.waited))
			}
		})
	}
}

// Words that only look like a limit are none.
func TestNotALimit(t *testing.T) {
	f := serve(t,
		step{want: postQuery, body: `{"data":{"r":null},"errors":[{"type":"NOT_FOUND","path":["r"],"message":"Could not resolve to a Repository with the name 'acme/secondary rate limit'."}]}`},
		step{want: getPath, status: 403, header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": newClock().in(time.Hour)}, body: `{"message":"Resource not accessible by integration"}`},
	)
	b := connect(t, f.URL)
	if err := b.GraphQL(t.Context(), "{r}", nil, nil); !errors.Is(err, ghclient.ErrNotFound) {
		t.Errorf("error %v; want ErrNotFound", err)
	}
	var refused *ghclient.NotPermittedError
	if _, err := b.Get(t.Context(), "orgs/acme", nil, nil); !errors.As(err, &refused) {
		t.Errorf("error %v; want a *NotPermittedError", err)
	}
	if len(b.clock.slept) > 0 {
		t.Errorf("waited %v", b.clock.slept)
	}
}

// The last request of a window is an answer, and the one after it waits; go-github, which
// would refuse it by its own clock, does not get to.
func TestLastOfWindow(t *testing.T) {
	header := map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": newClock().in(time.Hour)}
	f := serve(t, step{want: getPath, header: header, body: `{"login":"acme"}`}, step{want: getPath, body: `{"login":"acme"}`})
	b := connect(t, f.URL)
	for range 2 {
		if org, _, err := b.REST().Organizations.Get(t.Context(), "acme"); err != nil || org.GetLogin() != "acme" {
			t.Fatalf("%v, %v", org, err)
		}
	}
	if want := []time.Duration{time.Hour + time.Second}; !slices.Equal(b.clock.slept, want) || b.Stats().Waited != want[0] {
		t.Errorf("waited %v, counted %v; want %v", b.clock.slept, b.Stats().Waited, want)
	}
}

// What can wait leaves the last fourth of a window to what cannot, and goes on in the next one.
func TestPatient(t *testing.T) {
	left := func(n string) step {
		return step{want: getPath, header: map[string]string{"X-RateLimit-Limit": "400", "X-RateLimit-Remaining": n, "X-RateLimit-Reset": newClock().in(time.Hour)}, body: `{"login":"acme"}`}
	}
	next := step{want: getPath, header: map[string]string{"X-RateLimit-Limit": "400", "X-RateLimit-Remaining": "399", "X-RateLimit-Reset": newClock().in(3 * time.Hour)}, body: `{"login":"acme"}`}
	b := connect(t, serve(t, left("102"), left("101"), left("100"), left("99"), left("0"), next, next).URL)
	patient := ghclient.Patient(t.Context())
	ask := func(ctx context.Context) error {
		_, err := b.Get(ctx, "orgs/acme", nil, nil)
		return err
	}
	refused := func(what string) {
		t.Helper()
		var limited *ghclient.RateLimitedError
		if err := ask(patient); !errors.As(err, &limited) || limited.Secondary || !limited.Until.Equal(b.clock.Now().Add(time.Hour+time.Second)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range 3 {
		if err := ask(patient); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
	refused("where a fourth remains")
	for i := range 2 { // the second takes the last there is
		if err := ask(t.Context()); err != nil {
			t.Errorf("urgent request %d: %v", i, err)
		}
	}
	refused("where nothing remains") // and nobody waits for it
	if len(b.clock.slept) > 0 {
		t.Errorf("waited %v", b.clock.slept)
	}
	b.clock.Sleep(t.Context(), time.Hour+time.Second)
	for i := range 2 {
		if err := ask(patient); err != nil {
			t.Errorf("request %d of the next window: %v", i, err)
		}
	}
}

// What is told for longer, or more often, than is waited for is an error.
func TestGivesUpOnLimits(t *testing.T) {
	limited := step{want: getPath, status: 429}
	b := connect(t, serve(t, limited, limited, limited, limited, limited, limited).URL)
	_, err := b.Get(t.Context(), "orgs/acme", nil, nil)
	var rate *ghclient.RateLimitedError
	if !errors.As(err, &rate) || !rate.Secondary || rate.Until.Before(b.clock.Now()) || ghclient.Status(err) != 429 {
		t.Errorf("error %v", err)
	}
	if want := []time.Duration{60e9, 120e9, 240e9, 480e9, 960e9}; !slices.Equal(b.clock.slept, want) {
		t.Errorf("waited %v; want %v", b.clock.slept, want)
	}

	b = connect(t, serve(t, step{want: getPath, status: 403, header: map[string]string{"Retry-After": "86400"}}).URL)
	_, err = b.Get(t.Context(), "orgs/acme", nil, nil)
	oneClearLine(t, err, `GET "/orgs/acme": secondary rate limit until 2033-05-19T03:33:20Z`)
	if _, err = b.Get(t.Context(), "orgs/acme", nil, nil); !errors.As(err, &rate) || len(b.clock.slept) > 0 {
		t.Errorf("the next request: error %v, waited %v; want it refused unsent", err, b.clock.slept)
	}
}

// A clock that is ahead of GitHub's must not make a request early.
func TestClockAhead(t *testing.T) {
	c := newClock()
	f := serve(t, step{want: getPath, status: 429, header: map[string]string{
		"Date": c.Now().Add(-10 * time.Minute).Format(http.TimeFormat), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": c.in(0),
	}}, step{want: getPath, body: "{}"})
	b := connect(t, f.URL)
	if _, err := b.Get(t.Context(), "orgs/acme", nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{10*time.Minute + time.Second}; !slices.Equal(b.clock.slept, want) {
		t.Errorf("waited %v; want %v", b.clock.slept, want)
	}
}

// inMemory is a GitHub without a network, so that a test of many at once has a clock of its
// own (testing/synctest).
type inMemory func(http.ResponseWriter, *http.Request)

func (f inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(100 * time.Millisecond)
	resp := record(http.HandlerFunc(f), r)
	time.Sleep(100 * time.Millisecond)
	return resp, nil
}

func record(handler http.HandlerFunc, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	handler(w, r)
	resp := w.Result()
	resp.Request = r
	return resp
}

// With a tenth of the limit that is needed, many at once are late, and none is early: none
// is even refused.
func TestManyWithLittle(t *testing.T) {
	for _, limit := range []int{50, 7} { // more than are sent at once, and fewer
		synctest.Test(t, func(t *testing.T) { manyWithLittle(t, limit) })
	}
}

func manyWithLittle(t *testing.T, limit int) {
	var mu sync.Mutex
	used, inFlight, most := 0, 0, 0
	reset := time.Now().Add(time.Hour)
	github := inMemory(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		inFlight++
		most = max(most, inFlight)
		if !time.Now().Before(reset) {
			used, reset = 0, reset.Add(time.Hour)
		}
		used++
		n := used
		mu.Unlock()
		time.Sleep(time.Duration(n%7) * 50 * time.Millisecond) // answers overtake each other
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(limit-n, 0)))
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		if n > limit {
			t.Errorf("request %d of a window of %d, at %v", n, limit, time.Now())
			w.WriteHeader(http.StatusForbidden)
		}
		w.Write([]byte("{}"))
		mu.Lock()
		inFlight--
		mu.Unlock()
	})
	start := time.Now()
	sendMany(t, github, 10*limit, 40)
	if took := time.Since(start); took < 9*time.Hour || took > 10*time.Hour {
		t.Errorf("took %v for ten windows of an hour", took)
	}
	if most > 20 || most < 2 {
		t.Errorf("%d at once", most)
	}
}

// Writes go one after the other, whoever of many sends them.
func TestOneWriteAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writing atomic.Int64
		github := inMemory(func(w http.ResponseWriter, r *http.Request) {
			if n := writing.Add(1); n > 1 {
				t.Errorf("%d writes at once", n)
			}
			time.Sleep(3 * time.Second)
			writing.Add(-1)
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte("{}"))
		})
		c, err := ghclient.New(ghclient.Options{Auth: ghclient.Auth{Token: token}, Transport: github})
		if err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		for range 5 {
			done.Go(func() {
				if _, _, err := c.REST().Issues.Create(context.Background(), "acme", "x", nil); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
	})
}

// Writes go in the order in which they came, a second apart. Urgent ones go before all others
// that wait, and one of the others goes after four of them.
func TestUrgentWritesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []string
		var last time.Time
		github := inMemory(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if apart := time.Since(last); apart < time.Second {
				t.Errorf("%q %v after the one before it", r.URL.Path, apart)
			}
			last = time.Now()
			sent = append(sent, path.Base(r.URL.Path))
			if len(sent) == 3 { // whatever waits then goes on in its order
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Write([]byte("{}"))
		})
		c, err := ghclient.New(ghclient.Options{Auth: ghclient.Auth{Token: token}, Transport: github})
		if err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		write := func(ctx context.Context, names ...string) {
			for _, name := range names {
				done.Go(func() {
					req, err := http.NewRequestWithContext(ctx, http.MethodPatch, "https://api.github.com/orgs/"+name, nil)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := c.REST().Do(ctx, req, nil); err != nil && name != "urgent1" && name != "gone" {
						t.Errorf("%q: %v", name, err)
					}
				})
				synctest.Wait() // it is in the line
			}
		}
		gone, leave := context.WithCancel(t.Context())
		write(t.Context(), "a", "b")
		write(gone, "gone")
		write(t.Context(), "c", "d", "e")
		time.Sleep(1500 * time.Millisecond) // b is under way
		write(ghclient.Urgent(t.Context()), "urgent1", "urgent2", "urgent3", "urgent4", "urgent5", "urgent6")
		leave()
		done.Wait()
		want := []string{"a", "b", "urgent1", "urgent2", "urgent3", "urgent4", "c", "urgent5", "urgent6", "d", "e"}
		if !slices.Equal(sent, want) {
			t.Errorf("sent %q; want %q", sent, want)
		}
	})
}

// A write that waits for the end of GraphQL's hour holds up none that is of another limit.
func TestWritesOfTwoLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := time.Now().Add(time.Hour)
		github := inMemory(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/graphql" {
				w.Header().Set("X-RateLimit-Remaining", "0")
				w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
			}
			w.Write([]byte(`{"data":{}}`))
		})
		c, err := ghclient.New(ghclient.Options{Auth: ghclient.Auth{Token: token}, Transport: github})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		mutate := func() {
			if err := c.GraphQL(context.Background(), "mutation{a}", nil, nil); err != nil {
				t.Error(err)
			}
		}
		mutate()
		var done sync.WaitGroup
		done.Go(mutate)
		synctest.Wait()
		if _, _, err := c.REST().Issues.Create(context.Background(), "acme", "x", nil); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("an issue after %v", took)
		}
		done.Wait()
		if took := time.Since(start); took < time.Hour {
			t.Errorf("the second mutation after %v", took)
		}
	})
}

// While GitHub has said to wait, nothing is sent, whoever of many wants to.
func TestBlockIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		var mu sync.Mutex
		var told time.Time // GitHub said so, for 30 s
		github := inMemory(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			since := time.Since(told)
			// On their way when it was said: 0.1 s for the answer, 0.1 s for a request.
			if since > 200*time.Millisecond && since < 30*time.Second {
				t.Errorf("a request %v after GitHub said to wait 30 s", since)
			}
			if n.Add(1)%60 == 0 {
				told = time.Now()
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Write([]byte("{}"))
		})
		sendMany(t, github, 400, 40)
		if n.Load() != 406 {
			t.Errorf("%d requests; want 400 and 6 of them again", n.Load())
		}
	})
}

// On github.com no minute holds more than GitHub allows, for reads and writes together.
func TestPointsOfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []time.Time // one entry a point
		github := inMemory(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, time.Now())
			if len(sent) > 900 {
				if first := sent[len(sent)-901]; time.Since(first) < time.Minute {
					t.Errorf("901 points in %v", time.Since(first))
				}
			}
			w.Write([]byte("{}"))
		})
		start := time.Now()
		sendMany(t, github, 3000, 40)
		if took := time.Since(start); took < 3*time.Minute || took > 4*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func sendMany(t *testing.T, github http.RoundTripper, needed, atOnce int) {
	t.Helper()
	c, err := ghclient.New(ghclient.Options{Auth: ghclient.Auth{Token: token}, Transport: github})
	if err != nil {
		t.Fatal(err)
	}
	work := make(chan int)
	var done sync.WaitGroup
	for range atOnce {
		done.Go(func() {
			for range work {
				if _, err := c.Get(context.Background(), "orgs/acme", nil, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range needed {
		work <- i
	}
	close(work)
	done.Wait()
}

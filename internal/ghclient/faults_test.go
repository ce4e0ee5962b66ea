package ghclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// reset drops the connection without an answer.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// cut promises more than it sends.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, `{"login":"ac`)
}

// slow says how much it will send, and then nothing.
func slow(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

var faults = []struct {
	name string
	step step
	err  string // of the fault, when it stays
}{
	{"500", step{status: 500, body: `{"message":"Server Error"}`}, `status 500 ("Server Error")`},
	{"502 with HTML", step{status: 502, header: map[string]string{"Content-Type": "text/html"}, body: "<title>Unicorn!</title>"}, "status 502"},
	{"503", step{status: 503}, "status 503"},
	{"504", step{status: 504}, "status 504"},
	{"reset", step{do: reset}, ""},
	{"cut", step{do: cut}, "unexpected EOF"},
	{"cut JSON, well framed", step{body: `{"login":"ac`}, "an answer of 12 bytes that is not JSON, or was cut"},
	{"nothing", step{body: ""}, "an empty answer in place of JSON"},
	{"HTML", step{header: map[string]string{"Content-Type": "text/html"}, body: "<html><title>Sign in to the\nproxy</title>"}, `status 200 with HTML in place of JSON ("Sign in to the proxy")`},
	{"HTML that calls itself JSON", step{body: " \n<!doctype html>"}, `HTML in place of JSON`},
	{"slow", step{do: slow}, "GitHub did not answer in time"},
}

// What reads is asked again, a few times, and later each time.
func TestFaultsPass(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			fault, ok := tt.step, step{want: getPath, body: `{"login":"acme"}`}
			fault.want = getPath
			b := connect(t, serve(t, fault, fault, fault, ok).URL)
			ghclient.SetAttempt(b.Client, 300*time.Millisecond)
			var org struct{ Login string }
			if _, err := b.Get(t.Context(), "orgs/acme", nil, &org); err != nil || org.Login != "acme" {
				t.Errorf("%+v, error %v", org, err)
			}
			if want := []time.Duration{1e9, 2e9, 4e9}; !slices.Equal(b.clock.slept, want) {
				t.Errorf("slept %v; want %v", b.clock.slept, want)
			}
		})
	}
}

func TestFaultsStay(t *testing.T) {
	for _, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			fault := tt.step
			fault.want = getPath
			b := connect(t, serve(t, fault, fault, fault, fault).URL)
			ghclient.SetAttempt(b.Client, 300*time.Millisecond)
			_, err := b.Get(t.Context(), "orgs/acme", nil, nil)
			oneClearLine(t, err, `GET "/orgs/acme": `)
			oneClearLine(t, err, tt.err)
			if errors.Is(err, ghclient.ErrUnknownOutcome) {
				t.Errorf("error %v of a read", err)
			}
		})
	}
}

// What writes is sent once, whatever comes of it, and says whether it may have been carried
// out.
func TestWritesAreSentOnce(t *testing.T) {
	const post = "POST /api/v3/repos/acme/incidents/issues"
	type outcome struct {
		name    string
		step    step
		unknown bool
	}
	outcomes := []outcome{
		{"429", step{status: 429}, false},
		{"secondary", step{status: 403, header: map[string]string{"Retry-After": "60"}}, false},
		{"401", step{status: 401}, false},
		{"422", step{status: 422, body: `{"message":"Validation Failed"}`}, false},
		{"301", step{status: 301, header: map[string]string{"Location": "/api/v3/repositories/1/issues"}}, false},
	}
	for _, f := range faults {
		if f.name != "nothing" { // which is a common answer to a write
			outcomes = append(outcomes, outcome{f.name, f.step, true})
		}
	}
	for _, tt := range outcomes {
		t.Run(tt.name, func(t *testing.T) {
			once, query := tt.step, tt.step
			once.want, query.want = post, postQuery
			b := connect(t, serve(t, once).URL)
			ghclient.SetAttempt(b.Client, 300*time.Millisecond)
			_, _, err := b.REST().Issues.Create(t.Context(), "acme", "incidents", nil)
			oneClearLine(t, err, "")
			if errors.Is(err, ghclient.ErrUnknownOutcome) != tt.unknown {
				t.Errorf("error %v; want unknown outcome %v", err, tt.unknown)
			}

			b = connect(t, serve(t, query).URL)
			ghclient.SetAttempt(b.Client, 300*time.Millisecond)
			err = b.GraphQL(t.Context(), "mutation{addComment{id}}", nil, nil)
			oneClearLine(t, err, "")
			if errors.Is(err, ghclient.ErrUnknownOutcome) != tt.unknown {
				t.Errorf("mutation: error %v; want unknown outcome %v", err, tt.unknown)
			}
		})
	}
}

// A write that nobody took cannot have been carried out.
func TestWriteToNobody(t *testing.T) {
	f := serve(t)
	f.Close()
	b := connect(t, f.URL)
	_, _, err := b.REST().Issues.Create(t.Context(), "acme", "incidents", nil)
	oneClearLine(t, err, "refused")
	if errors.Is(err, ghclient.ErrUnknownOutcome) {
		t.Errorf("error %v", err)
	}
}

// Writes go one after the other, a second apart.
func TestWritesHavePauses(t *testing.T) {
	post := step{want: "POST /api/v3/repos/acme/incidents/issues", status: 201, body: `{"number":1}`}
	b := connect(t, serve(t, post, post, step{want: getPath, body: "{}"}, post).URL)
	for i := range 3 {
		if _, _, err := b.REST().Issues.Create(t.Context(), "acme", "incidents", nil); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			b.Get(t.Context(), "orgs/acme", nil, nil)
		}
	}
	if want := []time.Duration{1e9, 1e9}; !slices.Equal(b.clock.slept, want) {
		t.Errorf("slept %v; want %v", b.clock.slept, want)
	}
}

// A query that is too much for GitHub is not asked four times over.
func TestSlowQueries(t *testing.T) {
	const gaveUp = `{"data":null,"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."}]}`
	for _, tt := range []struct {
		name  string
		step  step
		times int
	}{
		{"502", step{status: 502}, 2},
		{"504", step{status: 504}, 2},
		{"no answer", step{do: slow}, 2},
		{"200 and says so", step{body: gaveUp}, 1},
	} {
		tt.step.want = postQuery
		b := connect(t, serve(t, slices.Repeat([]step{tt.step}, tt.times)...).URL)
		ghclient.SetAttempt(b.Client, 300*time.Millisecond)
		if err := b.GraphQL(t.Context(), "{a}", nil, nil); !errors.Is(err, ghclient.ErrTimeout) {
			t.Errorf("%s: error %v; want ErrTimeout", tt.name, err)
		}
	}
}

// Who asks may stop, at any time.
func TestContext(t *testing.T) {
	b := connect(t, serve(t, step{want: getPath, do: slow}).URL)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := b.Get(ctx, "orgs/acme", nil, nil); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ghclient.ErrTimeout) {
		t.Errorf("error %v", err)
	}
	// With the real clock, a wait past the deadline is not begun.
	f := serve(t, step{want: getPath, status: 429})
	real := connect(t, f.URL, func(o *ghclient.Options) { o.Now, o.Sleep = nil, nil })
	ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	start := time.Now()
	_, err := real.Get(ctx, "orgs/acme", nil, nil)
	var rate *ghclient.RateLimitedError
	if !errors.As(err, &rate) || time.Since(start) > 10*time.Second {
		t.Errorf("error %v after %v", err, time.Since(start))
	}
}

func TestBudget(t *testing.T) {
	bad := step{want: getPath, status: 500}
	b := connect(t, serve(t, bad, step{want: getPath, body: "{}"}, step{want: postQuery, body: `{"data":{"a":1}}`}).URL,
		func(o *ghclient.Options) { o.MaxRequests = 3 })
	if _, err := b.Get(t.Context(), "orgs/acme", nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.GraphQL(t.Context(), "{a}", nil, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := b.Get(t.Context(), "orgs/other", nil, nil)
		oneClearLine(t, err, `GET "/orgs/other": the budget of API requests is spent: 3 were allowed`)
		if !errors.Is(err, ghclient.ErrBudget) {
			t.Errorf("error %v", err)
		}
	}
	if n := strings.Count(b.log.String(), "budget"); n != 2 { // its message and its number
		t.Errorf("the log names the budget %d times:\n%s", n, b.log)
	}
	want := ghclient.Stats{REST: 2, GraphQL: 1, Retries: 1, Refused: 2}
	if got := b.Stats(); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
}

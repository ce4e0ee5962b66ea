package ghclient_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// token is a canary: no error and no log line may hold it.
const token = "ghp_CanaryCanaryCanaryCanaryCanary0123456"

// step is one request that a test expects, and its answer.
type step struct {
	want   string // method and path with query, below the server's root
	status int    // 0 is 200
	header map[string]string
	body   string
	do     func(w http.ResponseWriter, r *http.Request) // in place of all that
}

// fake answers the steps in their order, and fails the test on a request that is not the
// next one and on a step that no request came for.
type fake struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	steps []step
	next  int
}

func serve(t *testing.T, steps ...step) *fake {
	t.Helper()
	f := &fake{t: t, steps: steps}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.Close()
		for _, s := range f.steps[f.next:] {
			t.Errorf("no request came for %q", s.want)
		}
	})
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := r.Method + " " + r.URL.RequestURI()
	f.mu.Lock()
	if f.next == len(f.steps) || f.steps[f.next].want != got {
		f.t.Errorf("request %d: nobody expected %q", f.next, got)
		f.mu.Unlock()
		w.WriteHeader(http.StatusTeapot)
		return
	}
	s := f.steps[f.next]
	f.next++
	f.mu.Unlock()
	if s.do != nil {
		s.do(w, r)
		return
	}
	answer(w, s)
}

func answer(w http.ResponseWriter, s step) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range s.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(max(s.status, http.StatusOK)) // 0 is below it
	io.WriteString(w, s.body)
}

// clock is a clock that sleeping moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Unix(2_000_000_000, 0).UTC()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// in gives a time so far ahead, as GitHub writes it.
func (c *clock) in(d time.Duration) string { return fmt.Sprint(c.Now().Add(d).Unix()) }

// bench is a client on a fake GitHub, with a clock and a log.
type bench struct {
	*ghclient.Client
	clock *clock
	log   *bytes.Buffer
}

func connect(t *testing.T, url string, change ...func(*ghclient.Options)) *bench {
	t.Helper()
	b := &bench{clock: newClock(), log: &bytes.Buffer{}}
	opts := ghclient.Options{
		BaseURL: url, Auth: ghclient.Auth{Token: token}, Now: b.clock.Now, Sleep: b.clock.Sleep,
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&opts)
	}
	var err error
	if b.Client, err = ghclient.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { noSecrets(t, b.log.String()) })
	return b
}

// noSecrets fails the test if text holds a canary.
func noSecrets(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{token, "CanaryCanary", installationToken, "PRIVATE KEY", "eyJ"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %q", secret, text)
		}
	}
}

// oneClearLine checks the text of an error.
func oneClearLine(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q", want)
	}
	noSecrets(t, err.Error())
	if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), want) {
		t.Errorf("error %q; want one line with %q", err, want)
	}
}

var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var two [2]*rsa.PrivateKey
	for i := range two {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		two[i] = key
	}
	return two
})

func pemOf(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

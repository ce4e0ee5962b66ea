//go:build unix

package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// bench is an App in this process, with a simulator of GitHub and a log.
type bench struct {
	*testing.T
	*App
	github *githubtest.Server
	log    *lines

	mu   sync.Mutex
	seen []hook.Delivery // that the handler of "push" was given
	says error           // what it answers
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, github: githubtest.Start(t, githubtest.Options{}), log: &lines{}}
	var err error
	b.App, err = New(t.Context(), Config{
		Listen: "127.0.0.1:0", Path: "/webhook", Database: filepath.Join(t.TempDir(), "data"),
		GitHub: b.github.URL(), AppID: b.github.App().ID, AppKey: b.github.App().Key, Secrets: [][]byte{[]byte("secret")},
	}, slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	b.handlers["push"] = []handler.Handler{handler.Func(func(_ context.Context, d hook.Delivery, _ handler.Effects) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.seen = append(b.seen, d)
		return b.says
	})}
	return b
}

// push is a push to a repository of an account.
func push(id string, installation, owner int64) hook.Delivery {
	return hook.Delivery{
		ID: id, Hook: 1, Event: "push", Installation: installation, Received: time.Now(),
		Body: fmt.Appendf(nil, `{"installation": {"id": %d}, "repository": {"full_name": "acme/web", "owner": {"id": %d}}}`, installation, owner),
	}
}

// run accepts a delivery and runs its job once.
func (b *bench) run(d hook.Delivery) error {
	b.Helper()
	if err := b.Accept(b.Context(), []hook.Delivery{d}); err != nil {
		b.Fatal(err)
	}
	kept, err := b.journal.Deliveries(b.Context(), journal.Accepted, 0, 100)
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range kept {
		if k.ID == d.ID {
			return b.deliver(b.Context(), jobs.Job{Kind: kindDelivery, Args: fmt.Appendf(nil, `{"delivery": %d}`, k.Number)})
		}
	}
	b.Fatalf("%s is not kept", d.ID)
	return nil
}

// outcome is a word for what becomes of a delivery.
func outcome(err error) string {
	switch worst([]error{err}).(type) {
	case nil:
		return "done"
	case *jobs.SnoozeError:
		return "waits"
	case *jobs.DeadError:
		return "dead"
	}
	return "again"
}

// TestAbuse7: row 7 of the threat model. A delivery that names an installation or a repository
// that is not this App's is dropped, and says so.
func TestAbuse7(t *testing.T) {
	b := newBench(t)
	ours := b.github.Installation()
	other := b.github.Install(b.github.AddApp("another"), b.github.AddOrganization("elsewhere"), githubtest.DefaultPermissions())
	for _, tt := range []struct {
		about string
		d     hook.Delivery
		want  string
		why   string
	}{
		{"ours", push("a", ours.ID, ours.Account.ID), "done", ""},
		{"another App's installation", push("b", other.ID, other.Account.ID), "dead", "no installation of the App"},
		{"no installation", push("c", 0, ours.Account.ID), "dead", "names no installation"},
		{"another's repository", push("d", ours.ID, other.Account.ID), "dead", "not of \"acme\""},
		{"a made-up installation", push("e", 1<<50, ours.Account.ID), "dead", "no installation of the App"},
	} {
		before := len(b.seen)
		err := b.run(tt.d)
		if got := outcome(err); got != tt.want || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %s (%v), want %s", tt.about, got, err, tt.want)
		}
		if handled := len(b.seen) > before; handled != (tt.want == "done") {
			t.Errorf("%s: handled: %v", tt.about, handled)
		}
	}
}

// TestUnasked: while GitHub cannot be asked whose a delivery is, it is neither acted on nor dropped.
func TestUnasked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ours := b.github.Installation()
	mend := b.github.Break(githubtest.Rule{Fault: githubtest.BadGateway()})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := b.Accept(t.Context(), []hook.Delivery{push("a", ours.ID, ours.Account.ID)}); err != nil {
		t.Fatal(err)
	}
	err := b.deliver(ctx, jobs.Job{Args: []byte(`{"delivery": 1}`)})
	if got := outcome(err); got != "again" || len(b.seen) > 0 {
		t.Errorf("%s (%v), %d handled", got, err, len(b.seen))
	}
	mend()
	if err := b.deliver(t.Context(), jobs.Job{Args: []byte(`{"delivery": 1}`)}); err != nil || len(b.seen) != 1 {
		t.Errorf("%v, %d handled", err, len(b.seen))
	}
}

// TestAbuse40: row 40. While an installation is suspended its deliveries wait, and are acted on
// when it is no longer; once it is gone they are dropped, and what was kept of it stays. All of
// it is said.
func TestAbuse40(t *testing.T) {
	b := newBench(t)
	ours := b.github.Installation()
	now := func(id string) string {
		t.Helper()
		// As GitHub tells of it; what the body claims does not matter.
		if err := b.run(hook.Delivery{ID: "change " + id, Hook: 1, Event: "installation", Action: "created", Installation: 99, Body: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
		return outcome(b.run(push(id, ours.ID, ours.Account.ID)))
	}
	if got := now("active"); got != "done" {
		t.Errorf("active: %s", got)
	}
	b.github.Update(func() { ours.Suspended = true })
	if got := now("suspended"); got != "waits" {
		t.Errorf("suspended: %s", got)
	}
	b.github.Update(func() { ours.Suspended = false })
	if got := now("active again"); got != "done" || len(b.seen) != 2 {
		t.Errorf("active again: %s", got)
	}
	if got := outcome(b.deliver(t.Context(), jobs.Job{Args: []byte(`{"delivery": 4}`)})); got != "done" || len(b.seen) != 3 || b.seen[2].ID != "suspended" {
		t.Errorf("what waited: %s, %d handled", got, len(b.seen))
	}
	another := b.github.AddApp("another")
	b.github.Update(func() { ours.App = another })
	if got := now("gone"); got != "dead" {
		t.Errorf("gone: %s", got)
	}
	known, err := b.journal.Installations(t.Context())
	if err != nil || known[ours.ID].Standing != journal.Gone || known[ours.ID].Account != "acme" {
		t.Errorf("%+v, %v", known, err)
	}
	for _, standing := range []string{"active", "suspended", "gone"} {
		if !strings.Contains(b.log.String(), "standing="+standing) {
			t.Errorf("the log does not say that the installation is %s", standing)
		}
	}
}

// TestAbuse39: row 39. The administrator's listener is apart and off without a word; it shows,
// takes nothing but GET, and forbids a browser everything. The receiver has none of it.
func TestAbuse39(t *testing.T) {
	b := newBench(t)
	if b.config.Admin != "" {
		t.Errorf("the admin listener is on: %q", b.config.Admin)
	}
	b.ready.Store(true)
	admin := newAdminServer(b.App).Handler
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/healthz", 200},
		{"GET", "/readyz", 200},
		{"GET", "/metrics", 200},
		{"HEAD", "/metrics", 200},
		{"POST", "/healthz", 405},
		{"POST", "/metrics", 405},
		{"DELETE", "/readyz", 405},
		{"GET", "/", 404},
		{"GET", "/debug/pprof/", 404},
		{"POST", "/webhook", 404},
	} {
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if w.Code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, w.Code, tt.want)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: headers %v", tt.method, tt.path, w.Header())
		}
	}
	w := httptest.NewRecorder()
	admin.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text, _ := io.ReadAll(w.Body)
	for _, want := range []string{
		`wormsweep_webhook_requests_total{outcome="signature"} 0`, `wormsweep_deliveries{state="accepted"} 0`,
		"wormsweep_kill_switch 0", "wormsweep_database_up 1", `wormsweep_installations{standing="active"} 0`,
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/"} {
		w := httptest.NewRecorder()
		b.receiverHandler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("the receiver answers %s with %d", path, w.Code)
		}
	}
	b.ready.Store(false)
	w = httptest.NewRecorder()
	admin.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("not ready: %d", w.Code)
	}
}

// TestHandlers: all handlers of an event are called, and the worst answer is what counts.
func TestHandlers(t *testing.T) {
	b := newBench(t)
	in := b.github.Installation()
	var called int
	answers := func(errs ...error) (all []handler.Handler) {
		for _, err := range errs {
			all = append(all, handler.Func(func(context.Context, hook.Delivery, handler.Effects) error {
				called++
				if err == errPanic {
					panic(err)
				}
				return err
			}))
		}
		return all
	}
	snooze, dead, fails := jobs.Snooze(time.Now().Add(time.Hour)), jobs.Dead("no good"), io.ErrUnexpectedEOF
	for i, tt := range []struct {
		errs []error
		want string
	}{
		{nil, "done"},
		{[]error{nil, nil}, "done"},
		{[]error{dead, nil}, "dead"},
		{[]error{dead, snooze}, "waits"},
		{[]error{snooze, dead, nil}, "waits"},
		{[]error{fails, snooze, dead}, "again"},
		{[]error{errPanic, nil}, "again"},
	} {
		called = 0
		b.handlers["push"] = answers(tt.errs...)
		err := b.run(push(fmt.Sprint(i), in.ID, in.Account.ID))
		if got := outcome(err); got != tt.want || called != len(tt.errs) {
			t.Errorf("%v: %s (%v), %d called; want %s", tt.errs, got, err, called, tt.want)
		}
	}
}

var errPanic = fmt.Errorf("a panic")

// TestSignal: a signal is kept and taken, again when more came to it, and until it was taken well.
func TestSignal(t *testing.T) {
	b := newBench(t)
	var taken []int
	says := error(nil)
	b.takers = []handler.Taker{handler.TakerFunc(func(_ context.Context, s triage.Signal, _ handler.Effects) error {
		taken = append(taken, s.Count)
		return says
	})}
	signal := func(ref string) {
		t.Helper()
		s := triage.Signal{Source: triage.FromWatch, AlertID: triage.AlertPublish, SourceRef: ref, Subject: triage.Subject{Kind: triage.Repository, Parts: map[string]string{"repository": "acme/web"}}}
		if err := b.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	var id string
	take := func() error {
		t.Helper()
		if _, err := b.db.One(t.Context(), "SELECT id FROM app_signal", nil, &id); err != nil {
			t.Fatal(err)
		}
		return b.take(t.Context(), jobs.Job{Kind: kindSignal, Args: fmt.Appendf(nil, `{"signal": %q}`, id)})
	}
	signal("a")
	says = io.ErrUnexpectedEOF
	if err := take(); outcome(err) != "again" {
		t.Errorf("%v", err)
	}
	says = nil
	for range 2 { // the second time nothing has changed
		if err := take(); err != nil {
			t.Error(err)
		}
	}
	signal("a")
	signal("b")
	if err := take(); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(taken) != "[1 1 2]" {
		t.Errorf("taken %v", taken)
	}
	var jobsMade int
	if _, err := b.db.One(t.Context(), "SELECT count(*) FROM river_job", nil, &jobsMade); err != nil || jobsMade != 2 {
		t.Errorf("%d jobs, %v; want one for each change", jobsMade, err)
	}
}

// TestJanitor: a delivery whose job is no more has a new one, and one whose job was given up
// without a word is dead.
func TestJanitor(t *testing.T) {
	b := newBench(t)
	in := b.github.Installation()
	deliveries := []hook.Delivery{push("waits", in.ID, in.Account.ID), push("killed", in.ID, in.Account.ID), push("lost", in.ID, in.Account.ID)}
	if err := b.Accept(t.Context(), deliveries); err != nil {
		t.Fatal(err)
	}
	kept, err := b.journal.Deliveries(t.Context(), journal.Accepted, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]journal.Delivery{}
	for _, d := range kept {
		before[d.ID] = d
	}
	for id, statement := range map[string]string{
		"killed": "UPDATE river_job SET state = 'discarded', finalized_at = CURRENT_TIMESTAMP WHERE id = $1",
		"lost":   "DELETE FROM river_job WHERE id = $1",
	} {
		if _, err := b.db.Exec(t.Context(), statement, before[id].Job); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := b.janitor(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
	}
	for id, was := range before {
		d, _, err := b.journal.Delivery(t.Context(), was.Number)
		if err != nil {
			t.Fatal(err)
		}
		states, err := b.jobs.States(t.Context(), []int64{d.Job})
		switch {
		case err != nil:
			t.Error(err)
		case id == "killed" && (d.State != journal.Dead || !strings.Contains(d.Reason, "died")):
			t.Errorf("killed: %+v", d)
		case id == "waits" && d.Job != was.Job:
			t.Errorf("waits: %+v", d)
		case id == "lost" && (d.Job == was.Job || states[d.Job] != jobs.Waiting):
			t.Errorf("lost: %+v, its job %v", d, states[d.Job])
		}
	}
}

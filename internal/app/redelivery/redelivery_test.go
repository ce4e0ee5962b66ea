package redelivery_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/redelivery"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

const secret = "a-secret-of-redelivery-0123456789"

// app is the receiving half of the App: deliveries that arrive while it is up are stored.
type app struct {
	*httptest.Server
	journal *journal.Journal

	mu   sync.Mutex
	down int // status instead; 0 is up
	lost bool
	came []string
}

func (a *app) Accept(ctx context.Context, deliveries []hook.Delivery) error {
	a.mu.Lock()
	for _, d := range deliveries {
		a.came = append(a.came, d.ID)
	}
	a.mu.Unlock()
	return a.journal.Accept(ctx, deliveries, func(_ context.Context, _ *appdb.Tx, numbers []int64) ([]int64, error) { return numbers, nil })
}

func (a *app) set(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = status
}

// lose lets answers be lost after what came was stored.
func (a *app) lose(lost bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost = lost
}

// world is GitHub, the App and its database.
type world struct {
	t       *testing.T
	github  *githubtest.Server
	repo    *githubtest.Repo // what is pushed to
	app     *app
	db      *appdb.DB
	journal *journal.Journal
	client  *ghclient.Client

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	w := &world{t: t, now: time.Now()}
	w.github = githubtest.Start(t, githubtest.Options{Now: w.clock})
	w.repo = w.github.AddFiles("web", map[string]string{"README.md": "web"})
	db, err := appdb.Open(t.Context(), database, appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.db = db
	if w.journal, err = journal.Open(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	w.app = &app{journal: w.journal}
	receiver, err := hook.New(w.app, hook.Options{Secrets: [][]byte{[]byte(secret)}})
	if err != nil {
		t.Fatal(err)
	}
	w.app.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.app.mu.Lock()
		down, lost := w.app.down, w.app.lost
		w.app.mu.Unlock()
		if down != 0 {
			rw.WriteHeader(down)
			return
		}
		if lost {
			receiver.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		receiver.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.app.Close)
	w.github.SetWebhook(w.github.App(), githubtest.Webhook{URL: w.app.URL, Secret: secret})
	w.client, err = ghclient.New(ghclient.Options{
		BaseURL: w.github.URL(), Auth: ghclient.Auth{AppID: w.github.App().ID, AppKey: w.github.App().Key}, Now: w.clock,
		Sleep: func(_ context.Context, d time.Duration) error { w.pass(d); return nil }, // between two writes
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) reconciler(holder string, change ...func(*redelivery.Options)) *redelivery.Reconciler {
	o := redelivery.Options{GitHub: w.client, Store: w.journal, Effects: w.journal.Effects(holder, journal.EffectOptions{}), Now: w.clock}
	for _, f := range change {
		f(&o)
	}
	return redelivery.New(o)
}

// deliver delivers n events, and gives their ids.
func (w *world) deliver(n int) (ids []string) {
	w.t.Helper()
	head, ok := gitstore.Lookup(w.repo.Content, "refs/heads/main")
	if !ok {
		w.t.Fatal("no branch to push to")
	}
	for range n {
		w.pass(time.Second)
		for _, d := range w.github.Deliver(w.t.Context(), "push", w.repo.PushPayload("refs/heads/main", head, head)) {
			ids = append(ids, d.GUID)
		}
	}
	return ids
}

// settled waits until all of these are stored.
func (w *world) settled(ids []string) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		stored, err := w.journal.Stored(w.t.Context(), ids)
		if err != nil {
			w.t.Fatal(err)
		}
		missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return stored[id] })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d of %d never arrived", len(missing), len(ids))
		}
	}
}

func databases(t *testing.T, f func(t *testing.T, database string)) {
	t.Run("SQLite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "data")) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, pgtest.Start(t).Database(t)) })
}

// TestInvariantI2: every delivery that GitHub reports as failed in the last three days is asked for
// again until it is stored, once.
func TestInvariantI2(t *testing.T) {
	databases(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		r := w.reconciler("a")
		all := w.deliver(3)
		w.app.set(http.StatusServiceUnavailable)
		lost := w.deliver(120) // more than a page
		w.app.set(0)
		w.app.lose(true)
		stored := w.deliver(2) // and the answer was lost: failed, by GitHub's word
		w.app.lose(false)
		all = append(append(append(all, lost...), stored...), w.deliver(2)...)

		result, err := r.Run(t.Context())
		if err != nil || result != (redelivery.Result{Missing: 120, Asked: 120}) {
			t.Fatalf("%+v, %v", result, err)
		}
		w.settled(all)
		w.pass(10 * time.Minute)
		if result, err := r.Run(t.Context()); err != nil || result != (redelivery.Result{}) {
			t.Errorf("a second run: %+v, %v", result, err)
		}
		came := map[string]int{}
		for _, id := range w.app.came {
			came[id]++
		}
		for _, id := range all {
			if came[id] != 1 {
				t.Errorf("%s came %d times", id, came[id])
			}
		}
		counts, err := w.journal.Counts(t.Context())
		if err != nil || counts[journal.Accepted] != int64(len(all)) {
			t.Errorf("%v of %d, %v", counts, len(all), err)
		}
	})
}

// TestDownForLong: while the receiver stays down each event is asked for once for each attempt, and
// when it is up again all come.
func TestDownForLong(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "data"))
	r := w.reconciler("a")
	w.app.set(http.StatusBadGateway)
	ids := w.deliver(3)
	attempts := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); len(w.github.Deliveries()) < n; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d attempts; want %d", len(w.github.Deliveries()), n)
			}
		}
	}
	for i := range 3 {
		if result, err := r.Run(t.Context()); err != nil || result.Asked != 3 {
			t.Fatalf("%+v, %v", result, err)
		}
		attempts(3 * (i + 2))
		w.pass(10 * time.Minute)
	}
	w.app.set(0)
	if result, err := r.Run(t.Context()); err != nil || result.Asked != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	w.settled(ids)
}

// TestRestoredDatabase: what was answered with 2xx and is not stored any more is asked for by a
// process that starts.
func TestRestoredDatabase(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "data"))
	ids := w.deliver(5)
	for _, statement := range []string{"DELETE FROM app_body WHERE delivery > 2", "DELETE FROM app_delivery WHERE number > 2"} {
		if _, err := w.db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if result, err := w.reconciler("a").Run(t.Context()); err != nil || result.Asked != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	w.settled(ids)
}

// TestBounds: a run asks for so many, the oldest first, and says where it did not see all.
func TestBounds(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "data"))
	w.app.set(http.StatusInternalServerError)
	ids := w.deliver(130)
	w.app.set(0)
	r := w.reconciler("a", func(o *redelivery.Options) { o.Most, o.Pages = 50, 1 })
	if result, err := r.Run(t.Context()); err != nil || result != (redelivery.Result{Missing: 100, Asked: 50, Left: true, Cut: true}) {
		t.Fatalf("%+v, %v", result, err)
	}
	w.settled(ids[30:80])
	for range 3 {
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.settled(ids[30:])
	w.pass(73 * time.Hour) // GitHub has forgotten the rest
	if result, err := r.Run(t.Context()); err != nil || result != (redelivery.Result{}) {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestRace: of two processes one asks.
func TestRace(t *testing.T) {
	w := newWorld(t, pgtest.Start(t).Database(t))
	w.app.set(http.StatusInternalServerError)
	ids := w.deliver(20)
	w.app.set(0)
	var wg sync.WaitGroup
	for _, holder := range []string{"a", "b"} {
		wg.Go(func() {
			var snooze *jobs.SnoozeError // the other holds one just now
			for range 20 {
				if _, err := w.reconciler(holder).Run(t.Context()); err == nil || !errors.As(err, &snooze) {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	w.settled(ids)
	if n := len(w.github.Deliveries()); n > 40 {
		t.Errorf("%d attempts of 20 events that failed once; want 40", n)
	}
}

// TestKilled: while the kill switch is on nothing is asked for.
func TestKilled(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "data"))
	w.app.set(http.StatusInternalServerError)
	ids := w.deliver(1)
	w.app.set(0)
	if err := w.journal.Set(t.Context(), journal.Kill, true, "test", "a test"); err != nil {
		t.Fatal(err)
	}
	var snooze *jobs.SnoozeError
	if result, err := w.reconciler("a").Run(t.Context()); !errors.As(err, &snooze) || result.Asked != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if err := w.journal.Set(t.Context(), journal.Kill, false, "test", "over"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.reconciler("a").Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settled(ids)
}

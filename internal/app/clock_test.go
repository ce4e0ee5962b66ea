//go:build linux

package app

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// newAhead is newWatched on a PostgreSQL whose clock is ten minutes ahead.
func newAhead(t *testing.T) *watched {
	t.Helper()
	database := pgtest.Start(t).Database(t)
	db, err := appdb.Open(t.Context(), database, appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE SQL AS $$ SELECT pg_catalog.clock_timestamp() + interval '10 minutes' $$",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$",
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	return newWatched(t, database)
}

// startJobs has jobs run until the end of the test.
func (w *watched) startJobs() {
	w.Helper()
	if err := w.jobs.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := w.jobs.Stop(context.Background()); err != nil {
			w.Error(err)
		}
	})
}

// isAhead fails where a time is not of that database's clock.
func isAhead(t *testing.T, what string, at time.Time) {
	t.Helper()
	if ahead := time.Until(at); ahead < 9*time.Minute || ahead > 11*time.Minute {
		t.Errorf("%s: %v ahead, want 10m", what, ahead)
	}
}

// TestAbuse41: row 41 of the threat model. What processes of several machines claim is theirs by the
// database's clock, which they have in common, whatever their own say.
func TestAbuse41(t *testing.T) {
	w := newAhead(t)
	if _, err := w.incidents.of(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	isAhead(t, "the App", w.now())
	isAhead(t, "incidents", w.incidents.opt.Now())
	w.startJobs()
	if _, err := w.db.Exec(t.Context(), "ALTER FUNCTION public.clock_timestamp() RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Exec(t.Context(), "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'slow'; END $$"); err != nil {
		t.Fatal(err)
	}
	isAhead(t, "the App, of a database that does not answer", w.now())
}

// TestAbuse41Written is row 41 as well: what one process writes and another reads is of that clock.
func TestAbuse41Written(t *testing.T) {
	w := newAhead(t)
	w.startJobs()
	body := w.body(map[string]any{"zen": "z", "hook_id": 7, "hook": map[string]any{"type": "App", "id": 7}}, "sdk")
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write(body)
	r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "ping", "X-GitHub-Delivery": "d1", "X-GitHub-Hook-ID": "7",
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		r.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	w.receiverHandler().ServeHTTP(answer, r)
	delivery, _, err := w.journal.Delivery(t.Context(), 1)
	if answer.Code != http.StatusAccepted || err != nil {
		t.Fatalf("%d, %v", answer.Code, err)
	}
	if err := w.setDailyRun(t.Context(), runSweep, func(*dailyRun) {}); err != nil {
		t.Fatal(err)
	}
	run, _, err := w.dailyRun(t.Context(), runSweep)
	if err != nil {
		t.Fatal(err)
	}
	isAhead(t, "a delivery", delivery.Received)
	isAhead(t, "since when the sweep is waited for", run.Since)
	isAhead(t, "installations", w.installations.now())
}

// TestAbuse41Read is row 41 as well: how old what is written by that clock is, that clock says.
func TestAbuse41Read(t *testing.T) {
	w := newAhead(t)
	if err := w.jobs.Start(t.Context()); err != nil { // which reads the clock
		t.Fatal(err)
	}
	if err := w.jobs.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	ahead := time.Now().Add(10 * time.Minute)
	if err := w.setDailyRun(t.Context(), runSweep, func(r *dailyRun) { r.Finished = ahead.Add(-overdueAfter - time.Minute) }); err != nil {
		t.Fatal(err)
	}
	if overdue, err := w.overdue(t.Context()); err != nil || overdue[runSweep].IsZero() {
		t.Errorf("a sweep of 26 hours ago is not overdue: %v, %v", overdue, err)
	}
	if w.recent(ahead.Add(-planner.Good - time.Minute)) {
		t.Error("what was asked an hour ago is good still")
	}

	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.registry.Forget()
	if err := w.setLooked(ahead.Add(-hintGap - time.Minute)); err != nil {
		t.Fatal(err)
	}
	d := hook.Delivery{ID: "1", Event: "create", Installation: w.github.Installation().ID, Body: w.body(map[string]any{"ref": "v1.1.1", "ref_type": "tag", "master_branch": "main"}, "sdk")}
	if err := w.act(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if w.asked() == 0 {
		t.Error("what was looked at a minute ago is not looked at for a hint")
	}
}

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// TestJournal is the suite for both kinds of database.
func TestJournal(t *testing.T) {
	tests := []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"once", testOnce},
		{"once at once", testOnceAtOnce},
		{"lost", testLost},
		{"odd text", testOddText},
		{"orphans", testOrphans},
		{"fenced", testFenced},
		{"kill switch", testKillSwitch},
		{"accept", testAccept},
		{"accept at once", testAcceptAtOnce},
		{"end", testEnd},
		{"prune", testPrune},
		{"prune effects", testPruneEffects},
		{"installations", testInstallations},
		{"notice", testNotice},
	}
	server := pgtest.Start(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { on(t, server, tt.test) })
	}
}

// both runs a test on both kinds of database.
func both(t *testing.T, test func(t *testing.T, s *suite)) {
	on(t, pgtest.Start(t), test)
}

func on(t *testing.T, server *pgtest.Server, test func(t *testing.T, s *suite)) {
	for _, kind := range []struct {
		name  string
		fresh func(t *testing.T) string
	}{
		{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "data") }},
		{"PostgreSQL", func(t *testing.T) string { return server.Database(t) }},
	} {
		t.Run(kind.name, func(t *testing.T) {
			s := &suite{T: t, setting: kind.fresh(t)}
			s.db, s.Journal = s.open()
			test(t, s)
		})
	}
}

type suite struct {
	*testing.T
	*journal.Journal
	setting string
	db      *appdb.DB
}

// open opens the journal as another process does.
func (s *suite) open() (*appdb.DB, *journal.Journal) {
	s.Helper()
	db, err := appdb.Open(s.Context(), s.setting, appdb.Options{Connections: 4})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { db.Close() })
	j, err := journal.Open(s.Context(), db)
	if err != nil {
		s.Fatal(err)
	}
	return db, j
}

// accept accepts deliveries and gives how many jobs were made.
func (s *suite) accept(deliveries ...hook.Delivery) (made int) {
	s.Helper()
	err := s.Accept(s.Context(), deliveries, func(_ context.Context, _ *appdb.Tx, numbers []int64) ([]int64, error) {
		made = len(numbers)
		jobs := make([]int64, len(numbers))
		for i, n := range numbers {
			jobs[i] = 1000 + n
		}
		return jobs, nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return made
}

func push(id string) hook.Delivery {
	return hook.Delivery{
		ID: id, Hook: 7, Event: "push", Action: "", Installation: 12, Body: []byte(`{"ref": "` + id + `"}`),
		Received: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC),
	}
}

// testAccept: each delivery is kept once, with a job, and with what it was.
func testAccept(t *testing.T, s *suite) {
	ctx := t.Context()
	if made := s.accept(push("a"), push("b"), push("a")); made != 2 {
		t.Errorf("%d jobs, want 2", made)
	}
	if made := s.accept(push("b"), push("c")); made != 1 {
		t.Errorf("%d jobs again, want 1", made)
	}
	kept, err := s.Deliveries(ctx, journal.Accepted, 0, 10)
	if err != nil || len(kept) != 3 {
		t.Fatalf("%d, %v", len(kept), err)
	}
	got, found, err := s.Delivery(ctx, kept[0].Number)
	want := journal.Delivery{Delivery: push("a"), State: journal.Accepted, Number: kept[0].Number, Job: 1000 + kept[0].Number}
	if diff := cmp.Diff(want, got); diff != "" || !found || err != nil {
		t.Errorf("%v, %v\n%s", found, err, diff)
	}
	if _, found, err := s.Delivery(ctx, 1<<40); found || err != nil {
		t.Errorf("a number that is not there: %v, %v", found, err)
	}
	for id, want := range map[string]bool{"a": true, "z": false} {
		if known, err := s.Known(ctx, 7, id); known != want || err != nil {
			t.Errorf("%s: %v, %v", id, known, err)
		}
	}
	stop := errors.New("no job")
	err = s.Accept(ctx, []hook.Delivery{push("d")}, func(context.Context, *appdb.Tx, []int64) ([]int64, error) { return nil, stop })
	if known, _ := s.Known(ctx, 7, "d"); !errors.Is(err, stop) || known {
		t.Errorf("without a job: %v, kept %v", err, known)
	}
}

// testAcceptAtOnce: processes that are told of the same deliveries at once keep each once.
func testAcceptAtOnce(t *testing.T, s *suite) {
	var all sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for p := range 4 {
		_, j := s.open()
		all.Go(func() {
			for i := range 20 {
				batch := []hook.Delivery{push(fmt.Sprint(i)), push(fmt.Sprint(i + 1)), push(fmt.Sprint(i + 2))}
				if p%2 == 0 {
					batch[0], batch[2] = batch[2], batch[0]
				}
				err := j.Accept(t.Context(), batch, func(_ context.Context, _ *appdb.Tx, numbers []int64) ([]int64, error) {
					mu.Lock()
					defer mu.Unlock()
					made += len(numbers)
					return numbers, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	counts, err := s.Counts(t.Context())
	if err != nil || counts[journal.Accepted] != 22 || made != 22 {
		t.Errorf("%v, %d jobs, %v; want 22", counts, made, err)
	}
}

// testEnd: a delivery ends once, with its reason, and can have another job only before.
func testEnd(t *testing.T, s *suite) {
	ctx := t.Context()
	s.accept(push("a"), push("b"), push("c"))
	kept, err := s.Deliveries(ctx, journal.Accepted, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	requeue := func(d journal.Delivery, instead int64) (made bool) {
		err := s.Requeue(ctx, d.Number, instead, func(context.Context, *appdb.Tx) (int64, error) { made = true; return 5, nil })
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	if requeue(kept[0], kept[0].Job+1) || !requeue(kept[0], kept[0].Job) || requeue(kept[0], kept[0].Job) {
		t.Error("a job is replaced once, by whoever knows which")
	}
	if err := s.Failed(ctx, kept[0].Number); err != nil {
		t.Error(err)
	}
	err = s.End(ctx, journal.End{Number: kept[0].Number, State: journal.Dead, Reason: "why"}, journal.End{Number: kept[1].Number, State: journal.Done})
	if err == nil {
		err = s.End(ctx, journal.End{Number: kept[0].Number, State: journal.Done})
	}
	if err != nil {
		t.Fatal(err)
	}
	dead, _, err := s.Delivery(ctx, kept[0].Number)
	if err != nil || dead.State != journal.Dead || dead.Reason != "why" || dead.Attempts != 1 || dead.Job != 5 || time.Since(dead.Ended).Abs() > time.Minute {
		t.Errorf("%+v, %v", dead, err)
	}
	if requeue(dead, dead.Job) {
		t.Error("what has ended has a new job")
	}
	counts, err := s.Counts(ctx)
	if diff := cmp.Diff(map[journal.State]int64{journal.Accepted: 1, journal.Done: 1, journal.Dead: 1}, counts); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// testPrune: bodies go before deliveries, those of dead letters last, and what waits stays.
func testPrune(t *testing.T, s *suite) {
	ctx := t.Context()
	s.accept(push("waits"), push("done"), push("dead"), push("long done"), push("long dead"))
	kept, err := s.Deliveries(ctx, journal.Accepted, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	numbers := map[string]int64{}
	for _, d := range kept {
		numbers[d.ID] = d.Number
		state := journal.Done
		switch {
		case d.ID == "waits":
			continue
		case strings.HasSuffix(d.ID, "dead"):
			state = journal.Dead
		}
		ago := 4 * day
		if strings.HasPrefix(d.ID, "long") {
			ago = 61 * day
		}
		if err := s.End(ctx, journal.End{Number: d.Number, State: state}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Exec(ctx, "UPDATE app_delivery SET ended = ended - $1 WHERE number = $2", ago.Milliseconds(), d.Number); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Exec(ctx, "UPDATE app_delivery SET accepted = accepted - $1", (100 * day).Milliseconds()); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(ctx, journal.Retention{}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for id, number := range numbers {
		d, found, err := s.Delivery(ctx, number)
		switch {
		case err != nil:
			t.Error(err)
		case !found:
			got[id] = "gone"
		case d.Body == nil:
			got[id] = "without body"
		default:
			got[id] = "whole"
		}
	}
	want := map[string]string{"waits": "whole", "done": "without body", "dead": "whole", "long done": "gone", "long dead": "gone"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// testPruneEffects: effects and signals go after 90 days, but for what somebody still has to do with.
func testPruneEffects(t *testing.T, s *suite) {
	ctx := t.Context()
	day := (24 * time.Hour).Milliseconds()
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := s.db.Exec(ctx, statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	// More than one transaction drops, and each kind of the rest.
	for i := range 450 {
		exec("INSERT INTO app_effect (key, state, holder, fence, lease, claimed, recorded) VALUES ($1, 'done', 'x', 1, 0, {now} - $2, {now} - $2)", fmt.Sprintf("old %d", i), 91*day)
	}
	exec("INSERT INTO app_effect (key, state, holder, fence, lease, claimed) VALUES ('failed', 'failed', 'x', 1, 0, {now} - $1)", 91*day)
	exec("INSERT INTO app_effect (key, state, holder, fence, lease, claimed, recorded) VALUES ('young', 'done', 'x', 1, 0, {now} - $1, {now} - $1)", 89*day)
	exec("INSERT INTO app_effect (key, state, holder, fence, lease, claimed) VALUES ('claimed', 'claimed', 'x', 1, {now} + $1, {now} - $2)", day, 91*day)
	signal := "INSERT INTO app_signal (id, fingerprint, signal, version, taken, seen) VALUES ($1, $1, '{}', 2, $2, {now} - $3)"
	exec(signal, "old", 2, 91*day)
	exec(signal, "young", 2, 89*day)
	exec(signal, "not taken", 1, 91*day)
	for _, id := range []string{"old", "young", "not taken"} {
		exec("INSERT INTO app_signal_ref (signal, ref) VALUES ($1, 'a'), ($1, 'b')", id)
	}
	if err := s.Prune(ctx, journal.Retention{}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		"SELECT key FROM app_effect ORDER BY key": {"claimed", "young"},
		"SELECT id FROM app_signal ORDER BY id":   {"not taken", "young"},

		"SELECT DISTINCT signal FROM app_signal_ref ORDER BY signal": {"not taken", "young"},
	} {
		var got []string
		if err := s.db.Query(ctx, query, nil, func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			got = append(got, key)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

// testInstallations: what GitHub does not name any more is gone, and known.
func testInstallations(t *testing.T, s *suite) {
	ctx := t.Context()
	acme := journal.Installation{ID: 1, Account: "acme", Owner: 10, Standing: journal.Active}
	other := journal.Installation{ID: 2, Account: "other", Owner: 20, Standing: journal.Active}
	set := func(now ...journal.Installation) map[int64]journal.Installation {
		t.Helper()
		time.Sleep(2 * time.Millisecond) // the database's clock has milliseconds
		if err := s.SetInstallations(ctx, now); err != nil {
			t.Fatal(err)
		}
		known, err := s.Installations(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return known
	}
	set(acme, other)
	suspended := acme
	suspended.Standing, suspended.Account = journal.Suspended, "acme-renamed"
	gone := other
	gone.Standing = journal.Gone
	known := set(suspended)
	since := known[1].Since
	want := map[int64]journal.Installation{1: suspended, 2: gone}
	if diff := cmp.Diff(want, known, cmpopts.IgnoreFields(journal.Installation{}, "Since", "Checked")); diff != "" {
		t.Error(diff)
	}
	if known = set(suspended, other); known[1].Since != since || known[2].Standing != journal.Active || !known[1].Checked.After(since) {
		t.Errorf("%+v", known)
	}
}

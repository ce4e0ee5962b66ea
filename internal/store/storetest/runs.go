package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

func testRuns(t *testing.T, s *suite) {
	st := s.open()
	begin := func(scope, catalogue string) (inventory.RunID, string) {
		t.Helper()
		id, done, err := st.Begin(t.Context(), inventory.Run{Scope: scope, Catalogue: catalogue, Started: s.clock()})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range done {
			names = append(names, fmt.Sprintf("%s#%d", r.Name, r.Number))
		}
		return id, strings.Join(names, " ")
	}
	first, _ := begin("acme", "c1")
	s.write(st, first, &inventory.Batch{Repositories: []*inventory.Sighting{sighting(2, "o/b", "head"), sighting(1, "o/a", "head")}})
	if id, done := begin("acme", "c1"); id == first || done != "" {
		t.Errorf("a run beside one that may be alive is run %d, with %q done", id, done)
	}
	s.pass(time.Hour) // both were killed
	second, done := begin("acme", "c1")
	if second != 2 || done != "" {
		t.Errorf("after a kill: run %d with %q done, want the last, 2", second, done)
	}
	s.write(st, second, &inventory.Batch{Repositories: []*inventory.Sighting{sighting(2, "o/b", "head"), sighting(1, "o/a", "head")}})
	s.pass(time.Hour)
	if id, done := begin("acme", "c1"); id != second || done != "o/a#1 o/b#2" {
		t.Errorf("after another kill: run %d with %q done", id, done)
	}
	s.pass(time.Hour)
	if id, done := begin("acme", "c2"); id == second || done != "" {
		t.Errorf("with another catalogue: run %d with %q done", id, done)
	}
	if id, done := begin("other", "c1"); id == second || done != "" {
		t.Errorf("of another scope: run %d with %q done", id, done)
	}
	end := inventory.Run{ID: second, Interrupted: true, Problems: []*finding.Problem{{Code: "canary", Detail: "x"}}}
	if err := st.Finish(t.Context(), end, false); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Hour)
	if id, _ := begin("acme", "c1"); id == second {
		t.Error("a run that came to its end was gone on with")
	}
	run, ok, err := st.Run(t.Context(), second)
	want := inventory.Run{
		ID: second, Scope: "acme", Catalogue: "c1", Started: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), Finished: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC),
		Interrupted: true, Problems: end.Problems,
	}
	if diff := cmp.Diff(want, run); err != nil || !ok || diff != "" {
		t.Errorf("Run: %t, %v (-want +got):\n%s", ok, err, diff)
	}
	all, err := st.Runs(t.Context(), 2)
	if err != nil || len(all) != 2 || all[0].ID <= all[1].ID || !all[0].Finished.IsZero() {
		t.Errorf("Runs(2) = %v, %v", all, err)
	}
	if err := st.Finish(t.Context(), inventory.Run{ID: 999}, false); err == nil {
		t.Error("a run that nobody began was finished")
	}
}

func testEvents(t *testing.T, s *suite) {
	st := s.open()
	run := s.begin(st, "acme")
	f := &finding.Finding{Fingerprint: "f1", State: finding.Active, Repository: "o/b", Refs: []string{"refs/heads/main"}, File: "x", Package: &finding.Package{Name: "bad"}}
	p := &finding.Problem{Repository: "o/b", File: "y", Code: "syntax", Detail: "\"odd\""}
	a, b := sighting(1, "o/a", "head"), sighting(2, "o/b", "head")
	a.Events = []finding.Event{p}
	b.Events = []finding.Event{f, &finding.Coverage{File: "x"}, p, f}
	s.write(st, run, &inventory.Batch{Repositories: []*inventory.Sighting{b, a}})
	check := func(run inventory.RunID, want ...finding.Event) {
		t.Helper()
		var got []finding.Event
		for e, err := range st.Events(t.Context(), run) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Event)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events of run %d (-want +got):\n%s", run, diff)
		}
	}
	check(run, p, f, p, f)
	b.Events = []finding.Event{p}
	s.write(st, run, &inventory.Batch{Repositories: []*inventory.Sighting{b}}) // looked at again
	check(run, p, p)
	next := s.begin(st, "other")
	b.Events = []finding.Event{f}
	s.write(st, next, &inventory.Batch{Repositories: []*inventory.Sighting{b}})
	check(next, f)
	check(run, p, p)
	done, err := st.Done(t.Context(), run)
	if err != nil || len(done) != 2 || done[0].Name != "o/a" || done[1].Number != 2 {
		t.Errorf("Done = %v, %v", done, err)
	}
}

// Two runs of one scope that go on at once leave what either alone would.
func testTwoRuns(t *testing.T, s *suite) {
	a, b := s.open(), s.open()
	first := s.begin(a, "acme")
	s.pass(2 * time.Minute) // the first waits for a rate limit
	second := s.begin(b, "acme")
	if first != second {
		t.Fatalf("runs %d and %d", first, second)
	}
	c := content("a")
	for _, st := range []*store.Store{a, b} {
		s.write(st, first, &inventory.Batch{
			Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{tree("t", c)},
			Repositories: []*inventory.Sighting{sighting(1, "o/a", "head", ref("main", "c1", tree("t")))},
		})
	}
	s.finish(a, first, true)
	s.finish(b, first, true)
	if got, want := s.history(a, c, true), "o/a main@c1 01..01 runs 1..1\n"; got != want {
		t.Errorf("history %q, want %q", got, want)
	}
}

// A row of the index has what several contents share; those of it that stay are found.
func testPruneShared(t *testing.T, s *suite) {
	st := s.open()
	see := func(names ...string) {
		t.Helper()
		run := s.begin(st, "acme")
		b := &inventory.Batch{}
		for i, name := range names {
			c := content(name)
			tr := tree(name, c)
			b.Contents, b.Trees = append(b.Contents, c), append(b.Trees, tr)
			b.Repositories = append(b.Repositories, sighting(int64(i+1), fmt.Sprint("o/", i), "head", ref("main", name, tr)))
		}
		s.write(st, run, b)
		s.finish(st, run, true)
		s.pass(store.Keep + time.Hour)
	}
	held := func() int {
		t.Helper()
		ids := map[store.ContentID]bool{}
		for p, err := range st.Find(t.Context(), []uint64{inventory.CommitKey("0123456789abcdef"[:ioc.CommitKey])}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range p.Contents {
				ids[id] = true
			}
		}
		found := 0
		for _, err := range st.Contents(t.Context(), slices.Collect(maps.Keys(ids))) {
			if err != nil {
				t.Fatal(err)
			}
			found++
		}
		if found != len(ids) {
			t.Errorf("the index names %d contents, and %d are there", len(ids), found)
		}
		return found
	}
	for _, names := range [][]string{
		{"a", "b", "c", "d"}, {"a2", "b", "c", "d"}, {"a2", "b", "c2", "d"}, {"a2", "b", "c2", "d2"},
	} {
		see(names...) // and what it does not see is pruned
		if got := held(); got != len(names) {
			t.Errorf("after %v: %d contents are found", names, got)
		}
	}
}

func testPrune(t *testing.T, s *suite) {
	st := s.open()
	see := func(names ...string) {
		t.Helper()
		run := s.begin(st, "acme")
		b := &inventory.Batch{}
		for i, name := range names {
			c := content(name)
			tr := tree(name, c)
			b.Contents, b.Trees = append(b.Contents, c), append(b.Trees, tr)
			seen := sighting(int64(i+1), fmt.Sprint("o/", i), "head", ref("main", name, tr))
			seen.Events = []finding.Event{&finding.Problem{Repository: "o", Code: "syntax", Detail: name}}
			b.Repositories = append(b.Repositories, seen)
		}
		s.write(st, run, b)
		s.finish(st, run, true)
		s.pass(24 * time.Hour)
	}
	see("old", "stays", "gone") // on the 1st
	see("new", "stays")
	check := func(about string, want map[string]int) {
		t.Helper()
		for name, n := range want {
			if got := strings.Count(s.history(st, content(name), true), "\n"); got != n {
				t.Errorf("%s: %q is held by %d states, want %d", about, name, got, n)
			}
			c, err := st.Content(t.Context(), content(name).Key)
			if err != nil || (c != nil) != (n > 0) {
				t.Errorf("%s: the content of %q: %v, %v", about, name, c, err)
			}
			if got := len(found(t, st, inventory.NameKey(ecosystem.NPM, name))); got != n {
				t.Errorf("%s: %q has %d terms, want %d", about, name, got, n)
			}
		}
	}
	check("at once", map[string]int{"old": 1, "new": 1, "stays": 1, "gone": 1})
	s.pass(store.Keep - 72*time.Hour)
	see("new", "stays") // 90 days less one after the first
	check("before the time", map[string]int{"old": 1, "new": 1, "stays": 1, "gone": 1})
	s.pass(24 * time.Hour)
	see("new", "stays")
	check("after it", map[string]int{"old": 0, "new": 1, "stays": 1, "gone": 0})
	runs, err := st.Runs(t.Context(), 100)
	if err != nil || len(runs) != 3 {
		t.Errorf("%d runs are left (%v), want all but the first", len(runs), err)
	}
	again := content("stays") // by a newer reader
	again.Reader++
	s.write(st, s.begin(st, "acme"), &inventory.Batch{Contents: []*inventory.Content{again}})
	s.pass(10 * store.Keep) // what is current stays, however old
	if err := st.Prune(t.Context(), s.clock()); err != nil {
		t.Fatal(err)
	}
	check("years later", map[string]int{"new": 1})
	for reader, want := range map[int]bool{formats.Revision: false, formats.Revision + 1: true} {
		key := again.Key
		key.Reader = reader
		if c, err := st.Content(t.Context(), key); err != nil || (c != nil) != want {
			t.Errorf("years later: as reader %d had it: %v, %v", reader, c, err)
		}
	}
	if runs, err = st.Runs(t.Context(), 100); err != nil || len(runs) != 1 {
		t.Errorf("%d runs are left (%v), want the last", len(runs), err)
	}
	events := 0
	for _, err := range st.Events(t.Context(), runs[0].ID) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if events != 2 {
		t.Errorf("%d events of the last run are left, want 2", events)
	}
}

// testPruneRecords: records of a kind go by when they were written last, those of other kinds stay,
// and one that says no time counts as written when it is first looked at.
func testPruneRecords(t *testing.T, s *suite) {
	st := s.open()
	r, other := st.Records("check-run"), st.Records("incident")
	write := func(r *store.Records, key string) {
		t.Helper()
		_, version, err := r.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := r.Swap(t.Context(), key, version, []byte(key)); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	prune := func(want string) {
		t.Helper()
		if err := r.Prune(t.Context(), s.clock().Add(-24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		keys, err := r.Keys(t.Context(), "")
		if got := strings.Join(keys, " "); got != want || err != nil {
			t.Errorf("records %q are left (%v), want %q", got, err, want)
		}
	}
	for i := range 450 { // more than one transaction drops
		write(r, fmt.Sprintf("old/%d", i))
	}
	write(r, "again")
	write(r, "earlier release")
	write(other, "old")
	s.behind("UPDATE inv_record SET written = 0 WHERE key = $1", "check-run\x1fearlier release")
	s.pass(25 * time.Hour)
	write(r, "again")
	write(r, "new")
	prune("again earlier release new")
	s.pass(25 * time.Hour)
	write(r, "new")
	prune("new")
	if body, version, err := other.Load(t.Context(), "old"); string(body) != "old" || version != 1 || err != nil {
		t.Errorf("of another kind: %q, version %d, %v", body, version, err)
	}
	if _, ok, err := r.Swap(t.Context(), "again", 2, nil); ok || err != nil {
		t.Errorf("what was read before it was forgotten is written: %t, %v", ok, err)
	}
}

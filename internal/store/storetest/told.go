package storetest

import (
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
)

// What a push tells of a ref moves that ref and leaves all else as it was.
func testTold(t *testing.T, s *suite) {
	st := s.open()
	c := content("a")
	t1, t2 := tree("t1", c), tree("t2", c)
	repository := inventory.Repository{Server: "github.example", Number: 7, Name: "o/r"}
	tell := func(refs []inventory.Ref, gone []string, events ...finding.Event) {
		t.Helper()
		s.write(st, 0, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{t1, t2}, Repositories: []*inventory.Sighting{{
			Repository: repository, Selection: "told", Refs: refs, Gone: gone, Told: true, Events: events,
		}}})
		s.pass(24 * time.Hour)
	}
	want := func(when, history string) {
		t.Helper()
		if got := s.history(st, c, true); got != history {
			t.Errorf("%s:\n%swant:\n%s", when, got, history)
		}
	}
	run := s.begin(st, "acme")
	seen := sighting(7, "o/r", "all", ref("main", "c1", t1), ref("dev", "d1", t1))
	seen.Repository = repository
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{t1, t2}, Repositories: []*inventory.Sighting{seen}})
	s.finish(st, run, true)
	s.pass(24 * time.Hour)

	tell([]inventory.Ref{ref("main", "c2", t2)}, nil) // on the 2nd
	want("moved", "o/r dev@d1 01..01 runs 1..1\no/r main@c1 01..01 runs 1..1 gone\no/r main@c2 02..02 runs 0..0\n")
	first, ok, err := st.Ref(t.Context(), repository, "main")
	if err != nil || !ok || first.Commit != "c2" || first.FirstSeen.Day() != 2 || first.Root != t2.Root {
		t.Errorf("%+v, %t, %v", first, ok, err)
	}
	tell([]inventory.Ref{ref("main", "c2", nil)}, nil) // again, and without its tree
	tell([]inventory.Ref{ref("new", "n1", t1)}, []string{"dev", "never"})
	want("another came, and one went", "o/r dev@d1 01..01 runs 1..1 gone\no/r main@c1 01..01 runs 1..1 gone\no/r main@c2 02..03 runs 0..0\no/r new@n1 04..04 runs 0..0\n")
	if _, ok, err := st.Ref(t.Context(), repository, "dev"); ok || err != nil {
		t.Errorf("dev: %t, %v", ok, err)
	}
	if unread, err := st.Unread(t.Context()); err != nil || len(unread) > 0 {
		t.Errorf("unread %q, %v", unread, err)
	}
	tell([]inventory.Ref{ref("main", "c3", t1)}, nil, &finding.Problem{Code: "entry"})
	if unread, err := st.Unread(t.Context()); err != nil || len(unread) != 1 {
		t.Errorf("unread after a problem %q, %v", unread, err)
	}
	briefs, err := st.Briefs(t.Context(), 0)
	if err != nil || len(briefs) != 1 || briefs[0].Body != nil {
		t.Errorf("in brief: %+v, %v", briefs, err)
	}
	states, err := st.RepositoriesOf(t.Context(), []store.RowID{briefs[0].Row})
	if err != nil || len(states) != 1 || len(states[briefs[0].Row].Seen) != len(seen.Seen) || states[briefs[0].Row].LastRun != run {
		t.Errorf("the repository is not as the run left it: %+v, %v", states[briefs[0].Row], err)
	}
	// The next run of all refs has the last word.
	run = s.begin(st, "acme")
	seen = sighting(7, "o/r", "all", ref("main", "c3", t1))
	seen.Repository = repository
	s.write(st, run, &inventory.Batch{Repositories: []*inventory.Sighting{seen}})
	if got, want := s.history(st, c, false), "o/r main@c3 05..06 runs 0..2\n"; got != want {
		t.Errorf("after a run:\n%swant:\n%s", got, want)
	}
	// A repository that nobody has seen before.
	repository = inventory.Repository{Server: "github.example", Number: 8, Name: "o/new"}
	tell([]inventory.Ref{ref("main", "x1", t1)}, nil)
	if _, ok, err := st.Ref(t.Context(), repository, "main"); !ok || err != nil {
		t.Errorf("a new repository: %t, %v", ok, err)
	}
	if unread, err := st.Unread(t.Context()); err != nil || len(unread) != 0 {
		t.Errorf("unread %q, %v", unread, err)
	}
	// Who has what cannot be said of a state whose tree is not known.
	tell([]inventory.Ref{ref("main", "x2", nil)}, nil)
	if unread, err := st.Unread(t.Context()); err != nil || len(unread) != 1 || unread[0] != "o/new" {
		t.Errorf("unread without its tree %q, %v", unread, err)
	}
}

// What a run writes late is not newer than what a push told since the run asked: a ref that moved stays
// where it is, one that came stays, and one that went does not come back.
func testToldSince(t *testing.T, s *suite) {
	st := s.open()
	c := content("a")
	t1, t2 := tree("t1", c), tree("t2", c)
	repository := inventory.Repository{Server: "github.example", Number: 7, Name: "o/r"}
	tell := func(refs []inventory.Ref, gone []string, events ...finding.Event) {
		t.Helper()
		s.write(st, 0, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{t1, t2}, Repositories: []*inventory.Sighting{{
			Repository: repository, Selection: "told", Refs: refs, Gone: gone, Told: true, Events: events,
		}}})
	}
	see := func(asked time.Time, refs ...inventory.Ref) {
		t.Helper()
		seen := sighting(7, "o/r", "all", refs...)
		seen.Repository, seen.Asked = repository, asked
		seen.Brief, seen.Basis = &inventory.Brief{}, 1
		run := s.begin(st, "acme")
		s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{t1, t2}, Repositories: []*inventory.Sighting{seen}})
		s.finish(st, run, true)
	}
	want := func(when, history string, brief bool, unread int) {
		t.Helper()
		if got := s.history(st, c, false); got != history {
			t.Errorf("%s:\n%swant:\n%s", when, got, history)
		}
		briefs, err := st.Briefs(t.Context(), 1)
		if err != nil || len(briefs) != 1 || (briefs[0].Body != nil) != brief {
			t.Errorf("%s, in brief: %+v, %v", when, briefs, err)
		}
		if names, err := st.Unread(t.Context()); err != nil || len(names) != unread {
			t.Errorf("%s, not read: %q, %v", when, names, err)
		}
	}
	old := []inventory.Ref{ref("main", "m1", t1), ref("dev", "d1", t1), ref("still", "s1", t1)}
	see(s.clock(), old...)
	want("a run", "o/r dev@d1 01..01 runs 1..1\no/r main@m1 01..01 runs 1..1\no/r still@s1 01..01 runs 1..1\n", true, 0)

	s.pass(24 * time.Hour)
	asked := s.clock()
	s.pass(time.Hour)
	tell([]inventory.Ref{ref("main", "m2", t2)}, nil, &finding.Problem{Code: "entry"})
	tell([]inventory.Ref{ref("new", "n1", t1)}, []string{"dev"})
	s.pass(time.Hour)
	see(asked, old...)
	want("a run that asked before", "o/r main@m2 02..02 runs 0..2\no/r new@n1 02..02 runs 0..0\no/r still@s1 01..02 runs 1..2\n", false, 1)

	s.pass(24 * time.Hour)
	see(s.clock(), old...)
	want("a run that asked after", "o/r dev@d1 03..03 runs 3..3\no/r main@m1 03..03 runs 3..3\no/r still@s1 01..03 runs 1..3\n", true, 0)
}

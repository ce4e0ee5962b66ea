package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
)

// history writes down the states that hold a blob, one a line.
func (s *suite) history(st *store.Store, c *inventory.Content, all bool) string {
	s.t.Helper()
	states, err := st.States(s.t.Context(), []inventory.ID{c.Blob}, all)
	if err != nil {
		s.t.Fatal(err)
	}
	var out strings.Builder
	for _, x := range states {
		fmt.Fprintf(&out, "%s %s@%s %s..%s runs %d..%d", x.Repository.Name, x.Name, x.Commit, x.FirstSeen.Format("02"), x.LastSeen.Format("02"), x.FirstRun, x.LastRun)
		if !x.Current {
			out.WriteString(" gone")
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// Refs move, vanish and come back; what a run did not ask for is left as it was.
func testRefs(t *testing.T, s *suite) {
	st := s.open()
	c := content("a")
	t1, t2, t3 := tree("t1", c), tree("t2", c), tree("t3")
	see := func(selection string, refs ...inventory.Ref) {
		t.Helper()
		run := s.begin(st, "acme "+selection)
		s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{t1, t2, t3}, Repositories: []*inventory.Sighting{sighting(7, "o/r", selection, refs...)}})
		s.finish(st, run, true)
		s.pass(24 * time.Hour)
	}
	see("all", ref("main", "c1", t1), ref("dev", "d1", t1)) // run 1, on the 1st
	see("head", ref("main", "c1", t1))                      // run 2, on the 2nd
	see("head", ref("main", "c2", t2))                      // moved
	if got, want := s.history(st, c, true), "o/r dev@d1 01..01 runs 1..1\no/r main@c1 01..02 runs 1..2 gone\no/r main@c2 03..03 runs 3..3\n"; got != want {
		t.Errorf("moved:\n%swant:\n%s", got, want)
	}
	see("head", ref("trunk", "c2", t2)) // the default branch has another name
	see("all", ref("main", "c3", t3), ref("trunk", "c2", t2))
	see("all", ref("main", "c2", t2)) // turned back, on the 6th
	want := "o/r dev@d1 01..01 runs 1..1 gone\no/r main@c1 01..02 runs 1..2 gone\no/r main@c2 03..03 runs 3..3 gone\n" +
		"o/r main@c2 06..06 runs 6..6\no/r trunk@c2 04..05 runs 4..5 gone\n"
	if got := s.history(st, c, true); got != want {
		t.Errorf("history:\n%swant:\n%s", got, want)
	}
	if got, want := s.history(st, c, false), "o/r main@c2 06..06 runs 6..6\n"; got != want {
		t.Errorf("current:\n%swant:\n%s", got, want)
	}
	// What could not be asked for is not gone.
	unknown, refused := sighting(7, "o/r", "all"), sighting(7, "o/r", "all")
	unknown.Problems = []source.Problem{{Code: source.CodeFetch, Detail: "its head: no answer"}}
	refused.Notes = []source.Note{{Code: source.CodePermission, Detail: "branches were not looked at"}}
	for _, r := range []*inventory.Sighting{unknown, refused} {
		s.write(st, s.begin(st, "acme all"), &inventory.Batch{Repositories: []*inventory.Sighting{r}})
		if got, want := s.history(st, c, false), "o/r main@c2 06..06 runs 6..6\n"; got != want {
			t.Errorf("after no answer:\n%swant:\n%s", got, want)
		}
	}
	// A tree that was not read at first, and is later.
	s.write(st, s.begin(st, "x"), &inventory.Batch{Repositories: []*inventory.Sighting{sighting(8, "o/late", "head", ref("main", "l1", nil))}})
	s.write(st, s.begin(st, "y"), &inventory.Batch{Repositories: []*inventory.Sighting{sighting(8, "o/late", "head", ref("main", "l1", t1))}})
	if got := s.history(st, c, false); !strings.HasPrefix(got, "o/late main@l1 07..07 runs 9..10\n") {
		t.Errorf("read later:\n%s", got)
	}
}

// names writes down the repositories with their refs.
func (s *suite) names(st *store.Store) string {
	s.t.Helper()
	var out []string
	all, err := Repositories(s.t.Context(), st)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range all {
		text := fmt.Sprintf("%s#%d", r.Name, r.Number)
		for _, ref := range r.Refs {
			text += " " + ref.Name
		}
		for _, v := range r.Seen {
			text += " " + v.Property + "=" + v.Value
		}
		for _, p := range r.Problems {
			text += " " + string(p.Code)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// Repositories are those that are not gone, by name.
func Repositories(ctx context.Context, st *store.Store) ([]*store.RepositoryState, error) {
	all, err := st.Briefs(ctx, 0)
	if err != nil {
		return nil, err
	}
	rows := make([]store.RowID, len(all))
	for i := range all {
		rows[i] = all[i].Row
	}
	states, err := st.RepositoriesOf(ctx, rows)
	out := make([]*store.RepositoryState, 0, len(rows))
	for _, row := range rows {
		out = append(out, states[row])
	}
	return out, err
}

// A repository is followed through renames, is gone when a whole run lacks it, and comes back.
func testRepositories(t *testing.T, s *suite) {
	st := s.open()
	see := func(scope string, whole bool, all ...*inventory.Sighting) {
		t.Helper()
		run := s.begin(st, scope)
		s.write(st, run, &inventory.Batch{Repositories: all})
		s.finish(st, run, whole)
		s.pass(time.Hour)
	}
	check := func(about, want string) {
		t.Helper()
		if got := s.names(st); got != want {
			t.Errorf("%s: %q, want %q", about, got, want)
		}
	}
	one := sighting(1, "o/one", "head", ref("zeta", "c1", nil), ref("alpha", "c1", nil))
	one.Seen = []source.Seen{{Property: "description", Value: "d\xff\x00", Ref: "", Commit: "c"}}
	one.Problems = []source.Problem{{Code: source.CodeFetch, Detail: "no answer"}}
	see("acme", true, one, sighting(2, "o/two", "head", ref("main", "c1", nil)))
	check("first", "o/one#1 zeta alpha description=d\xff\x00 fetch; o/two#2 main")
	see("acme", true, sighting(1, "o/new", "head", ref("main", "c1", nil)), sighting(3, "o/one", "head"), sighting(2, "o/two", "head", ref("main", "c1", nil)))
	check("renamed, and its name used again", "o/new#1 main; o/one#3; o/two#2 main")
	see("other", true, sighting(4, "p/four", "head"))
	see("acme", false, sighting(1, "o/new", "head"))
	check("one that did not see all", "o/new#1; o/one#3; o/two#2 main; p/four#4")
	see("acme", true, sighting(1, "o/new", "head"))
	check("one that did", "o/new#1; p/four#4")
	see("acme", true, sighting(1, "o/new", "head"), sighting(2, "o/two", "head", ref("main", "c1", nil)))
	check("back again", "o/new#1; o/two#2 main; p/four#4")
	// What another run saw since a run began is not gone, and neither is what the run itself saw by
	// a clock that goes behind.
	slow := s.begin(st, "acme")
	s.pass(time.Minute)
	see("other", false, sighting(2, "o/two", "head", ref("main", "c1", nil)))
	s.finish(st, slow, true)
	check("seen by another meanwhile", "o/two#2 main; p/four#4")
	ahead, _, err := st.Begin(t.Context(), inventory.Run{Scope: "acme", Catalogue: "c1", Started: s.clock().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s.write(st, ahead, &inventory.Batch{Repositories: []*inventory.Sighting{sighting(2, "o/two", "head", ref("main", "c1", nil))}})
	s.finish(st, ahead, true)
	check("by a clock behind", "o/two#2 main; p/four#4")
	disk := &inventory.Sighting{Repository: inventory.Repository{Name: "here"}, Selection: "head"}
	see("disk", true, disk)
	see("disk", true, disk)
	check("without a number", "here#0; o/two#2 main; p/four#4")
	// One that shows more than can be kept costs the others nothing.
	loud := sighting(5, "p/five", "head", ref("main", "c1", nil))
	loud.Seen = []source.Seen{{Property: "description", Value: strings.Repeat("d", 65<<20)}}
	see("big", true, loud, sighting(6, "p/six", "head", ref("main", "c1", nil)))
	check("too large", "here#0; o/two#2 main; p/five#5 main not-kept; p/four#4; p/six#6 main")
}

// A repository is unread as long as the last run that saw it had a problem in it that is not excluded.
func testUnread(t *testing.T, s *suite) {
	st := s.open()
	see := func(name string, number int64, problems ...*finding.Problem) {
		t.Helper()
		r := sighting(number, name, "head")
		for _, p := range problems {
			r.Events = append(r.Events, p)
		}
		run := s.begin(st, name)
		s.write(st, run, &inventory.Batch{Repositories: []*inventory.Sighting{r}})
		s.finish(st, run, false)
	}
	check := func(about, want string) {
		t.Helper()
		got, err := st.Unread(t.Context())
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %q", about, got, err, want)
		}
	}
	cut := &finding.Problem{File: "go.sum", Code: "truncated"}
	lived := &finding.Problem{File: "go.sum", Code: "truncated", Exclusion: &finding.Exclusion{Owner: "x"}}
	see("o/two", 2, cut, cut)
	see("o/one", 1, cut)
	see("o/sound", 3)
	see("o/excluded", 4, lived)
	check("first", "o/one o/two")
	s.behind("UPDATE inv_repository SET told_run = 0, unread_run = 0 WHERE number <> 2") // by a version that did not say so
	check("seen by an older version", "o/one o/two")
	see("o/one", 1)
	check("read again", "o/two")
}

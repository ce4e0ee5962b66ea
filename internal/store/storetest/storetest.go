// Package storetest holds one suite for every kind of store, and a made-up organisation to fill
// one with. It is imported by tests alone.
package storetest

import (
	"context"
	"crypto/sha1"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Run tests a kind of store. fresh gives the address of one that is empty, and driver names the
// driver of database/sql that opens it behind the store's back.
func Run(t *testing.T, driver string, fresh func(t *testing.T) string) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *suite)
	}{
		{"contents", testContents},
		{"index", testIndex},
		{"trees", testTrees},
		{"refs", testRefs},
		{"repositories", testRepositories},
		{"runs", testRuns},
		{"events", testEvents},
		{"whole or not at all", testAtomic},
		{"two writers", testTwoWriters},
		{"two runs of one scope", testTwoRuns},
		{"prune", testPrune},
		{"read only", testReadOnly},
		{"newer schema", testNewerSchema},
		{"damaged", testDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, &suite{t: t, driver: driver, url: fresh(t), now: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)})
		})
	}
}

// suite is a store under test, with a clock of its own.
type suite struct {
	t           *testing.T
	driver, url string

	mu  sync.Mutex
	now time.Time
}

func (s *suite) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *suite) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *suite) open() *store.Store {
	s.t.Helper()
	st, err := store.Open(s.t.Context(), s.url, store.Options{Now: s.clock})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { st.Close() })
	return st
}

// behind runs a statement behind the store's back.
func (s *suite) behind(statement string, args ...any) {
	s.t.Helper()
	db, err := sql.Open(s.driver, s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *suite) begin(st *store.Store, scope string) inventory.RunID {
	s.t.Helper()
	id, _, err := st.Begin(s.t.Context(), inventory.Run{Scope: scope, Catalogue: "c1", Started: s.clock()})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *suite) write(st *store.Store, run inventory.RunID, b *inventory.Batch) {
	s.t.Helper()
	if err := st.Write(s.t.Context(), run, b); err != nil {
		s.t.Fatal(err)
	}
}

func (s *suite) finish(st *store.Store, run inventory.RunID, whole bool) {
	s.t.Helper()
	if err := st.Finish(s.t.Context(), inventory.Run{ID: run}, whole); err != nil {
		s.t.Fatal(err)
	}
}

// content is a content of two entries with a digest, a git dependency and a name that is no UTF-8.
func content(name string) *inventory.Content {
	file := lockfile.File{Packages: []lockfile.Package{
		{
			Ecosystem: ecosystem.NPM, Name: name, Version: "1.0.0", Line: 3, Direct: lockfile.Yes,
			Digests: []digest.Digest{Digest(1, 1)},
		},
		{
			Ecosystem: ecosystem.NPM, Name: "git-" + name, Line: 9, RequiredBy: []int32{0}, Direct: lockfile.No,
			Source: lockfile.Source{Kind: lockfile.Git, URL: "git+https://github.com/o/" + name, Commit: "0123456789abcdef0123456789abcdef01234567"},
		},
	}, Problems: []lockfile.Problem{{Line: 1, Code: lockfile.CodeEntry, Detail: "odd"}}}
	return inventory.NewContent(inventory.Key{Blob: sha1.Sum([]byte(name)), Format: "package-lock", Reader: formats.Revision}, &file)
}

// tree is a tree that holds the contents.
func tree(name string, contents ...*inventory.Content) *inventory.Tree {
	t := &inventory.Tree{Root: sha1.Sum([]byte("tree " + name)), Selection: "s1", Total: 10, OutOfScope: map[string]int{"not-a-lockfile": 9}}
	for i, c := range contents {
		f := source.File{Path: fmt.Sprintf("%d/package-lock.json", i), Size: 100, Blob: c.Blob.String()}
		t.Files = append(t.Files, inventory.File{File: f, Format: c.Format})
	}
	return t
}

func sighting(number int64, name, selection string, refs ...inventory.Ref) *inventory.Sighting {
	return &inventory.Sighting{Repository: inventory.Repository{Server: "github.example", Number: number, Name: name}, Selection: selection, Refs: refs}
}

func ref(name, commit string, t *inventory.Tree) inventory.Ref {
	r := inventory.Ref{Name: name, Commit: commit}
	if t != nil {
		r.Root = t.Root
	}
	return r
}

func testContents(t *testing.T, s *suite) {
	st := s.open()
	run := s.begin(st, "acme")
	a, b := content("a"), content("b\xff\x00")
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{a, b}})
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{b}}) // again
	older := content("a")
	older.Reader--
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{older}})

	want := map[inventory.Key]inventory.Summary{a.Key: a.Summary(), b.Key: b.Summary()}
	got := map[inventory.Key]inventory.Summary{}
	var ids []store.ContentID
	for k, err := range st.Summaries(t.Context(), formats.Revision) {
		if err != nil {
			t.Fatal(err)
		}
		got[k.Key] = k.Summary
		ids = append(ids, k.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summaries (-want +got):\n%s", diff)
	}
	n := 0
	for c, err := range st.Contents(t.Context(), append(ids, 12345)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if d := Digest(1, 1); !c.HasDigest(0, d) || c.Package(1).Source.Kind != lockfile.Git || len(c.Chain(1)) != 2 {
			t.Errorf("%s came back otherwise: %v, chain %q", c.Blob, c.Package(1), c.Chain(1))
		}
	}
	if n != 2 {
		t.Errorf("%d contents came back, want 2", n)
	}
	if c, err := st.Content(t.Context(), b.Key); err != nil || c == nil || c.Package(0).Name != "b\xff\x00" {
		t.Errorf("Content = %v, %v", c, err)
	}
	if c, err := st.Content(t.Context(), inventory.Key{Format: "package-lock"}); err != nil || c != nil {
		t.Errorf("Content of what is not there = %v, %v", c, err)
	}
}

// found collects what Find gives.
func found(t *testing.T, st *store.Store, keys ...uint64) map[inventory.Term][]store.ContentID {
	t.Helper()
	out := map[inventory.Term][]store.ContentID{}
	for p, err := range st.Find(t.Context(), keys) {
		if err != nil {
			t.Fatal(err)
		}
		out[p.Term] = append(out[p.Term], p.Contents...)
	}
	return out
}

// What Find gives is the same before the index has it, while it has a part, and after; and it is
// what the contents' own terms say.
func testIndex(t *testing.T, s *suite) {
	st := s.open()
	run := s.begin(st, "acme")
	want := map[inventory.Term]int{}
	var keys []uint64
	put := func(from, to int) {
		b := &inventory.Batch{}
		for i := from; i < to; i++ {
			c := content(fmt.Sprint("package-", i%40, "-", i))
			b.Contents = append(b.Contents, c)
			for _, term := range c.Terms() {
				want[term]++
				keys = append(keys, term.Key)
			}
		}
		s.write(st, run, b)
	}
	check := func(when string) {
		t.Helper()
		got := map[inventory.Term]int{}
		for p, err := range st.Find(t.Context(), append(keys, 1, 2, 3)) {
			if err != nil || !slices.IsSorted(p.Contents) {
				t.Fatalf("%s: %v, contents %v", when, err, p.Contents)
			}
			got[p.Term] += len(p.Contents)
		}
		if !maps.Equal(want, got) {
			t.Errorf("%s: %d terms, want %d: %s", when, len(got), len(want), cmp.Diff(want, got))
		}
	}
	put(0, 150)
	check("before")
	if err := st.Index(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after")
	put(150, 200)
	check("a part")
	if err := st.Index(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("all")
	for range st.Find(t.Context(), keys) { // a caller may stop
		break
	}
}

func testTrees(t *testing.T, s *suite) {
	st := s.open()
	run := s.begin(st, "acme")
	a, b := tree("a", content("a"), content("b")), tree("b")
	a.Problems = []source.Problem{{File: "x", Code: source.CodeLink, Detail: "a link"}}
	s.write(st, run, &inventory.Batch{Trees: []*inventory.Tree{a, b}})
	get := func(selection string) map[inventory.ID]*inventory.Tree {
		t.Helper()
		got, err := st.Trees(t.Context(), []inventory.ID{a.Root, b.Root, a.Root, {}}, selection)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(map[inventory.ID]*inventory.Tree{a.Root: a, b.Root: b}, get("s1"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("trees (-want +got):\n%s", diff)
	}
	again := tree("a", content("c"))
	again.Selection = "s2"
	s.write(st, run, &inventory.Batch{Trees: []*inventory.Tree{again}, Repositories: []*inventory.Sighting{sighting(1, "o/r", "head", ref("refs/heads/main", "c1", again))}})
	if got := get("s1"); got[a.Root] != nil || got[b.Root] == nil {
		t.Errorf("listed for s1: %v", got)
	}
	if diff := cmp.Diff(again, get("")[a.Root]); diff != "" {
		t.Errorf("listed again (-want +got):\n%s", diff)
	}
	for name, want := range map[string]int{"a": 0, "c": 1} { // only what the tree holds now
		states, err := st.States(t.Context(), []inventory.ID{content(name).Blob}, true)
		if err != nil || len(states) != want {
			t.Errorf("States of %q = %v, %v; want %d", name, states, err, want)
		}
	}
}

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
	// A tree that was not read at first, and is later.
	s.write(st, s.begin(st, "x"), &inventory.Batch{Repositories: []*inventory.Sighting{sighting(8, "o/late", "head", ref("main", "l1", nil))}})
	s.write(st, s.begin(st, "y"), &inventory.Batch{Repositories: []*inventory.Sighting{sighting(8, "o/late", "head", ref("main", "l1", t1))}})
	if got := s.history(st, c, false); !strings.HasPrefix(got, "o/late main@l1 07..07 runs 7..8\n") {
		t.Errorf("read later:\n%s", got)
	}
}

// names writes down the repositories with their refs.
func (s *suite) names(st *store.Store) string {
	s.t.Helper()
	var out []string
	for r, err := range st.Repositories(s.t.Context()) {
		if err != nil {
			s.t.Fatal(err)
		}
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
	disk := &inventory.Sighting{Repository: inventory.Repository{Name: "here"}, Selection: "head"}
	see("disk", true, disk)
	see("disk", true, disk)
	check("without a number", "here#0; o/new#1; o/two#2 main; p/four#4")
}

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

// A batch of which one part cannot be written is not written at all, and neither is one whose
// context ends.
func testAtomic(t *testing.T, s *suite) {
	st := s.open()
	run := s.begin(st, "acme")
	bad := tree("bad", content("a"))
	bad.Files[0].Blob = "no id"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		about string
		ctx   context.Context
		tree  *inventory.Tree
	}{{"a tree that is none", t.Context(), bad}, {"a context that ended", ctx, tree("good", content("a"))}} {
		b := &inventory.Batch{
			Contents: []*inventory.Content{content("a")}, Trees: []*inventory.Tree{tt.tree},
			Repositories: []*inventory.Sighting{sighting(1, "o/a", "head")},
		}
		if err := st.Write(tt.ctx, run, b); err == nil {
			t.Errorf("%s: no error", tt.about)
		}
		for range st.Summaries(t.Context(), formats.Revision) {
			t.Errorf("%s: a content was kept", tt.about)
		}
		if got := s.names(st); got != "" {
			t.Errorf("%s: repositories %q were kept", tt.about, got)
		}
	}
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{content("a")}}) // it goes on
}

// Two processes write the same and other things at once.
func testTwoWriters(t *testing.T, s *suite) {
	const writers, batches = 3, 15
	var wait sync.WaitGroup
	for w := range writers {
		st := s.open()
		wait.Go(func() {
			run, _, err := st.Begin(t.Context(), inventory.Run{Scope: fmt.Sprint("writer ", w), Catalogue: "c1", Started: s.clock()})
			if err != nil {
				t.Error(err)
				return
			}
			for i := range batches {
				own, shared := content(fmt.Sprint("own-", w, "-", i)), content(fmt.Sprint("shared-", i))
				b := &inventory.Batch{
					Contents: []*inventory.Content{own, shared}, Trees: []*inventory.Tree{tree(fmt.Sprint("shared-", i), shared)},
					Repositories: []*inventory.Sighting{sighting(int64(i+1), fmt.Sprint("o/", i), "head", ref("main", "c", nil))},
				}
				if err := st.Write(t.Context(), run, b); err != nil {
					t.Errorf("writer %d, batch %d: %v", w, i, err)
				}
				for range st.Find(t.Context(), []uint64{inventory.NameKey(ecosystem.NPM, "shared-1")}) {
					break
				}
			}
			if err := st.Finish(t.Context(), inventory.Run{ID: run}, true); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	st := s.open()
	n := 0
	for k, err := range st.Summaries(t.Context(), formats.Revision) {
		if err != nil || k.Packages != 2 {
			t.Fatal(k, err)
		}
		n++
	}
	if want := writers*batches + batches; n != want {
		t.Errorf("%d contents, want %d", n, want)
	}
	if got := strings.Count(s.names(st), "main"); got != batches {
		t.Errorf("%d repositories with their ref, want %d", got, batches)
	}
	for term, ids := range found(t, st, inventory.NameKey(ecosystem.NPM, "shared-3")) {
		if len(ids) != 1 {
			t.Errorf("%q is in %d contents, want 1", term.Spec, len(ids))
		}
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

func testReadOnly(t *testing.T, s *suite) {
	reading := store.Options{ReadOnly: true, Now: s.clock}
	if _, err := store.Open(t.Context(), s.url, reading); !errors.Is(err, store.ErrNone) {
		t.Errorf("of nothing: %v, want ErrNone", err)
	}
	st := s.open()
	run := s.begin(st, "acme")
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{content("a")}})
	r, err := store.Open(t.Context(), s.url, reading)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, err := range []error{
		r.Write(t.Context(), run, &inventory.Batch{}), r.Index(t.Context()), r.Prune(t.Context(), s.clock()),
		r.Finish(t.Context(), inventory.Run{ID: run}, true),
	} {
		if !errors.Is(err, store.ErrDenied) {
			t.Errorf("writing: %v, want ErrDenied", err)
		}
	}
	if got := len(found(t, r, inventory.NameKey(ecosystem.NPM, "a"))); got != 1 {
		t.Errorf("%d terms found, want 1", got)
	}
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{content("b")}}) // while it is open
	if c, err := r.Content(t.Context(), content("b").Key); c == nil || err != nil {
		t.Errorf("what was written since: %v, %v", c, err)
	}
}

func testNewerSchema(t *testing.T, s *suite) {
	s.open().Close()
	s.behind("INSERT INTO inv_schema (version, applied) VALUES (99, 0)")
	for _, opt := range []store.Options{{}, {ReadOnly: true}} {
		_, err := store.Open(t.Context(), s.url, opt)
		if !errors.Is(err, store.ErrNewer) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open with %+v: %v, want ErrNewer in one line", opt, err)
		}
	}
	s.behind("DELETE FROM inv_schema")
	if _, err := store.Open(t.Context(), s.url, store.Options{}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("without a version: %v, want ErrDamaged", err)
	}
}

// What does not read back, or says other things in two places, is an error and never an absence.
func testDamaged(t *testing.T, s *suite) {
	st := s.open()
	c := content("a")
	tr := tree("t", c)
	seen := sighting(1, "o/a", "head", ref("main", "c1", tr))
	seen.Events = []finding.Event{&finding.Problem{Code: "syntax"}}
	run := s.begin(st, "acme")
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{tr}, Repositories: []*inventory.Sighting{seen}})
	reads := map[string]func() error{
		"content": func() error { _, err := st.Content(t.Context(), c.Key); return err },
		"find": func() error {
			for _, err := range st.Find(t.Context(), []uint64{1}) {
				return err
			}
			return nil
		},
		"summaries": func() error {
			for _, err := range st.Summaries(t.Context(), formats.Revision) {
				return err
			}
			return nil
		},
		"index":  func() error { return st.Index(t.Context()) },
		"trees":  func() error { _, err := st.Trees(t.Context(), []inventory.ID{tr.Root}, ""); return err },
		"states": func() error { _, err := st.States(t.Context(), []inventory.ID{c.Blob}, true); return err },
		"repositories": func() error {
			for _, err := range st.Repositories(t.Context()) {
				return err
			}
			return nil
		},
		"events": func() error {
			for _, err := range st.Events(t.Context(), run) {
				return err
			}
			return nil
		},
		"runs": func() error { _, err := st.Runs(t.Context(), 1); return err },
	}
	for name, read := range reads {
		if err := read(); err != nil && name != "index" {
			t.Fatalf("%s of a sound store: %v", name, err)
		}
	}
	s.behind("UPDATE inv_content SET indexed = 0") // index was called
	for _, tt := range []struct {
		table, column string
		value         any
		reads         string
	}{
		{"inv_body", "body", []byte{1, 2, 3}, "content find index"},
		{"inv_body", "content", 77, "content find index"}, // the body is not there
		{"inv_content", "kinds", []byte{2}, "content find index summaries"},
		{"inv_content", "packages", 3, "content find index summaries"},
		{"inv_content", "problems", 0, "content find index"},
		{"inv_content", "blob", []byte("short"), "find index summaries"},
		{"inv_tree", "body", []byte{0x41}, "trees"},
		{"inv_repository", "shown", []byte{}, "repositories"},
		{"inv_ref", "root", []byte("short"), "repositories"},
		{"inv_event", "body", []byte("{"), "events"},
		{"inv_event", "kind", "other", "events"},
		{"inv_run", "problems", []byte("x"), "runs"},
	} {
		old := s.swap(tt.table, tt.column, tt.value)
		for name := range strings.FieldsSeq(tt.reads) {
			err := reads[name]()
			if !errors.Is(err, store.ErrDamaged) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s.%s = %v: %s: %v, want ErrDamaged in one line", tt.table, tt.column, tt.value, name, err)
			}
		}
		s.swap(tt.table, tt.column, old)
	}
	for name, read := range reads {
		if err := read(); err != nil {
			t.Errorf("%s, mended: %v", name, err)
		}
	}
}

// swap puts a value into the only row of a table, behind the store's back, and gives the old one.
func (s *suite) swap(table, column string, value any) any {
	s.t.Helper()
	db, err := sql.Open(s.driver, s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	var old any
	if err := db.QueryRow("SELECT " + column + " FROM " + table).Scan(&old); err != nil {
		s.t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE "+table+" SET "+column+" = $1", value); err != nil {
		s.t.Fatal(err)
	}
	return old
}

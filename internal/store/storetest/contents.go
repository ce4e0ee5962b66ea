package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

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
	partial := tree("a", content("b"))
	partial.Selection = ""
	partial.Files[0].Problem = &source.Problem{File: "x", Code: source.CodeFetch, Detail: "no answer"}
	s.write(st, run, &inventory.Batch{Trees: []*inventory.Tree{partial}})
	if diff := cmp.Diff(again, get("")[a.Root]); diff != "" {
		t.Errorf("after one of which something was not read (-want +got):\n%s", diff)
	}
	partial.Root = inventory.ID{5}
	s.write(st, run, &inventory.Batch{Trees: []*inventory.Tree{partial}})
	if got, err := st.Trees(t.Context(), []inventory.ID{partial.Root}, ""); err != nil || cmp.Diff(partial, got[partial.Root], cmpopts.EquateEmpty()) != "" {
		t.Errorf("a tree of which something was not read: %v, %v", got, err)
	}
	for name, want := range map[string]int{"a": 0, "c": 1} { // only what the tree holds now
		states, err := st.States(t.Context(), []inventory.ID{content(name).Blob}, true)
		if err != nil || len(states) != want {
			t.Errorf("States of %q = %v, %v; want %d", name, states, err, want)
		}
	}
}

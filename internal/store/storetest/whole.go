package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

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
	s.behind("ALTER TABLE inv_ref RENAME TO inv_away") // so that the last part fails, in the database
	b := &inventory.Batch{
		Contents: []*inventory.Content{content("a")}, Trees: []*inventory.Tree{tree("t")},
		Repositories: []*inventory.Sighting{sighting(1, "o/a", "head", ref("main", "c", nil))},
	}
	if err := st.Write(t.Context(), run, b); err == nil {
		t.Error("a table that is not there: no error")
	}
	s.behind("ALTER TABLE inv_away RENAME TO inv_ref")
	for range st.Summaries(t.Context(), formats.Revision) {
		t.Error("a table that is not there: a content was kept")
	}
	s.write(st, run, b) // it goes on
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
		"postings": func() error {
			for _, err := range st.Find(t.Context(), []uint64{inventory.CommitKey("0123456789abcdef"[:ioc.CommitKey])}) {
				return err
			}
			return nil
		},
		"index":        func() error { return st.Index(t.Context()) },
		"trees":        func() error { _, err := st.Trees(t.Context(), []inventory.ID{tr.Root}, ""); return err },
		"states":       func() error { _, err := st.States(t.Context(), []inventory.ID{c.Blob}, true); return err },
		"repositories": func() error { _, err := Repositories(t.Context(), st); return err },
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
	type damage struct {
		table, column string
		value         any
		reads         string
	}
	check := func(tt damage) {
		t.Helper()
		old := s.swap(tt.table, tt.column, tt.value)
		for name := range strings.FieldsSeq(tt.reads) {
			err := reads[name]()
			if !errors.Is(err, store.ErrDamaged) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s.%s = %v: %s: %v, want ErrDamaged in one line", tt.table, tt.column, tt.value, name, err)
			}
		}
		s.swap(tt.table, tt.column, old)
	}
	check(damage{"inv_posting", "rest", []byte{0x80}, "postings"}) // index was called
	check(damage{"inv_posting", "rest", []byte{0}, "postings"})
	check(damage{"inv_posting", "first", 0, "postings"})
	s.behind("DELETE FROM inv_posting")
	s.behind("UPDATE inv_content SET indexed = 0")
	for _, tt := range []damage{
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
		check(tt)
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
	if b, ok := old.([]byte); ok && b == nil { // which is empty there
		old = []byte{}
	}
	if _, err := db.Exec("UPDATE "+table+" SET "+column+" = $1", value); err != nil {
		s.t.Fatal(err)
	}
	return old
}

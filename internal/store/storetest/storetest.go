// Package storetest holds one suite for every kind of store, and a made-up organisation to fill
// one with. It is imported by tests alone.
package storetest

import (
	"crypto/sha1"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

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
		{"told", testTold},
		{"told since", testToldSince},
		{"repositories", testRepositories},
		{"briefs", testBriefs},
		{"unread", testUnread},
		{"runs", testRuns},
		{"events", testEvents},
		{"whole or not at all", testAtomic},
		{"two writers", testTwoWriters},
		{"two runs of one scope", testTwoRuns},
		{"prune", testPrune},
		{"prune shared", testPruneShared},
		{"prune records", testPruneRecords},
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

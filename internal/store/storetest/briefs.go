package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// basis is that of the briefs here.
const basis = -7

// inBrief is a sighting of a repository with what is said of it in brief.
func inBrief(number int64, name, selection, ref string, t *inventory.Tree) *inventory.Sighting {
	r := sighting(number, name, selection, inventory.Ref{Name: ref, Commit: "c1", Root: t.Root})
	known := inventory.BriefTree{Refs: []source.Ref{{Name: ref, Commit: "c1"}}, Total: t.Total, OutOfScope: t.OutOfScope}
	for i := range t.Files {
		id, err := inventory.ParseID(t.Files[i].Blob)
		if err != nil {
			panic(err)
		}
		known.Files = append(known.Files, inventory.BriefFile{Path: t.Files[i].Path, Blob: id, Format: t.Files[i].Format, Packages: 2})
	}
	r.Brief, r.Basis = &inventory.Brief{Trees: []inventory.BriefTree{known}}, basis
	return r
}

// briefs writes down of which repositories something is said in brief.
func (s *suite) briefs(st *store.Store, basis int64) string {
	s.t.Helper()
	all, err := st.Briefs(s.t.Context(), basis)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for i := range all {
		text := fmt.Sprintf("%s#%d", all[i].Name, all[i].Number)
		if all[i].Body != nil {
			b, err := inventory.DecodeBrief(all[i].Body)
			if err != nil {
				s.t.Fatal(err)
			}
			text += " " + b.Trees[0].Refs[0].Name
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// What is said in brief holds good for the last run that saw the repository, and rests on refs,
// trees and contents that are there.
func testBriefs(t *testing.T, s *suite) {
	st := s.open()
	c, lost := content("a"), content("b")
	t1, t2 := tree("one", c), tree("two", c, lost)
	run := s.begin(st, "acme")
	s.write(st, run, &inventory.Batch{Contents: []*inventory.Content{c}, Trees: []*inventory.Tree{t1, t2}, Repositories: []*inventory.Sighting{
		inBrief(1, "o/b", "head", "main", t1),
		inBrief(2, "o/a", "head", "main", t1),
		inBrief(3, "o/lost", "head", "main", t2),
		inBrief(4, "o/tree", "head", "main", tree("not kept", c)),
		sighting(5, "o/z", "head"),
	}})
	check := func(about string, basis int64, want string) {
		t.Helper()
		if got := s.briefs(st, basis); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", about, got, want)
		}
	}
	none := "o/a#2; o/b#1; o/lost#3; o/tree#4; o/z#5"
	check("at first", basis, "o/a#2 main; o/b#1 main; o/lost#3; o/tree#4; o/z#5")
	check("for another basis", basis+1, none)

	again := s.begin(st, "acme")
	s.write(st, again, &inventory.Batch{Repositories: []*inventory.Sighting{inBrief(1, "o/b", "head", "main", t1), sighting(2, "o/a", "head", ref("main", "c1", t1))}})
	check("said again, and not", basis, "o/a#2; o/b#1 main; o/lost#3; o/tree#4; o/z#5")
	s.write(st, again, &inventory.Batch{Repositories: []*inventory.Sighting{inBrief(2, "o/a", "head", "main", t1)}})
	check("said once more", basis, "o/a#2 main; o/b#1 main; o/lost#3; o/tree#4; o/z#5")

	// A version that knows nothing of briefs sees the repository, and then this one again.
	s.behind("UPDATE inv_repository SET last_run = 99 WHERE number = 1")
	s.behind("INSERT INTO inv_ref (repository, name, commit_id, root, selection, first_seen, last_seen, first_run, last_run, current, position) "+
		"SELECT repository, $1, commit_id, root, 'tags', first_seen, last_seen, first_run, 99, 1, 1 FROM inv_ref WHERE repository = (SELECT id FROM inv_repository WHERE number = 1)", []byte("v1"))
	check("seen by an older version", basis, "o/a#2 main; o/b#1; o/lost#3; o/tree#4; o/z#5")
	s.write(st, again, &inventory.Batch{Repositories: []*inventory.Sighting{inBrief(1, "o/b", "head", "main", t1)}})
	check("with a ref of another selection", basis, "o/a#2 main; o/b#1; o/lost#3; o/tree#4; o/z#5")
	s.write(st, again, &inventory.Batch{Repositories: []*inventory.Sighting{inBrief(1, "o/b", "all", "main", t1)}})
	check("without it", basis, "o/a#2 main; o/b#1 main; o/lost#3; o/tree#4; o/z#5")

	other := tree("one", c)
	other.Selection = "s2"
	s.write(st, again, &inventory.Batch{Trees: []*inventory.Tree{other}})
	check("listed for other indicators", basis, none)
	s.write(st, again, &inventory.Batch{Trees: []*inventory.Tree{t1}, Repositories: []*inventory.Sighting{inBrief(2, "o/a", "head", "main", t1)}})
	newer := content("c")
	newer.Reader = formats.Revision + 1
	s.write(st, again, &inventory.Batch{Contents: []*inventory.Content{newer}})
	check("after a newer reader", basis, none)

	states, err := st.RepositoriesOf(t.Context(), nil)
	if err != nil || len(states) > 0 {
		t.Errorf("of no rows: %v, %v", states, err)
	}
}

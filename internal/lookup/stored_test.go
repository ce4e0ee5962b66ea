package lookup_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// brief writes the findings and problems down.
func brief(events []finding.Event) []string {
	var out []string
	for _, e := range events {
		switch e := e.(type) {
		case *finding.Finding:
			out = append(out, e.Repository+" "+e.File+" "+e.Indicator)
		case *finding.Problem:
			out = append(out, e.Repository+" "+e.File+" "+e.Code)
		}
	}
	return out
}

// TestRematchOfWhatIsNotKept: what the inventory lacks is a problem, and what it has is matched all
// the same.
func TestRematchOfWhatIsNotKept(t *testing.T) {
	bad := ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}}
	lock := lockWith(`"node_modules/bad":{"version":"1.0.0"}`)
	w := world{
		"acme/a": {newTree(map[string]string{"package-lock.json": lock, "evil.js": "x"}, "refs/heads/main")},
		"acme/b": {newTree(map[string]string{"package-lock.json": lock, "go.sum": "!"}, "refs/heads/main")}, // a file that did not come
	}
	inv := newInventory(t)
	inv.sweep(w, nil, sweep.Options{Set: compile(t, bad)})

	got := brief(inv.rematch(sweep.Options{Set: compile(t, bad)}))
	if diff := cmp.Diff([]string{"acme/a package-lock.json bad", "acme/b package-lock.json bad", "acme/b go.sum fetch"}, got); diff != "" {
		t.Errorf("the same catalogue (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"acme/a refs/heads/main package-lock.json:2 bad@1.0.0 01..01", "acme/b refs/heads/main package-lock.json:2 bad@1.0.0 01..01",
	}, inv.whoHas("npm:bad@1.0.0", false)); diff != "" {
		t.Errorf("who has it (-want +got):\n%s", diff)
	}
	file := ioc.Indicator{ID: "evil", Type: ioc.TypeFile, Path: "**/evil.js"}
	got = brief(inv.rematch(sweep.Options{Set: compile(t, bad, file)}))
	if diff := cmp.Diff([]string{"acme/a package-lock.json bad", "acme/a  not-kept", "acme/b package-lock.json bad", "acme/b go.sum fetch"}, got); diff != "" {
		t.Errorf("other indicators of files (-want +got):\n%s", diff)
	}
	_, events := inv.sweep(w, nil, sweep.Options{Set: compile(t, bad, file)}) // a sweep lists them anew
	if diff := cmp.Diff([]string{"acme/a evil.js evil", "acme/a package-lock.json bad", "acme/b package-lock.json bad", "acme/b go.sum fetch"}, brief(events)); diff != "" {
		t.Errorf("a sweep with them (-want +got):\n%s", diff)
	}

	// A content that another revision of the readers read, in a tree that is known.
	text := lockWith(`"node_modules/bad":{"version":"1.0.0"}`, `"node_modules/other":{"version":"1.0.0"}`)
	id, err := inventory.ParseID(source.BlobID([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	f := formats.ByID("package-lock").Parse([]byte(text), lockfile.Options{})
	older := inventory.NewContent(inventory.Key{Blob: id, Format: "package-lock", Reader: formats.Revision - 1}, &f)
	set := compile(t, bad)
	tr := &inventory.Tree{Root: inventory.ID{7}, Selection: inventory.Selection(set), Total: 1, Files: []inventory.File{
		{File: source.File{Path: "package-lock.json", Size: int64(len(text)), Blob: id.String()}, Format: "package-lock"},
	}}
	err = inv.store.Write(t.Context(), 1, &inventory.Batch{
		Contents: []*inventory.Content{older}, Trees: []*inventory.Tree{tr},
		Repositories: []*inventory.Sighting{{
			Repository: inventory.Repository{Server: "github.example", Number: 1, Name: "acme/c"}, Selection: "head",
			Refs: []inventory.Ref{{Name: "refs/heads/main", Commit: "c", Root: tr.Root}, {Name: "refs/heads/unread", Commit: "d"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, line := range brief(inv.rematch(sweep.Options{Set: set})) {
		if line[:6] == "acme/c" {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff([]string{"acme/c  not-kept", "acme/c package-lock.json not-kept"}, got); diff != "" {
		t.Errorf("read by another revision, and a ref that was not read (-want +got):\n%s", diff)
	}
}

// TestMemoryWritesInTime: what is kept is written before it is much, and is known until then.
func TestMemoryWritesInTime(t *testing.T) {
	inv := newInventory(t)
	run, _, err := inv.store.Begin(t.Context(), inventory.Run{Scope: "acme", Started: inv.now})
	if err != nil {
		t.Fatal(err)
	}
	memory, err := lookup.NewMemory(t.Context(), inv.store, run, &ioc.Set{})
	if err != nil {
		t.Fatal(err)
	}
	stored := func() (n int) {
		for _, err := range inv.store.Summaries(t.Context(), formats.Revision) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	for i := range 60 { // contents of one repository that has many
		file := lockfile.File{Packages: make([]lockfile.Package, 1000)}
		for j := range file.Packages {
			file.Packages[j] = lockfile.Package{Ecosystem: ecosystem.NPM, Name: "x", Version: "1.0.0"}
		}
		c := inventory.NewContent(inventory.Key{Blob: inventory.ID{byte(i)}, Format: "package-lock", Reader: formats.Revision}, &file)
		tr := &inventory.Tree{Root: inventory.ID{byte(i + 1)}}
		if err := memory.Keep(t.Context(), sweep.Kept{Trees: []*inventory.Tree{tr}, Contents: []*inventory.Content{c}}); err != nil {
			t.Fatal(err)
		}
		if got, err := memory.Tree(t.Context(), tr.Root); got == nil || err != nil {
			t.Fatalf("tree %d is not known: %v", i, err)
		}
		if got, _, known, err := memory.Content(t.Context(), c.Key, true); got == nil || !known || err != nil {
			t.Fatalf("content %d is not known: %v", i, err)
		}
		if want := i + 1; want < 50 && stored() != 0 || want >= 50 && stored() != 50 {
			t.Fatalf("%d contents are written after %d", stored(), want)
		}
	}
	if err := memory.Flush(t.Context()); err != nil || stored() != 60 {
		t.Errorf("%d contents are written at the end, want 60 (%v)", stored(), err)
	}
}

// TestLongVersion: a version too long for the index is looked at all the same.
func TestLongVersion(t *testing.T) {
	set := compile(t, ioc.Indicator{
		ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad",
		Ranges: []ioc.Range{{Type: "SEMVER", Events: []ioc.RangeEvent{{Introduced: "1.1.0"}, {Fixed: "1.2.0"}}}},
	})
	lock := lockWith(`"node_modules/bad":{"version":"1.1.0+` + strings.Repeat("a", 220) + `"}`)
	w := world{"acme/a": {newTree(map[string]string{"package-lock.json": lock}, "refs/heads/main")}}
	inv := newInventory(t)
	inv.sweep(w, nil, sweep.Options{Set: &ioc.Set{}})
	want := inv.plain(w, sweep.Options{Set: set})
	sameEvents(t, "rematch", want, inv.rematch(sweep.Options{Set: set}))
	if n := count[*finding.Finding](want); n != 1 {
		t.Errorf("%d findings, want 1", n)
	}
}

package lookup_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// lenient excludes every problem.
type lenient struct{}

func (lenient) Finding(*finding.Finding) *finding.Exclusion { return nil }
func (lenient) Problem(*finding.Problem) *finding.Exclusion { return &finding.Exclusion{Owner: "x"} }
func (lenient) Expired() []string                           { return nil }

// What lies in a folder that was not listed, or behind a problem that is excluded, is not cured.
func TestDiffOfWhatWasNotRead(t *testing.T) {
	catalogue := compile(t, ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}})
	lock := lockWith(`"node_modules/bad":{"version":"1.0.0"}`)
	const at = "web/app/package-lock.json"
	one := func(path, text string) world {
		return world{"acme/a": {newTree(map[string]string{path: text, "README.md": "r"}, "refs/heads/main")}}
	}
	for name, tt := range map[string]struct {
		after      world
		exclusions sweep.Exclusions
		want       map[string][]string
	}{
		"its folder":        {one("web", "!folder"), nil, map[string][]string{"unproven": {"acme/a " + at + " bad"}, "unreadable": {"acme/a web missing"}}},
		"another folder":    {one("we", "!folder"), nil, map[string][]string{"cured": {"acme/a " + at + " bad"}, "unreadable": {"acme/a we missing"}}},
		"damaged, excluded": {one(at, "{"), lenient{}, map[string][]string{"unproven": {"acme/a " + at + " bad"}}},
	} {
		inv := newInventory(t)
		older, _ := inv.sweep(one(at, lock), nil, sweep.Options{Set: catalogue})
		newer, _ := inv.sweep(tt.after, nil, sweep.Options{Set: catalogue, Exclusions: tt.exclusions})
		d, err := lookup.Diff(t.Context(), inv.store, older, newer)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, lines(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// An inventory that no sweep of a scope filled to the end does not answer for all of it.
func TestRematchOfWhatWasNotSwept(t *testing.T) {
	catalogue := compile(t, ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}})
	w := world{"acme/a": {newTree(map[string]string{"package-lock.json": lockWith()}, "refs/heads/main")}}
	long := time.Date(2026, 8, 1, 6, 0, 0, 0, time.UTC) // over 90 days before
	fault := []*finding.Problem{{Code: sweep.CodeInventory, Detail: "disk full"}}
	for name, tt := range map[string]struct {
		runs []inventory.Run // besides a whole one of another scope; without Finished it was killed
		want int             // problems
	}{
		"nothing else":                       {nil, 0},
		"stopped":                            {[]inventory.Run{{Interrupted: true, Finished: time.Now()}}, 1},
		"killed":                             {[]inventory.Run{{}}, 1},
		"of which something was not kept":    {[]inventory.Run{{Problems: fault, Finished: time.Now()}}, 1},
		"stopped, long ago":                  {[]inventory.Run{{Interrupted: true, Finished: time.Now(), Started: long}}, 0},
		"stopped, and done later":            {[]inventory.Run{{Interrupted: true, Finished: time.Now()}, {Finished: time.Now()}}, 0},
		"done, and the next one is going on": {[]inventory.Run{{Finished: time.Now()}, {}}, 0},
		"done, and the next one was stopped": {[]inventory.Run{{Finished: time.Now()}, {Interrupted: true, Finished: time.Now()}}, 1},
	} {
		inv := newInventory(t)
		inv.sweep(w, nil, sweep.Options{Set: catalogue})
		for i, run := range tt.runs {
			run.Scope, run.Catalogue = "org=globex", "r"+string(rune('0'+i))
			if run.Started.IsZero() {
				run.Started = inv.now
			}
			id, _, err := inv.store.Begin(t.Context(), run)
			if err != nil {
				t.Fatal(err)
			}
			if run.ID = id; run.Finished.IsZero() {
				continue
			}
			if err := inv.store.Finish(t.Context(), run, false); err != nil {
				t.Fatal(err)
			}
		}
		if got := count[*finding.Problem](inv.rematch(sweep.Options{Set: catalogue})); got != tt.want {
			t.Errorf("%s: %d problems, want %d", name, got, tt.want)
		}
	}
}

// TestLackingOfNothing: an inventory that nothing was ever swept into does not have all that there is.
func TestLackingOfNothing(t *testing.T) {
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	lacking, err := lookup.Lacking(t.Context(), st)
	if err != nil || len(lacking) != 1 || !strings.Contains(lacking[0].Detail, "nothing was ever swept") {
		t.Errorf("%+v, %v", lacking, err)
	}
}

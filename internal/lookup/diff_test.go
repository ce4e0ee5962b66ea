package lookup_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// lines writes a difference down.
func lines(d *lookup.Difference) map[string][]string {
	out := map[string][]string{}
	for what, list := range map[string][]*finding.Finding{"new": d.New, "cured": d.Cured, "unproven": d.Unproven} {
		for _, f := range list {
			out[what] = append(out[what], f.Repository+" "+f.File+" "+f.Package.Name)
		}
	}
	for _, c := range d.Changed {
		out["changed"] = append(out["changed"], c.After.Repository+" "+c.After.File+" "+string(c.Before.State)+" to "+string(c.After.State))
	}
	for what, list := range map[string][]*finding.Problem{"unreadable": d.Unreadable, "readable": d.Readable} {
		for _, p := range list {
			out[what] = append(out[what], p.Repository+" "+p.File+" "+p.Code)
		}
	}
	for what, list := range map[string][]inventory.Repository{"added": d.Added, "missing": d.Missing} {
		for _, r := range list {
			out[what] = append(out[what], r.Name)
		}
	}
	return out
}

func TestDiff(t *testing.T) {
	bad := ioc.Indicator{ID: "bad", Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: "bad", Versions: []string{"1.0.0"}}
	lock := lockWith(`"node_modules/bad":{"version":"1.0.0"}`)
	one := func(text string) []*tree {
		return []*tree{newTree(map[string]string{"package-lock.json": text}, "refs/heads/main")}
	}
	w := world{
		"acme/cured": one(lock), "acme/damaged": one(lock), "acme/gone": one(lock), "acme/renamed": one(lock), "acme/stays": one(lock),
		"acme/mended": one("{"), "acme/fresh": one(lockWith()), "acme/withdrawn": one(lock), "acme/unread": one(lock),
	}
	inv := newInventory(t)
	if _, _, err := lookup.LastTwo(t.Context(), inv.store); !errors.Is(err, lookup.ErrNoRuns) {
		t.Errorf("of nothing: %v, want ErrNoRuns", err)
	}
	first, _ := inv.sweep(w, nil, sweep.Options{Set: compile(t, bad)})
	numbers := map[string]int64{"acme/new-name": numberOf("acme/renamed")}
	w["acme/cured"], w["acme/mended"], w["acme/fresh"], w["acme/damaged"] = one(lockWith()), one(lockWith()), one(lock+" "), one("{")
	w["acme/unread"] = one("!")
	w["acme/new-name"], w["acme/added"] = w["acme/renamed"], one(lockWith())
	delete(w, "acme/renamed")
	delete(w, "acme/gone")
	second, _ := inv.sweep(w, numbers, sweep.Options{Set: compile(t, bad)})

	older, newer, err := lookup.LastTwo(t.Context(), inv.store)
	if err != nil || older != first || newer != second {
		t.Fatalf("LastTwo = %d, %d, %v; want %d, %d", older, newer, err, first, second)
	}
	d, err := lookup.Diff(t.Context(), inv.store, older, newer)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"new":        {"acme/fresh package-lock.json bad"},
		"cured":      {"acme/cured package-lock.json bad"},
		"unproven":   {"acme/damaged package-lock.json bad", "acme/gone package-lock.json bad", "acme/unread package-lock.json bad"},
		"unreadable": {"acme/damaged package-lock.json truncated", "acme/unread package-lock.json fetch"},
		"readable":   {"acme/mended package-lock.json truncated"},
		"added":      {"acme/added"},
		"missing":    {"acme/gone"},
	}
	if diff := cmp.Diff(want, lines(d)); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}

	// A withdrawn indicator changes findings and cures none.
	bad.Status = ioc.Withdrawn
	third, _ := inv.sweep(w, numbers, sweep.Options{Set: compile(t, bad)})
	if d, err = lookup.Diff(t.Context(), inv.store, second, third); err != nil {
		t.Fatal(err)
	}
	want = map[string][]string{"changed": {
		"acme/fresh package-lock.json active to withdrawn", "acme/new-name package-lock.json active to withdrawn",
		"acme/stays package-lock.json active to withdrawn", "acme/withdrawn package-lock.json active to withdrawn",
	}}
	if diff := cmp.Diff(want, lines(d)); diff != "" {
		t.Errorf("after the withdrawal (-want +got):\n%s", diff)
	}
	// A problem of the run itself proves nothing.
	if err := inv.store.Finish(t.Context(), inventory.Run{ID: second, Problems: []*finding.Problem{{Code: sweep.CodeCanary}}}, false); err != nil {
		t.Fatal(err)
	}
	if d, err = lookup.Diff(t.Context(), inv.store, first, second); err != nil || len(d.Cured) > 0 || len(d.Unproven) != 4 {
		t.Errorf("with a canary that was not seen: %v, %v", lines(d), err)
	}
	other, _, err := inv.store.Begin(t.Context(), inventory.Run{Scope: "other", Started: inv.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lookup.Diff(t.Context(), inv.store, first, other); !errors.Is(err, lookup.ErrScopes) {
		t.Errorf("of another scope: %v, want ErrScopes", err)
	}
	if _, err := lookup.Diff(t.Context(), inv.store, first, 99); !errors.Is(err, lookup.ErrNoRuns) {
		t.Errorf("with a run that is not there: %v, want ErrNoRuns", err)
	}
}

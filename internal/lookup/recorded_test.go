package lookup_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func TestRecorded(t *testing.T) {
	one, other := storetest.Digest(1, 0), storetest.Digest(2, 0)
	axios := func(v string, d digest.Digest) string {
		b, _ := d.Bytes()
		return fmt.Sprintf(`"node_modules/axios":{"version":%q,"integrity":"sha512-%s"}`, v, base64Of(b))
	}
	files := func(entry string) []*tree {
		return []*tree{newTree(map[string]string{"package-lock.json": lockWith(entry)}, "refs/heads/main")}
	}
	w := world{
		"acme/a": files(axios("1.14.0", one)), "acme/b": files(axios("1.14.0", other)), "acme/c": files(axios("v1.14.0", one)),
		"acme/d": files(`"node_modules/axios":{"version":"1.14.0"}`), "acme/e": files(axios("1.14.2", one)),
		"acme/f": files(`"node_modules/axios":{"version":"1.14.0","integrity":"sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="}`),
	}
	inv := newInventory(t)
	inv.sweep(w, nil, sweep.Options{Set: &ioc.Set{}})
	w["acme/a"] = files(axios("1.15.0", one)) // what it held before counts as well
	inv.sweep(w, nil, sweep.Options{Set: &ioc.Set{}})

	release := func(v string, d digest.Digest) lookup.Release { return lookup.Release{Version: v, Digest: d} }
	asked := []lookup.Release{release("1.14.0", one), release("1.14.0", other), release("1.14.1", one), release("odd version", one)}
	got, err := lookup.Recorded(t.Context(), inv.store, ecosystem.NPM, "axios", asked)
	if err != nil {
		t.Fatal(err)
	}
	want := map[lookup.Release]lookup.Count{release("1.14.0", one): {Same: 2, Other: 1}, release("1.14.0", other): {Same: 1, Other: 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if got, err := lookup.Recorded(t.Context(), inv.store, ecosystem.NPM, "nobody", asked); err != nil || len(got) > 0 {
		t.Errorf("of a package that nobody has: %v, %v", got, err)
	}
}

package lookup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// whoHas writes the holdings down, one a line.
func (inv *inventoried) whoHas(query string, history bool) []string {
	inv.t.Helper()
	q, err := lookup.ParseQuery(query)
	if err != nil {
		inv.t.Fatal(err)
	}
	all, err := lookup.WhoHas(inv.t.Context(), inv.store, q, history)
	if err != nil {
		inv.t.Fatal(err)
	}
	out := []string{}
	for _, h := range all {
		text := fmt.Sprintf("%s %s %s:%d %s@%s%s %s..%s", h.Repository.Name, h.Ref, h.File, h.Line, h.Package.Name, h.Package.Version, h.Package.Range,
			h.FirstSeen.Format("02"), h.LastSeen.Format("02"))
		if len(h.Chain) > 0 {
			text += " by " + strings.Join(h.Chain, ">")
		}
		if !h.Current {
			text += " gone"
		}
		out = append(out, text)
	}
	return out
}

func lockWith(entries ...string) string {
	return "{\"lockfileVersion\":3,\"packages\":{\"\":{\"dependencies\":{\"top\":\"1\"}}" + strings.Join(append([]string{""}, entries...), ",\n") + "}}"
}

func TestWhoHas(t *testing.T) {
	const top = `"node_modules/top":{"version":"1.0.0","dependencies":{"axios":"1"}}`
	axios := func(v string) string {
		return fmt.Sprintf(`"node_modules/axios":{"version":%q,"resolved":"https://registry.npmjs.org/axios/-/axios-%s.tgz"}`, v, v)
	}
	d, _ := storetest.Digest(3, 0).Bytes()
	w := world{
		"acme/a": {newTree(map[string]string{"package-lock.json": lockWith(top, axios("1.14.1"))}, "refs/heads/main", "refs/heads/dev")},
		"acme/b": {newTree(map[string]string{"package-lock.json": lockWith(axios("1.14.2")), "web/package.json": `{"dependencies":{"axios":"^1.14.0"}}`}, "refs/heads/main")},
		"acme/c": {newTree(map[string]string{"package-lock.json": lockWith(
			`"node_modules/other":{"version":"2.0.0","resolved":"https://registry.npmjs.org/axios/-/axios-1.14.1.tgz"}`,
			`"node_modules/short":{"version":"3.0.0","name":"axios","integrity":"sha512-`+base64Of(d)+`"}`,
			`"node_modules/g":{"version":"1.0.0","resolved":"git+ssh://git@github.com/Acme/G.git#0123456789abcdef0123456789abcdef01234567"}`,
		), "go.mod": "module example.com/m\n\nrequire github.com/Azure/x v1.2.3\n"}, "refs/heads/main")},
	}
	inv := newInventory(t)
	opt := sweep.Options{Set: &ioc.Set{}}
	inv.sweep(w, nil, opt) // on the 1st
	w["acme/a"][0].files["README.md"] = "other commit, same lockfile"
	w["acme/a"] = []*tree{newTree(w["acme/a"][0].files, "refs/heads/main")} // dev is gone
	w["acme/b"] = []*tree{newTree(map[string]string{"package-lock.json": lockWith(axios("1.15.0"))}, "refs/heads/main")}
	inv.sweep(w, nil, opt)

	const (
		a = "acme/a refs/heads/main package-lock.json:3 axios@1.14.1 01..02 by top@1.0.0>axios@1.14.1"
		c = "acme/c refs/heads/main package-lock.json:2 other@2.0.0 01..02"
	)
	for _, tt := range []struct {
		query   string
		history bool
		want    []string
	}{
		{"npm:axios@1.14.1", false, []string{a, c}},
		{"pkg:npm/axios@1.14.1", false, []string{a, c}},
		{"npm:axios@1.14.1", true, []string{"acme/a refs/heads/dev package-lock.json:3 axios@1.14.1 01..01 by top@1.0.0>axios@1.14.1 gone", a, c}},
		{"npm:axios@1.14.2", false, []string{}},
		{"npm:axios@1.14.2", true, []string{"acme/b refs/heads/main package-lock.json:2 axios@1.14.2 01..01 gone"}},
		{"npm:axios@>=1.14 <2", false, []string{a, "acme/b refs/heads/main package-lock.json:2 axios@1.15.0 02..02", c}},
		{"npm:axios@3.0.0", false, []string{"acme/c refs/heads/main package-lock.json:3 axios@3.0.0 01..02"}},
		{"npm:axios", true, []string{
			"acme/a refs/heads/dev package-lock.json:3 axios@1.14.1 01..01 by top@1.0.0>axios@1.14.1 gone", a,
			"acme/b refs/heads/main package-lock.json:2 axios@1.14.2 01..01 gone", "acme/b refs/heads/main package-lock.json:2 axios@1.15.0 02..02",
			"acme/b refs/heads/main web/package.json:1 axios@^1.14.0 01..01 by axios gone",
			c, "acme/c refs/heads/main package-lock.json:3 axios@3.0.0 01..02",
		}},
		{storetest.Digest(3, 0).String(), false, []string{"acme/c refs/heads/main package-lock.json:3 axios@3.0.0 01..02"}},
		{storetest.Digest(4, 0).String(), false, []string{}},
		{"https://github.com/acme/g", false, []string{"acme/c refs/heads/main package-lock.json:4 g@1.0.0 01..02"}},
		{"github:acme/g#0123456", false, []string{"acme/c refs/heads/main package-lock.json:4 g@1.0.0 01..02"}},
		{"https://github.com/acme/g#7654321", false, []string{}},
		{"https://github.com/acme/other", false, []string{}},
		{"pkg:golang/github.com/azure/x@v1.2.3", false, []string{"acme/c refs/heads/main go.mod:3 github.com/Azure/x@v1.2.3 01..02 by github.com/Azure/x@v1.2.3"}},
		{"go:github.com/azure/x@>=v1.2.0 <v1.2.3", false, []string{}},
		{"npm:nothing", true, []string{}},
	} {
		if diff := cmp.Diff(tt.want, inv.whoHas(tt.query, tt.history)); diff != "" {
			t.Errorf("who has %s, history %t (-want +got):\n%s", tt.query, tt.history, diff)
		}
	}

	// One content that two formats read is told once for each file.
	pinned := "flask==1.0\n"
	w["acme/d"] = []*tree{newTree(map[string]string{
		"requirements.txt": pinned, "requirements.in": pinned, "b/requirements.in": "flask>=1.0\n", "c/requirements.in": "flask<=1.0\n",
	}, "refs/heads/main")}
	inv.sweep(w, nil, opt)
	if diff := cmp.Diff([]string{
		"acme/d refs/heads/main requirements.in:1 flask@==1.0 03..03 by flask", "acme/d refs/heads/main requirements.txt:1 flask@1.0 03..03",
	}, inv.whoHas("pypi:flask@1", false)); diff != "" {
		t.Errorf("one content, two formats (-want +got):\n%s", diff)
	}

	w["acme/e"] = []*tree{newTree(map[string]string{".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: Owner/Act/sub@v1\n      - uses: owner/act@0123456789abcdef0123456789abcdef01234567\n"}, "refs/heads/main")}
	inv.sweep(w, nil, opt)
	for query, want := range map[string][]string{
		"https://github.com/owner/act": {
			"acme/e refs/heads/main .github/workflows/ci.yml:6 owner/act@v1 04..04 by owner/act@v1", "acme/e refs/heads/main .github/workflows/ci.yml:7 owner/act@0123456789abcdef0123456789abcdef01234567 04..04 by owner/act@0123456789abcdef0123456789abcdef01234567",
		},
		"github:owner/act#0123456": {"acme/e refs/heads/main .github/workflows/ci.yml:7 owner/act@0123456789abcdef0123456789abcdef01234567 04..04 by owner/act@0123456789abcdef0123456789abcdef01234567"},
		"github:owner/act/sub@v1":  {"acme/e refs/heads/main .github/workflows/ci.yml:6 owner/act@v1 04..04 by owner/act@v1"},
	} {
		if diff := cmp.Diff(want, inv.whoHas(query, false)); diff != "" {
			t.Errorf("who has %s (-want +got):\n%s", query, diff)
		}
	}

	// A repository keeps its history under its new name.
	w["acme/renamed"] = w["acme/c"]
	delete(w, "acme/c")
	inv.sweep(w, map[string]int64{"acme/renamed": numberOf("acme/c")}, opt)
	want := []string{"acme/renamed refs/heads/main package-lock.json:3 axios@3.0.0 01..05"}
	if diff := cmp.Diff(want, inv.whoHas("npm:axios@3.0.0", true)); diff != "" {
		t.Errorf("renamed (-want +got):\n%s", diff)
	}
}

package gomodule_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
)

// A module whose path does not name its repository is found by the go.mod that names it.
func TestPathsOfOnesOwn(t *testing.T) {
	const vanity = "go.acme.example/tools"
	r := newRepo(t)
	r.write("go.mod", "module "+vanity+"\n", "a.go", "package tools\n",
		"sub/go.mod", "module "+vanity+"/sub\n", "sub/b.go", "package sub\n", "LICENSE", "free\n",
		"v2/go.mod", "module "+vanity+"/v2\n", "v2/c.go", "package tools // 2\n")
	r.commit()
	for _, tag := range []string{"v1.2.3", "sub/v1.2.3", "v2.0.0", "v1.2.4"} {
		r.git("tag", tag)
	}
	other := newRepo(t)
	other.write("go.mod", "module elsewhere.example/x\n")
	other.commit()
	other.git("tag", "v1.2.3")
	g := newRegistries(t)
	for _, tt := range []struct {
		module, version string
		files           []string
		repo            *repo
		change          func(*gomodule.Request)
		ref             string // of the proof, "" for none
		gap, refusal    string
	}{
		{vanity, "v1.2.3", []string{"go.mod", "module " + vanity + "\n", "a.go", "package tools\n", "LICENSE", "free\n"}, r, nil, "refs/tags/v1.2.3", "", ""},
		{vanity + "/sub", "v1.2.3", []string{"go.mod", "module " + vanity + "/sub\n", "b.go", "package sub\n", "LICENSE", "free\n"}, r, nil, "refs/tags/sub/v1.2.3", "", ""},
		{vanity + "/v2", "v2.0.0", []string{"go.mod", "module " + vanity + "/v2\n", "c.go", "package tools // 2\n", "LICENSE", "free\n"}, r, nil, "refs/tags/v2.0.0", "", ""},
		{vanity + "/sub", "v1.2.4", []string{"go.mod", "module " + vanity + "/sub\n"}, r, nil, "", "where the module lies", ""},
		{vanity + "/sub", "v1.2.5", []string{"go.mod", "module " + vanity + "/sub\n"}, r, nil, "", "", "there is no tag"},
		{vanity, "v0.0.0-20260101000000-" + other.git("rev-parse", "HEAD")[:12], []string{"go.mod", "module " + vanity + "\n"}, other, nil, "", "where the module lies", ""},
		{vanity, "v1.2.3", []string{"go.mod", "module " + vanity + "\n"}, other, nil, "", "where the module lies", ""},
		{vanity + "/sub", "v1.2.3", []string{"go.mod", "module " + vanity + "/sub\n"}, r, func(q *gomodule.Request) { q.Root = vanity }, "", "", "LICENSE"},
	} {
		m, err := registrytest.MakeGoModule(tt.module, tt.version, day, tt.files...)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.PublishUnlogged(m); err != nil {
			t.Fatal(err)
		}
		req := g.request(m, tt.repo.local())
		req.Sum = nil
		if tt.change != nil {
			tt.change(&req)
		}
		proofs, refusals, gaps, err := gomodule.Verify(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var ref, gap, refusal string
		for _, p := range proofs {
			ref += p.Ref
		}
		for _, x := range gaps {
			if x.Code != verify.GapOffline {
				gap += x.Detail
			}
		}
		for _, x := range refusals {
			refusal += x.Detail
		}
		if ref != tt.ref || !meets(gap, tt.gap) || !meets(refusal, tt.refusal) {
			t.Errorf("%s@%s: ref %q, gap %q, refusal %q; want %q, %q, %q", tt.module, tt.version, ref, gap, refusal, tt.ref, tt.gap, tt.refusal)
		}
	}
}

// meets reports whether a text has words in it, or is empty where there are none.
func meets(text, words string) bool {
	return words == "" && text == "" || words != "" && strings.Contains(text, words)
}

package npm_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

// deno is a deno.lock of version 5 with the given npm entries.
func deno(entries string) string { return `{"version":"5","npm":{` + entries + `}}` }

func TestDenoLock(t *testing.T) {
	testTraps(t, npm.ParseDenoLock, []trap{
		{deno(`"a@1.0.0":{"integrity":"` + sha512 + `"}`), `a@1.0.0`},
		{deno(`"@s/a_b@1.0.0":{}`), `@s/a_b@1.0.0`},
		{deno(`"react-dom@18.2.0_react@18.3.1":{}`), `react-dom@18.2.0`},
		{deno(`"a@1.0.0-rc.1_@s+b@1.0.0__c@2.0.0":{"bin":true,"os":["linux"]}`), `a@1.0.0-rc.1`},
		{deno(`"a@1.0.0":{"tarball":"https://r.example/a/-/a-1.0.0.tgz"}`), `a@1.0.0`},
		{`{"version":"2","remote":{},"npm":{"specifiers":{"a@1":"a@1.0.0"},"packages":{"a@1.0.0":{"integrity":"` + sha512 + `","dependencies":{}}}}}`, `a@1.0.0`},
		{`{"version":"3","packages":{"specifiers":{"npm:a@1":"npm:a@1.0.0"},"npm":{"a@1.0.0":{"dependencies":{}}}},"remote":{}}`, `a@1.0.0`},
		{`{"version":"4","specifiers":{"npm:a@1":"1.0.0"},"npm":{"a@1.0.0":{}},"jsr":{"@std/fs@1.0.0":{"integrity":"00","dependencies":["npm:a@1"]}}}`, `a@1.0.0 @jsr/std__fs@1.0.0<@std/fs(url)`},
		{`{"version":"5","remote":{"https://h.example/x.ts":"00"},"redirects":{}}`, ``},

		// traps
		{deno(`"a@1.0.0":{},"a@1.0.0":{}`), `a@1.0.0 a@1.0.0 !1:repeated-key`},
		{deno(`"a@1.0.0":{"tarball":"https://r.example/bad/-/bad-6.6.6.tgz"}`), `a@1.0.0>bad@6.6.6`},
		{deno(`"bad@6.6.6":{"tarball":"./x"}`), `bad@6.6.6 !1:entry`}, // from the cache, whatever the address is
		{deno(`"bad@6.6.6":{"tarball":"git+ssh://h.example/a.git"}`), `bad@6.6.6 !1:entry`},
		{deno(`"bad@6.6.6":{"tarball":"https://codeload.github.com/o/a/tar.gz/` + commit + `"}`), `bad@6.6.6(registry:` + commit + `) !1:entry`},
		{deno(`"bad@06.6.6":{}`), `bad@06.6.6 !1:version`},
		{deno(`"bad":{}`), `bad@(no-version) !1:entry`},
		{deno(`"bad@6.6.6":null`), `bad@6.6.6 !1:entry`},
		{deno(`"bad@6.6.6":{"integrity":"sha512-x"}`), `bad@6.6.6 !1:digest`},
		{deno(`"bad@6.6.6":{"integrity":7,"dependencies":7}`), `bad@6.6.6 !1:entry`},
		{`{"version":"5","npm":{"bad@6.6.6":{}},"NPM":{}}`, `bad@6.6.6`},
		{`{"version":"5","npm":{"bad@6.6.6":{}},"npm":null}`, `bad@6.6.6 !1:repeated-key !1:entry`},
		{`{"version":"6","npm":{"bad@6.6.6":{}}}`, `bad@6.6.6 !1:unsupported`},
		{`{"version":5,"npm":{"bad@6.6.6":{}}}`, `bad@6.6.6 !1:entry !0:unsupported`},
		{`{"npm":{"bad@6.6.6":{}}}`, `bad@6.6.6 !0:unsupported`},
		{`{"https://h.example/x.ts":"00"}`, `!0:unsupported`}, // version 1
		{`{"version":"5","npm":{"a@1.0.0":{"dependencies":[?]},"bad@6.6.6":{}}}`, `a@1.0.0 bad@6.6.6 !1:syntax`},
	})
}

func TestDenoMade(t *testing.T) {
	file := npm.ParseDenoLock(made(t, "deno-2/deno.lock"), lockfile.Options{Edges: true})
	const want = "@types/ms*, is-buffer by kind-of, is-even*, is-number by is-odd, is-number* by is-odd, is-number*, is-odd by is-even, is-odd*, kind-of by is-number"
	if got := requiredBy(file); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	compareSets(t, "deno-2", show(file), "@types/ms@0.7.31 is-buffer@1.1.6 is-even@1.0.0 is-number@3.0.0 is-number@6.0.0 is-number@7.0.0 "+
		"is-odd@0.1.2 is-odd@3.0.1 kind-of@3.2.2")
}

func TestDenoEdges(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			`{"version":"2","npm":{"specifiers":{"a@1":"a@1.0.0"},"packages":{"a@1.0.0":{"dependencies":{"x":"b@1.0.0"}},"b@1.0.0":{"dependencies":{}}}}}`,
			"a*, b by a",
		},
		{
			`{"version":"3","packages":{"specifiers":{"npm:a@1":"npm:a@1.0.0_c@1.0.0"},"npm":{"a@1.0.0_c@1.0.0":{"dependencies":{"b":"b@1.0.0"}},"b@1.0.0":{}}}}`,
			"a*, b by a",
		},
		{
			`{"version":"4","specifiers":{"npm:a@1":"1.0.0_c@1.0.0","jsr:@s/j@1":"1.0.0","npm:b@2":"2.0.0"},"jsr":{"@s/j@1.0.0":{"dependencies":["npm:b@2"]}},
			"npm":{"a@1.0.0_c@1.0.0":{"dependencies":["b@1.0.0","x@npm:c@1.0.0"]},"b@1.0.0":{},"b@2.0.0":{},"c@1.0.0":{"dependencies":["a"]}}}`,
			"@jsr/s__j*, a* by c, b by a, b* by @jsr/s__j, c by a",
		},
	} {
		file := npm.ParseDenoLock([]byte(tt.in), lockfile.Options{Edges: true})
		if got := requiredBy(file); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

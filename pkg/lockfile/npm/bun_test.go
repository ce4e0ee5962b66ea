package npm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

// bun is a bun.lock with the given entries.
func bun(entries string) string { return `{"lockfileVersion":1,"packages":{` + entries + `,},}` }

func TestBunLock(t *testing.T) {
	testTraps(t, npm.ParseBunLock, []trap{
		{bun(`"a":["a@1.0.0","",{},"` + sha512 + `"]`), `a@1.0.0`},
		{bun(`"@s/a":["@s/a@1.0.0","",{},""]`), `@s/a@1.0.0`},
		{bun(`"a/@s/b":["@s/b@1.0.0","",{"bundled":true},""]`), `@s/b@1.0.0{bundled}`},
		{bun(`"x":["@s/real@1.0.0","",{},""]`), `@s/real@1.0.0<x`},
		{bun(`"a/x":["real@1.0.0","",{},""]`), `real@1.0.0<x`},
		{bun(`"a":["a@workspace:packages/a"]`), `a@(workspace)`},
		{bun(`"a":["a@workspace:packages/a",{"dependencies":{"b":"1"}}]`), `a@(workspace)`}, // version 0
		{bun(`"a":["a@file:a",{}]`), `a@(file)`},
		{bun(`"a":["a@a.tgz",{},"` + sha512 + `"]`), `a@(file)`},
		{bun(`"a":["a@../a-1.0.0.tgz",{}]`), `a@(file)`},
		{bun(`"a":["a@link:a",{}]`), `a@(link)`},
		{bun(`"a":["a@root:",{"bin":"x"}]`), `a@(workspace)`},
		{bun(`"a":["a@git+ssh://h.example/a.git#` + commit + `",{},"` + commit + `"]`), `a@(git:` + commit + `)`},
		{bun(`"a":["a@github:o/a#0123456",{},"o-a-0123456","` + sha512 + `"]`), `a@(git:0123456)`},
		{bun(`"a":["a@https://h.example/a.tgz",{},"` + sha512 + `"]`), `a@(url)`},

		// traps
		{bun(`"good":["bad@6.6.6","",{},""]`), `bad@6.6.6<good`},
		{bun(`"good":["good@1.0.0","https://r.example/bad/-/bad-6.6.6.tgz",{},""]`), `good@1.0.0>bad@6.6.6`},
		// bun takes what its cache has under the name and version, whatever the address is.
		{bun(`"a":["a@6.6.6","./x",{},""]`), `a@6.6.6 !1:entry`},
		{bun(`"a":["a@6.6.6","git+ssh://h.example/a.git#` + commit + `",{},""]`), `a@6.6.6(registry:` + commit + `) !1:entry`},
		{bun(`"a":["a@6.6.6","https://codeload.github.com/o/a/tar.gz/` + commit + `",{},""]`), `a@6.6.6(registry:` + commit + `) !1:entry`},
		{bun(`"a":["a@6.6.6","workspace:a",{},""]`), `a@6.6.6 !1:entry`},
		{bun(`"a":["a@6.6.6","https://h.example/a.tgz",{},""]`), `a@6.6.6(url)`},
		{bun(`"a":["a@1.0.0","",{},""],"a":["a@6.6.6","",{},""]`), `a@1.0.0 a@6.6.6 !1:repeated-key`},
		{bun(`"a":["a@06.6.6","",{},""]`), `a@06.6.6 !1:version`},
		{bun(`"a":["a@1.0.0","",{},"sha512-x"]`), `a@1.0.0 !1:digest`},
		{bun(`"a":["a@1.0.0","",{},"x"]`), `a@1.0.0 !1:digest`},
		{bun(`"a":["a"]`), `a@(no-version) !1:entry`},
		{bun(`"a":[null]`), `a@(no-version) !1:entry !1:entry`},
		{bun(`"a":[]`), `a@(no-version)`},
		{bun(`"a":"a@1.0.0"`), `a@(no-version) !1:entry`},
		{bun(`"a":["a@6.6.6",null,{},""]`), `a@6.6.6 !1:entry`},
		{bun(`/* hidden */ "a":["a@6.6.6","",{},""]`), `a@6.6.6 !1:syntax`}, // bun reads past it
		{`{"lockfileVersion":3,"packages":{"a":["a@6.6.6","",{},""]}}`, `a@6.6.6 !1:unsupported`},
		{`{"packages":{"a":["a@6.6.6","",{},""]}}`, `a@6.6.6 !0:unsupported`},
		{`{"lockfileVersion":1,"Packages":{}}`, ``},
		{`{"lockfileVersion":1,"packages":null}`, `!1:entry`},
		{`{"lockfileVersion":1,"workspaces":{"":{"dependencies":{"a":"1"}}}}`, `!0:entry`},
		{`{"lockfileVersion":1,"workspaces":7,"packages":{"a":["a@6.6.6","",{},""]}}`, `a@6.6.6 !1:entry`},
		{
			"{\"lockfileVersion\":1,\"packages\":{\n \"a\":[\"a@1.0.0\",?\n \"b\":[\"b@6.6.6\",\"\",{\"os\":[\"x\"]},\"\"],\n}}",
			`a@1.0.0 b@6.6.6 !2:syntax`,
		},
	})
}

func TestBunBinary(t *testing.T) {
	file := npm.ParseBunBinary([]byte("#!/usr/bin/env bun\nbun-lockfile-format-v0\n"), lockfile.Options{})
	if got := show(file); got != "!0:unsupported" {
		t.Errorf("got %s, want one problem", got)
	}
	if !strings.Contains(file.Problems[0].Detail, "--save-text-lockfile") {
		t.Errorf("%q does not say what to do", file.Problems[0].Detail)
	}
}

// What bun wrote: 1.1.45 version 0, and the version of .ci/fixtures version 2.
func TestBunMade(t *testing.T) {
	old, err := os.ReadFile("testdata/bun-0/bun.lock")
	if err != nil {
		t.Fatal(err)
	}
	compareSets(t, "bun-0", show(npm.ParseBunLock(old, lockfile.Options{})),
		"@types/node@20.0.0<@alias/scoped a@(workspace) b@(workspace) debug@4.3.4 fsevents@2.3.2 "+
			"git-lib@(git:057e1afcb8e2f5fed6cf51209bd433f7a8695ac5) is-number@6.0.0 is-odd@3.0.1 isarray@1.0.0 left-pad@1.3.0 "+
			"ms@2.0.0 ms@2.1.2<ms-alias vendored@<tarlocal(file) vendored@(file) ms@2.1.2 ms@2.1.2")
	compareSets(t, "bun-1", show(npm.ParseBunLock(made(t, "bun-1/bun.lock"), lockfile.Options{})),
		"@made/member@(workspace) @parcel/watcher-win32-arm64@2.5.0 is-buffer@2.0.5 is-even@1.0.0 is-number@6.0.0 is-odd@3.0.1 kind-of@3.2.2 "+
			"@types/ms@0.7.31<ms-types is-number@7.0.0<number-alias pin@(git:e880c4bcc0768c83fe4a4edb03972f0b1c12341a) "+
			"is-odd@0.1.2 is-buffer@1.1.6 is-number@3.0.0")
}

func TestBunEdges(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			`{"lockfileVersion":1,"workspaces":{"":{"name":"me","dependencies":{"a":"1"}},"packages/w":{"name":"@s/w","devDependencies":{"b":"1","c":"1"}}},
			"packages":{"a":["a@1.0.0","",{"dependencies":{"b":"1"}},""],"a/b":["b@1.0.0","",{"peerDependencies":{"c":"1"}},""],
			"b":["b@2.0.0","",{},""],"c":["c@1.0.0","",{},""],"@s/w/b":["b@3.0.0","",{},""],"@s/w":["@s/w@workspace:packages/w"]}}`,
			"a*, b by a, b, c* by b, b*, @s/w",
		},
	} {
		file := npm.ParseBunLock([]byte(tt.in), lockfile.Options{Edges: true})
		if got := requiredBy(file); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}

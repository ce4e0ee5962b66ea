package npm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

const (
	sha512 = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
	sha1   = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="
	commit = "0123456789abcdef0123456789abcdef01234567"
)

// v3 is a lockfile of version 3 with the given entries.
func v3(entries string) string { return `{"lockfileVersion":3,"packages":{` + entries + `}}` }

// v1 is a lockfile of version 1 with the given entries.
func v1(entries string) string { return `{"lockfileVersion":1,"dependencies":{` + entries + `}}` }

func TestPackageLockEntries(t *testing.T) {
	testTraps(t, npm.ParsePackageLock, []trap{
		{v3(``), ``},
		{v3(`"":{"name":"me","version":"1.0.0"}`), ``}, // the project itself
		{v3(`"node_modules/a":{"version":"1.0.0"}`), `a@1.0.0`},
		{v3(`"node_modules/@s/a":{"version":"1.0.0"}`), `@s/a@1.0.0`},
		{v3(`"node_modules/a/node_modules/@s/b":{"version":"1.0.0"}`), `@s/b@1.0.0`},
		{v3(`"packages/x/node_modules/b":{"version":"1.0.0"}`), `b@1.0.0`},
		{"\ufeff" + v3(`"node_modules/a":{"version":"1.0.0"}`), `a@1.0.0`},
		{strings.ReplaceAll(v3("\n"+`"node_modules/a":{"version":"1.0.0"}`), "\n", "\r\n"), `a@1.0.0`},
		{v3(`"node_modules/a":{"version":"1.0.0","dev":true,"optional":true}`), `a@1.0.0{dev,optional}`},
		{v3(`"node_modules/a":{"version":"1.0.0","devOptional":true}`), `a@1.0.0{dev,optional}`},
		{v3(`"node_modules/a":{"version":"1.0.0","peer":true,"inBundle":true,"dev":false}`), `a@1.0.0{peer,bundled}`},
		{v3(`"node_modules/a":{"resolved":"packages/a","link":true}`), `a@(link)`},
		{v3(`"node_modules/a":{"resolved":"../a","link":true}`), `a@(link)`},
		{v3(`"packages/a":{"name":"@s/a","version":"1.0.0"}`), `@s/a@1.0.0(workspace)`},
		{v3(`"packages/a":{}`), `a@(workspace)`},
		{v3(`"../a":{"version":"1.0.0"}`), `a@1.0.0(file)`},
		{v3(`"node_modules/a":{}`), `a@(no-version)`},
		{v3(`"node_modules/x":{"name":"real","version":"1.0.0"}`), `real@1.0.0<x`},
		{v3(`"node_modules/a":{"version":"1.0.0","resolved":"git+ssh://git@h.example/o/a.git#` + commit + `"}`), `a@1.0.0(git:` + commit + `)`},
		{v3(`"node_modules/a":{"version":"1.0.0","resolved":"file:../a.tgz"}`), `a@1.0.0(file)`},
		{v3(`"node_modules/a":{"version":"1.0.0","resolved":"https://h.example/a.tgz"}`), `a@1.0.0(url)`},
		{v3(`"node_modules/a":{"version":"1.0.0","resolved":"https://mirror.example/npm/a/-/a-1.0.0.tgz"}`), `a@1.0.0`},

		// version 1
		{v1(`"a":{"version":"1.0.0","dependencies":{"@s/b":{"version":"2.0.0","bundled":true}}}`), `a@1.0.0 @s/b@2.0.0{bundled}`},
		{v1(`"x":{"version":"npm:real@1.0.0"}`), `real@1.0.0<x`},
		{v1(`"x":{"version":"npm:@s/real@1.0.0"}`), `@s/real@1.0.0<x`},
		{v1(`"a":{"version":"file:packages/a"}`), `a@(file)`},
		{v1(`"a":{"version":"git+https://h.example/a.git#` + commit + `","from":"a@git+https://h.example/a.git"}`), `a@(git:` + commit + `)`},
		{v1(`"a":{"version":"github:o/a#` + commit + `"}`), `a@(git:` + commit + `)`},
		{v1(`"a":{"version":"https://h.example/a.tgz"}`), `a@(url)`},
		{v1(`"a":{"version":"https://registry.example/a/-/a-6.6.6.tgz"}`), `a@6.6.6`},
		{v1(`"a":{"version":"https://registry.example/b/-/b-6.6.6.tgz"}`), `a@6.6.6>b@6.6.6`},
		{v1(`"a":{"dependencies":{"b":{"version":"2.0.0"}},"version":"1.0.0"}`), `b@2.0.0 a@1.0.0`},
		{`{"lockfileVersion":1}`, ``}, // npm 6 writes no dependencies where there are none
	})
}

// What hides an entry from a reader that is less careful: threats-and-faults, section 0.
func TestPackageLockTraps(t *testing.T) {
	bad := `"node_modules/bad":{"version":"6.6.6"}`
	testTraps(t, npm.ParsePackageLock, []trap{
		// letter case
		{`{"lockfileVersion":3,"packages":{` + bad + `},"Packages":null}`, `bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"6.6.6","Version":"1.0.0"}`), `bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"6.6.6","NAME":"good","Resolved":"file:x"}`), `bad@6.6.6`},

		// npm asks the registry for a "resolved" that is no address, and takes a backslash in a key for a slash
		{v3(`"node_modules/bad":{"version":"1.0.0","resolved":"6.6.6"}`), `bad@1.0.0>bad@6.6.6 !1:entry`},
		{v3(`"node_modules/a":{"version":"1.0.0","resolved":"npm:bad@6.6.6"}`), `a@1.0.0>bad@6.6.6 !1:entry`},
		{v3(`"node_modules/bad":{"version":"1.0.0","resolved":">=6.6.6 <6.6.7"}`), `bad@1.0.0 !1:entry`},
		{v3(`"node_modules\\bad":{"version":"6.6.6"}`), `bad@6.6.6`},
		{v3(`"node_modules/a":{"version":"1.0.0","resolved":"https://r.example/bad/%2D/bad-6.6.6.tgz"}`), `a@1.0.0>bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"6.6.6","resolved":"https://r.example/bad/%2D/bad-6.6.6.tgz"}`), `bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"6.6.6","resolved":"https://r.example/../../bad/-/./bad-6.6.6.tgz"}`), `bad@6.6.6`},

		// repeated keys
		{`{"lockfileVersion":3,"packages":{` + bad + `},"packages":null}`, `bad@6.6.6 !1:repeated-key !1:entry`},
		{`{"lockfileVersion":3,"packages":{` + bad + `},"packages":{}}`, `bad@6.6.6 !1:repeated-key`},
		{`{"lockfileVersion":3,"packages":{},"packages":{` + bad + `}}`, `bad@6.6.6 !1:repeated-key`},
		{v3(bad + `,"node_modules/bad":{"version":"1.0.0"}`), `bad@6.6.6 bad@1.0.0 !1:repeated-key`},
		{v3(`"node_modules/bad":{"version":"6.6.6","version":"1.0.0"}`), `bad@6.6.6 bad@1.0.0 !1:repeated-key`},
		{v3(`"node_modules/bad":{"version":"1.0.0","version":"6.6.6"}`), `bad@1.0.0 bad@6.6.6 !1:repeated-key`},
		{v3(`"node_modules/x":{"name":"bad","version":"6.6.6","name":"good"}`), `bad@6.6.6<x good@6.6.6<x !1:repeated-key`},
		{v3(`"node_modules/bad":{"version":"6.6.6","vers\u0069on":"1.0.0"}`), `bad@6.6.6 bad@1.0.0 !1:repeated-key`},
		{v1(`"bad":{"version":"6.6.6","version":"1.0.0"}`), `bad@6.6.6 bad@1.0.0 !1:repeated-key`},
		{v1(`"bad":{"version":"6.6.6","dependencies":{},"version":"1.0.0"}`), `bad@6.6.6 bad@1.0.0 !1:repeated-key`},

		// the address is another package's
		{v3(`"node_modules/good":{"version":"1.0.0","resolved":"https://registry.example/bad/-/bad-6.6.6.tgz"}`), `good@1.0.0>bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"1.0.0","resolved":"https://registry.example/bad/-/bad-6.6.6.tgz"}`), `bad@1.0.0>bad@6.6.6`},
		{v3(`"node_modules/x":{"name":"good","version":"1.0.0","resolved":"https://registry.example/@s%2fbad/-/bad-6.6.6.tgz"}`), `good@1.0.0<x>@s/bad@6.6.6`},
		{v3(`"folder/bad":{"version":"6.6.6","resolved":"https://registry.example/bad/-/bad-6.6.6.tgz"}`), `bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"6.6.6","link":true,"resolved":"https://registry.example/bad/-/bad-6.6.6.tgz"}`), `bad@6.6.6`},
		{v1(`"good":{"version":"file:x","resolved":"https://registry.example/bad/-/bad-6.6.6.tgz"}`), `good@(file)>bad@6.6.6`},

		// odd values lose no entry
		{v3(`"node_modules/bad":{"version":"6.6.6","resolved":false,"integrity":false}`), `bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":"6.6.6","resolved":null}`), `bad@6.6.6 !1:entry`},
		{v3(`"node_modules/bad":{"version":"6.6.6","dev":"true"}`), `bad@6.6.6 !1:entry`},
		{v3(`"node_modules/bad":{"version":"6.6.6","dependencies":[1],"engines":["node"],"bin":7}`), `bad@6.6.6`},
		{v3(`"node_modules/bad":{"version":6}`), `bad@(no-version) !1:entry`},
		{v3(`"node_modules/bad":null`), `bad@(no-version) !1:entry`},
		{v3(`"":null,` + bad), `bad@6.6.6 !1:entry`},
		{v1(`"a":7,"bad":{"version":"6.6.6"}`), `a@(no-version) bad@6.6.6 !1:entry`},
		{`{"lockfileVersion":3,"packages":null}`, `!1:entry`},
		{`{"lockfileVersion":3,"packages":[]}`, `!1:entry`},
		{`{"lockfileVersion":3,"packages":null,"dependencies":{"bad":{"version":"6.6.6"}}}`, `bad@6.6.6 !1:entry`},
		{`[]`, `!1:entry !0:unsupported`},
		{`null`, `!1:entry !0:unsupported`},

		// the version of the format
		{`{"packages":{` + bad + `}}`, `bad@6.6.6 !0:unsupported`},
		{`{"dependencies":{"bad":{"version":"6.6.6"}}}`, `bad@6.6.6 !0:unsupported`}, // npm 4
		{`{"lockfileVersion":9,"packages":{` + bad + `}}`, `bad@6.6.6 !1:unsupported`},
		{`{"lockfileVersion":"3","packages":{` + bad + `}}`, `bad@6.6.6 !1:entry !0:unsupported`},
		{`{"lockfileVersion":1,"packages":{` + bad + `}}`, `bad@6.6.6`},
		{`{"lockfileVersion":3}`, `!0:entry`},
		{`{"lockfileVersion":3,"dependencies":{"bad":{"version":"6.6.6"}}}`, `bad@6.6.6 !0:entry`},

		// names, versions, digests
		{v3(`"node_modules/bad":{"version":"06.6.6"}`), `bad@06.6.6 !1:version`},
		{v3(`"node_modules/bad":{"version":"*"}`), `bad@* !1:version`},
		{v3(`"node_modules/@@s/x":{"version":"1.0.0"}`), `@@s/x@1.0.0 !1:name`},
		{v3(`"node_modules/":{"version":"1.0.0"}`), `@1.0.0 !1:name`},
		{v3(`"node_modules/bad":{"version":"6.6.6","integrity":"sha512-xx"}`), `bad@6.6.6 !1:digest`},

		// documents and encoding
		{v3(bad) + v3(`"node_modules/b":{"version":"1.0.0"}`), `bad@6.6.6 b@1.0.0 !1:documents`},
		{v3(bad) + " x", `bad@6.6.6 !1:documents`},
		{v3("\"node_modules/b\xff\":{\"version\":\"1.0.0\"}," + bad), "b\ufffd@1.0.0 bad@6.6.6 !1:encoding"},
		{v3("\"node_modules/b\x00\":{\"version\":\"1.0.0\"}," + bad), "b\x00@1.0.0 bad@6.6.6 !1:encoding !1:name"},
	})
}

// A damaged file gives all that was read whole before the fault, and beside it.
func TestPackageLockDamage(t *testing.T) {
	testTraps(t, npm.ParsePackageLock, []trap{
		{`{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/b":{"versi`, `a@1.0.0 b@(no-version) !1:truncated`},
		{`{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}`, `a@1.0.0 !1:truncated`},
		{"{\"lockfileVersion\":3,\"packages\":{\"node_modules/a\":{\n<<<<<<< HEAD\n\"version\":\"1.0.0\"},\"node_modules/b\":{\"version\":\"2.0.0\"}}}", `a@1.0.0 b@2.0.0 !2:syntax`},
		{"{\"lockfileVersion\":3,\"packages\":{\n\"node_modules/a\":{\n<<<<<<< HEAD\n\"version\":\"1.0.0\",\n=======\n\"version\":\"6.6.6\",\n>>>>>>> x\n\"dev\":true}}}", `a@1.0.0 a@6.6.6{dev} !3:syntax !5:syntax !6:repeated-key !7:syntax`},
		{"<<<<<<< HEAD\n{\"lockfileVersion\":3,\"packages\":{\"node_modules/a\":{\"version\":\"1.0.0\"}}}\n=======\n{\"lockfileVersion\":3,\"packages\":{\"node_modules/a\":{\"version\":\"6.6.6\"}}}\n>>>>>>> x\n", `a@1.0.0 a@6.6.6 !1:syntax !3:syntax !4:documents !5:syntax`},
		{v3(`"node_modules/a":{"version":"1.0.0" "dev":true},"node_modules/b":{"version":"2.0.0"},`), `a@1.0.0{dev} b@2.0.0 !1:syntax !1:syntax`},
		{v3(`"node_modules/a":{"version":"1.0.0"},?,"node_modules/b":{"version":"2.0.0"}`), `a@1.0.0 b@2.0.0 !1:syntax`},
		{v3(`"node_modules/a":{"version":"1.0.0","node_modules/b":{"version":"2.0.0"}`), `b@2.0.0 a@1.0.0 !1:entry !1:truncated`}, // a brace is missing
		{`{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}},"node_modules/b":{"version":"2.0.0"}}}`, `a@1.0.0 !1:documents`},
		{`{"lockfileVersion":3,"packages":{}},"node_modules/b":{"version":"2.0.0"}}`, `!1:documents`},
		{`{"lockfileVersion":3,"packages":{},"node_modules/b":{"version":"2.0.0"}}`, `b@2.0.0 !1:entry`},
		{`{?"lockfileVersion":3,"packages":{"node_modules/b":{"version":"2.0.0"}}}`, `b@2.0.0 !1:syntax !0:unsupported`},
		{v1(`"a":{"version":"1.0.0","requires":{?},"dependencies":{"b":{"version":"2.0.0"}}},"c":{"version":"3.0.0"}`), `a@1.0.0 b@2.0.0 c@3.0.0 !1:syntax`},
	})
}

// Version 2 says everything twice; what is hidden in one of the two is found.
func TestPackageLockBothObjects(t *testing.T) {
	both := func(packages, dependencies string) string {
		return `{"lockfileVersion":2,"packages":{` + packages + `},"dependencies":{` + dependencies + `}}`
	}
	reversed := func(packages, dependencies string) string {
		return `{"lockfileVersion":2,"dependencies":{` + dependencies + `},"packages":{` + packages + `}}`
	}
	good := `"node_modules/a":{"version":"1.0.0","integrity":"` + sha512 + `"}`
	testTraps(t, npm.ParsePackageLock, []trap{
		{both(good, `"a":{"version":"1.0.0","integrity":"`+sha512+`"}`), `a@1.0.0`},
		{both(good, `"a":{"version":"1.0.0"}`), `a@1.0.0`},
		{reversed(good, `"a":{"version":"1.0.0","integrity":"`+sha512+`"}`), `a@1.0.0`},
		{both(good, `"a":{"version":"6.6.6"}`), `a@1.0.0 a@6.6.6`},
		{reversed(good, `"a":{"version":"6.6.6"}`), `a@6.6.6 a@1.0.0`},
		{both(good, `"a":{"version":"1.0.0","integrity":"`+sha1+`"}`), `a@1.0.0 a@1.0.0`},
		{both(good, `"bad":{"version":"6.6.6"}`), `a@1.0.0 bad@6.6.6`},
		{both(good, `"a":{"version":"1.0.0","dependencies":{"bad":{"version":"6.6.6"}}}`), `a@1.0.0 bad@6.6.6`},
		{both(good, `"a":{"version":"1.0.0","resolved":"https://r.example/bad/-/bad-6.6.6.tgz"}`), `a@1.0.0 a@1.0.0>bad@6.6.6`},
		{both(`"node_modules/a":{"resolved":"packages/a","link":true}`, `"a":{"version":"file:packages/a"}`), `a@(link)`},
		{both(`"node_modules/x":{"name":"a","version":"1.0.0"}`, `"x":{"version":"npm:a@1.0.0"}`), `a@1.0.0<x`},
		{
			both(`"node_modules/a":{"version":"1.0.0","resolved":"git+ssh://h.example/a.git#`+commit+`"}`, `"a":{"version":"git+ssh://h.example/a.git#`+commit+`"}`),
			`a@1.0.0(git:` + commit + `)`,
		},
	})
}

// What npm 6 and 11 wrote for one project with an alias, a git pin and a workspace.
func TestPackageLockMade(t *testing.T) {
	const shared = "is-buffer@1.1.6{dev} is-even@1.0.0{dev} is-number@3.0.0{dev} is-odd@0.1.2{dev} is-number@6.0.0 is-odd@3.0.1 " +
		"kind-of@3.2.2{dev} @types/ms@0.7.31<ms-types is-number@7.0.0<number-alias"
	pin := "(git:e880c4bcc0768c83fe4a4edb03972f0b1c12341a)"
	for _, tt := range []struct{ file, more string }{
		{"npm-6/package-lock.json", "@parcel/watcher-win32-arm64@2.5.0{optional} pin@" + pin},
		{"npm-11-v1/package-lock.json", "@parcel/watcher-win32-arm64@2.5.0{optional} is-buffer@2.0.5{peer} pin@" + pin + " @made/member@(file)"},
		{"npm-11-v2/package-lock.json", "@parcel/watcher-win32-arm64@2.5.0{optional} is-buffer@2.0.5{peer} pin@1.2.3" + pin + " @made/member@(link) @made/member@1.0.0(workspace)"},
		{"npm-11-v3/package-lock.json", "@parcel/watcher-win32-arm64@2.5.0{optional} is-buffer@2.0.5{peer} pin@1.2.3" + pin + " @made/member@(link) @made/member@1.0.0(workspace)"},
		{"npm-11-v3/npm-shrinkwrap.json", "@parcel/watcher-win32-arm64@2.5.0{optional} is-buffer@2.0.5{peer} pin@1.2.3" + pin + " @made/member@(link) @made/member@1.0.0(workspace)"},
		{"npm-11-hidden/node_modules/.package-lock.json", "is-buffer@2.0.5{peer} pin@1.2.3" + pin + " @made/member@(link) @made/member@1.0.0(workspace)"},
	} {
		compareSets(t, tt.file, show(npm.ParsePackageLock(made(t, tt.file), lockfile.Options{})), shared+" "+tt.more)
	}
}

// compareSets compares what show wrote with the entries wanted, in any order.
func compareSets(t *testing.T, file, got, want string) {
	t.Helper()
	count := map[string]int{}
	for _, entry := range strings.Fields(want) {
		count[entry]++
	}
	for _, entry := range strings.Fields(got) {
		count[entry]--
	}
	for entry, n := range count {
		if n != 0 {
			t.Errorf("%s: %s: read %d times fewer than wanted", file, entry, n)
		}
	}
}

func TestPackageLockEdges(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			v3(`"":{"dependencies":{"a":"^1"},"devDependencies":{"d":"1"}},"node_modules/a":{"version":"1.0.0","dependencies":{"b":"^1"}},
			"node_modules/a/node_modules/b":{"version":"1.0.0","optionalDependencies":{"c":"1"}},"node_modules/b":{"version":"2.0.0"},
			"node_modules/c":{"version":"1.0.0","peerDependencies":{"b":"2","a":"1"}},"node_modules/d":{"version":"1.0.0"}`),
			"a* by c, b by a, b by c, c by b, d*",
		},
		{ // a workspace has its own copy of one, and the top's of another
			v3(`"":{"dependencies":{"w":"*"}},"packages/w":{"dependencies":{"a":"1","b":"1"}},"packages/w/node_modules/a":{"version":"1.0.0"},
			"node_modules/a":{"version":"2.0.0"},"node_modules/b":{"version":"1.0.0"},"node_modules/w":{"link":true,"resolved":"packages/w"}`),
			"w, a* by w, a, b* by w, w*",
		},
		{ // without a root entry, as in the hidden lockfile
			v3(`"node_modules/a":{"version":"1.0.0","dependencies":{"b":"1"}},"node_modules/b":{"version":"1.0.0"}`),
			"a, b by a",
		},
		{ // version 1
			v1(`"a":{"version":"1.0.0","requires":{"b":"1","c":"1"},"dependencies":{"b":{"version":"1.0.0","requires":{"c":"1"}}}},
			"b":{"version":"2.0.0"},"c":{"version":"1.0.0","requires":{"b":"2"}}`),
			"a, b by a, b by c, c by a b",
		},
		{v3(`"node_modules/a":{"version":"1.0.0","dependencies":{"a":"1","missing":"1"}}`), "a"},
	} {
		file := npm.ParsePackageLock([]byte(tt.in), lockfile.Options{Edges: true})
		if got := requiredBy(file); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
	file := npm.ParsePackageLock(made(t, "npm-11-v3/package-lock.json"), lockfile.Options{Edges: true})
	for i, p := range file.Packages {
		if p.Name == "is-buffer" && p.Version == "1.1.6" {
			chain := ""
			for _, j := range file.Chain(i) {
				chain += file.Packages[j].Name + " "
			}
			if want := "is-even is-odd is-number kind-of is-buffer "; chain != want {
				t.Errorf("chain %q, want %q", chain, want)
			}
		}
	}
}

func TestPackageLockLines(t *testing.T) {
	file := npm.ParsePackageLock([]byte(npm.PackageLockSample("x", "1.0.0")), lockfile.Options{})
	if len(file.Packages) != 1 || file.Packages[0].Line != 14 {
		t.Errorf("%+v, want one package on line 14", file.Packages)
	}
}

// The reader allocates for a file, and not for its entries.
func TestPackageLockAllocations(t *testing.T) {
	lock := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"node_modules/@scope/p%d":{"version":"1.0.%d","resolved":"https://registry.example/@scope/p%[1]d/-/p%[1]d-1.0.%[2]d.tgz","integrity":"%s","license":"MIT","dependencies":{"a":"^1"}},`, i, i, sha512)
		}
		return []byte(v3(b.String() + `"node_modules/z":{"version":"1.0.0"}`))
	}
	few, many := lock(100), lock(3000)
	allocations := func(data []byte) float64 {
		return testing.AllocsPerRun(10, func() { npm.ParsePackageLock(data, lockfile.Options{}) })
	}
	if a, b := allocations(few), allocations(many); b-a > 40 { // slices that grow
		t.Errorf("%v allocations for 101 entries, %v for 3001", a, b)
	}
}

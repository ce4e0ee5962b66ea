package npm_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

// pnpm9 is a pnpm-lock.yaml 9.0 with the given lines of "packages".
func pnpm9(packages string) string {
	return "lockfileVersion: '9.0'\nsnapshots: {}\npackages:\n\n" + packages
}

func pnpm(version, rest string) string { return "lockfileVersion: " + version + "\n\n" + rest }

const resolution = "    resolution: {integrity: " + sha512 + "}\n"

func TestPnpmKeys(t *testing.T) {
	for _, tt := range []struct{ key, more, want string }{
		// 5.x
		{"/a/1.0.0", "", `a@1.0.0`},
		{"/@s/a/1.0.0", "", `@s/a@1.0.0`},
		{"/a/1.0.0_b@2.0.0", "", `a@1.0.0`},
		{"/a/1.0.0_@s+b@2.0.0+c@3.0.0", "", `a@1.0.0`},
		{"/@s/a/1.0.0-rc.1_0123abcd", "", `@s/a@1.0.0-rc.1`},
		{"r.example/a/1.0.0", "", `a@1.0.0`},
		{"r.example/@s/a/1.0.0_b@2.0.0", "", `@s/a@1.0.0`},
		// 6.x
		{"/a@1.0.0", "", `a@1.0.0`},
		{"/@s/a@1.0.0", "", `@s/a@1.0.0`},
		{"/a@1.0.0(b@2.0.0)", "", `a@1.0.0`},
		{"/a@1.0.0(@s/b@2.0.0(c@3.0.0))(d@4.0.0)", "", `a@1.0.0`},
		{"r.example/a@1.0.0(b@2.0.0)", "", `a@1.0.0`},
		// 9.x
		{"a@1.0.0", "", `a@1.0.0`},
		{"'@s/a@1.0.0'", "", `@s/a@1.0.0`},
		{"a@work:1.0.0", "", `a@1.0.0`},
		{"a@1.0.0+build", "", `a@1.0.0+build`},
		// places
		{"file:a.tgz", "    resolution: {tarball: file:a.tgz}\n    name: a\n    version: 1.0.0\n", `a@1.0.0(file)`},
		{"file:a", "    resolution: {directory: a, type: directory}\n    name: a\n    version: 1.0.0\n", `a@1.0.0(file)`},
		{"a@file:a", "    resolution: {directory: a, type: directory}\n", `a@(file)`},
		{"a@file:a", "    resolution: {directory: a, type: directory}\n    version: 1.0.0\n", `a@1.0.0(file)`},
		{"a@file:a.tgz", "    resolution: {tarball: file:a.tgz}\n    version: 1.0.0\n", `a@1.0.0(file)`},
		{"h.example/o/a/" + commit, "    resolution: {commit: " + commit + ", repo: https://h.example/o/a.git, type: git}\n    name: a\n    version: 1.0.0\n", `a@1.0.0(git:` + commit + `)`},
		{"a@git+https://h.example/o/a.git#" + commit, "    resolution: {commit: " + commit + ", repo: https://h.example/o/a.git, type: git}\n    version: 1.0.0\n", `a@1.0.0(git:` + commit + `)`},
		{"a@https://codeload.github.com/o/a/tar.gz/" + commit, "    resolution: {tarball: https://codeload.github.com/o/a/tar.gz/" + commit + "}\n    version: 1.0.0\n", `a@1.0.0(git:` + commit + `)`},
		{"'@codeload.github.com/o/a/tar.gz/" + commit + "'", "    resolution: {tarball: https://codeload.github.com/o/a/tar.gz/" + commit + "}\n    name: a\n    version: 1.0.0\n", `a@1.0.0(git:` + commit + `)`},
		{"a@https://h.example/a.tgz", "    resolution: {tarball: https://h.example/a.tgz}\n    version: 1.0.0\n", `a@1.0.0(url)`},
		{"'@r.example/a/-/a-1.0.0.tgz'", "    resolution: {tarball: https://r.example/a/-/a-1.0.0.tgz}\n    name: a\n    version: 1.0.0\n", `a@1.0.0`},
		{"node@runtime:22.0.0", "    resolution:\n      type: variations\n      variants:\n        - resolution:\n            archive: tarball\n            bin: bin/node\n            integrity: " + sha512 + "\n            type: binary\n            url: https://h.example/node.tgz\n          targets:\n            - cpu: x64\n              os: linux\n", `node@22.0.0(url)`},

		// What is meant to look like something else.
		{"a@1.0.0", "    version: 6.6.6\n", `a@1.0.0 a@6.6.6 !5:entry`},
		{"/a/1.0.0", "    name: bad\n    version: 6.6.6\n", `a@1.0.0 bad@6.6.6 !5:entry`},
		{"a@1.0.0", "    resolution: {tarball: https://r.example/bad/-/bad-6.6.6.tgz}\n", `a@1.0.0>bad@6.6.6`},
		{"a@1.0.0", "    resolution: {tarball: bad/-/bad-6.6.6.tgz}\n", `a@1.0.0>bad@6.6.6`},
		{"a@1.0.0", "    resolution: {tarball: /bad/-/bad-6.6.6.tgz}\n", `a@1.0.0>bad@6.6.6`},
		{"a@1.0.0", "    resolution: {tarball: https://h.example/x.tgz}\n", `a@1.0.0`},
		{"a@6.6.6", "    resolution: {type: git, repo: https://h.example/x.git, commit: " + commit + "}\n", `a@6.6.6(registry:` + commit + `) !5:entry`},
		{"a@6.6.6", "    resolution: {type: directory, directory: x}\n", `a@6.6.6 !5:entry`},
		{"a@6.6.6", "    resolution: {tarball: file:x.tgz}\n", `a@6.6.6 !5:entry`},
		{"a@https://r.example/bad/-/bad-6.6.6.tgz", "    resolution: {tarball: https://r.example/bad/-/bad-6.6.6.tgz}\n    version: 1.0.0\n", `a@1.0.0>bad@6.6.6`},
		{"a@1.0.0", "    resolution: {type: variations, variants: [{resolution: {tarball: https://r.example/a/-/a-1.0.0.tgz}}, {resolution: {tarball: https://r.example/bad/-/bad-6.6.6.tgz}}]}\n", `a@1.0.0 bad@6.6.6`},
		{"bad@link:x", resolution + "    version: 6.6.6\n", `bad@6.6.6 !5:entry`},
		{"bad@https://h.example/x.tgz", resolution + "    version: 6.6.6\n", `bad@6.6.6 !5:entry`},
		{"file:x", resolution + "    name: bad\n    version: 6.6.6\n", `bad@6.6.6 !5:entry`},
		{"//bad@6.6.6", "", `//bad@6.6.6@(no-version) !5:entry !5:name`},
		{"./bad@6.6.6", "", `bad@6.6.6`},
		{"x/../bad@6.6.6", "", `x/../bad@6.6.6@(no-version) !5:entry !5:name`},
		{"bad", "    resolution: {integrity: " + sha512 + "}\n    version: 6.6.6\n", `bad@6.6.6 !5:entry`},
		{"a@06.6.6", "", `a@06.6.6 !5:version`},
		{"a@v6.6.6", "", `a@(no-version) !5:entry`},
		{`"\x62ad@6.6.\u0036"`, "", `bad@6.6.6`},
		{"a@1.0.0", "    resolution: {integrity: sha512-x}\n", `a@1.0.0 !6:digest`},
	} {
		more := tt.more
		if more == "" {
			more = resolution
		}
		testTraps(t, npm.ParsePnpm, []trap{{pnpm9("  " + tt.key + ":\n" + more), tt.want}})
	}
}

func TestPnpm(t *testing.T) {
	entry := "  a@1.0.0:\n" + resolution
	testTraps(t, npm.ParsePnpm, []trap{
		{pnpm9(entry), `a@1.0.0`},
		{strings.ReplaceAll(pnpm9(entry), "\n", "\r\n"), `a@1.0.0`},
		{pnpm("5.4", "packages:\n\n  /a/1.0.0:\n"+resolution+"    dev: true\n"), `a@1.0.0{dev}`},
		{pnpm("5.4-inlineSpecifiers", "packages:\n\n  /a/1.0.0:\n"+resolution+"    dev: false\n"), `a@1.0.0`},
		{"packages:\n  /a/1.0.0:\n    dev: true\n    optional: true\n    resolution:\n      integrity: " + sha512 + "\nlockfileVersion: 5.2\n", `a@1.0.0{dev,optional}`},
		{pnpm("'6.0'", "packages:\n\n  /a@1.0.0:\n"+resolution+"    optional: true\n"), `a@1.0.0{optional}`},
		{pnpm("'7.0'", "packages:\n\n  a@1.0.0:\n"+resolution+"snapshots:\n  a@1.0.0: {}\n"), `a@1.0.0`},
		{pnpm("'9.0'", "packages:\n\n"+entry) + "\nsnapshots:\n\n  a@1.0.0(b@1.0.0):\n    optional: true\n\n  a@1.0.0(b@2.0.0):\n    optional: true\n", `a@1.0.0{optional}`},
		{pnpm("'9.0'", "packages:\n\n"+entry) + "\nsnapshots:\n\n  a@1.0.0(b@1.0.0):\n    optional: true\n\n  a@1.0.0(b@2.0.0): {}\n", `a@1.0.0`},
		{pnpm9("  ? a@1.0.0\n  : resolution: {integrity: " + sha512 + "}\n    engines: {node: '>=8'}\n"), `a@1.0.0`},
		{pnpm9(entry + "    deprecated: |-\n      bad@6.6.6:\n        resolution: {}\n    hasBin: true\n"), `a@1.0.0`},
		{pnpm9(entry + "    deprecated: 'use\n      bad@6.6.6: instead'\n"), `a@1.0.0`},
		{pnpm("'9.0'", "importers:\n\n  .:\n    dependencies:\n      x:\n        specifier: npm:a@1\n        version: >-\n          a@1.0.0(b@1.0.0)\n\npackages:\n\n"+entry+"snapshots:\n  a@1.0.0(b@1.0.0): {}\n"), `a@1.0.0<x`},
		{pnpm("5.4", "dependencies:\n  x: /a/1.0.0\n\npackages:\n\n  /a/1.0.0:\n"+resolution), `a@1.0.0<x`},
		{pnpm("'6.0'", "dependencies:\n  x:\n    specifier: npm:a@1\n    version: /a@1.0.0\n\npackages:\n\n  /a@1.0.0:\n"+resolution), `a@1.0.0<x`},
		{pnpm("'9.0'", "importers:\n\n  .:\n    dependencies:\n      l:\n        specifier: link:l\n        version: link:l\n    publishDirectory: dist\n"), `l@(link)`},
		{`{"lockfileVersion": "13.0", "projects": {".": {"dependencies": {"a": "1.0.0", "w": "workspace:*"}}}, "packages": {"a@1.0.0": {"integrity": "` + sha512 + `",},},}`, `w@(workspace) a@1.0.0`},
		{"---\n" + pnpm9(entry) + "\n---\n" + pnpm9("  b@1.0.0:\n"+resolution), `a@1.0.0 b@1.0.0`},
		{"---\n" + pnpm9(entry) + "\n---\n", `a@1.0.0`},
		{pnpm("'9.0'", "importers:\n\n  .: {}\n"), ``},
		{pnpm("'9.0'", "packages: null\n"), ``},
		{pnpm("'9.0'", "packages: {}\n"), ``},
		{"", ``},

		// What is meant to look like something else.
		{pnpm("'9.0'", "packages:\n\n  xbad@6.6.6:\n"+resolution+"  '@s/bad@6.6.6':\n"+resolution), `xbad@6.6.6 @s/bad@6.6.6 bad@6.6.6 bad@6.6.6 !5:entry`},
		{pnpm("'6.0'", "packages:\n\n  /a@1.0.0:\n"+resolution+"  xbad@6.6.6:\n"+resolution), `a@1.0.0 xbad@6.6.6 bad@6.6.6 !7:entry`},
		{pnpm("'9.0'", "packages:\n\n"+entry) + "snapshots:\n  a@1.0.0(b@1.0.0):\n    version: 6.6.6\n", `a@1.0.0 a@1.0.0 a@6.6.6 !8:entry !9:entry`},
		{pnpm("'9.0'", "packages:\n\n  a@1.0.0: {}\n") + "snapshots:\n  a@1.0.0:\n    resolution: {tarball: https://r.example/bad/-/bad-6.6.6.tgz}\n", `a@1.0.0 a@1.0.0>bad@6.6.6 !8:entry`},
		{pnpm9("  a@1.0.0: {resolution: {integrity: " + sha512 + "}}\n"), `a@1.0.0 !5:syntax`},
		{pnpm("'9.0'", "packages: {a@6.6.6: {resolution: {integrity: "+sha512+"}}}\nsnapshots: {}\n"), `a@6.6.6 !3:syntax`},
		{`{"lockfileVersion": "9.0", "snapshots": {}, "packages": {"a@6.6.6": {"resolution": {"integrity": "` + sha512 + `"}}}}`, `a@6.6.6 !1:syntax`},
		{pnpm9(entry) + "packages:\n  b@6.6.6:\n" + resolution, `a@1.0.0 b@6.6.6 !7:repeated-key`},
		{pnpm9(entry) + "packages: null\n", `a@1.0.0 !7:repeated-key`},
		{pnpm9(entry) + "Packages: null\n", `a@1.0.0`},
		{pnpm9(entry + "  a@1.0.0:\n    version: 6.6.6\n"), `a@1.0.0 a@1.0.0 a@6.6.6 !7:repeated-key !7:entry`},
		{pnpm9(entry) + "---\n" + pnpm9("  b@6.6.6:\n"+resolution), `a@1.0.0 b@6.6.6 !7:documents`},
		{"---\n" + pnpm9(entry) + "---\n" + pnpm9("  b@1.0.0:\n"+resolution) + "---\n" + pnpm9("  c@6.6.6:\n"+resolution), `a@1.0.0 b@1.0.0 c@6.6.6 !15:documents`},
		{pnpm("'9.0'", "packages:\n\n"+entry) + "snapshots:\n  a@1.0.0: {}\n  b@6.6.6(c@1.0.0): {}\n", `a@1.0.0 b@6.6.6 !9:entry`},
		{pnpm("'9.0'", "importers:\n  .:\n    dependencies:\n      a:\n        specifier: ^6\n        version: 6.6.6(b@1.0.0)\n"), `a@6.6.6 !6:entry`},
		{pnpm("5.4", "dependencies:\n  a: 6.6.6_b@1.0.0\n  x: /bad/6.6.6\n"), `a@6.6.6 bad@6.6.6<x !4:entry !5:entry`},
		{pnpm("'9.0'", "packages: bad@6.6.6\n"), `!3:entry`},
		{pnpm("'9.0'", "packages:\n  - bad@6.6.6\n"), `@(no-version) !4:entry !4:entry !4:name`},
		{pnpm9("  a@1.0.0: &x\n" + resolution + "  bad@6.6.6: *x\n"), `a@1.0.0 bad@6.6.6 !5:reference !7:reference !7:entry`},
		{pnpm9("  <<: {bad@6.6.6: {}}\n" + entry), `<<@(no-version) a@1.0.0 !5:reference !5:syntax !5:entry !5:name`},
		{pnpm9(entry + "   bad@6.6.6:\n" + resolution), `a@1.0.0 !7:syntax`},
		{pnpm9(entry + "# \rb@6.6.6:\r"), `a@1.0.0 !7:syntax`},
		{pnpm9("\ta@6.6.6:\n" + resolution), `a@6.6.6 !5:syntax`},
		{pnpm9("  a@1.0.0:\n    resolution: {integrity: " + sha512 + "\n  b@6.6.6:\n" + resolution), `a@1.0.0 b@6.6.6 !7:truncated`},
		{"packages:\n\n" + entry + "snapshots: {}\n", `a@1.0.0 !0:header`},
		{pnpm("4", "packages:\n\n  /a/1.0.0:\n"+resolution), `a@1.0.0 !1:unsupported`},
		{pnpm("'10.0'", "packages:\n\n"+entry+"snapshots: {}\n"), `a@1.0.0 !1:unsupported`},
	})
}

func TestPnpmEdges(t *testing.T) {
	const edges = `importers:

  .:
    dependencies:
      a:
        specifier: ^1
        version: 1.0.0(peer@1.0.0)
    devDependencies:
      d:
        specifier: ^1
        version: 1.0.0
      shared:
        specifier: ^1
        version: 1.0.0

packages:

  a@1.0.0:
    resolution: {}

  d@1.0.0:
    resolution: {}

  deep@1.0.0:
    resolution: {}

  peer@1.0.0:
    resolution: {}

  real@1.0.0:
    resolution: {}

  shared@1.0.0:
    resolution: {}

snapshots:

  a@1.0.0(peer@1.0.0):
    dependencies:
      alias: real@1.0.0
      peer: 1.0.0
    optionalDependencies:
      shared: 1.0.0

  d@1.0.0:
    dependencies:
      deep: 1.0.0

  deep@1.0.0:
    dependencies:
      shared: 1.0.0

  peer@1.0.0: {}

  real@1.0.0: {}

  shared@1.0.0: {}
`
	file := npm.ParsePnpm([]byte(pnpm("'9.0'", edges)), lockfile.Options{Edges: true})
	if got, want := requiredBy(file), "a*, d*, deep by d, peer by a, real by a, shared* by a deep"; got != want || file.Problems != nil {
		t.Errorf("got %s %v\nwant %s", got, file.Problems, want)
	}
	// Only what nothing but development dependencies leads to is for development.
	if got, want := show(file), "a@1.0.0 d@1.0.0{dev} deep@1.0.0{dev} peer@1.0.0 real@1.0.0 shared@1.0.0"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, version := range []string{"5.4", "'6.0'"} {
		between := map[string]string{"5.4": "/", "'6.0'": "@"}[version]
		in := pnpm(version, strings.ReplaceAll("dependencies:\n  a: 1.0.0\n\npackages:\n\n  /a@1.0.0:\n    resolution: {}\n    dependencies:\n      b: 2.0.0\n      x: /c@1.0.0\n    dev: false\n\n  /b@2.0.0:\n    resolution: {}\n    dev: false\n\n  /c@1.0.0:\n    resolution: {}\n    dev: false\n", "@", between))
		file := npm.ParsePnpm([]byte(in), lockfile.Options{Edges: true})
		if got, want := requiredBy(file), "a*, b by a, c by a"; got != want || file.Problems != nil {
			t.Errorf("%s: got %s %v\nwant %s", version, got, file.Problems, want)
		}
	}
}

func TestPnpmDigests(t *testing.T) {
	file := npm.ParsePnpm([]byte(pnpm9("  a@1.0.0:\n    resolution:\n      variants:\n        - resolution: {integrity: "+sha512+"}\n        - resolution: {integrity: "+sha1+"}\n  b@1.0.0:\n    resolution: {integrity: "+sha1+"}\n")), lockfile.Options{})
	if len(file.Packages) != 2 || len(file.Packages[0].Digests) != 2 || len(file.Packages[1].Digests) != 1 || file.Problems != nil {
		t.Errorf("%+v %v", file.Packages, file.Problems)
	}
}

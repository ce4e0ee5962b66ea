package npm_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

// classic is a yarn.lock of yarn 1 with the given entries.
func classic(entries string) string { return "# yarn lockfile v1\n\n\n" + entries }

// berry is a yarn.lock of yarn 4 with the given entries.
func berry(entries string) string { return "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n" + entries }

const sha1Hex = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

func TestYarnClassic(t *testing.T) {
	at := func(address string) string {
		return classic("a@^1:\n  version \"1.0.0\"\n  resolved \"" + address + "\"\n")
	}
	from := func(asked, address string) string {
		return classic("\"a@" + asked + "\":\n  version \"1.0.0\"\n  resolved \"" + address + "\"\n")
	}
	testTraps(t, npm.ParseYarn, []trap{
		{classic("a@^1, \"a@>=1 <2\", a@~1.0:\n  version \"1.0.0\"\n"), `a@1.0.0`},
		{classic("\"@s/a@^1\":\n  version \"1.0.0\"\n"), `@s/a@1.0.0`},
		{classic("a@^1:\r\n  version \"1.0.0\"\r\n\r\nb@^1:\r\n  version \"2.0.0\"\r\n"), `a@1.0.0 b@2.0.0`},
		{"\ufeff" + classic("a@^1:\n  version \"1.0.0\""), `a@1.0.0`},
		{classic("\"x@npm:@s/real@^1\":\n  version \"1.0.0\"\n"), `@s/real@1.0.0<x`},
		{classic("\"x@npm:real\":\n  version \"1.0.0\"\n"), `real@1.0.0<x`},
		{classic("real@^1, \"x@npm:real@^1\":\n  name real\n  version \"1.0.0\"\n"), `real@1.0.0`},
		{classic("\"x@npm:real@^1\", real@^1:\n  name real\n  version \"1.0.0\"\n"), `real@1.0.0<x`},
		{classic("\"a@file:./a\":\n  version \"1.0.0\"\n"), `a@1.0.0(file)`},
		{classic("\"a@link:./a\":\n  version \"0.0.0\"\n  uid \"\"\n"), `a@0.0.0(link)`},
		{classic("\"a@file:./a\", a@^1:\n  version \"1.0.0\"\n"), `a@1.0.0`},
		{at("https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#" + sha1Hex), `a@1.0.0`},
		{at("https://registry.npmjs.org/a/-/a-1.0.0.tgz#" + sha1Hex), `a@1.0.0`},
		{at("https://mirror.example/npm/a/-/a-1.0.0.tgz"), `a@1.0.0`},
		{from("git@h.example:o/a", "git+ssh://git@h.example/o/a.git#"+commit), `a@1.0.0(git:` + commit + `)`},
		{from("https://h.example/o/a.git", "https://h.example/o/a.git#"+commit), `a@1.0.0(git:` + commit + `)`},
		{from("o/a", "https://codeload.github.com/o/a/tar.gz/"+commit), `a@1.0.0(git:` + commit + `)`},
		{from("o/a", "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz"), `a@1.0.0`}, // fetched, whatever was asked for
		{from("file:./a.tgz", "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz"), `a@1.0.0`},
		{from("https://h.example/o/a.git", "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz"), `a@1.0.0`},
		// Asked for by range alone: yarn 1 installs what its cache has of name, version and SHA-1.
		{at("git+ssh://git@h.example/o/a.git#" + commit), `a@1.0.0(registry:` + commit + `)`},
		{at("https://h.example/o/a.git#" + commit), `a@1.0.0(registry:` + commit + `)`},
		{at("https://codeload.github.com/o/a/tar.gz/" + commit), `a@1.0.0(registry:` + commit + `)`},
		{at("https://h.example/~/11/a/1.0.0.tgz#" + sha1Hex), `a@1.0.0`}, // the form of jsr.io
		{at("a-1.0.0.tgz#" + sha1Hex), `a@1.0.0`},                        // of an offline mirror
		{classic("\"a@https://h.example/a.tgz\":\n  version \"1.0.0\"\n  resolved \"https://h.example/a.tgz#" + sha1Hex + "\"\n"), `a@1.0.0(url)`},
		{classic("\"a@https://h.example/a.tgz\", a@^1:\n  version \"1.0.0\"\n  resolved \"https://h.example/a.tgz\"\n"), `a@1.0.0(url)`},
		{classic("\"a@file:./a.tgz\":\n  version \"1.0.0\"\n  resolved \"file:./a.tgz#" + sha1Hex + "\"\n"), `a@1.0.0(file)`},
		{classic("a@^1:\n  version \"1.0.0\"\n  integrity \"" + sha512 + " " + sha1 + "\"\n"), `a@1.0.0`},
		{classic("a@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n    \"@s/c\" \"^1\"\n  optionalDependencies:\n    d \"^1\"\n"), `a@1.0.0`},
		{"", ``},
		{"\n\n", ``},
		{"# yarn lockfile v1\n", ``},

		// What is meant to look like something else.
		{at("https://registry.npmjs.org/bad/-/bad-6.6.6.tgz#" + sha1Hex), `a@1.0.0>bad@6.6.6`},
		{at("https://registry.npmjs.org/a/-/a-6.6.6.tgz"), `a@1.0.0>a@6.6.6`},
		{at("https://registry.npmjs.org/bad/-/bad-6.6.6.tgz?/a/-/a-1.0.0.tgz"), `a@1.0.0>bad@6.6.6`},
		{classic("a@^1:\n  resolved \"https://r.example/a/-/a-6.6.6.tgz\"\n"), `a@6.6.6 !4:entry`},
		{classic("a@^1:\n  resolved \"https://r.example/bad/-/bad-6.6.6.tgz\"\n"), `a@6.6.6>bad@6.6.6 !4:entry`},
		{classic("a@^1, bad@^6:\n  version \"6.6.6\"\n"), `a@6.6.6 bad@6.6.6`},
		{classic("a@^1:\n  name bad\n  version \"6.6.6\"\n"), `a@6.6.6 bad@6.6.6`},
		{classic("\"a@npm:bad@^6\":\n  version \"6.6.6\"\n"), `bad@6.6.6<a`},
		{classic("\"\\u0062ad@^6\":\n  version \"6.6.\\u0036\"\n"), `bad@6.6.6`},
		{classic("\"bad@^6\\q\":\n  version \"6.6.6\"\n"), `bad@6.6.6 !4:syntax`},
		{classic("a@^1:\n  version \"1.0.0\"\n  version \"6.6.6\"\n"), `a@1.0.0 a@6.6.6 !4:entry !6:repeated-key`},
		{classic("a@^1:\n  version \"1.0.0\"\n\na@^1:\n  version \"6.6.6\"\n"), `a@1.0.0 a@6.6.6 !7:repeated-key`},
		{classic("a@^1:\n  version \"1.0.0\"\n  resolved \"https://r.example/a/-/a-1.0.0.tgz\"\n  resolved \"https://r.example/bad/-/bad-6.6.6.tgz\"\n"), `a@1.0.0 bad@6.6.6 !7:repeated-key`},

		// Lines that yarn does not write. It reads some of them as it reads its own.
		{classic("a@^1:\n  version: \"6.6.6\"\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1:\n  version 6.6.6\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1: # x\n  version \"6.6.6\"\n"), `a@6.6.6 !4:syntax`},
		{classic("a@^1:\n  version \"6.6.6\" # x\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1:\n  version \"6.6.6\" version \"1.0.0\"\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1:\n\n  version \"6.6.6\"\n"), `a@6.6.6 !6:syntax`},
		{classic("a@^1:\n# x\n  version \"6.6.6\"\n"), `a@6.6.6 !6:syntax`},
		{classic("a@^1:\n   version \"6.6.6\"\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1:\n    version \"6.6.6\"\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1:\n\tversion \"6.6.6\"\n"), `!4:entry !5:syntax`},
		{classic("a@^1:\n  \tversion \"6.6.6\"\n"), `a@6.6.6 !5:syntax`},
		{classic("a@^1\n  version \"6.6.6\"\n"), `a@6.6.6 !4:syntax`},
		{classic("x@npm:bad@^6:\n  version \"6.6.6\"\n"), `bad@6.6.6<x !4:syntax`},
		{classic("trueish@^1:\n  version \"6.6.6\"\n"), `trueish@6.6.6 !4:syntax`},
		{classic("@s/a@^1:\n  version \"6.6.6\"\n"), `@s/a@6.6.6 !4:syntax`},
		{classic("7zip@^1:\n  version \"6.6.6\"\n"), `7zip@6.6.6 !4:syntax`},
		{classic("a@^1:\n  dependencies:\n    b \"^1\"\n  version \"6.6.6\"\n"), `a@6.6.6`},
		{classic("a@^1:\n  version \"1.0.0\"\r  version \"6.6.6\"\n"), `a@1.0.0 a@6.6.6 !4:entry !5:syntax !5:repeated-key`},
		{classic("a@^1:\n  version \"1.0.0\"\n# \u2028b@^1:\n"), `a@1.0.0 !6:syntax`},
		{classic("a@^1:\n  integrity " + sha512 + "\n"), `!4:entry`},
		{classic("a@^1:\n  version \"06.6.6\"\n"), `a@06.6.6 !4:version`},
		{classic("a@^1:\n  version \"1.0.0\"\n  integrity sha512-x\n"), `a@1.0.0 !6:digest`},
		{at("https://registry.npmjs.org/a/-/a-1.0.0.tgz#x"), `a@1.0.0 !4:digest`},
		{"a@^1:\n  version \"6.6.6\"\n", `a@6.6.6 !0:header`},
		{"# yarn lockfile v2\n\na@^1:\n  version \"6.6.6\"\n", `a@6.6.6 !1:unsupported`},
		{
			classic("<<<<<<< HEAD\na@^1:\n  version \"1.0.0\"\n=======\na@^1:\n  version \"6.6.6\"\n>>>>>>> b\n"),
			`a@1.0.0 a@6.6.6 !4:syntax !7:syntax !8:repeated-key !10:syntax`,
		},

		// Yarn 1 reads as YAML what it cannot parse.
		{classic("{\"bad@^6\": {version: 6.6.6}}\n"), `bad@6.6.6 !4:syntax`},
		{classic("? bad@^6\n: version: 6.6.6\n"), `bad@6.6.6 !4:syntax !5:syntax`},
		{classic("'bad@^6':\n  'version': '6.6.6'\n"), `bad@6.6.6 !4:syntax !5:syntax`},
	})
}

func TestYarnBerry(t *testing.T) {
	entry := func(resolution string) string {
		return berry("\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"" + resolution + "\"\n")
	}
	testTraps(t, npm.ParseYarn, []trap{
		{entry("a@npm:1.0.0"), `a@1.0.0`},
		{berry("\"@s/a@npm:^1, @s/a@npm:~1.0\":\n  version: 1.0.0\n  resolution: \"@s/a@npm:1.0.0\"\n"), `@s/a@1.0.0`},
		{berry("\"x@npm:@s/real@^1\":\n  version: 1.0.0\n  resolution: \"@s/real@npm:1.0.0\"\n"), `@s/real@1.0.0<x`},
		{berry("\"a@npm:next\":\n  version: 1.0.0-rc.1\n  resolution: \"a@npm:1.0.0-rc.1\"\n"), `a@1.0.0-rc.1`},
		{berry("\"a@npm:1.0.0-rc.1\":\n  version: 1.0.0-rc.1\n  resolution: \"a@npm:1.0.0-rc.1\"\n"), `a@1.0.0-rc.1`},
		{berry("\".ci@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \".ci@workspace:.\"\n"), `.ci@0.0.0-use.local(workspace)`},
		{entry("a@patch:a@npm%3A1.0.0#optional!builtin<compat/a>::version=1.0.0&hash=df0bf1"), `a@1.0.0`},
		{entry("a@patch:a@npm%3A1.0.0#./a.patch::version=1.0.0&hash=1&locator=root%40workspace%3A."), `a@1.0.0`},
		{entry("a@patch:a@patch%3Aa@npm%253A1.0.0%23one#two"), `a@1.0.0`},
		{entry("a@link:./a::locator=root%40workspace%3A."), `a@1.0.0(link)`},
		{entry("a@portal:./a::locator=root%40workspace%3A."), `a@1.0.0(link)`},
		{entry("a@file:./a#./a::hash=1&locator=root%40workspace%3A."), `a@1.0.0(file)`},
		{entry("a@exec:./make.js#./make.js::hash=1"), `a@1.0.0(file)`},
		{entry("a@https://h.example/o/a.git#commit=" + commit), `a@1.0.0(git:` + commit + `)`},
		{entry("a@git@h.example:o/a.git#commit=" + commit), `a@1.0.0(git:` + commit + `)`},
		{entry("a@https://h.example/a.tgz"), `a@1.0.0(url)`},
		{entry("a@https://r.example/a/-/a-1.0.0.tgz"), `a@1.0.0`},
		{entry("a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fr.example%2Fa%2F-%2Fa-1.0.0.tgz"), `a@1.0.0`},
		{berry("? \"a@npm:^1\"\n:\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n"), `a@1.0.0`},
		{berry("a@npm:^1:\n  version: 1.0.0\n  resolution: a@npm:1.0.0\n"), `a@1.0.0`},
		{berry("'a@npm:^1':\n    version: '1.0.0' # x\n    resolution: 'a@npm:1.0.0'\n"), `a@1.0.0`},

		// What is meant to look like something else.
		{entry("bad@npm:6.6.6"), `bad@6.6.6<a a@6.6.6 bad@1.0.0 !5:entry`},
		{entry("a@npm:6.6.6"), `a@6.6.6 a@1.0.0 !5:entry`},
		{entry("a@npm:bad@6.6.6"), `bad@6.6.6<a a@6.6.6 bad@1.0.0 !5:entry`},
		{entry("a@patch:bad@npm%3A6.6.6#./a.patch"), `bad@6.6.6<a a@6.6.6 bad@1.0.0 !5:entry`},
		{entry("a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fr.example%2Fbad%2F-%2Fbad-6.6.6.tgz"), `a@1.0.0>bad@6.6.6`},
		{entry("a@npm:1.0.0::%5f_archiveUrl=https%3A%2F%2Fr.example%2Fbad%2F-%2Fbad-6.6.6.tgz"), `a@1.0.0>bad@6.6.6`},
		{entry("a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fh.example%2Fx.tgz"), `a@1.0.0`},
		{entry("a@https://r.example/bad/-/bad-6.6.6.tgz"), `a@1.0.0>bad@6.6.6`},
		{entry("a@magic:6.6.6"), `a@1.0.0 !5:entry`},
		{entry("a@npm:06.6.6"), `a@06.6.6 a@1.0.0 !5:version !5:entry`},
		{entry("a@npm:"), `a@(no-version) !5:entry`},
		{entry("\\x62ad@npm:6.6.\\u0036"), `bad@6.6.6<a a@6.6.6 bad@1.0.0 !5:entry`},
		{berry("\"a@npm:^1\":\n  version: 6.6.6\n"), `a@6.6.6 !5:entry`},
		{berry("\"a@npm:^1\":\n  linkType: hard\n"), `!5:entry`},
		{berry("\"a@npm:^1\": {version: 6.6.6, resolution: \"a@npm:6.6.6\"}\n"), `a@6.6.6 !5:syntax`},
		{`{"__metadata": {"version": 8}, "a@npm:^1": {"resolution": "a@npm:6.6.6"}}`, `a@6.6.6 !1:syntax`},
		{berry("\"a@npm:^1\": &x\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n\"bad@npm:6\": *x\n"), `a@1.0.0 !5:reference !8:reference !8:entry`},
		{berry("\"a@npm:^1\":\n  <<: {resolution: \"bad@npm:6.6.6\"}\n  resolution: \"a@npm:1.0.0\"\n"), `a@1.0.0 !6:reference !6:syntax`},
		{entry("a@npm:1.0.0") + "  resolution: \"bad@npm:6.6.6\"\n", `a@1.0.0 bad@6.6.6 !8:repeated-key`},
		{entry("a@npm:1.0.0") + "\"a@npm:^1\":\n  version: 6.6.6\n  resolution: \"a@npm:6.6.6\"\n", `a@1.0.0 a@6.6.6 !8:repeated-key !8:repeated-key`},
		{entry("a@npm:1.0.0") + "---\n\"b@npm:^1\":\n  version: 6.6.6\n  resolution: \"b@npm:6.6.6\"\n", `a@1.0.0 b@6.6.6 !8:documents`},
		{"__metadata:\n  version: 8\n  \"bad@npm:6\":\n    resolution: \"bad@npm:6.6.6\"\n", `!3:entry !4:entry`},
		{"\"bad@npm:^6\":\n  version: 6.6.6\n  resolution: \"bad@npm:6.6.6\"\n", `bad@6.6.6 !2:syntax !2:syntax !3:syntax !0:header`},
		{berry("\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:\n    6.6.6\"\n"), `a@ 6.6.6 a@1.0.0 !5:version !5:entry !7:syntax`},
	})
}

func TestYarnEdges(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			classic("a@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n    \"@s/c\" \"2\"\n\nb@^1:\n  version \"1.0.0\"\n  optionalDependencies:\n    \"@s/c\" \"2\"\n\n\"@s/c@2\":\n  version \"2.0.0\"\n"),
			"a*, b by a, @s/c by a b",
		},
		{classic("a@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n\nb@^1:\n  version \"1.0.0\"\n  dependencies:\n    a \"^1\"\n"), "a by b, b by a"},
		{
			berry("\"root@workspace:.\":\n  version: 0\n  resolution: \"root@workspace:.\"\n  dependencies:\n    a: \"npm:^1\"\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: \"npm:^1\"\n  peerDependencies:\n    c: \"*\"\n\"b@npm:^1\":\n  version: 1.0.0\n  resolution: \"b@npm:1.0.0\"\n\"c@npm:^1\":\n  version: 1.0.0\n  resolution: \"c@npm:1.0.0\"\n"),
			"root, a* by root, b by a, c",
		},
		// Yarn 2 leaves the protocol out; a resolution of the manifest changes the range.
		{
			berry("\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    b: ^1\n    c: ^1\n\"b@npm:^1\":\n  version: 1.0.0\n  resolution: \"b@npm:1.0.0\"\n\"c@npm:2.0.0\":\n  version: 2.0.0\n  resolution: \"c@npm:2.0.0\"\n"),
			"a, b by a, c by a",
		},
	} {
		file := npm.ParseYarn([]byte(tt.in), lockfile.Options{Edges: true})
		if got := requiredBy(file); got != tt.want || file.Problems != nil {
			t.Errorf("%s\n got %s %v\nwant %s", tt.in, got, file.Problems, tt.want)
		}
	}
}

// What yarn calls a checksum is that of its own archive: no other tool can know it.
func TestYarnChecksumIsNoDigest(t *testing.T) {
	const hex512 = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
	for _, checksum := range []string{"10c0/" + hex512, hex512, sha512} {
		file := npm.ParseYarn([]byte(berry("\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  checksum: "+checksum+"\n")), lockfile.Options{})
		if len(file.Packages) != 1 || len(file.Packages[0].Digests) != 0 || len(file.Problems) != 0 {
			t.Errorf("checksum %q: %+v %v", checksum, file.Packages, file.Problems)
		}
	}
}

func TestYarnDigests(t *testing.T) {
	file := npm.ParseYarn([]byte(classic("a@^1:\n  version \"1.0.0\"\n  resolved \"https://r.example/a/-/a-1.0.0.tgz#"+sha1Hex+"\"\n  integrity \""+sha512+"\"\n")), lockfile.Options{})
	if len(file.Packages) != 1 || len(file.Packages[0].Digests) != 2 {
		t.Fatalf("%+v", file.Packages)
	}
	if got := file.Packages[0].Digests[1].String(); got != "sha1:"+sha1Hex {
		t.Errorf("digest behind the address: %s", got)
	}
	if got := file.Packages[0].Source.URL; got != "https://r.example/a/-/a-1.0.0.tgz" {
		t.Errorf("address: %q", got)
	}
}

package npm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func TestValidName(t *testing.T) {
	for _, tt := range []struct {
		name string
		want bool
	}{
		{"x", true},
		{"@scope/x", true},
		{"JSONStream", true}, // legacy names
		{"a~b'!()*", true},
		{"-", true},
		{"_", true},
		{"@_/x", true},
		{"chаlk", true}, // a Cyrillic letter: odd, but the file is sound
		{strings.Repeat("a", 300), true},
		{"", false},
		{"@", false},
		{"@/x", false},
		{"@scope", false},
		{"@scope/", false},
		{"@@scope/x", false},
		{"@scope/x/y", false},
		{"x/y", false},
		{".x", false},
		{"@scope/.x", false},
		{"node_modules", false},
		{"x y", false},
		{"x\x00", false},
		{"x%20y", false},
		{`x\y`, false},
		{"x@1", false},
		{"x:y", false},
	} {
		if got := validName(tt.name); got != tt.want {
			t.Errorf("validName(%q) = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSplitSpec(t *testing.T) {
	for _, tt := range []struct {
		in, name, rest string
		found          bool
	}{
		{"x@1.2.3", "x", "1.2.3", true},
		{"@scope/x@1.2.3", "@scope/x", "1.2.3", true},
		{"@scope/x", "@scope/x", "", false}, // a scope is not a separator
		{"x", "x", "", false},
		{"x@", "x", "", true},
		{"x@npm:y@1", "x", "npm:y@1", true},
		{"", "", "", false},
		{"@", "@", "", false},
		{"@@", "@", "", true},
	} {
		name, rest, found := splitSpec(tt.in)
		if name != tt.name || rest != tt.rest || found != tt.found {
			t.Errorf("splitSpec(%q) = %q, %q, %v; want %q, %q, %v", tt.in, name, rest, found, tt.name, tt.rest, tt.found)
		}
	}
}

func TestSplitAlias(t *testing.T) {
	for _, tt := range []struct {
		in, name, wanted string
		ok               bool
	}{
		{"npm:x@1.2.3", "x", "1.2.3", true},
		{"npm:@scope/x@2.0.0", "@scope/x", "2.0.0", true},
		{"npm:@scope/x", "@scope/x", "", true},
		{"npm:x", "x", "", true},
		{"npm:x@^1.0.0 || ^2", "x", "^1.0.0 || ^2", true},
		{"npm:^1.0.0", "", "", false}, // yarn berry writes a range so
		{"npm:1.0.0", "", "", false},
		{"npm:*", "", "", false},
		{"npm:", "", "", false},
		{"^1.0.0", "", "", false},
		{"x@1", "", "", false},
	} {
		name, wanted, ok := splitAlias(tt.in)
		if name != tt.name || wanted != tt.wanted || ok != tt.ok {
			t.Errorf("splitAlias(%q) = %q, %q, %v; want %q, %q, %v", tt.in, name, wanted, ok, tt.name, tt.wanted, tt.ok)
		}
	}
}

func TestClassify(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct {
		in     string
		kind   lockfile.SourceKind
		commit string
	}{
		{"", lockfile.Registry, ""},
		{"https://registry.example/x/-/x-1.0.0.tgz", lockfile.Registry, ""},
		{"http://localhost:4873/@s%2fx/-/x-1.0.0.tgz", lockfile.Registry, ""},
		{"https://mirror.example/x/download/x-1.0.0.tgz", lockfile.Registry, ""},
		{"git+ssh://git@git.example/o/r.git#" + commit, lockfile.Git, commit},
		{"git+https://git.example/o/r.git#v1.0.0", lockfile.Git, ""},
		{"git://git.example/o/r#semver:^1", lockfile.Git, ""},
		{"git@git.example:o/r.git#" + commit, lockfile.Git, commit},
		{"ssh://git@git.example/o/r#" + commit[:7], lockfile.Git, commit[:7]},
		{"github:o/r#" + commit, lockfile.Git, commit},
		{"gitlab:o/r", lockfile.Git, ""},
		{"https://git.example/o/r.git#commit=" + commit, lockfile.Git, commit},
		{"https://codeload.github.com/o/r/tar.gz/" + commit, lockfile.Git, commit},
		{"https://github.com/o/r/archive/" + commit + ".tar.gz", lockfile.Git, commit},
		{"https://github.com/o/r/releases/download/v1/x-1.0.0.tgz", lockfile.URL, ""},
		{"https://files.example/x-1.0.0.tgz", lockfile.URL, ""},
		{"https://codeload.github.com/o/r/tar.gz/main", lockfile.URL, ""},
		{"file:../x", lockfile.Path, ""},
		{"file:x.tgz", lockfile.Path, ""},
		{"../x", lockfile.Path, ""},
		{`C:\x`, lockfile.Path, ""},
		{"link:../x", lockfile.Link, ""},
		{"portal:../x", lockfile.Link, ""},
		{"workspace:^", lockfile.Workspace, ""},
		{"unheard-of:x", lockfile.Registry, ""}, // may be anything, so it is matched
		{"false", lockfile.Registry, ""},
	} {
		want := lockfile.Source{Kind: tt.kind, URL: tt.in, Commit: tt.commit}
		if got := classify(tt.in); got != want {
			t.Errorf("classify(%q) = %+v, want %+v", tt.in, got, want)
		}
	}
}

func TestTarballIdentity(t *testing.T) {
	for _, tt := range []struct{ in, name, version string }{
		{"https://registry.example/x/-/x-1.2.3.tgz", "x", "1.2.3"},
		{"https://registry.example/@scope/x/-/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://registry.example/x/-/x-1.2.3-beta.1.tgz#da39a3ee", "x", "1.2.3-beta.1"},
		{"https://registry.example/x/-/x-1.2.3.tgz?a=/-/y-1.tgz", "x", "1.2.3"},
		{"https://registry.example/x-y/-/x-y-1.2.3.tgz", "x-y", "1.2.3"},
		{"https://registry.example/x/-/x-1.2.3%2Bbuild.tgz", "x", "1.2.3+build"},
		{"http://localhost:4873/@scope%2fx/-/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://registry.example/%40scope/x/-/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://a.example/artifactory/api/npm/npm-virtual/@scope/x/-/@scope/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://a.example/artifactory/api/npm/npm-virtual/x/-/x-1.2.3.tgz", "x", "1.2.3"},
		{"https://n.example/repository/npm-proxy/@scope/x/-/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://g.example/api/packages/o/npm/@scope%2Fx/-/1.2.3/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://m.example/x/download/x-1.2.3.tgz?cache=0", "x", "1.2.3"},
		{"https://m.example/@scope/x/download/@scope/x-1.2.3.tgz", "@scope/x", "1.2.3"},
		{"https://npm.pkg.example/download/@scope/x/1.2.3/0123abcd", "@scope/x", "1.2.3"},
		{"https://registry.example/x/-/renamed-1.2.3.tgz", "x", "1.2.3"}, // the folder is the name
		{"x/-/x-1.2.3.tgz", "x", "1.2.3"},
		// As URL parsers and registries read it: npm installs "x" from each of these.
		{"https://registry.example/x/%2D/x-1.2.3.tgz", "x", "1.2.3"},
		{"https://registry.example/%78/-/%78-1.2.3.tgz", "x", "1.2.3"},
		{"https://registry.example/x/%2d/x-1.2.3.tgz#%zz", "x", "1.2.3"},
		{`https://registry.example\x\-\x-1.2.3.tgz`, "x", "1.2.3"},
		{"https://registry.example/x/-\t/x-1.2.3.tgz ", "x", "1.2.3"},
		{"https://registry.example/x/-/y/-/../../x-1.2.3.tgz", "x", "1.2.3"},
		{"https://registry.example/x/-/y/-/y-1.0.0.tgz/%2e%2e/../../x-1.2.3.tgz", "x", "1.2.3"},
		{"https://registry.example/@s/./x/-/x-1.2.3.tgz", "@s/x", "1.2.3"},
		{"https://registry.example/x/-/a%3a//b/../../../x-1.2.3.tgz", "x", "1.2.3"},
		{"https://registry.example/x/a%2fb/../-/x-1.2.3.tgz", "x", "1.2.3"},

		{"https://registry.example/x/-/x-latest.tgz", "", ""},
		{"https://registry.example/x/-/x.tgz", "", ""},
		{"https://registry.example/x/-/x-1.2.3.zip", "", ""},
		{"https://registry.example/x/-/", "", ""},
		{"/-/", "", ""},
		{"https://h.example/o/r/releases/download/v1/x-1.2.3.tgz", "", ""},
		{"https://h.example/download/x", "", ""},
		{"https://h.example/x-1.2.3.tgz", "", ""},
		{"", "", ""},
	} {
		id, ok := tarballIdentity(tt.in)
		if !ok {
			id = lockfile.Identity{}
		}
		if want := (lockfile.Identity{Name: tt.name, Version: tt.version}); id != want || ok != (tt.name != "") {
			t.Errorf("tarballIdentity(%q) = %+v, %v; want %+v", tt.in, id, ok, want)
		}
	}
}

func TestIsTarballOf(t *testing.T) {
	for _, tt := range []struct {
		address, name, version string
		want                   bool
	}{
		{"https://r.example/x/-/x-1.0.0.tgz", "x", "1.0.0", true},
		{"https://r.example/@s/x/-/x-1.0.0.tgz", "@s/x", "1.0.0", true},
		{"https://r.example/@s/x/-/x-1.0.0.tgz", "x", "1.0.0", false},
		{"https://r.example/%40s/x/-/x-1.0.0.tgz", "x", "1.0.0", false},
		{"https://r.example/@s/./x/-/x-1.0.0.tgz", "x", "1.0.0", false},
		{"https://r.example/@s//x/-/x-1.0.0.tgz", "x", "1.0.0", false},
		{"https://r.example/\t@s/x/-/x-1.0.0.tgz", "x", "1.0.0", false},
		{`https://r.example/y\@s/x/-/x-1.0.0.tgz`, "x", "1.0.0", false},
		{"https://r.example/yx/-/x-1.0.0.tgz", "x", "1.0.0", false},
		{"https://r.example/x/-/x-1.0.1.tgz", "x", "1.0.0", false},
		{"https://r.example/x/-/x-1.0.0.tgz", "y", "1.0.0", false},
		{"", "", "", false},
	} {
		if got := isTarballOf(tt.address, tt.name, tt.version); got != tt.want {
			t.Errorf("isTarballOf(%q, %q, %q) = %v, want %v", tt.address, tt.name, tt.version, got, tt.want)
		}
	}
}

func TestIntegrity(t *testing.T) {
	const (
		sha1   = "2jmj7l5rSw0yVb/vlWAYkK/YBwk="
		sha512 = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
	)
	for _, tt := range []struct{ in, want string }{
		{"sha512-" + sha512, "[sha512]"},
		{"sha1-" + sha1 + " sha512-" + sha512, "[sha1 sha512]"},
		{"\n sha1-" + sha1 + "?opt  ", "[sha1]"},
		{"", "[]"},
		{"sha1-" + sha1[1:], "[] digest"},
		{"sha1-" + sha1 + " sha512-xx", "[sha1] digest"}, // the sound one is kept
		{"sha3-" + sha1, "[] digest"},
		{"sha512", "[] digest"},
	} {
		b := newBuilder(0, 1, lockfile.Options{})
		var algorithms []string
		for _, d := range b.integrity(tt.in, "x", 1) {
			algorithms = append(algorithms, d.Algorithm.String())
		}
		got := fmt.Sprint(algorithms)
		for _, p := range b.Problems {
			got += " " + string(p.Code)
		}
		if got != tt.want {
			t.Errorf("integrity(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestAdd(t *testing.T) {
	b := newBuilder(100, 10, lockfile.Options{})
	for _, tt := range []struct {
		in   lockfile.Package
		want string
	}{
		{lockfile.Package{Name: "x", Version: "1.0.0"}, "x@1.0.0 registry []"},
		{lockfile.Package{Name: "x", Version: "1.0.0", Alias: "x"}, "x@1.0.0 registry []"},
		{lockfile.Package{Name: "x", Version: "06.6.6"}, "x@06.6.6 registry [version]"},
		{lockfile.Package{Name: "x", Version: "*"}, "x@* registry [version]"},
		{lockfile.Package{Name: "@@s/x", Version: "1.0.0"}, "@@s/x@1.0.0 registry [name]"},
		{lockfile.Package{Name: "x"}, "x@ no-version []"},
		{lockfile.Package{Name: "x", Version: "me", Source: lockfile.Source{Kind: lockfile.Workspace}}, "x@me workspace []"},
		{
			lockfile.Package{Name: "x", Version: "1.0.0", Source: classify("https://r.example/evil/-/evil-6.6.6.tgz")},
			"x@1.0.0 registry [] evil@6.6.6",
		},
		{
			lockfile.Package{Name: "x", Version: "1.0.0", Source: classify("https://r.example/x/-/x-6.6.6.tgz")},
			"x@1.0.0 registry [] x@6.6.6",
		},
	} {
		b.Packages, b.Problems = b.Packages[:0], nil
		b.add(&tt.in)
		p := b.Packages[0]
		codes := []lockfile.Code{}
		for _, problem := range b.Problems {
			codes = append(codes, problem.Code)
		}
		got := fmt.Sprintf("%s@%s %v %v", p.Name, p.Version, p.Source.Kind, codes)
		if p.Address != nil {
			got += " " + p.Address.Name + "@" + p.Address.Version
		}
		if got != tt.want || p.Alias != "" || p.Ecosystem != "npm" {
			t.Errorf("add(%+v): %s, want %s", tt.in, got, tt.want)
		}
	}
}

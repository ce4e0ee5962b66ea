package npm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// parse reads a packument of the package "a" in memory.
func parse(text string, role registry.Role) (*registry.Listing, error) {
	p := packument{name: "a", role: role}
	if err := p.read(strings.NewReader(text)); err != nil {
		return nil, err
	}
	l := &registry.Listing{}
	p.list(l)
	return l, nil
}

const someDist = `"dist":{"tarball":"https://x.example/a/-/a-1.0.0.tgz","shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`

// one reads a packument of one version with the members.
func one(t *testing.T, members string, role registry.Role) (registry.Published, []string) {
	t.Helper()
	text := fmt.Sprintf(`{"name":"a","time":{"1.0.0":"2026-01-02T03:04:05.678Z"},"versions":{"1.0.0":{"name":"a","version":"1.0.0",%s}}}`, members)
	l, err := parse(text, role)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return l.Releases[0], l.Faults
}

func TestScripts(t *testing.T) {
	for _, tt := range []struct {
		members string
		want    registry.Fact[map[string]string]
		mirror  registry.Fact[map[string]string]
	}{
		{``, registry.None[map[string]string](), registry.Fact[map[string]string]{}},
		{`"scripts":{}`, registry.None[map[string]string](), registry.None[map[string]string]()},
		{`"scripts":{"test":"x","prepare":"y","prepublish":"z"}`, registry.None[map[string]string](), registry.None[map[string]string]()},
		{`"scripts":{"preinstall":"a","install":"b","postinstall":"c"}`, known("preinstall", "a", "install", "b", "postinstall", "c"), known("preinstall", "a", "install", "b", "postinstall", "c")},
		{`"scripts":{"PreInstall":"a"}`, registry.None[map[string]string](), registry.None[map[string]string]()},
		{`"scripts":{"\u0070reinstall":"a"}`, known("preinstall", "a"), known("preinstall", "a")},
		{`"gypfile":true`, known("install", nodeGyp), known("install", nodeGyp)},
		{`"gypfile":true,"scripts":{"install":"b"}`, known("install", "b"), known("install", "b")},
		{`"gypfile":false`, registry.None[map[string]string](), registry.Fact[map[string]string]{}},
		{`"scripts":[]`, registry.None[map[string]string](), registry.None[map[string]string]()},
		{`"scripts":["node x"]`, registry.Fact[map[string]string]{}, registry.Fact[map[string]string]{}},
		{`"scripts":{"install":5}`, registry.Fact[map[string]string]{}, registry.Fact[map[string]string]{}},
	} {
		members := strings.TrimPrefix(tt.members+","+someDist, ",")
		got, _ := one(t, members, registry.Origin)
		if diff := cmp.Diff(tt.want, got.Scripts); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.members, diff)
		}
		got, _ = one(t, members, registry.Mirror)
		if diff := cmp.Diff(tt.mirror, got.Scripts); diff != "" {
			t.Errorf("%s at a mirror: (-want +got)\n%s", tt.members, diff)
		}
	}
}

func known(pairs ...string) registry.Fact[map[string]string] {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return registry.Known(m)
}

func TestIsAddress(t *testing.T) {
	for spec, want := range map[string]bool{
		"^1.2.3": false, "": false, "*": false, "latest": false, "1 || 2": false, ">=1 <2": false, "1.x - 2.x": false, "npm:@a/b@1": false,
		"file:../x": false, "link:x": false, "workspace:*": false, "./x": false, "../x": false, "/x/y": false, "~/x": false,
		"~1.2": false, "a-tag": false,
		"git+https://github.com/a/b.git": true, "git+ssh://git@github.com/a/b": true, "git://x/y": true, "git@github.com:a/b.git": true,
		"github:a/b": true, "GITHUB:a/b": true, "gitlab:a/b": true, "bitbucket:a/b": true, "gist:123": true,
		"https://x.example/a.tgz": true, "HTTP://x.example/a.tgz": true, " https://x": true, "ssh://x/y": true, "ftp://x/y": true,
		"a/b": true, "a/b#79ac49e": true, "a/b#semver:^1": true, "user@host.example:repo.git": true,
	} {
		if got := isAddress(spec); got != want {
			t.Errorf("isAddress(%q) = %v, want %v", spec, got, want)
		}
	}
}

// What has another type than npm writes is told, and is unknown; the rest is read.
func TestOddManifests(t *testing.T) {
	const sha512 = "sha512-RtTi90xIdzFmQAAKb9+Ki1nx4IR2Z5c+mFn3dN0xuPHgk3gTt3f7ZqKsZ9UFQP40ZAlm7un8LMyjhwgrTIXNPA=="
	for _, tt := range []struct {
		members string
		faults  []string // a part of each
		check   func(r registry.Published) bool
	}{
		{`"_npmUser":"alice <alice@acme.example>",` + someDist, nil, func(r registry.Published) bool {
			return r.Publisher.Value == registry.Person{Name: "alice", Email: "alice@acme.example"} && r.TrustedPublisher.Knowledge == registry.Absent
		}},
		{`"_npmUser":5,` + someDist, []string{"_npmUser"}, func(r registry.Published) bool { return r.Publisher.IsZero() && r.TrustedPublisher.IsZero() }},
		{`"_npmUser":{"name":"x","trustedPublisher":{"id":"gitlab"}},` + someDist, nil, func(r registry.Published) bool { return r.TrustedPublisher.Value == "gitlab" }},
		{`"_npmUser":{"name":"x","trustedPublisher":true},` + someDist, []string{"trustedPublisher"}, func(r registry.Published) bool {
			return r.TrustedPublisher.IsZero() && r.Publisher.Value.Name == "x"
		}},
		{`"_npmUser":{"name":"x","trustedPublisher":{"id":""}},` + someDist, []string{"trustedPublisher"}, func(r registry.Published) bool { return r.TrustedPublisher.IsZero() }},
		{`"deprecated":false,` + someDist, nil, func(r registry.Published) bool { return r.Deprecated.Knowledge == registry.Absent }},
		{`"deprecated":true,` + someDist, nil, func(r registry.Published) bool { return r.Deprecated.Knowledge == registry.Present }},
		{`"deprecated":"",` + someDist, nil, func(r registry.Published) bool { return r.Deprecated.Knowledge == registry.Absent }},
		{`"deprecated":{},` + someDist, []string{"deprecated"}, func(r registry.Published) bool { return r.Deprecated.IsZero() }},
		{`"gitHead":{},` + someDist, []string{"gitHead"}, func(r registry.Published) bool { return r.Head.IsZero() }},
		{`"gitHead":null,` + someDist, nil, func(r registry.Published) bool { return r.Head.Knowledge == registry.Absent }},
		{`"dependencies":["x"],` + someDist, []string{"dependencies"}, func(r registry.Published) bool { return r.Git.IsZero() }},
		{`"dependencies":["x"],"optionalDependencies":{"y":"a/b"},` + someDist, []string{"dependencies"}, func(r registry.Published) bool { return r.Git.Value["y"] == "a/b" }},
		{`"dependencies":[],` + someDist, nil, func(r registry.Published) bool { return r.Git.Knowledge == registry.Absent }},
		{`"x":1`, []string{"dist"}, func(r registry.Published) bool {
			return r.Files == nil && r.Provenance.IsZero() && r.Signatures.IsZero()
		}},
		{
			`"dist":{"tarball":"https://x/a.tgz","integrity":"` + sha512 + ` sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha512-bad","shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`,
			[]string{"dist.integrity"},
			func(r registry.Published) bool {
				return len(r.Files[0].Digests) == 2 && r.Files[0].Digests[0].Algorithm.String() == "sha512" && r.Files[0].Digests[1].Algorithm.String() == "sha1"
			},
		},
		{`"dist":{"tarball":"https://x/a.tgz","shasum":"xyz"}`, []string{"dist.shasum", "dist.integrity"}, func(r registry.Published) bool { return len(r.Files[0].Digests) == 0 }},
		{`"dist":{"shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`, []string{"dist.tarball"}, func(r registry.Published) bool { return len(r.Files[0].Digests) == 1 }},
		{`"dist":{"tarball":"https://x/a.tgz","integrity":"` + sha512 + `","signatures":[],"attestations":{"url":""}}`, []string{"dist.attestations"}, func(r registry.Published) bool {
			return r.Signatures.Knowledge == registry.Absent && r.Provenance.IsZero()
		}},
		{`"dist":{"tarball":"https://x/a.tgz","integrity":"` + sha512 + `","signatures":[{"keyid":"k"}]}`, []string{"dist.signatures"}, func(r registry.Published) bool { return r.Signatures.IsZero() }},
		{`"readme":"\ud83d",` + someDist, nil, func(registry.Published) bool { return true }}, // half a character
	} {
		got, faults := one(t, tt.members, registry.Origin)
		if !tt.check(got) {
			t.Errorf("%s: %+v", tt.members, got)
		}
		if len(faults) != len(tt.faults) || !slices.EqualFunc(faults, tt.faults, strings.Contains) {
			t.Errorf("%s: faults %q, want %q", tt.members, faults, tt.faults)
		}
	}
}

// The public registry signs every version. Under its name, an answer without any signature is a
// mirror's on the way to it, and one in which a single version has none is its own.
func TestMirrorInDisguise(t *testing.T) {
	version := func(v, signatures string) string {
		return fmt.Sprintf(`%q:{"name":"a","version":%q,"dist":{"tarball":"https://x/a.tgz","shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"%s}}`, v, v, signatures)
	}
	const signed = `,"signatures":[{"keyid":"k","sig":"s"}]`
	for _, tt := range []struct {
		name, versions string
		signs          bool
		role           registry.Role
	}{
		{"none is signed", version("1.0.0", "") + "," + version("1.1.0", ""), true, registry.Mirror},
		{"none is signed, by a registry that need not", version("1.0.0", ""), false, registry.Origin},
		{"one is not signed", version("1.0.0", signed) + "," + version("1.1.0", ""), true, registry.Origin},
		{"an empty list", version("1.0.0", `,"signatures":[]`), true, registry.Mirror},
		{"no versions", "", true, registry.Origin},
	} {
		p := packument{name: "a", signs: tt.signs}
		if err := p.read(strings.NewReader(`{"name":"a","time":{"1.0.0":"2026-01-02T03:04:05Z"},"versions":{` + tt.versions + `}}`)); err != nil {
			t.Fatal(err)
		}
		l := &registry.Listing{}
		p.list(l)
		if l.Role != tt.role {
			t.Errorf("%s: role %q, want %q", tt.name, l.Role, tt.role)
		}
		for _, r := range l.Releases {
			if unsigned := r.Signatures.Knowledge; tt.role == registry.Mirror && (unsigned != registry.Unknown || !r.Time.IsZero() || !r.Provenance.IsZero()) {
				t.Errorf("%s: %+v", tt.name, r)
			}
		}
		if last := len(l.Releases) - 1; tt.role == registry.Origin && tt.versions != "" && l.Releases[last].Signatures.Knowledge != registry.Absent {
			t.Errorf("%s: %+v", tt.name, l.Releases[last])
		}
	}
}

func TestOddPackuments(t *testing.T) {
	version := func(v string) string {
		return fmt.Sprintf(`%q:{"name":"a","version":%q,%s}`, v, v, someDist)
	}
	for _, tt := range []struct {
		name, text string
		err        error
		releases   []string // their versions
		faults     []string
	}{
		{"a version that is none", `{"name":"a","versions":{"1":{},` + version("1.0.0") + `}}`, nil, []string{"1.0.0"}, []string{`version "1": not a version`}},
		{"a version of another name", `{"name":"a","versions":{"1.0.0":{"name":"b","version":"1.0.0",` + someDist + `}}}`, nil, []string{"1.0.0"}, []string{`it is of "b"`}},
		{"a version of another number", `{"name":"a","versions":{"1.0.0":{"name":"a","version":"2.0.0",` + someDist + `}}}`, nil, []string{"1.0.0"}, []string{`version: not as`}},
		{"a version that is a text", `{"name":"a","versions":{"1.0.0":"x"}}`, nil, []string{"1.0.0"}, []string{`not an object`}},
		{"keys of a version twice", `{"name":"a","versions":{"1.0.0":{"name":"a","name":"b"}}}`, registry.ErrMalformed, nil, nil},
		{"a version twice", `{"name":"a","versions":{` + version("1.0.0") + `,` + version("1.0.0") + `}}`, registry.ErrMalformed, nil, nil},
		{"a version twice, once escaped", `{"name":"a","versions":{` + version("1.0.0") + `,"1.0.\u0030":{}}}`, registry.ErrMalformed, nil, nil},
		{"versions that are a list", `{"name":"a","versions":[]}`, registry.ErrMalformed, nil, nil},
		{"no name", `{"versions":{}}`, registry.ErrMalformed, nil, nil},
		{"no versions", `{"name":"a"}`, registry.ErrMalformed, nil, nil},
		{"all unpublished", `{"name":"a","time":{"created":"x","1.0.0":"2026-01-01T00:00:00Z","unpublished":{"versions":["1.0.0","1.1.0","bad"]}}}`, nil, []string{"1.0.0", "1.1.0"}, []string{`"bad"`}},
		{"unpublished that is a text", `{"name":"a","versions":{},"time":{"unpublished":"x"}}`, nil, nil, []string{"time"}},
		{"no version at all", `{"name":"a","versions":{}}`, nil, nil, nil},
		{"tags that are a list", `{"name":"a","versions":{},"dist-tags":["x"]}`, nil, nil, []string{"dist-tags"}},
		{"maintainers of another form", `{"name":"a","versions":{},"maintainers":[5]}`, nil, nil, []string{"maintainers"}},
		{"no maintainers", `{"name":"a","versions":{},"maintainers":null}`, nil, nil, nil},
		{"a time that is none", `{"name":"a","time":{"1.0.0":"yesterday"},"versions":{` + version("1.0.0") + `}}`, nil, []string{"1.0.0"}, []string{"time"}},
		{"times decide", `{"name":"a","time":{"2.0.0":"2025-01-01T00:00:00Z","1.0.0":"2026-01-01T00:00:00Z","3.0.0":"2024-01-01T00:00:00.5Z"},"versions":{` + version("1.0.0") + `,` + version("2.0.0") + `}}`, nil, []string{"3.0.0", "2.0.0", "1.0.0"}, nil},
		{"without times its own order", `{"name":"a","versions":{` + version("2.0.0") + `,` + version("1.0.0") + `}}`, nil, []string{"2.0.0", "1.0.0"}, nil},
		{"many faults", `{"name":"a","versions":{` + manyBad(250) + `}}`, nil, nil, nil},
	} {
		l, err := parse(tt.text, registry.Origin)
		if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Errorf("%s: %v; want %v", tt.name, err, tt.err)
		}
		if err != nil {
			continue
		}
		var versions []string
		for _, r := range l.Releases {
			versions = append(versions, r.Version)
		}
		if tt.name == "many faults" {
			if len(l.Faults) != maxFaults+1 || l.Faults[maxFaults] != "150 more" {
				t.Errorf("%s: %d faults", tt.name, len(l.Faults))
			}
			continue
		}
		if !slices.Equal(versions, tt.releases) || len(l.Faults) != len(tt.faults) || !slices.EqualFunc(l.Faults, tt.faults, strings.Contains) {
			t.Errorf("%s: %q, %q; want %q, %q", tt.name, versions, l.Faults, tt.releases, tt.faults)
		}
	}
}

func manyBad(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"v%d":{}`, i)
	}
	return b.String()[1:]
}

package npm_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

func TestManifest(t *testing.T) {
	section := func(wanted string) string { return `{"dependencies":{` + wanted + `}}` }
	testTraps(t, npm.ParseManifest, []trap{
		{`{}`, ``},
		{`{"name":"me","version":"x","scripts":{"a":"b"},"dependencies":{}}`, ``},
		{section(`"a":"^1.0.0"`), `a@^1.0.0(manifest)`},
		{section(`"a":""`), `a@(manifest)`},
		{section(`"a":"latest","@s/b":">=1 <2 || 3"`), `a@latest(manifest) @s/b@>=1 <2 || 3(manifest)`},
		{section(`"x":"npm:@s/real@^1.0.0"`), `@s/real@^1.0.0<x(manifest)`},
		{section(`"x":"npm:real"`), `real@<x(manifest)`},
		{section(`"a":"npm:^1.0.0"`), `a@^1.0.0(manifest)`}, // as yarn berry has it
		{section(`"a":"workspace:*"`), `a@workspace:*(workspace)`},
		{section(`"a":"file:../a"`), `a@file:../a(file)`},
		{section(`"a":"./a"`), `a@./a(file)`},
		{section(`"a":"link:../a"`), `a@link:../a(link)`},
		{section(`"a":"catalog:"`), `a@catalog:(manifest)`},
		{section(`"a":"o/r"`), `a@o/r(git)`},
		{section(`"a":"o/r#` + commit + `"`), `a@o/r#` + commit + `(git:` + commit + `)`},
		{section(`"a":"github:o/r"`), `a@github:o/r(git)`},
		{section(`"a":"git+https://h.example/a.git#semver:^1"`), `a@git+https://h.example/a.git#semver:^1(git)`},
		{section(`"a":"https://h.example/a.tgz"`), `a@https://h.example/a.tgz(url)`},
		{section(`"a":"https://r.example/b/-/b-6.6.6.tgz"`), `a@https://r.example/b/-/b-6.6.6.tgz(manifest)>b@6.6.6`},
		{`{"devDependencies":{"a":"1"},"peerDependencies":{"b":"2"},"optionalDependencies":{"c":"3"}}`, `a@1(manifest){dev} b@2(manifest){peer} c@3(manifest){optional}`},

		// what replaces versions further down
		{
			`{"overrides":{"a":"1.0.0","b@^2":{".":"2.0.0","c":"3.0.0"},"d":"$d"}}`,
			`a@1.0.0(manifest) b@2.0.0(manifest) c@3.0.0(manifest)`,
		},
		{
			`{"resolutions":{"a":"1","**/b":"2","c/**/@s/d":"3","e@npm:^4":"5","f/@s/g@npm:1":"npm:real@6"}}`,
			`a@1(manifest) b@2(manifest) @s/d@3(manifest) e@5(manifest) real@6<@s/g(manifest)`,
		},
		{
			`{"pnpm":{"overrides":{"a@1>@s/b@>=2":"3","c@>4":"5","d":"-"}}}`,
			`@s/b@3(manifest) c@5(manifest)`,
		},
		{
			`{"workspaces":{"packages":["x"],"catalog":{"a":"1"},"catalogs":{"old":{"b":"2"}}},"catalog":{"c":"3"}}`,
			`a@1(manifest) b@2(manifest) c@3(manifest)`,
		},
		{`{"workspaces":["packages/*"]}`, ``},

		// traps
		{`{"dependencies":{"a":"1","a":"2"}}`, `a@1(manifest) a@2(manifest) !1:repeated-key`},
		{`{"dependencies":{"a":"1"},"Dependencies":null,"dependencies":null}`, `a@1(manifest) !1:repeated-key !1:entry`},
		{section(`"a":7,"b":"1"`), `a@(manifest) b@1(manifest) !1:entry`},
		{section(`"@@s/x":"1"`), `@@s/x@1(manifest) !1:name`},
		{section(`"a":"1",`), `a@1(manifest) !1:syntax`},
		{`{"dependencies":["a"]}`, `!1:entry`},
		{`{"overrides":null}`, `!1:entry`},
		{``, `!1:truncated`},
	})
}

func TestInstalled(t *testing.T) {
	testTraps(t, npm.ParseInstalled, []trap{
		{`{"name":"a","version":"1.0.0","dependencies":{"b":"1"}}`, `a@1.0.0(installed)`},
		{`{"version":"1.0.0","name":"@s/a"}`, `@s/a@1.0.0(installed)`},
		{ // as npm 6 leaves it behind
			`{"name":"good","version":"1.0.0","_resolved":"https://r.example/bad/-/bad-6.6.6.tgz","_integrity":"` + sha512 + `"}`,
			`good@1.0.0(installed)>bad@6.6.6`,
		},
		{`{"name":"a"}`, `a@(no-version)`},
		{`{"name":"a","version":"06.6.6"}`, `a@06.6.6(installed) !1:version`},
		{`{"name":"a","version":"1.0.0","Version":"2.0.0"}`, `a@1.0.0(installed)`},
		{`{"name":"a","version":"6.6.6","version":"1.0.0"}`, `a@6.6.6(installed) a@1.0.0(installed) !1:repeated-key`},
		{`{"name":"bad","version":"6.6.6","name":"good"}`, `bad@6.6.6(installed) good@6.6.6(installed) !1:repeated-key`},
		{`{"name":"a","version":null}`, `a@(no-version) !1:entry`},
		{`{"name":"a","version":"1.0.0"`, `a@1.0.0(installed) !1:truncated`},
		{`{}`, `!0:entry`},
		{`{"main":`, `!1:truncated`},
	})
}

// Where the manifest says so itself, a dependency is direct.
func TestManifestDirect(t *testing.T) {
	file := npm.ParseManifest([]byte(`{"dependencies":{"a":"1"},"overrides":{"b":"1"}}`), lockfile.Options{})
	if got := requiredBy(file); got != "a*, b" {
		t.Errorf("got %s, want a* alone direct", got)
	}
}

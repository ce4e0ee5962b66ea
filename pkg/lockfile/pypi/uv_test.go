package pypi_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

func TestUVLock(t *testing.T) {
	const registry = "source = { registry = \"https://x.example/simple\" }\n"
	for _, tt := range []struct{ in, want string }{
		{
			"version = 1\n[[package]]\nname = \"evil\"\nversion = \"6.6.6\"\n" + registry +
				"sdist = { url = \"https://x.example/packages/evil-6.6.6.tar.gz\", hash = \"" + sha256 + "\", size = 1, upload-time = \"2026-01-01T00:00:00Z\" }\n" +
				"wheels = [\n    { url = \"https://x.example/packages/evil-6.6.6-py3-none-any.whl\", hash = \"" + sha256 + "\", zstd = { hash = \"sha256:00\" } },\n    { filename = \"evil-6.6.6-cp312-cp312-win32.whl\" },\n]\n",
			"2 registry evil 6.6.6 url=https://x.example/simple sha256:0123 sha256:0123\n",
		},
		{"version = 1\n[[distribution]]\nname = \"evil\"\nversion = \"6.6.6\"\n" + registry, "2 registry evil 6.6.6 url=https://x.example/simple\n"},
		{"version = 1\n[[package]]\nname = 'good'\nversion = '1'\n" + registry + "wheels = [{url = 'https://x.example/evil-1-py3-none-any.whl'}]\n", "2 registry good 1 url=https://x.example/simple address=evil@1\n"},
		// Sources.
		{"version = 1\n[[package]]\nname = 'a'\nversion = '1'\nsource = {git = 'https://x.example/a.git?rev=main#" + hex[:40] + "'}\n", "2 git a 1 url=https://x.example/a.git?rev=main#" + hex[:40] + " commit=" + hex[:40] + "\n"},
		{"version = 1\n[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource = {url = 'https://x.example/evil-6.6.6.zip', subdirectory = 'x'}\n", "2 url evil 6.6.6 url=https://x.example/evil-6.6.6.zip address=evil@6.6.6\n"},
		{"version = 1\n[[package]]\nname = 'a'\nversion = '1'\nsource = {path = 'a-1.zip'}\n", "2 file a 1 url=a-1.zip\n"},
		{"version = 1\n[[package]]\nname = 'a'\nversion = '1'\nsource = {directory = '../a'}\n", "2 file a 1 url=../a\n"},
		{"version = 1\n[[package]]\nname = 'a'\nversion = '1'\nsource = {editable = '../a'}\n", "2 file a 1 url=../a\n"},
		{"version = 1\n[[package]]\nname = 'a'\nsource = {virtual = '.'}\n", "2 workspace a url=.\n"},
		{"version = 1\n[[package]]\nname = 'evil'\nversion = '6.6.6'\n", "2 registry evil 6.6.6\n! line 2: entry: \"evil\" has no source\n"},
		{"version = 1\n[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource = {Virtual = '.'}\n", "2 registry evil 6.6.6\n! line 2: entry: \"evil\" has no source\n! line 5: entry: a source of kind \"Virtual\"\n"},
		{"version = 1\n[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource = {virtual = '.', registry = 'https://x.example/simple'}\n", "2 registry evil 6.6.6 url=https://x.example/simple\n! line 5: entry: \"virtual\" and \"registry\" in one entry: which one is its source?\n"},
		{"version = 1\n[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource = 'registry'\n", "2 registry evil 6.6.6\n! line 2: entry: \"evil\" has no source\n"},
		{"version = 1\n[[package]]\nname = 'a'\nversion = '1'\ndependencies = {name = 'b', version = '1'}\n" + registry, "2 registry a 1 url=https://x.example/simple\n"},
		// Files that uv does not read.
		{"", "! header: no version of the format\n"},
		{"version = 2\n[[package]]\nname = 'evil'\nversion = '6.6.6'\n" + registry, "2 registry evil 6.6.6 url=https://x.example/simple\n! unsupported: version \"2\"\n"},
	} {
		check(t, pypi.ParseUVLock, tt.in, tt.want)
	}
}

func TestUVWorkspace(t *testing.T) {
	in := text(
		"version = 1",
		"[manifest]", "members = ['App', 'lib']",
		"[manifest.dependency-groups]", "ci = [{name = 'grouped', specifier = '>=1'}]",
		"[[package]]", "name = 'app'", "version = '0'", "source = {virtual = '.'}", "dependencies = [{name = 'lib'}, {name = 'twice', version = '2', source = {registry = 'x'}, marker = 'y'}]",
		"[package.optional-dependencies]", "x = [{name = 'extra'}]",
		"[package.dev-dependencies]", "dev = [{name = 'tool'}, {name = 'twice', version = '2'}]",
		"[package.metadata]", "requires-dist = [{name = 'nothing', specifier = '>=1'}]",
		"[[package]]", "name = 'extra'", "version = '1'", "source = {registry = 'x'}",
		"[[package]]", "name = 'grouped'", "version = '1'", "source = {registry = 'x'}",
		"[[package]]", "name = 'lib'", "version = '0'", "source = {editable = 'libs/lib'}", "dependencies = [{name = 'twice', version = '1'}]",
		"[[package]]", "name = 'tool'", "version = '1'", "source = {registry = 'x'}", "dependencies = [{name = 'deep'}]",
		"[[package]]", "name = 'twice'", "version = '1'", "source = {registry = 'x'}",
		"[[package]]", "name = 'twice'", "version = '2'", "source = {registry = 'x'}",
		"[[package]]", "name = 'deep'", "version = '1'", "source = {registry = 'x'}",
	)
	check(t, pypi.ParseUVLock, in, text(
		"6 workspace app 0 url=.",
		"17 registry extra 1 url=x direct by=0",
		"21 registry grouped 1 url=x direct",
		"25 workspace lib 0 url=libs/lib direct by=0",
		"30 registry tool 1 url=x scope=dev direct by=0",
		"35 registry twice 1 url=x direct by=3",
		"39 registry twice 2 url=x direct by=0",
		"43 registry deep 1 url=x by=4",
	))
	// What is direct does not depend on the edges.
	file := pypi.ParseUVLock([]byte(in), lockfile.Options{})
	direct := ""
	for _, p := range file.Packages {
		if p.RequiredBy != nil {
			t.Errorf("%s has edges that nobody asked for", p.Name)
		}
		if p.Direct == lockfile.Yes {
			direct += " " + p.Name
		}
	}
	if direct != " extra grouped lib tool twice twice" {
		t.Errorf("direct without edges:%s", direct)
	}
}

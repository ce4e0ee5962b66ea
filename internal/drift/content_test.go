package drift_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/drift/tarball"
)

func TestSummarise(t *testing.T) {
	long := entry("package/dist/app.mjs", "app")
	long.Longest = 200_000
	npm := archive(`{
		"scripts": {"postinstall": "node x.js", "prepare": "tsc", "test": 1},
		"Scripts": {"preinstall": "folded keys are not npm's"},
		"dependencies": {"a": "^1.0.0", "b": "git+https://example.com/b.git", "c": "acme/c#main", "d": "npm:e@1", "f": "file:../f", "g": "https://example.com/g.tgz"},
		"optionalDependencies": {"h": "github:acme/h#0123"},
		"devDependencies": {"i": "acme/i"}
	}`, "index.js", "binding.gyp", "deps/x.gyp", "changed.js")
	npm.Listing.Entries = append(npm.Listing.Entries, long)
	module := drift.Archive{Name: "v1.0.0.zip", Listing: tarball.Listing{Entries: []tarball.Entry{
		entry("example.com/acme/sdk@v1.0.0/go.mod", "go.mod"), entry("example.com/acme/sdk@v1.0.0/sub/evil.go", "evil"),
	}}}
	for _, tt := range []struct {
		what     string
		archives []drift.Archive
		tree     drift.Asked[map[string]string]
		want     *drift.Content
	}{
		{"nothing", nil, tree("a"), nil},
		{
			"npm",
			[]drift.Archive{npm},
			tree("index.js", "binding.gyp", "deps/x.gyp"),
			&drift.Content{
				Files: 6, Bytes: npmBytes(npm), Compared: true, Native: []string{"binding.gyp"}, Long: []string{"dist/app.mjs"},
				Apart:   []string{"changed.js", "dist/app.mjs"},
				Scripts: map[string]string{"postinstall": "node x.js"},
				Git:     map[string]string{"b": "git+https://example.com/b.git", "c": "acme/c#main", "g": "https://example.com/g.tgz", "h": "github:acme/h#0123"},
			},
		},
		{
			"a module",
			[]drift.Archive{module},
			tree("go.mod"),
			&drift.Content{Files: 2, Bytes: 10, Compared: true, Apart: []string{"sub/evil.go"}},
		},
		{
			"without a tree",
			[]drift.Archive{module},
			drift.Asked[map[string]string]{},
			&drift.Content{Files: 2, Bytes: 10},
		},
		{
			"damaged",
			[]drift.Archive{{Name: "a.tgz", Fault: "cut"}},
			tree(),
			&drift.Content{Faults: []string{"a.tgz: cut"}, Compared: true},
		},
		{
			"no manifest",
			[]drift.Archive{{Name: "a.tgz"}},
			tree(),
			&drift.Content{Faults: []string{"a.tgz: no package.json of a size that is read"}, Compared: true},
		},
		{
			"a manifest that is none",
			[]drift.Archive{archive(`[]`)},
			tree("package.json"),
			&drift.Content{Files: 1, Bytes: 12, Faults: []string{"sdk.tgz: package.json is no JSON object"}, Compared: true},
		},
		{
			"wheel and source", wheelAndSource([]string{"x/a.py", "x/b.py", "x/data.txt"}, []string{"x/a.py"}),
			drift.Asked[map[string]string]{},
			&drift.Content{Files: 4, Bytes: 28, Paired: true, WheelOnly: []string{"x/b.py"}},
		},
		{
			"a wheel alone", wheelAndSource([]string{"x/a.py"}, nil)[:1], tree("x/b.py"),
			&drift.Content{Files: 1, Bytes: 6, Compared: true},
		},
	} {
		if d := cmp.Diff(tt.want, drift.Summarise(tt.archives, tt.tree)); d != "" {
			t.Errorf("%s: -want +got:\n%s", tt.what, d)
		}
	}
}

func npmBytes(a drift.Archive) (n int64) {
	for _, e := range a.Listing.Entries {
		n += e.Size
	}
	return n
}

// FuzzManifest: whatever a package.json holds, it is read the same twice, and what runs on
// installation is not lost by how it is spelled.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifest))
	f.Add([]byte(`{"scripts":{"preinstall":"a","preinstall":"b"},"dependencies":{"x":"a/b"}}`))
	f.Add([]byte(`{"scripts":[],"dependencies":null,"optionalDependencies":{"a":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		archives := []drift.Archive{archive(string(data))}
		one, two := drift.Summarise(archives, tree()), drift.Summarise(archives, tree())
		if fmt.Sprint(*one) != fmt.Sprint(*two) {
			t.Fatalf("%v\n%v", *one, *two)
		}
		for name := range one.Scripts {
			if !bytes.Contains(data, []byte(`\u`)) && !bytes.Contains(data, []byte(name)) {
				t.Fatalf("%q is in no %q", name, data)
			}
		}
		for name := range one.Git {
			if strings.HasPrefix(one.Git[name], "npm:") {
				t.Fatalf("%q: %q", name, one.Git[name])
			}
		}
	})
}

// BenchmarkResults judges 1,000 artifacts with 20 versions each.
func BenchmarkResults(b *testing.B) {
	var all []drift.Artifact
	for i := range 1000 {
		a := good(fmt.Sprintf("@acme/p%d", i))
		for len(a.Subjects) < 20 {
			n := len(a.Subjects)
			p, s := a.Listing.Releases[n%5], a.Subjects[n%5]
			p.Version = fmt.Sprintf("2.%d.0", n)
			a.Listing.Releases, a.Subjects = append(a.Listing.Releases, p), append(a.Subjects, s)
		}
		a.Yesterday = yesterdayOf(a, 20)
		all = append(all, a)
	}
	b.ReportAllocs()
	for b.Loop() {
		drift.Results(all)
	}
}

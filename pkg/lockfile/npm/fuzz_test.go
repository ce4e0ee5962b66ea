package npm_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

func FuzzPackageLock(f *testing.F) {
	fuzzReader(f, npm.ParsePackageLock, "testdata/made/*/package-lock.json", npm.PackageLockSample,
		v1(`"a":{"version":"npm:b@1.0.0","requires":{"c":"1"},"dependencies":{"c":{"version":"git+ssh://h/c.git#`+commit+`"}}}`),
		v3(`"":{"dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0","resolved":"https://r/b/-/b-2.0.0.tgz","integrity":"`+sha1+`","dev":true},`),
		`{"lockfileVersion":2,"packages":{"node_modules/a":{"link":true,"resolved":"x"}},"dependencies":{"a":{"version":"file:x"}}}`,
		v3(`?"node_modules/a":{"version":"1.0.0","node_modules/b":{"version":"2.0.0"}`))
}

func FuzzBunLock(f *testing.F) {
	fuzzReader(f, npm.ParseBunLock, "testdata/*/bun.lock", npm.BunLockSample,
		bun(`"a":["a@github:o/a#0123456",{"dependencies":{"b":"1"}},"t","`+sha512+`"],"a/@s/b":["@s/b@1.0.0","",{"bundled":true},""]`),
		`{"workspaces":{"":{"dependencies":{"a":"1"}},"w":{"name":"w","dependencies":{"a":"1"}}},"packages":{"w/a":["a@1.0.0","",{},""]}}`)
}

func FuzzDenoLock(f *testing.F) {
	fuzzReader(f, npm.ParseDenoLock, "testdata/made/*/deno.lock", npm.DenoLockSample,
		`{"version":"2","npm":{"specifiers":{"a@1":"a@1.0.0"},"packages":{"a@1.0.0":{"dependencies":{"x":"a@1.0.0"}}}}}`,
		`{"version":"4","specifiers":{"npm:a@1":"1.0.0_c@1.0.0"},"jsr":{"@s/j@1.0.0":{"dependencies":["npm:a@1"]}},"npm":{"a@1.0.0_c@1.0.0":{"dependencies":["x@npm:a@1.0.0"]}}}`)
}

func FuzzManifest(f *testing.F) {
	fuzzReader(f, npm.ParseManifest, "testdata/made/*/package-lock.json", npm.ManifestSample,
		`{"dependencies":{"a":"npm:b@^1","c":"o/r#`+commit+`"},"overrides":{"a@1":{".":"2","b>c":"3"}},"resolutions":{"**/@s/a@npm:1":"2"},"pnpm":{"overrides":{"a@1>b@>2":"-"}}}`)
}

func FuzzInstalled(f *testing.F) {
	fuzzReader(f, npm.ParseInstalled, "testdata/made/*/package-lock.json", npm.InstalledSample,
		`{"name":"a","version":"1.0.0","name":"b","_resolved":"https://r/c/-/c-1.0.0.tgz","_integrity":"`+sha1+`"}`)
}

// fuzzReader holds a reader to what package lockfile says of all: it does not panic, gives
// one answer to one file, asks nothing of the options but edges, keeps nothing of data, and
// speaks of lines and entries that exist.
func fuzzReader(f *testing.F, parse parser, glob string, sample func(name, version string) string, seeds ...string) {
	f.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err) // an empty corpus would pass in silence
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range append(seeds, sample("@scope/x", "1.0.0")) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		scratch := bytes.Clone(data)
		plain := parse(scratch, lockfile.Options{})
		clear(scratch)
		again := parse(data, lockfile.Options{})
		if diff := cmp.Diff(plain.Packages, again.Packages); diff != "" {
			t.Fatalf("two answers (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(plain.Problems, again.Problems); diff != "" {
			t.Fatalf("two answers (-first +second):\n%s", diff)
		}
		edges := parse(data, lockfile.Options{Edges: true})
		if diff := cmp.Diff(plain.Packages, edges.Packages, cmpopts.IgnoreFields(lockfile.Package{}, "RequiredBy")); diff != "" {
			t.Fatalf("edges change the entries (-without +with):\n%s", diff)
		}
		checkFile(t, data, edges)
	})
}

func checkFile(t *testing.T, data []byte, file lockfile.File) {
	t.Helper()
	lines := bytes.Count(data, []byte("\n")) + 1
	if len(file.Packages) > len(data) || len(file.Problems) > lockfile.MaxProblems {
		t.Fatalf("%d packages and %d problems out of %d bytes", len(file.Packages), len(file.Problems), len(data))
	}
	for _, p := range file.Problems {
		if p.Line < 0 || p.Line > lines {
			t.Fatalf("%v is on no line", p)
		}
	}
	for i, p := range file.Packages {
		if p.Line < 1 || p.Line > lines {
			t.Fatalf("%+v is on no line", p)
		}
		for _, d := range p.Digests {
			if !d.Valid() {
				t.Fatalf("%+v has a damaged digest", p)
			}
		}
		if !slices.IsSorted(p.RequiredBy) || len(p.RequiredBy) > 0 &&
			(p.RequiredBy[0] < 0 || int(p.RequiredBy[len(p.RequiredBy)-1]) >= len(file.Packages)) {
			t.Fatalf("package %d is required by %v of %d", i, p.RequiredBy, len(file.Packages))
		}
	}
}

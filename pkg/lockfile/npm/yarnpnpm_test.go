package npm_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

var update = flag.Bool("update", false, "rewrite the golden files beside the lockfiles of testdata; read them in review")

// yarnAndPnpm are the formats that this file tests, by base name.
var yarnAndPnpm = []struct {
	base, dir string
	parse     parser
}{
	{"yarn.lock", "testdata/yarn", npm.ParseYarn},
	{"pnpm-lock.yaml", "testdata/pnpm", npm.ParsePnpm},
}

// TestMade reads what the tools themselves wrote: see scripts/make-yarn-pnpm-fixtures.sh. Each
// folder has beside its lockfile what is read of it, a line an entry.
func TestMade(t *testing.T) {
	for _, format := range yarnAndPnpm {
		files := filesNamed(t, format.dir, format.base)
		if len(files) < 4 {
			t.Errorf("%d files called %s in %s", len(files), format.base, format.dir)
		}
		for _, file := range files {
			got := listing(format.parse(readFile(t, file), lockfile.Options{Edges: true}))
			golden := filepath.Join(filepath.Dir(file), "entries.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if diff := cmp.Diff(string(readFile(t, golden)), got); diff != "" {
				t.Errorf("%s: -want +got\n%s", file, diff)
			}
		}
	}
}

// listing writes down all that was read of a file, a line an entry.
func listing(file lockfile.File) string {
	var b strings.Builder
	for _, p := range file.Packages {
		fmt.Fprintf(&b, "%d: %s %s", p.Line, p.Name, p.Version)
		if p.Alias != "" {
			fmt.Fprintf(&b, " as %s", p.Alias)
		}
		fmt.Fprintf(&b, ", %v", p.Source.Kind)
		if p.Source.URL != "" {
			fmt.Fprintf(&b, " %s", p.Source.URL)
		}
		if p.Source.Commit != "" {
			fmt.Fprintf(&b, " at %s", p.Source.Commit)
		}
		if p.Direct == lockfile.Yes {
			b.WriteString(", direct")
		}
		if p.Scope != 0 {
			fmt.Fprintf(&b, ", %v", p.Scope)
		}
		for _, d := range p.Digests {
			fmt.Fprintf(&b, ", %v", d.Algorithm)
		}
		for i, by := range p.RequiredBy {
			fmt.Fprintf(&b, "%s%s %s", map[bool]string{true: ", by ", false: " and "}[i == 0], file.Packages[by].Name, file.Packages[by].Version)
		}
		b.WriteByte('\n')
	}
	for _, p := range file.Problems {
		fmt.Fprintf(&b, "%v\n", p)
	}
	return b.String()
}

// missingRows are rows that the oracle lacks by a mistake of the reader it was made with: of
// keys in the form of 6.0 whose first peer has a scope, "/vite@5.0.5(@types/node@20.10.3)".
var missingRows = map[string][]lockfile.Identity{
	"vuejs__vue/pnpm-lock.yaml": {
		{Name: "@microsoft/api-extractor", Version: "7.38.4"},
		{Name: "@microsoft/api-extractor-model", Version: "7.28.2"},
		{Name: "@rushstack/node-core-library", Version: "3.61.0"},
		{Name: "ts-node", Version: "10.9.1"},
		{Name: "vite", Version: "5.0.5"},
		{Name: "vite-node", Version: "1.0.4"},
		{Name: "vitest", Version: "1.0.4"},
	},
}

// localVersion is the version of what yarn takes from the project itself: members of the
// workspace, links and portals. The oracle leaves out the root alone.
const localVersion = "0.0.0-use.local"

// TestYarnAndPnpmCorpus compares what is read of the real files with the oracle, both ways.
func TestYarnAndPnpmCorpus(t *testing.T) {
	dir := xtest.Corpus(t)
	oracle := readOracle(t, filepath.Join(dir, "oracle.tsv"))
	for file, rows := range missingRows {
		for _, id := range rows {
			if oracle[file][id] {
				t.Errorf("%s: the oracle has %v: take it off the list", file, id)
			}
			oracle[file][id] = true
		}
	}
	for _, format := range yarnAndPnpm {
		files, rows, local := 0, 0, 0
		for _, name := range filesNamed(t, dir, format.base) {
			rel, err := filepath.Rel(dir, name)
			if err != nil {
				t.Fatal(err)
			}
			rel = filepath.ToSlash(rel)
			for id := range oracle[rel] {
				if id.Version == localVersion {
					delete(oracle[rel], id)
					local++
				}
			}
			files++
			rows += compareFile(t, rel, readFile(t, name), format.parse, oracle[rel])
		}
		if files == 0 || rows == 0 {
			t.Errorf("%d files and %d rows of %s in the corpus", files, rows, format.base)
		}
		t.Logf("%s: %d files, %d rows, %d rows of the project itself left out", format.base, files, rows, local)
	}
}

// The edges of a real file lead from what is direct to every entry but those of the project.
func TestYarnAndPnpmChains(t *testing.T) {
	dir := xtest.Corpus(t)
	for _, format := range yarnAndPnpm {
		for _, name := range filesNamed(t, dir, format.base) {
			file := format.parse(readFile(t, name), lockfile.Options{Edges: true})
			for i, p := range file.Packages {
				if p.Version != localVersion && p.Source.Kind.Exact() && file.Chain(i) == nil {
					t.Errorf("%s: nothing leads to %s@%s on line %d", name, p.Name, p.Version, p.Line)
				}
			}
		}
	}
}

func BenchmarkYarnAndPnpm(b *testing.B) {
	dir := xtest.Corpus(b)
	for _, format := range yarnAndPnpm {
		for _, name := range filesNamed(b, dir, format.base) {
			data := readFile(b, name)
			if len(data) < 100_000 {
				continue
			}
			rel, _ := filepath.Rel(dir, filepath.Dir(name))
			for _, edges := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/%s/edges=%v", format.base, strings.ReplaceAll(rel, string(filepath.Separator), "_"), edges), func(b *testing.B) {
					b.SetBytes(int64(len(data)))
					b.ReportAllocs()
					for b.Loop() {
						format.parse(data, lockfile.Options{Edges: edges})
					}
				})
			}
		}
	}
}

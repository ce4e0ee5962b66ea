package npm_test

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

type parser func(data []byte, opt lockfile.Options) lockfile.File

// corpusFormats are the formats of this file's readers that the corpus has real files of.
var corpusFormats = []struct {
	base  string
	parse parser
}{
	{"package-lock.json", npm.ParsePackageLock},
	{"npm-shrinkwrap.json", npm.ParsePackageLock},
	{"bun.lock", npm.ParseBunLock},
}

// TestCorpus compares what is read of the real files with the oracle, both ways: every
// row that is no local or git entry, and no other row.
func TestCorpus(t *testing.T) {
	dir := xtest.Corpus(t)
	oracle := readOracle(t, filepath.Join(dir, "oracle.tsv"))
	for _, format := range corpusFormats {
		t.Run(format.base, func(t *testing.T) {
			files, rows := 0, 0
			for _, file := range filesNamed(t, dir, format.base) {
				files++
				rel, err := filepath.Rel(dir, file)
				if err != nil {
					t.Fatal(err)
				}
				rel = filepath.ToSlash(rel)
				rows += compareFile(t, rel, readFile(t, file), format.parse, oracle[rel])
			}
			if files == 0 || rows == 0 {
				t.Errorf("%d files and %d rows of %s in the corpus", files, rows, format.base)
			}
			t.Logf("%d files, %d rows", files, rows)
		})
	}
}

// broken are the files of the corpus that a bad merge or their makers broke. They have no
// rows, and must not be silent.
var broken = map[string]bool{"safedep__vet/pkg/readers/fixtures/multi-with-invalid/package-lock.json": true}

func compareFile(t *testing.T, rel string, data []byte, parse parser, want map[lockfile.Identity]bool) (rows int) {
	t.Helper()
	file := parse(data, lockfile.Options{})
	if (len(file.Problems) > 0) != broken[rel] {
		t.Errorf("%s: problems %v", rel, file.Problems)
	}
	got := map[lockfile.Identity]bool{}
	for _, p := range file.Packages {
		if p.Source.Kind.Exact() {
			got[lockfile.Identity{Name: p.Name, Version: p.Version}] = true
		}
	}
	for id := range want {
		if !got[id] {
			t.Errorf("%s: %s@%s is in the oracle and was not read", rel, id.Name, id.Version)
		}
	}
	for id := range got {
		if !want[id] {
			t.Errorf("%s: %s@%s was read and is not in the oracle", rel, id.Name, id.Version)
		}
	}
	return len(got)
}

// readOracle gives the rows of each file that are neither local nor git.
func readOracle(t *testing.T, name string) map[string]map[lockfile.Identity]bool {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := map[string]map[lockfile.Identity]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		column := strings.Split(lines.Text(), "\t")
		if len(column) != 6 || column[1] != "npm" || strings.Contains(column[4], "local") || strings.Contains(column[4], "git") {
			continue
		}
		if rows[column[0]] == nil {
			rows[column[0]] = map[lockfile.Identity]bool{}
		}
		rows[column[0]][lockfile.Identity{Name: column[2], Version: column[3]}] = true
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func filesNamed(t testing.TB, dir, base string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Base(filepath.ToSlash(name)) == base {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func BenchmarkCorpus(b *testing.B) {
	dir := xtest.Corpus(b)
	for _, format := range corpusFormats {
		var files [][]byte
		size := 0
		for _, name := range filesNamed(b, dir, format.base) {
			files = append(files, readFile(b, name))
			size += len(files[len(files)-1])
		}
		for name, edges := range map[string]bool{"entries": false, "edges": true} {
			b.Run(format.base+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					for _, data := range files {
						format.parse(data, lockfile.Options{Edges: edges})
					}
				}
			})
		}
	}
}

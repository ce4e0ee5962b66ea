package gomod_test

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/gomod"
)

// parsers are the readers by the base name of their file.
var parsers = map[string]func([]byte, lockfile.Options) lockfile.File{
	"go.mod": gomod.ParseGoMod, "go.sum": gomod.ParseGoSum, "go.work": gomod.ParseGoWork, "go.work.sum": gomod.ParseGoSum,
	"modules.txt": gomod.ParseVendorModules,
}

// row is a row of the oracle: a version without its "v".
type row struct{ file, name, version string }

// oracle reads the Go rows of the corpus.
func oracle(t *testing.T, corpus string) map[row]bool {
	t.Helper()
	f, err := os.Open(filepath.Join(corpus, "oracle.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := map[row]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		column := strings.Split(lines.Text(), "\t")
		if column[1] == "Go" {
			rows[row{column[0], column[2], column[3]}] = true
		}
	}
	if len(rows) == 0 {
		t.Fatal("the oracle has no Go rows")
	}
	return rows
}

// corpusFiles gives the files of the corpus with the given base names, relative to it.
func corpusFiles(t testing.TB, corpus string, names ...string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(corpus, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, name := range names {
			if d.Name() != name {
				continue
			}
			rel, err := filepath.Rel(corpus, p)
			if err != nil {
				return err
			}
			if files[filepath.ToSlash(rel)], err = os.ReadFile(p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of %q: %v", len(files), names, err)
	}
	return files
}

func TestOracle(t *testing.T) {
	corpus := xtest.Corpus(t)
	want := oracle(t, corpus)
	got := map[row]bool{}
	for file, data := range corpusFiles(t, corpus, "go.mod", "modules.txt") {
		parsed := parsers[path.Base(file)](data, lockfile.Options{})
		for _, p := range parsed.Problems {
			t.Errorf("%s: %v", file, p)
		}
		for _, p := range parsed.Packages {
			if p.Source.Kind.Exact() && p.Version != "" {
				got[row{file, p.Name, strings.TrimPrefix(p.Version, "v")}] = true
			}
		}
	}
	for r := range want {
		if !got[r] {
			t.Errorf("missing %v", r)
		}
	}
	for r := range got {
		if !want[r] {
			t.Errorf("not in the oracle: %v", r)
		}
	}
}

func TestCorpusReadsWhole(t *testing.T) {
	for file, data := range corpusFiles(t, xtest.Corpus(t), "go.sum", "go.work", "go.work.sum") {
		parsed := parsers[path.Base(file)](data, lockfile.Options{})
		for _, p := range parsed.Problems {
			t.Errorf("%s: %v", file, p)
		}
		if len(parsed.Packages) == 0 && len(data) > 0 {
			t.Errorf("%s: no entries", file)
		}
	}
}

package pypi_test

import (
	"bufio"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

// corpusParser is the reader of a file of the corpus, nil for a file of other formats.
func corpusParser(file string) parser {
	base := path.Base(file)
	switch {
	case base == "poetry.lock":
		return pypi.ParsePoetryLock
	case base == "uv.lock":
		return pypi.ParseUVLock
	case base == "pdm.lock":
		return pypi.ParsePDMLock
	case base == "Pipfile.lock":
		return pypi.ParsePipfileLock
	case base == "Pipfile":
		return pypi.ParsePipfile
	case base == "pyproject.toml":
		return pypi.ParsePyproject
	case strings.HasPrefix(base, "pylock.") && path.Ext(base) == ".toml":
		return pypi.ParsePylock
	case path.Ext(base) == ".in":
		return pypi.ParseRequirementsIn
	case path.Ext(base) == ".txt" && (strings.Contains(base, "requirements") || path.Base(path.Dir(file)) == "requirements"):
		return pypi.ParseRequirements
	}
	return nil
}

// corpusProblems are the files of the corpus that are broken, by their makers or by a bad
// merge, with a part of what is to be said of them.
var corpusProblems = map[string]string{
	"aws-samples__aws-serverless-airline-booking/src/backend/payment/poetry.lock":         "repeated-key",
	"python-poetry__poetry/tests/fixtures/invalid_lock/poetry.lock":                       "syntax",
	"python-poetry__poetry/tests/fixtures/incompatible_lock/poetry.lock":                  "unsupported",
	"python-poetry__poetry/tests/fixtures/project_with_setup_calls_script/pyproject.toml": "syntax", // requires = ["<scripts>"]
}

// beyondOracle are sound files whose rows the oracle does not have: one that no other file
// includes and whose name no reader of the oracle knows, and a broken one that is read all
// the same.
var beyondOracle = []string{
	"pypi__warehouse/requirements/dev.txt",
	"aws-samples__aws-serverless-airline-booking/src/backend/payment/poetry.lock",
}

// TestCorpus compares what is read of real files with the oracle, both ways: every row that
// is neither local nor git, and no other.
func TestCorpus(t *testing.T) {
	dir := xtest.Corpus(t)
	want := readOracle(t, filepath.Join(dir, "oracle.tsv"))
	files, rows := 0, 0
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		parse := corpusParser(rel)
		if parse == nil {
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		files++
		rows += compareWithOracle(t, rel, parse(data, lockfile.Options{}), want[rel])
		delete(want, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for file := range want {
		t.Errorf("%s has rows in the oracle and was not read", file)
	}
	if files < 200 || rows < 1700 {
		t.Errorf("%d files and %d rows in the corpus", files, rows)
	}
}

func compareWithOracle(t *testing.T, rel string, f lockfile.File, want map[lockfile.Identity]bool) (rows int) {
	t.Helper()
	said := ""
	for _, p := range f.Problems {
		said += p.String() + "; "
	}
	if expected := corpusProblems[rel]; (said == "") != (expected == "") || !strings.Contains(said, expected) {
		t.Errorf("%s: problems %q, want %q in them", rel, said, expected)
	}
	got := map[lockfile.Identity]bool{}
	for _, p := range f.Packages {
		if p.Source.Kind.Exact() {
			got[lockfile.Identity{Name: p.Name, Version: p.Version}] = true
		}
	}
	for id := range want {
		if !got[id] {
			t.Errorf("%s: %s %s is in the oracle and was not read", rel, id.Name, id.Version)
		}
	}
	for id := range got {
		if !want[id] && !slices.Contains(beyondOracle, rel) {
			t.Errorf("%s: %s %s was read and is not in the oracle", rel, id.Name, id.Version)
		}
	}
	return len(got)
}

// readOracle gives the PyPI rows by file, without those that are local or git.
func readOracle(t *testing.T, file string) map[string]map[lockfile.Identity]bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := map[string]map[lockfile.Identity]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) != 6 || columns[1] != "PyPI" {
			continue
		}
		notes := strings.Split(columns[4], ",")
		if slices.Contains(notes, "local") || slices.Contains(notes, "git") {
			continue
		}
		if rows[columns[0]] == nil {
			rows[columns[0]] = map[lockfile.Identity]bool{}
		}
		rows[columns[0]][lockfile.Identity{Name: columns[2], Version: columns[3]}] = true
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

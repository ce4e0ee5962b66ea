package pypi_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// TestFixtures reads files that were written by hand, each with all that its format has, and
// compares with a golden file that is read in review.
func TestFixtures(t *testing.T) {
	for _, tt := range []struct {
		file  string
		parse parser
	}{
		{"requirements.txt", pypi.ParseRequirements},
		{"poetry.lock", pypi.ParsePoetryLock},
		{"poetry-old.lock", pypi.ParsePoetryLock},
		{"uv.lock", pypi.ParseUVLock},
		{"pdm.lock", pypi.ParsePDMLock},
		{"pdm-old.lock", pypi.ParsePDMLock},
		{"pylock.toml", pypi.ParsePylock},
		{"Pipfile.lock", pypi.ParsePipfileLock},
		{"Pipfile", pypi.ParsePipfile},
		{"pyproject.toml", pypi.ParsePyproject},
		{"METADATA", pypi.ParseMetadata},
	} {
		data, err := os.ReadFile("testdata/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		got := show(tt.parse(data, lockfile.Options{Edges: true}))
		golden := "testdata/golden/" + tt.file + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s", tt.file, cmp.Diff(string(want), got))
		}
	}
}

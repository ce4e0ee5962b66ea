package main

import (
	"bytes"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/cli"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// row is a package of a file, in the oracle and in an inventory: Go versions without "v".
type row struct{ file, ecosystem, name, version string }

// oracleErrors are the files of the corpus about which the oracle is known to be wrong, with
// the number of its rows that are none, and of ours that it lacks.
var oracleErrors = map[string]struct {
	missing, extra int
	why            string
}{
	"redhat-developer__rhdh/yarn.lock": {
		8, 0, "members of the project itself, at version 0.0.0-use.local, without the note local",
	},
	"redhat-developer__rhdh/dynamic-plugins/yarn.lock": {
		42, 0, "members of the project itself, at version 0.0.0-use.local, without the note local",
	},
	"redhat-developer__rhdh/e2e-tests/yarn.lock": {
		1, 0, "the project itself, at version 0.0.0-use.local, without the note local",
	},
	"vuejs__vue/pnpm-lock.yaml": {
		0, 7, "locked with peers, as in /api-extractor@7.38.4(@types/node@20.10.3), and left out",
	},
	"pypi__warehouse/requirements/dev.txt": {
		0, 27, "a requirements file by its folder, which the oracle's readers do not open",
	},
	"aws-samples__aws-serverless-airline-booking/src/backend/payment/poetry.lock": {
		0, 61, "broken by a repeated table; what stands around it is read, beside the problem",
	},
}

// TestInventoryIsTheOracle compares the inventory of the corpus with what other readers say
// of it, row by row.
func TestInventoryIsTheOracle(t *testing.T) {
	dir := xtest.Corpus(t)
	oracle, err := os.ReadFile(filepath.Join(dir, "oracle.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var inventory, stderr bytes.Buffer
	if exit := cli.Main(t.Context(), []string{"inventory", dir}, strings.NewReader(""), &inventory, &stderr); exit != 3 {
		t.Fatalf("inventory of the corpus exits %d, want 3: it holds broken files\n%s", exit, stderr.Bytes())
	}

	known, local := map[row]bool{}, map[row]bool{}
	for _, f := range rows(t, string(oracle)) {
		r := row{f[0], f[1], f[2], f[3]}
		known[r] = true
		notes := strings.Split(f[4], ",")
		local[r] = slices.Contains(notes, "local") || slices.Contains(notes, "git")
	}
	ours := map[row]bool{}
	for _, f := range rows(t, inventory.String()) {
		switch path.Base(f[0]) {
		case "go.sum", "go.work", "go.work.sum":
			continue // not in the oracle
		}
		if f[1] == "GitHub Actions" {
			continue // nor these
		}
		if f[1] == "Go" {
			f[3] = strings.TrimPrefix(f[3], "v")
		}
		ours[row{f[0], f[1], f[2], f[3]}] = true
	}

	missing, extra := map[string][]row{}, map[string][]row{}
	for r := range known {
		if !ours[r] && !local[r] {
			missing[r.file] = append(missing[r.file], r)
		}
	}
	for r := range ours {
		if !known[r] || local[r] {
			extra[r.file] = append(extra[r.file], r)
		}
	}
	for file, wrong := range oracleErrors {
		if len(missing[file]) != wrong.missing || len(extra[file]) != wrong.extra {
			t.Errorf("%s: %d rows missing and %d too many, want %d and %d (%s):\n%v\n%v",
				file, len(missing[file]), len(extra[file]), wrong.missing, wrong.extra, wrong.why, missing[file], extra[file])
		}
		delete(missing, file)
		delete(extra, file)
	}
	for _, file := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s: missing %v", file, missing[file])
	}
	for _, file := range slices.Sorted(maps.Keys(extra)) {
		t.Errorf("%s: not in the oracle %v", file, extra[file])
	}
}

// rows gives the fields of each line of a table but its header.
func rows(t *testing.T, table string) [][]string {
	t.Helper()
	_, body, _ := strings.Cut(table, "\n")
	var out [][]string
	for line := range strings.Lines(body) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 6 {
			t.Fatalf("%d columns in %q, want 6", len(fields), line)
		}
		out = append(out, fields)
	}
	if len(out) == 0 {
		t.Fatal("a table without rows: a comparison would pass in silence")
	}
	return out
}

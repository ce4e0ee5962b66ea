package discover_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/source/local"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// reads is how a folder of repositories is told from a repository, as for a sweep.
func reads(path string) bool { return sweep.Reads(path) || discover.Reads(path) }

// run proposes a policy for what lies in a folder.
func run(t testing.TB, dir string, opt discover.Options) *discover.Proposal {
	t.Helper()
	p, err := discover.Run(t.Context(), local.Repositories(t.Context(), []string{dir}, reads), opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s: -want +got\n%s", path, d)
	}
}

func TestExample(t *testing.T) {
	p := run(t, "../../examples/org", discover.Options{Organisation: "acme", Name: "wormsweep.yaml"})
	golden(t, "example.golden", p.Text)
	for _, n := range p.Notes {
		t.Log(n)
	}
	for _, n := range p.Unread {
		t.Log("UNREAD", n)
	}
	t.Log(p.Missing)
}

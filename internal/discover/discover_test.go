package discover_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/policy"
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

// TestExample: what is proposed for the example organisation, and that nothing more than what
// is named there keeps it from validating.
func TestExample(t *testing.T) {
	p := run(t, exampleOrg, discover.Options{Organisation: "acme", Name: "wormsweep.yaml"})
	golden(t, "example.golden", p.Text)
	if len(p.Unread) > 0 || p.Missing == nil {
		t.Errorf("unread %q, missing %v", p.Unread, p.Missing)
	}
	filled := regexp.MustCompile(`# ((?:repository|owner)-id:) to be filled in: .*`).ReplaceAll(p.Text, []byte("$1 1"))
	if _, err := policy.Parse("wormsweep.yaml", filled); err != nil {
		t.Errorf("%v\n%s", err, filled)
	}
}

// TestExampleTightened: the example's policy is the proposal, tightened: it has each artifact,
// believes no signer that was not proposed, and is not changed by another run.
func TestExampleTightened(t *testing.T) {
	text, err := os.ReadFile("../../examples/wormsweep.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, exampleOrg, discover.Options{Existing: text, Name: "wormsweep.yaml"})
	if string(p.Text) != string(text) || len(p.Added) > 0 || p.Missing != nil {
		t.Errorf("added %q, missing %v", p.Added, p.Missing)
	}
	tightened, err := policy.Parse("wormsweep.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	proposed := string(run(t, exampleOrg, discover.Options{Organisation: "acme"}).Text)
	for i := range tightened.Artifacts {
		a := &tightened.Artifacts[i]
		if !strings.Contains(proposed, "- artifact: "+a.ID()+"\n") || a.Unsigned {
			t.Errorf("%s was not proposed, or is unsigned", a.ID())
		}
		for _, id := range a.Identities {
			if !strings.Contains(proposed, id.SAN) {
				t.Errorf("%s: %s was not proposed", a.ID(), id.SAN)
			}
		}
	}
}

const exampleOrg = "../../examples/org"

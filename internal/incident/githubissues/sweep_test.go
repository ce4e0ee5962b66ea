package githubissues_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/cli"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// TestSweeps: what real sweeps of an organisation put out opens the issue, leaves it alone,
// proves it clean, and opens it again. With an inventory a ref that did not change is proven
// by what is remembered.
func TestSweeps(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	const (
		planted = `{"lockfileVersion":3,"packages":{"":{},"node_modules/wormsweep-test-indicator":{"version":"6.6.6"}}}`
		clean   = `{"lockfileVersion":3,"packages":{"":{}}}`
	)
	owners := "* @acme/owners"
	hit := s.AddFiles("hit", map[string]string{"package-lock.json": planted, ".github/CODEOWNERS": owners})
	s.AddFiles("other", map[string]string{"package-lock.json": clean})
	incidents := s.AddFiles("incidents", map[string]string{"README.md": "x"})
	t.Setenv("WORMSWEEP_APP_ID", fmt.Sprint(s.App().ID))
	t.Setenv("WORMSWEEP_APP_KEY", string(s.App().Key))
	inventory := filepath.Join(t.TempDir(), "inventory.db")
	day := func(want string, exit int, flags ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		args := append([]string{"sweep", "--org", "acme", "--github-url", s.URL(), "--inventory", inventory, "--issues", "acme/incidents"}, flags...)
		if code := cli.Main(context.Background(), args, strings.NewReader(""), &out, &errs); code != exit {
			t.Errorf("exit code %d; want %d\n%s%s", code, exit, out.String(), errs.String())
		}
		var got []string
		for _, i := range incidents.Issues() {
			got = append(got, fmt.Sprintf("%d %s, %d comments", i.Number, i.State, len(i.Comments)))
		}
		if got := strings.Join(got, "; "); got != want {
			t.Errorf("issues: %s; want %s\n%s", got, want, errs.String())
		}
	}
	day("1 open, 0 comments", 1)
	body := incidents.Issues()[0].Body
	for _, want := range []string{"- [ ] `acme/hit`, 1 place", "owned by `@acme/owners`", "`package-lock.json` line 1 at `refs/heads/main`", "known good: `1.0.0`"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in:\n%s", want, body)
		}
	}
	day("1 open, 0 comments", 1)
	if got := incidents.Issues()[0].Body; got != body {
		t.Errorf("nothing changed, and the text did:\n%s", got)
	}
	day("1 open, 0 comments", 0, "--include", "other")                 // the hit repository is not read
	day("1 open, 0 comments", 0, "--campaign", "shai-hulud-2-2025-11") // and here the campaign is not looked for
	hit.Push("main", map[string]string{"package-lock.json": clean, ".github/CODEOWNERS": owners})
	day("1 closed, 1 comments", 0)
	day("1 closed, 1 comments", 0)
	hit.Push("next", map[string]string{"package-lock.json": planted})
	day("1 open, 2 comments", 1, "--refs", "branches")
}

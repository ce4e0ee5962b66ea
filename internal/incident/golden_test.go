package incident_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata; read them in review")

// TestGolden shows an incident from its first day to its last, as people read it.
func TestGolden(t *testing.T) {
	w := newWorld(t)
	w.opt.Report = "https://github.example/acme/security/actions/runs/17"
	w.opt.Owners = ownersFunc(func(repository string) ([]byte, error) {
		if repository == "web" {
			return []byte("* @acme/everybody\n/frontend/ @acme/frontend lead@example.org\n"), nil
		}
		return nil, nil
	})
	day := func(n int, l looks, more ...finding.Event) {
		f, err := incident.New(w.opt)
		if err != nil {
			t.Fatal(err)
		}
		interest, err := f.Interest(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := sweepOf(n, l, interest)
		for _, e := range more {
			if err := s.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range f.File(context.Background(), s).Problems {
			t.Error(p.Detail)
		}
	}
	file := keyvAt("docs@HEAD:.github/workflows/formatter_123456789.yml")
	file.Package, file.Chain, file.Type, file.Observable, file.Line = nil, nil, "workflow", "path .github/workflows/formatter_*.yml", 0
	file.Safe = nil
	file.Action = "Do not revoke npm tokens before the gh-token-monitor service is removed from the machine: it wipes the home folder when they stop working."
	file.Fingerprint = finding.Fingerprint(file)
	const read = "api@refs/heads/main web@refs/heads/main docs@HEAD billing@HEAD "
	const hits = "api@refs/heads/main:package-lock.json api@refs/heads/main:tools/package-lock.json web@refs/heads/main:frontend/package-lock.json "
	day(1, looks{read: read, found: hits, problems: "billing:truncated legacy:sha256-repo"}, file)
	golden(t, "created.md", w.body(1))
	i := w.tracker.issues[0]
	i.Body = strings.Replace(i.Body, "- [ ] `api`", "- [x] `api`", 1)
	day(2, looks{read: "web@refs/heads/main", found: "web@refs/heads/main:frontend/package-lock.json new@HEAD:yarn.lock"})
	golden(t, "changed.md", w.body(1))
	golden(t, "changed.comment.md", w.lastComment(1))
	day(3, looks{read: read + "new@HEAD"})
	golden(t, "closed.md", w.body(1))
	golden(t, "closed.comment.md", w.lastComment(1))
	day(4, looks{read: read + "new@HEAD", found: "new@HEAD:yarn.lock"})
	golden(t, "reopened.md", w.body(1))
	golden(t, "reopened.comment.md", w.lastComment(1))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Errorf("%v (go test -update writes it)", err)
		return
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: -want +got (go test -update rewrites it):\n%s", name, d)
	}
}

package xtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
)

// probe is a test that is ended: it records how, and stops its goroutine as the real
// one does.
type probe struct {
	testing.TB
	skipped, failed bool
}

func (p *probe) Helper()               {}
func (p *probe) Skipf(string, ...any)  { p.skipped = true; panic(p) }
func (p *probe) Fatalf(string, ...any) { p.failed = true; panic(p) }

func TestDataMissing(t *testing.T) {
	folder := t.TempDir()
	for _, tt := range []struct {
		name, root, ci string
		skipped        bool
	}{
		{"unset", "", "", true},
		{"unset in CI", "", "true", false},
		{"no such file", folder, "", true},
		{"no such file in CI", folder, "true", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("WORMSWEEP_TESTDATA", tt.root)
			t.Setenv("CI", tt.ci)
			p := &probe{TB: t}
			func() {
				defer func() { _ = recover() }()
				xtest.Data(p, "conformance/none")
			}()
			if p.skipped != tt.skipped || p.failed == tt.skipped {
				t.Errorf("WORMSWEEP_TESTDATA=%q CI=%q: skipped %v, failed %v; want skipped %v, failed %v",
					tt.root, tt.ci, p.skipped, p.failed, tt.skipped, !tt.skipped)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	there := filepath.Join(folder, "there")
	if err := os.WriteFile(there, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"there", there} {
		if got := xtest.Program(t, name); got != there {
			t.Errorf("Program(%q) = %q, want %q", name, got, there)
		}
	}
	for ci, skipped := range map[string]bool{"": true, "false": true, "true": false} {
		t.Setenv("CI", ci)
		p := &probe{TB: t}
		func() {
			defer func() { _ = recover() }()
			xtest.Program(p, "none")
		}()
		if p.skipped != skipped || p.failed == skipped {
			t.Errorf("CI=%q: skipped %v, failed %v; want skipped %v, failed %v", ci, p.skipped, p.failed, skipped, !skipped)
		}
	}
}

func TestData(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("WORMSWEEP_TESTDATA", folder)
	want := filepath.Join(folder, "purl")
	if err := os.Mkdir(want, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := xtest.Data(t, "purl"); got != want {
		t.Errorf("Data(%q) = %q, want %q", "purl", got, want)
	}
}

func TestCorpus(t *testing.T) {
	dir := xtest.Corpus(t)
	oracle, err := os.ReadFile(filepath.Join(dir, "oracle.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := strings.Cut(string(oracle), "\n")
	if want := "file\tecosystem\tname\tversion\tnotes\tagreed_by"; header != want {
		t.Errorf("oracle.tsv begins %q, want %q", header, want)
	}
	if again := xtest.Corpus(t); again != dir {
		t.Errorf("Corpus gave %q, then %q", dir, again)
	}
}

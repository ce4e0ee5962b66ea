package pypi_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

// FuzzRequirements and the targets below it hold each reader to the same promises.
func FuzzRequirements(f *testing.F) { fuzz(f, pypi.ParseRequirements, "requirements") }
func FuzzPoetryLock(f *testing.F)   { fuzz(f, pypi.ParsePoetryLock, "poetry") }
func FuzzUVLock(f *testing.F)       { fuzz(f, pypi.ParseUVLock, "uv") }
func FuzzPDMLock(f *testing.F)      { fuzz(f, pypi.ParsePDMLock, "pdm") }
func FuzzPylock(f *testing.F)       { fuzz(f, pypi.ParsePylock, "pylock") }
func FuzzPipfileLock(f *testing.F)  { fuzz(f, pypi.ParsePipfileLock, "Pipfile.lock") }
func FuzzPipfile(f *testing.F)      { fuzz(f, pypi.ParsePipfile, "Pipfile") }
func FuzzPyproject(f *testing.F)    { fuzz(f, pypi.ParsePyproject, "pyproject") }
func FuzzMetadata(f *testing.F)     { fuzz(f, pypi.ParseMetadata, "METADATA") }

func fuzz(f *testing.F, parse parser, seeds string) {
	files, err := filepath.Glob("testdata/" + seeds + "*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, in string) {
		file := parse([]byte(in), lockfile.Options{Edges: true})
		if d := cmp.Diff(show(file), show(parse([]byte(in), lockfile.Options{Edges: true}))); d != "" {
			t.Errorf("two readings differ: %s", d)
		}
		plain := parse([]byte(in), lockfile.Options{})
		if len(plain.Packages) != len(file.Packages) || !cmp.Equal(plain.Problems, file.Problems) {
			t.Errorf("%d packages with edges, %d without; problems %v and %v", len(file.Packages), len(plain.Packages), file.Problems, plain.Problems)
		}
		promises(t, in, file)
	})
}

// promises checks what every File promises.
func promises(t *testing.T, in string, f lockfile.File) {
	t.Helper()
	lines := 1 + strings.Count(in, "\n")
	if len(f.Packages) > len(in) || len(f.Problems) > lockfile.MaxProblems {
		t.Errorf("%d packages and %d problems of %d bytes", len(f.Packages), len(f.Problems), len(in))
	}
	for _, problem := range f.Problems {
		if problem.Line < 0 || problem.Line > lines || problem.Code == "" || strings.Contains(problem.Detail, "\n") {
			t.Errorf("a problem of a text with %d lines: %+v", lines, problem)
		}
	}
	for i, p := range f.Packages {
		if p.Line < 1 || p.Line > lines {
			t.Errorf("package %d on line %d of %d", i, p.Line, lines)
		}
		if p.Ecosystem.CanonicalName(p.Name) != p.Name {
			t.Errorf("the name %q is not in normal form", p.Name)
		}
		if p.Name == "" && p.Source.URL == "" && len(f.Problems) == 0 {
			t.Errorf("package %d, %+v, without a name and without a problem", i, p)
		}
		for _, d := range p.Digests {
			if !d.Valid() {
				t.Errorf("package %d with the digest %v", i, d)
			}
		}
		if !slices.IsSorted(p.RequiredBy) || len(slices.Compact(slices.Clone(p.RequiredBy))) != len(p.RequiredBy) {
			t.Errorf("package %d is required by %v", i, p.RequiredBy)
		}
		for _, by := range p.RequiredBy {
			if int(by) >= len(f.Packages) || int(by) == i {
				t.Errorf("package %d of %d is required by %d", i, len(f.Packages), by)
			}
		}
	}
}

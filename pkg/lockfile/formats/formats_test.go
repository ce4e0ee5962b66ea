package formats_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

func TestFor(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"package-lock.json", "package-lock"},
		{"a/b/package-lock.json", "package-lock"},
		{"a/node_modules/.package-lock.json", "package-lock"},
		{"npm-shrinkwrap.json", "package-lock"},
		{"bun.lock", "bun.lock"},
		{"bun.lockb", "bun.lockb"},
		{"x/deno.lock", "deno.lock"},
		{"yarn.lock", "yarn.lock"},
		{"web/pnpm-lock.yaml", "pnpm-lock"},
		{"pnpm-lock.feature!x.yaml", "pnpm-lock"},
		{"pnpm-lock.yml", ""},
		{"package.json", "package.json"},
		{"packages/a/package.json", "package.json"},
		{"not_node_modules/a/package.json", "package.json"},
		{"node_modules/a/package.json", "installed-npm"},
		{"node_modules/@scope/a/package.json", "installed-npm"},
		{"a/node_modules/b/node_modules/c/package.json", "installed-npm"},
		{"node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", "installed-npm"},
		{"node_modules/a/dist/esm/package.json", ""}, // a part of the package
		{"node_modules/@scope/package.json", ""},
		{"node_modules/.cache/package.json", ""},
		{"node_modules/package.json", ""},
		{"requirements.txt", "requirements"},
		{"a/requirements-dev.txt", "requirements"},
		{"dev-requirements.txt", "requirements"},
		{"requirements_1.txt", "requirements"},
		{"constraints.txt", "requirements"},
		{"requirements/base.txt", "requirements-folder"},
		{"a/requirements/base.in", "requirements.in-folder"},
		{"a/requirements/b/base.txt", ""},
		{"requirements.in", "requirements.in"},
		{"notes.txt", ""},
		{"MANIFEST.in", ""},
		{"poetry.lock", "poetry.lock"},
		{"uv.lock", "uv.lock"},
		{"scripts/x.py.lock", "uv.lock"},
		{"pdm.lock", "pdm.lock"},
		{"pylock.toml", "pylock"},
		{"pylock.dev.toml", "pylock"},
		{"pylockx.toml", ""},
		{"Pipfile.lock", "Pipfile.lock"},
		{"Pipfile", "Pipfile"},
		{"pyproject.toml", "pyproject.toml"},
		{"lib/python3.12/site-packages/x-1.0.dist-info/METADATA", "installed-pypi"},
		{"lib/python3.6/site-packages/x-1.0-py3.6.egg-info/PKG-INFO", "installed-pypi"},
		{"lib/python3.6/site-packages/x-1.0-py3.6.egg/EGG-INFO/PKG-INFO", "installed-pypi"},
		{"x-1.0/PKG-INFO", ""},
		{"node_modules/.pnpm/lock.yaml", "pnpm-lock-installed"},
		{"web/node_modules/.pnpm/lock.yaml", "pnpm-lock-installed"},
		{"helm/lock.yaml", ""},
		{"METADATA", ""},
		{"Package-Lock.json", ""}, // npm does not read it
		{"package-lock.json.orig", ""},
		{"package-lock.json/x", ""},
		{"", ""},
		{"/", ""},
	} {
		got := ""
		if f := formats.For(tt.path); f != nil {
			got = f.ID
		}
		if got != tt.want {
			t.Errorf("For(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}

// Every row is whole: it can be found under each of its names, and what it samples it
// reads.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for i := range formats.All {
		f := &formats.All[i]
		if f.ID == "" || seen[f.ID] || f.Parse == nil || len(f.Names) == 0 || f.Ecosystem.PURLType() == "" {
			t.Errorf("row %d, %q, is not whole or is there twice", i, f.ID)
		}
		seen[f.ID] = true
		for _, name := range f.Names {
			p := strings.Replace(name, "*", "x", 1)
			if len(f.Dirs) > 0 {
				p = path.Join(strings.NewReplacer("[^.@]*", "x", "*", "x").Replace(f.Dirs[0]), p)
			}
			if got := formats.For(p); got == nil || reflect.ValueOf(got.Parse).Pointer() != reflect.ValueOf(f.Parse).Pointer() {
				t.Errorf("For(%q) has not the reader of %s", p, f.ID)
			}
		}
		for _, pattern := range f.Dirs {
			if _, err := path.Match(pattern, ""); err != nil {
				t.Errorf("%s: %q: %v", f.ID, pattern, err)
			}
		}
		if f.Sample != nil {
			testSample(t, f)
		}
	}
}

func testSample(t *testing.T, f *formats.Format) {
	t.Helper()
	name, version := "sample-name", "6.6.6"
	switch f.Ecosystem {
	case ecosystem.Go:
		name, version = "example.com/sample/name", "v6.6.6"
	case ecosystem.Actions:
		name, version = "sample/name", "v6.6.6"
	}
	file := f.Parse([]byte(f.Sample(name, version)), lockfile.Options{Edges: true})
	found := false
	for _, p := range file.Packages {
		found = found || p.Name == name && (p.Version == version || strings.Contains(p.Range, version))
	}
	if !found || len(file.Problems) > 0 {
		t.Errorf("%s: %+v, %v: the sample has %s %s", f.ID, file.Packages, file.Problems, name, version)
	}
}

// A family of readers that is missing from the table would be silent.
func TestEveryFamilyIsInTheTable(t *testing.T) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "formats.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	imported := map[string]bool{}
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		imported[path.Base(name)] = strings.Contains(name, "/pkg/lockfile/")
	}
	folders, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	families := 0
	for _, folder := range folders {
		name := folder.Name()
		sources, err := filepath.Glob(filepath.Join("..", name, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if len(sources) == 0 || !folder.IsDir() || name == "formats" {
			continue
		}
		families++
		if !imported[name] {
			t.Errorf("pkg/lockfile/%s has no row in the table", name)
		}
	}
	if families == 0 {
		t.Error("no family of readers found beside this package")
	}
}

// Every exported reader of a family is in the table: its name begins with Parse.
func TestEveryReaderIsInTheTable(t *testing.T) {
	inTable := map[string]bool{}
	for i := range formats.All {
		name := runtime.FuncForPC(reflect.ValueOf(formats.All[i].Parse).Pointer()).Name()
		inTable[name[strings.LastIndexByte(name, '/')+1:]] = true
	}
	sources, err := filepath.Glob(filepath.Join("..", "*", "*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatal(err, sources)
	}
	for _, source := range sources {
		family := filepath.Base(filepath.Dir(source))
		if family == "formats" || strings.HasSuffix(source, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for name := range exportedReaders(parsed) {
			if !inTable[family+"."+name] {
				t.Errorf("%s: %s has no row in the table", source, name)
			}
		}
	}
}

func BenchmarkFor(b *testing.B) {
	paths := []string{"src/main.go", "web/node_modules/@scope/a/package.json", "docs/images/logo.png", "a/b/c/d/requirements-dev.txt"}
	for b.Loop() {
		for _, p := range paths {
			formats.For(p)
		}
	}
}

func exportedReaders(file *ast.File) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Parse") && !yield(f.Name.Name) {
				return
			}
		}
	}
}

//go:build !race

package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// root is the module's root, and module its path.
const (
	root   = "../.."
	module = "github.com/wormsweep/wormsweep"
)

// goFile is a Go file of this module.
type goFile struct {
	path    string // with slashes, relative to root
	fset    *token.FileSet
	ast     *ast.File
	imports []string
}

// pkg is the folder of the file, which is its package's path below module.
func (f *goFile) pkg() string { return path.Dir(f.path) }

func (f *goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// position is a place in the file, for messages.
func (f *goFile) position(p token.Pos) string {
	return f.path + ":" + strconv.Itoa(f.fset.Position(p).Line)
}

// goFiles gives every Go file of this module, parsed: testdata and modules of their own
// aside.
func goFiles(t *testing.T) []*goFile {
	t.Helper()
	files, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found: a test of them would pass in silence")
	}
	return files
}

var parsed = sync.OnceValues(func() (files []*goFile, err error) {
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(file, entry)
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		f, err := parse(file)
		files = append(files, f)
		return err
	})
	return files, err
})

func parse(file string) (*goFile, error) {
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return nil, err
	}
	f := &goFile{path: filepath.ToSlash(rel), fset: token.NewFileSet()}
	f.ast, err = parser.ParseFile(f.fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, spec := range f.ast.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

func skipFolder(folder string, entry fs.DirEntry) error {
	if folder == root {
		return nil
	}
	name := entry.Name()
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

// within reports whether a package is dir or, for a pattern "dir/...", dir or below it.
func within(pkg, pattern string) bool {
	dir, subtree := strings.CutSuffix(pattern, "/...")
	return pkg == dir || subtree && strings.HasPrefix(pkg, dir+"/")
}

// withinAny reports whether a package meets one of the patterns.
func withinAny(pkg string, patterns []string) bool {
	for _, pattern := range patterns {
		if within(pkg, pattern) {
			return true
		}
	}
	return false
}

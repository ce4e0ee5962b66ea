package verify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestCodesAreDocumented: docs/verify.md explains every verdict, and every code of a refusal and
// a gap; and no other.
func TestCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if code, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | "); ok && strings.HasPrefix(line, "| `") && rest != "" {
			shown[code] = true
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "verify.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		about := group.Doc.Text()
		if !strings.HasPrefix(about, "The codes of") && !strings.HasPrefix(about, "The verdicts") {
			continue
		}
		for _, spec := range group.Specs {
			code, err := strconv.Unquote(spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if n++; !shown[code] {
				t.Errorf("docs/verify.md does not explain %q", code)
			}
			delete(shown, code)
		}
	}
	if n < 20 {
		t.Errorf("only %d codes were found in verify.go", n)
	}
	for code := range shown {
		t.Errorf("docs/verify.md explains %q, which is no code", code)
	}
}

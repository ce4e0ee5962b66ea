package match_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Every reason code in the source is explained in docs/reasons.md.
func TestReasonsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/reasons.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	for _, name := range []string{"match.go", "../../pkg/ioc/set.go", "../sweep/judge.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !strings.HasSuffix(typeName(spec.Type), "Reason") {
				return true
			}
			for _, v := range spec.Values {
				code, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				codes++
				if !strings.Contains(string(doc), "`"+code+"`") {
					t.Errorf("%s: %q is not in docs/reasons.md", name, code)
				}
			}
			return true
		})
	}
	if codes < 20 {
		t.Errorf("only %d codes were found", codes)
	}
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

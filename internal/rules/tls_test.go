//go:build !race

package rules_test

import (
	"go/ast"
	"testing"
)

// Certificates are checked, in tests too: a test that needs another root names it.
func TestCertificatesAreChecked(t *testing.T) {
	for _, file := range goFiles(t) {
		ast.Inspect(file.ast, func(n ast.Node) bool {
			if name, ok := n.(*ast.Ident); ok && name.Name == "InsecureSkipVerify" {
				t.Errorf("%s: %s", file.position(name.Pos()), name.Name)
			}
			return true
		})
	}
}

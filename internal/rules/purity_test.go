//go:build !race

package rules_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// pure packages are functions of their arguments: no file, network, clock, environment or
// random number.
var pure = []string{
	"internal/appevent", "internal/drift/...", "internal/feeds/sshsig", "internal/finding", "internal/incident/command", "internal/inventory", "internal/match", "internal/policy", "internal/respond", "internal/strictyaml", "internal/triage", "internal/workflow", "iocs", "pkg/digest", "pkg/ecosystem", "pkg/ioc",
	"pkg/lockfile/...", "pkg/registry/host", "pkg/version",
}

// impureImports are packages of the standard library that a pure package does not import.
var impureImports = []string{
	"crypto/rand", "log", "log/slog", "math/rand", "math/rand/v2", "net", "os", "os/exec",
	"os/signal", "os/user", "path/filepath", "plugin", "runtime/debug", "syscall",
}

// impureCalls are functions of packages that a pure package may import otherwise.
var impureCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

func TestPurePackages(t *testing.T) {
	for _, file := range goFiles(t) {
		if file.isTest() || !withinAny(file.pkg(), pure) {
			continue
		}
		for _, imported := range file.imports {
			network := strings.HasPrefix(imported, "net/") && imported != "net/url" && imported != "net/netip"
			if network || slices.Contains(impureImports, imported) {
				t.Errorf("%s imports %q: package %q is pure", file.path, imported, file.pkg())
			}
		}
		ast.Inspect(file.ast, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := selector.X.(*ast.Ident); ok && slices.Contains(impureCalls[pkg.Name], selector.Sel.Name) {
				t.Errorf("%s: %s.%s: package %q is pure", file.position(selector.Pos()), pkg.Name, selector.Sel.Name, file.pkg())
			}
			return true
		})
	}
}

// Formats, registries and renderers are listed in one table each, which is read from top
// to bottom.
func TestNothingRegistersInInit(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, decl := range file.ast.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" && !file.isTest() {
				t.Errorf("%s: func init: list it in the table instead", file.position(f.Pos()))
			}
		}
	}
}

package npm_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// show writes a file down in one line: each package as
// "name@version<alias(kind:commit){scope}>address", what is usual left out, and each
// problem as "!line:code".
func show(file lockfile.File) string {
	var out []string
	for _, p := range file.Packages {
		s := p.Name + "@" + p.Version + p.Range
		if p.Alias != "" {
			s += "<" + p.Alias
		}
		switch {
		case p.Source.Commit != "":
			s += "(" + p.Source.Kind.String() + ":" + p.Source.Commit + ")"
		case p.Source.Kind != lockfile.Registry:
			s += "(" + p.Source.Kind.String() + ")"
		}
		if p.Scope != 0 {
			s += "{" + p.Scope.String() + "}"
		}
		if p.Address != nil {
			s += ">" + p.Address.Name + "@" + p.Address.Version
		}
		out = append(out, s)
	}
	for _, p := range file.Problems {
		out = append(out, fmt.Sprintf("!%d:%s", p.Line, p.Code))
	}
	return strings.Join(out, " ")
}

// trap is a file and what is read of it.
type trap struct{ in, want string }

func testTraps(t *testing.T, parse parser, traps []trap) {
	t.Helper()
	for _, tt := range traps {
		for _, edges := range []bool{false, true} {
			if got := show(parse([]byte(tt.in), lockfile.Options{Edges: edges})); got != tt.want {
				t.Errorf("%s (edges %v)\n got %s\nwant %s", tt.in, edges, got, tt.want)
			}
		}
	}
}

// requiredBy writes the edges of a file down: "name by name name, ...", and "*" after what
// is direct.
func requiredBy(file lockfile.File) string {
	var out []string
	for _, p := range file.Packages {
		s := p.Name
		if p.Direct == lockfile.Yes {
			s += "*"
		}
		if len(p.RequiredBy) > 0 {
			s += " by"
		}
		for _, by := range p.RequiredBy {
			s += " " + file.Packages[by].Name
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// made reads a file that the tools themselves wrote: see .ci/fixtures.
func made(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "made", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

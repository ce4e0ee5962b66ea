package pypi_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

// A pin is a package that is installed, a range one that could be, and what the reader does
// not understand is a problem beside them.
func ExampleParseRequirements() {
	file := pypi.ParseRequirements([]byte(`
-r base.txt
Some.Name[extra] == 1.0.2 ; python_version > "3.8"
other >= 2
evil = 6.6.6
`), lockfile.Options{})
	for _, p := range file.Packages {
		fmt.Printf("%d %s %s %q %q\n", p.Line, p.Source.Kind, p.Name, p.Version, p.Range)
	}
	for _, i := range file.Includes {
		fmt.Println(i.Line, "includes", i.Path)
	}
	for _, problem := range file.Problems {
		fmt.Println(problem)
	}
	// Output:
	// 3 registry some-name "1.0.2" ""
	// 4 range other "" ">= 2"
	// 5 range evil "" "= 6.6.6"
	// 2 includes base.txt
	// line 5: syntax: "evil = 6.6.6": not understood from "= 6.6.6" on
}

// With edges, a file that has them leads from a package to what asks for it.
func ExampleParsePoetryLock() {
	file := pypi.ParsePoetryLock([]byte(`
[[package]]
name = "app"
version = "1.0"
dependencies = {evil = ">=6"}

[[package]]
name = "evil"
version = "6.6.6"

[metadata]
lock-version = "2.1"
`), lockfile.Options{Edges: true})
	for _, i := range file.Chain(1) {
		fmt.Println(file.Packages[i].Name, file.Packages[i].Version)
	}
	// Output:
	// app 1.0
	// evil 6.6.6
}

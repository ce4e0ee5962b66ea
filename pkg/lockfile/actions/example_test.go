package actions_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/actions"
)

func ExampleParseWorkflow() {
	f := actions.ParseWorkflow([]byte(`
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: github/codeql-action/init@v3
`), lockfile.Options{})
	for _, p := range f.Packages {
		fmt.Println(p.Line, p.Name, p.Version)
	}
	// Output:
	// 7 actions/checkout v4
	// 8 github/codeql-action v3
}

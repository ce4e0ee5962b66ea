package gomod_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/gomod"
)

func ExampleParseGoMod() {
	f := gomod.ParseGoMod([]byte(`module example.com/app

go 1.26

require (
	example.com/a v1.2.3
	example.com/b v1.0.0 // indirect
)

replace example.com/a => example.com/fork v1.2.4
`), lockfile.Options{})
	for _, p := range f.Packages {
		fmt.Println(p.Line, p.Name, p.Version, p.Source.Kind)
	}
	// Output:
	// 6 example.com/a v1.2.3 replaced
	// 7 example.com/b v1.0.0 registry
	// 10 example.com/fork v1.2.4 registry
}

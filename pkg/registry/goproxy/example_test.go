package goproxy_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
)

// A go.mod retracts versions of its own module.
func ExampleParseRetractions() {
	told, err := goproxy.ParseRetractions([]byte(`module example.org/m

retract (
	v1.2.3 // Compromised, see GHSA-xxxx-xxxx-xxxx.
	[v1.3.0, v1.3.9] // Broken.
)
`))
	if err != nil {
		panic(err)
	}
	for _, version := range []string{"v1.2.3", "v1.2.4", "v1.3.5"} {
		why, retracted := told.Of(version)
		fmt.Printf("%s %v %q\n", version, retracted, why)
	}
	// Output:
	// v1.2.3 true "Compromised, see GHSA-xxxx-xxxx-xxxx."
	// v1.2.4 false ""
	// v1.3.5 true "Broken."
}

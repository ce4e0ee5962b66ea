package version_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

func ExampleCheck() {
	fmt.Println(version.Check(ecosystem.NPM, "6.6.6"))
	fmt.Println(version.Check(ecosystem.NPM, "06.6.6"))
	// Output:
	// <nil>
	// "06.6.6": not a version of npm
}

func ExampleCanonical() {
	for _, v := range []string{"1.0", "1.0.0", "v1"} {
		canonical, err := version.Canonical(ecosystem.PyPI, v)
		fmt.Println(canonical, err)
	}
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
}

func ExampleCompare() {
	fmt.Println(version.Compare(ecosystem.PyPI, "1.0rc1", "1.0"))
	fmt.Println(version.Compare(ecosystem.Go, "v1.10.0", "v1.9.0"))
	// Output:
	// -1 <nil>
	// 1 <nil>
}

func ExampleRange_Contains() {
	r, err := version.ParseRange(ecosystem.NPM, "^1.2.3")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r, r.Contains("1.9.0"), r.Contains("2.0.0"))
	// Output:
	// >=1.2.3 <2.0.0-0 true false
}

func ExampleAffected() {
	events := []version.Event{{Introduced: "0"}, {Fixed: "1.2.3"}}
	fmt.Println(version.Affected(ecosystem.NPM, version.SemverRange, events, "1.2.2"))
	fmt.Println(version.Affected(ecosystem.NPM, version.SemverRange, events, "1.2.3"))
	// Output:
	// true <nil>
	// false <nil>
}

package npm_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

// The entry stands under an alias, and its address is another package's.
func ExampleParsePackageLock() {
	file := npm.ParsePackageLock([]byte(`{
		"lockfileVersion": 3,
		"packages": {
			"node_modules/colours": {
				"name": "chalk",
				"version": "5.3.0",
				"resolved": "https://registry.example/planted/-/planted-6.6.6.tgz",
				"dev": true
			}
		}
	}`), lockfile.Options{})
	for _, p := range file.Packages {
		fmt.Println(p.Name, p.Version, "as", p.Alias, "scope", p.Scope, "line", p.Line)
		fmt.Println("from", p.Address.Name, p.Address.Version)
	}
	// Output:
	// chalk 5.3.0 as colours scope dev line 4
	// from planted 6.6.6
}

// A damaged file is a problem, and what it holds is still told.
func ExampleParseBunLock() {
	file := npm.ParseBunLock([]byte(`{
		"lockfileVersion": 1,
		"packages": {
			"planted": ["planted@6.6.6", "", {}, "sha512-damaged"],`), lockfile.Options{})
	for _, p := range file.Packages {
		fmt.Println(p.Name, p.Version)
	}
	for _, p := range file.Problems {
		fmt.Println(p)
	}
	// Output:
	// planted 6.6.6
	// line 4: digest: "planted": damaged or unknown digest "damaged"
	// line 4: truncated: the file ends where a name or the end of an object should be
}

package ioc_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func ExampleLint() {
	p, err := ioc.ReadPack("example.json", []byte(`{
  "schema": "ioc-pack/1", "id": "example-2026-01", "title": "An example", "status": "active", "severity": "high",
  "revision": 1, "modified": "2026-01-02T03:04:05Z", "sources": [{"id": "example"}],
  "indicators": [
    {"id": "package-252ef15504949491", "type": "package", "confidence": "probable", "sources": ["example"], "ecosystem": "npm", "name": "@@scope/x", "versions": ["1.0.0"]},
    {"id": "file-02374a294f64baa9", "type": "file", "confidence": "probable", "sources": ["example"], "name": "bundle.js"}
  ]
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, complaint := range ioc.Lint(p) {
		fmt.Println(complaint.Rule, complaint.Detail)
	}
	// Output:
	// impossible-name name: "@@scope/x": not a name of npm
	// common-name innocent projects have such a file: needs confidence weak or requires
}

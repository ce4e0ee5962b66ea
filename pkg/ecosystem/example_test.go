package ecosystem_test

import (
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

func ExampleEcosystem_PURL() {
	fmt.Println(ecosystem.NPM.PURL("@scope/name", "1.2.3"))
	fmt.Println(ecosystem.PyPI.PURL("Zope.Interface", "5.0"))
	// Output:
	// pkg:npm/%40scope/name@1.2.3
	// pkg:pypi/zope-interface@5.0
}

func ExampleParsePURL() {
	fmt.Println(ecosystem.ParsePURL("pkg:golang/golang.org/x/mod@v0.42.0"))
	// Output:
	// Go golang.org/x/mod v0.42.0 <nil>
}

func ExampleEcosystem_CheckName() {
	fmt.Println(ecosystem.NPM.CheckName("@@antv/g2"))
	// Output:
	// "@@antv/g2": no package can have this name: it is outside the grammar of npm
}

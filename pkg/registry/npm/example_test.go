package npm_test

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

func ExampleReader_List() {
	srv, err := registrytest.Start() // the public registry has no private host, and needs no address
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.NPM().Publish("@acme/sdk", registrytest.NPMVersion{Version: "1.0.0", User: "GitHub Actions", TrustedPublisher: "github"})
	srv.NPM().Publish("@acme/sdk", registrytest.NPMVersion{Version: "1.0.1", User: "mallory", Scripts: map[string]string{"preinstall": "node bundle.js"}})

	c, err := fetch.New(fetch.Options{Hosts: []string{srv.Host}, PrivateHosts: []string{srv.Host}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := npm.New(c, npm.Options{Address: srv.NPM().URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := r.List(context.Background(), "@acme/sdk", registry.Validator{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, release := range l.Releases {
		by, trusted := release.TrustedPublisher.Get()
		fmt.Println(release.Version, release.Publisher.Value.Name, trusted, by, release.Scripts.Value)
	}
	// Output:
	// 1.0.0 GitHub Actions true github map[]
	// 1.0.1 mallory false  map[preinstall:node bundle.js]
}

package pypi_test

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/pypi"
)

func ExampleReader_List() {
	srv, err := registrytest.Start() // the public index has no private host, and needs no address
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.PyPI().Upload("Acme.SDK", registrytest.PyPIFile{Name: "acme_sdk-1.0-py3-none-any.whl", Version: "1.0"})
	srv.PyPI().Upload("Acme.SDK", registrytest.PyPIFile{Name: "acme_sdk-1.1.tar.gz", Version: "1.1"})
	srv.PyPI().Yank("acme-sdk", "1.1", true, "published by a worm")

	c, err := fetch.New(fetch.Options{Hosts: []string{srv.Host}, PrivateHosts: []string{srv.Host}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := pypi.New(c, pypi.Options{Address: srv.PyPI().URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := r.List(context.Background(), "Acme_SDK", registry.Validator{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Name, l.Status.Value)
	for _, release := range l.Releases {
		why, yanked := release.Yanked.Get()
		fmt.Printf("%s %s %v %q\n", release.Version, release.Files[0].Name, yanked, why)
	}
	// Output:
	// acme-sdk active
	// 1.0 acme_sdk-1.0-py3-none-any.whl false ""
	// 1.1 acme_sdk-1.1.tar.gz true "published by a worm"
}

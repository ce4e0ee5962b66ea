package oci_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// BenchmarkUnchanged lists a repository of 20 tags in which nothing changed: 21 requests.
func BenchmarkUnchanged(b *testing.B) {
	s := registrytest.New(b)
	s.OCI(registrytest.OCIOptions{})
	push := registrytest.Pusher{T: b, URL: s.URL, Repo: "team/app"}
	for i := range 20 {
		push.Image(fmt.Sprintf("1.%d", i), fmt.Sprint("layer ", i))
	}
	c, err := fetch.New(fetch.Options{Hosts: []string{s.Host}, PrivateHosts: []string{s.Host}})
	if err != nil {
		b.Fatal(err)
	}
	r, err := oci.New(c, oci.Options{Address: s.URL, Host: "registry.test"})
	if err != nil {
		b.Fatal(err)
	}
	l, err := r.List(b.Context(), app, registry.Validator{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.List(b.Context(), app, l.Validator); !errors.Is(err, registry.ErrNotModified) {
			b.Fatal(err)
		}
	}
}

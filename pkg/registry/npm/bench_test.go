package npm_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

// BenchmarkList is the first day's and every other day's question about one package of twenty
// versions, over loopback.
func BenchmarkList(b *testing.B) {
	srv := registrytest.New(b)
	for v := range 20 {
		srv.NPM().Publish("@acme/sdk", registrytest.NPMVersion{
			Version: fmt.Sprintf("1.%d.0", v), User: "GitHub Actions", TrustedPublisher: "github", GitHead: "c0ffee",
			Signatures: []registrytest.NPMSignature{{KeyID: "SHA256:k", Sig: "c2ln"}}, Dependencies: map[string]string{"a": "^1.0.0", "b": "~2.1.0"},
		})
	}
	c, err := fetch.New(fetch.Options{Hosts: []string{srv.Host}, PrivateHosts: []string{srv.Host}})
	if err != nil {
		b.Fatal(err)
	}
	r, err := npm.New(c, npm.Options{Address: srv.NPM().URL})
	if err != nil {
		b.Fatal(err)
	}
	var last registry.Validator
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, err := r.List(b.Context(), "@acme/sdk", registry.Validator{})
			if err != nil || len(l.Releases) != 20 {
				b.Fatal(err)
			}
			last = l.Validator
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.List(b.Context(), "@acme/sdk", last); !errors.Is(err, registry.ErrNotModified) {
				b.Fatal(err)
			}
		}
	})
}

package sigtest_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/sigtest"
)

// What a world of figures costs: a certificate, a signature, an entry and its proof.
func BenchmarkProvenance(b *testing.B) {
	s, err := sigtest.New(sigtest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	how := sigtest.Signing{Identity: sigtest.Workflow("acme/sdk", "release.yml", "refs/tags/v1.2.3")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.NPMProvenance("@acme/sdk", "1.2.3", "00", how); err != nil {
			b.Fatal(err)
		}
	}
}

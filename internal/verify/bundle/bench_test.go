package bundle_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	sigbundle "github.com/sigstore/sigstore-go/pkg/bundle"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
)

// Ours and the library alone over the same bundles, by as many cores as -cpu says: a real
// provenance of 2023, and those of a Sigstore in memory with either Rekor.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	for _, bb := range []struct {
		name string
		text []byte
		real bool
	}{
		{"real", readBundle(b, "sigstore-2.0.0-provenance.json"), true},
		{"v1", w.attest(w.here, provenance(nil), sigtest.Signing{}), false},
		{"v2", w.attest(w.here, provenance(nil), sigtest.Signing{Log: sigtest.RekorV2}), false},
	} {
		want, root := bundle.NPMProvenance("@acme/sdk", "1.2.3", wanted, bundle.Exactly(actions, signedBy)), w.root(w.here)
		if bb.real {
			want, root = bundle.NPMProvenance("sigstore", "2.0.0", sha512(tarball), bundle.Exactly(actions, sigstore)), public(b)
		}
		b.Run(bb.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.text)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := bundle.Verify(bb.text, want, root); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bundles/s")
		})
		b.Run(bb.name+"/sigstore-go", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.text)))
			verifier, err := sigverify.NewVerifier(root.Material(), sigverify.WithSignedCertificateTimestamps(1),
				sigverify.WithTransparencyLog(1), sigverify.WithObserverTimestamps(1), sigverify.WithoutStatementPredicate())
			if err != nil {
				b.Fatal(err)
			}
			sum, err := hex.DecodeString(want.Digests[0].Text)
			if err != nil {
				b.Fatal(err)
			}
			policy := sigverify.NewPolicy(sigverify.WithArtifactDigest(want.Digests[0].Algorithm.String(), sum), sigverify.WithoutIdentitiesUnsafe())
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var read sigbundle.Bundle
					if err := json.Unmarshal(bb.text, &read); err != nil {
						b.Error(err)
						return
					}
					if _, err := verifier.Verify(&read, policy); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bundles/s")
		})
	}
}

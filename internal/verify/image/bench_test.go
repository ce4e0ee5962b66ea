package image

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// BenchmarkSignature is what one signature costs once it was read.
func BenchmarkSignature(b *testing.B) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	s, err := sigtest.New(sigtest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	text, err := s.TrustedRoot()
	if err != nil {
		b.Fatal(err)
	}
	root, err := trust.Parse("bench", time.Time{}, text)
	if err != nil {
		b.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	repo, err := images.Open("registry.example/app", nil)
	if err != nil {
		b.Fatal(err)
	}
	payload, err := repo.Payload(digest)
	if err != nil {
		b.Fatal(err)
	}
	j := judge{digest: digest, accept: func(verify.Identity) error { return nil }, keys: []trust.Key{{ID: "k", Public: key.Public()}}, roots: []*trust.Root{root}}
	for _, tt := range []struct {
		name string
		how  sigtest.Signing
	}{
		{"keyless", sigtest.Signing{Identity: verify.Identity{Issuer: "https://issuer.example", SAN: "https://san.example"}}},
		{"key", sigtest.Signing{Key: key, Log: sigtest.NoLog, Untimed: true}},
	} {
		made, err := s.Cosign(payload, tt.how)
		if err != nil {
			b.Fatal(err)
		}
		sig, err := images.Signature(payload, made)
		if err != nil {
			b.Fatal(err)
		}
		annotations, err := sig.Annotations()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, refusal := readPresented(whatSignature, payload, annotations)
				if refusal == nil {
					_, refusal = j.signature(b.Context(), p)
				}
				if refusal != nil {
					b.Fatal(refusal)
				}
			}
		})
	}
}

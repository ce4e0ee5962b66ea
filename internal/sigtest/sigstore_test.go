package sigtest_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
)

var release = verify.Identity{
	Issuer:              "https://token.actions.githubusercontent.com",
	SAN:                 "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.3",
	BuildSignerURI:      "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.3",
	BuildSignerDigest:   "9f2c1d0000000000000000000000000000000000",
	RunnerEnvironment:   "github-hosted",
	SourceRepositoryURI: "https://github.com/acme/sdk",
	SourceDigest:        "9f2c1d0000000000000000000000000000000000",
	SourceRef:           "refs/tags/v1.2.3",
	SourceRepositoryID:  "123456",
	OwnerURI:            "https://github.com/acme",
	OwnerID:             "789",
	BuildConfigURI:      "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.3",
	BuildConfigDigest:   "9f2c1d0000000000000000000000000000000000",
	Trigger:             "push",
	RunURI:              "https://github.com/acme/sdk/actions/runs/42/attempts/1",
	Visibility:          "public",
}

// What is signed verifies with sigstore-go's strictest settings, and says who it was.
func TestSignaturesVerifyWithTheLibrary(t *testing.T) {
	statement := []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"` + fmt.Sprintf("%x", sha256.Sum256([]byte("bytes"))) + `"}}],"predicateType":"https://example.com/p","predicate":{}}`)
	for _, bare := range []bool{false, true} {
		s, err := sigtest.New(sigtest.Options{Bare: bare})
		if err != nil {
			t.Fatal(err)
		}
		trusted := trustedRoot(t, s)
		for _, how := range []sigtest.Signing{
			{}, {Log: sigtest.RekorV2}, {Timestamped: true}, {At: time.Now().AddDate(-2, 0, 0)},
		} {
			how.Identity = release
			for what, sign := range map[string]func() ([]byte, error){
				"blob":      func() ([]byte, error) { return s.Blob([]byte("bytes"), how) },
				"statement": func() ([]byte, error) { return s.Attest(statement, how) },
			} {
				for range 3 { // the log grows
					signed, err := sign()
					if err != nil {
						t.Fatal(err)
					}
					result, err := verifyWithTheLibrary(trusted, signed, bare)
					if err != nil {
						t.Fatalf("bare %t, %s, %+v: %v\n%s", bare, what, how, err, signed)
					}
					c := result.Signature.Certificate
					got := verify.Identity{
						Issuer: c.Issuer, SAN: c.SubjectAlternativeName, BuildSignerURI: c.BuildSignerURI,
						BuildSignerDigest: c.BuildSignerDigest, RunnerEnvironment: c.RunnerEnvironment,
						SourceRepositoryURI: c.SourceRepositoryURI, SourceDigest: c.SourceRepositoryDigest,
						SourceRef: c.SourceRepositoryRef, SourceRepositoryID: c.SourceRepositoryIdentifier,
						OwnerURI: c.SourceRepositoryOwnerURI, OwnerID: c.SourceRepositoryOwnerIdentifier,
						BuildConfigURI: c.BuildConfigURI, BuildConfigDigest: c.BuildConfigDigest,
						Trigger: c.BuildTrigger, RunURI: c.RunInvocationURI, Visibility: c.SourceRepositoryVisibilityAtSigning,
					}
					if diff := cmp.Diff(release, got); diff != "" {
						t.Errorf("(-signed +read)\n%s", diff)
					}
				}
			}
		}
	}
}

func trustedRoot(t *testing.T, s *sigtest.Sigstore) *root.TrustedRoot {
	t.Helper()
	written, err := s.TrustedRoot()
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := root.NewTrustedRootFromJSON(written)
	if err != nil {
		t.Fatalf("%v: %s", err, written)
	}
	return trusted
}

func verifyWithTheLibrary(trusted root.TrustedMaterial, signed []byte, bare bool) (*sigverify.VerificationResult, error) {
	options := []sigverify.VerifierOption{sigverify.WithSignedTimestamps(1)}
	if !bare {
		options = []sigverify.VerifierOption{
			sigverify.WithSignedCertificateTimestamps(1), sigverify.WithTransparencyLog(1), sigverify.WithObserverTimestamps(1),
		}
	}
	verifier, err := sigverify.NewVerifier(trusted, options...)
	if err != nil {
		return nil, err
	}
	var read bundle.Bundle
	if err := json.Unmarshal(signed, &read); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("bytes"))
	return verifier.Verify(&read, sigverify.NewPolicy(sigverify.WithArtifactDigest("sha256", sum[:]), sigverify.WithoutIdentitiesUnsafe()))
}

// Another Sigstore's root verifies nothing, and neither does a certificate without its timestamp.
func TestFaultsAreFaults(t *testing.T) {
	s, other := newSigstore(t), newSigstore(t)
	for _, tt := range []struct {
		name    string
		trusted *root.TrustedRoot
		how     sigtest.Signing
	}{
		{"other root", trustedRoot(t, other), sigtest.Signing{}},
		{"no SCT", trustedRoot(t, s), sigtest.Signing{NoSCT: true}},
		{"no log", trustedRoot(t, s), sigtest.Signing{Log: sigtest.NoLog}},
		{"no time", trustedRoot(t, s), sigtest.Signing{Log: sigtest.RekorV2, Untimed: true}},
	} {
		tt.how.Identity = release
		signed, err := s.Blob([]byte("bytes"), tt.how)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifyWithTheLibrary(tt.trusted, signed, false); err == nil {
			t.Errorf("%s: verified", tt.name)
		}
	}
}

func newSigstore(t *testing.T) *sigtest.Sigstore {
	t.Helper()
	s, err := sigtest.New(sigtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The annotations of cosign v2: the signature fits the certificate, and the log's promise the
// entry.
func TestCosign(t *testing.T) {
	s := newSigstore(t)
	made, err := s.Cosign([]byte(`{"critical":{}}`), sigtest.Signing{Identity: release})
	if err != nil {
		t.Fatal(err)
	}
	var annotation struct {
		SignedEntryTimestamp []byte
		Payload              struct {
			Body           string `json:"body"`
			IntegratedTime int64  `json:"integratedTime"`
			LogIndex       int64  `json:"logIndex"`
			LogID          string `json:"logID"`
		}
	}
	if err := json.Unmarshal(made.Bundle, &annotation); err != nil || annotation.Payload.LogID == "" || len(annotation.SignedEntryTimestamp) == 0 {
		t.Errorf("%s: %v", made.Bundle, err)
	}
	block := certificate(t, made.Certificate)
	verifier, err := signature.LoadDefaultVerifier(block.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifySignature(bytes.NewReader(made.Signature), bytes.NewReader([]byte(`{"critical":{}}`))); err != nil {
		t.Error(err)
	}
	pool, intermediates := x509.NewCertPool(), x509.NewCertPool()
	pool.AddCert(s.Chain()[1])
	intermediates.AppendCertsFromPEM(made.Chain)
	if _, err := block.Verify(x509.VerifyOptions{Roots: pool, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}); err != nil {
		t.Error(err)
	}
}

func certificate(t *testing.T, text []byte) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(text)
	if block == nil || len(rest) > 0 {
		t.Fatalf("%q is no certificate", text)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

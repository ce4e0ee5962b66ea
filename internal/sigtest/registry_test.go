package sigtest_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/npmsig"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

func ours(t *testing.T, s *sigtest.Sigstore) *trust.Root {
	t.Helper()
	text, err := s.TrustedRoot()
	if err != nil {
		t.Fatal(err)
	}
	r, err := trust.Parse("test", time.Time{}, text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What registries would serve of it is verified as what they serve.
func TestRegistries(t *testing.T) {
	s, private := newSigstore(t), bare(t)
	id := sigtest.Workflow("acme/sdk", "release.yml", "refs/tags/v1.2.3")
	accept := bundle.Exactly(id.Issuer, id.SAN)
	long, short := sha512.Sum512([]byte("tarball")), sha256.Sum256([]byte("wheel"))
	tarball := []digest.Digest{{Algorithm: digest.SHA512, Text: hex.EncodeToString(long[:])}}
	wheel := []digest.Digest{{Algorithm: digest.SHA256, Text: hex.EncodeToString(short[:])}}
	at := time.Now().AddDate(0, -3, 0)
	npm, err := sigtest.NewNPM()
	if err != nil {
		t.Fatal(err)
	}
	text, err := npm.Keys(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := trust.ParseNPMKeys(text)
	if err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name string
		make func() ([]byte, error)
		want bundle.Want
		on   *sigtest.Sigstore
		kind string
	}{
		{"npm provenance", func() ([]byte, error) {
			return s.NPMProvenance("@acme/sdk", "1.2.3", tarball[0].Text, sigtest.Signing{Identity: id, At: at})
		}, bundle.NPMProvenance("@acme/sdk", "1.2.3", tarball, accept), s, verify.KindProvenance},
		{
			"npm publish", func() ([]byte, error) { return s.NPMPublish(npm, "@acme/sdk", "1.2.3", tarball[0].Text, at) },
			bundle.NPMPublished("@acme/sdk", "1.2.3", tarball, keys), s, verify.KindPublish,
		},
		{"PyPI", func() ([]byte, error) {
			return s.PyPIBundle("acme_sdk-1.2.3-py3-none-any.whl", wheel[0].Text, sigtest.Signing{Identity: id})
		}, bundle.PyPIPublished("Acme.SDK-1.2.3-py3-none-any.whl", wheel, accept), s, verify.KindPublish},
		{"GitHub, public", func() ([]byte, error) {
			return s.GitHubAttestation("sdk.tar.gz", wheel[0].Text, sigtest.Signing{Identity: id})
		}, bundle.Attested(wheel, accept, bundle.ProvenanceV1), s, verify.KindProvenance},
		{"GitHub, private", func() ([]byte, error) {
			return private.GitHubAttestation("sdk.tar.gz", wheel[0].Text, sigtest.Signing{Identity: id})
		}, bundle.Attested(wheel, accept, bundle.ProvenanceV1), private, verify.KindProvenance},
		{"GitHub, release", func() ([]byte, error) {
			return private.GitHubRelease("acme/sdk", "v1.2.3", id.SourceDigest, at, sigtest.ReleaseAsset{Name: "sdk.tar.gz", SHA256: wheel[0].Text})
		}, bundle.GitHubRelease("sdk.tar.gz", wheel), private, verify.KindRelease},
	} {
		text, err := tt.make()
		if err != nil {
			t.Fatal(err)
		}
		proof, err := bundle.Verify(text, tt.want, ours(t, tt.on))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if proof.Kind != tt.kind {
			t.Errorf("%s: %+v", tt.name, proof)
		}
	}

	signature, err := npm.Sign("@acme/sdk", "1.2.3", "sha512-"+base64.StdEncoding.EncodeToString(long[:]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := npmsig.Verify(npmsig.Version{Name: "@acme/sdk", Version: "1.2.3", Integrity: tarball[0]},
		[]registry.Signature{{KeyID: npm.ID, Sig: signature}}, keys); err != nil {
		t.Error(err)
	}
}

func bare(t *testing.T) *sigtest.Sigstore {
	t.Helper()
	s, err := sigtest.New(sigtest.Options{Name: "github.example", Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The form of PEP 740 has all that the bundle has.
func TestPyPIForm(t *testing.T) {
	s := newSigstore(t)
	id := sigtest.Workflow("acme/sdk", "release.yml", "refs/tags/v1.2.3")
	made, err := s.PyPIBundle("sdk-1.2.3.tar.gz", hex.EncodeToString(make([]byte, 32)), sigtest.Signing{Identity: id})
	if err != nil {
		t.Fatal(err)
	}
	attestation, err := sigtest.PyPIAttestation(made)
	if err != nil {
		t.Fatal(err)
	}
	served, err := sigtest.PyPIProvenance(id, attestation)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Bundles []struct {
			Publisher    struct{ Kind, Repository, Workflow string }
			Attestations []struct {
				Version  int
				Material struct {
					Certificate []byte
					Entries     []map[string]any `json:"transparency_entries"`
				} `json:"verification_material"`
				Envelope struct{ Statement, Signature []byte }
			}
		} `json:"attestation_bundles"`
	}
	if err := json.Unmarshal(served, &p); err != nil || len(p.Bundles) != 1 || len(p.Bundles[0].Attestations) != 1 {
		t.Fatalf("%v: %s", err, served)
	}
	one := p.Bundles[0].Attestations[0]
	if p.Bundles[0].Publisher.Repository != "acme/sdk" || p.Bundles[0].Publisher.Workflow != "release.yml" || one.Version != 1 ||
		len(one.Material.Certificate) == 0 || len(one.Material.Entries) != 1 || len(one.Envelope.Signature) == 0 || one.Envelope.Statement[0] != '{' {
		t.Errorf("%s", served)
	}
}

package image

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/cosign/v2/pkg/oci"
	"github.com/sigstore/cosign/v2/pkg/oci/static"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// FuzzSignature: whatever stands in a layer and its annotations, the process goes on, the answer
// is a proof or a refusal of one line, the same each time, and a proof is of what was signed.
func FuzzSignature(f *testing.F) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	s, err := sigtest.New(sigtest.Options{})
	if err != nil {
		f.Fatal(err)
	}
	text, err := s.TrustedRoot()
	if err != nil {
		f.Fatal(err)
	}
	root, err := trust.Parse("fuzz", time.Time{}, text)
	if err != nil {
		f.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	j := judge{digest: digest, accept: func(verify.Identity) error { return nil }, keys: []trust.Key{{ID: "k", Public: key.Public()}}, roots: []*trust.Root{root}}
	repo, err := images.Open("registry.example/app", nil)
	if err != nil {
		f.Fatal(err)
	}

	signed := map[string]bool{} // payloads
	add := func(attestation bool, sig oci.Signature, err error) {
		if err != nil {
			f.Fatal(err)
		}
		payload, err := sig.Payload()
		if err != nil {
			f.Fatal(err)
		}
		a, err := sig.Annotations()
		if err != nil {
			f.Fatal(err)
		}
		signed[string(payload)] = true
		f.Add(attestation, payload, a[static.SignatureAnnotationKey], a[static.CertificateAnnotationKey], a[static.BundleAnnotationKey], a[static.RFC3161TimestampAnnotationKey])
	}
	payload, err := repo.Payload(digest)
	if err != nil {
		f.Fatal(err)
	}
	statement, err := repo.Statement(digest, "https://slsa.dev/provenance/v1", []byte("{}"))
	if err != nil {
		f.Fatal(err)
	}
	identity := verify.Identity{Issuer: "https://issuer.example", SAN: "https://san.example"}
	for _, how := range []sigtest.Signing{
		{Identity: identity}, {Identity: identity, Timestamped: true}, {Key: key}, {Key: key, Log: sigtest.NoLog, Untimed: true},
	} {
		made, err := s.Cosign(payload, how)
		if err != nil {
			f.Fatal(err)
		}
		sig, err := images.Signature(payload, made)
		add(false, sig, err)
		bundle, err := s.Attest(statement, how)
		if err != nil {
			f.Fatal(err)
		}
		att, err := images.Attestation(bundle, "https://slsa.dev/provenance/v1")
		add(true, att, err)
	}
	logID := strings.Repeat("00", 32)
	crash := `{"SignedEntryTimestamp":"AAAA","Payload":{"body":{},"integratedTime":1,"logIndex":1,"logID":"` + logID + `"}}`
	f.Add(false, payload, "MEUCIQ==", "", crash, "")
	broken := base64.StdEncoding.EncodeToString([]byte(`{"kind":"dsse","apiVersion":"0.0.1","spec":{"signatures":[{"signature":"MEUCIQ==","verifier":"\n"}],` +
		`"envelopeHash":{"algorithm":"sha256","value":"00"},"payloadHash":{"algorithm":"sha256","value":"00"}}}`))
	f.Add(false, payload, "MEUCIQ==", "", strings.Replace(crash, "{}", `"`+broken+`"`, 1), "")
	f.Add(true, payload, "", "", strings.Replace(crash, "{}", `"e30="`, 1), "{}")

	f.Fuzz(func(t *testing.T, attestation bool, payload []byte, signature, certificate, log, timestamp string) {
		what := whatSignature
		if attestation {
			what = whatAttestation
		}
		annotations := map[string]string{
			static.SignatureAnnotationKey: signature, static.CertificateAnnotationKey: certificate,
			static.BundleAnnotationKey: log, static.RFC3161TimestampAnnotationKey: timestamp,
		}
		judged := func() (*verify.Proof, *verify.Refusal) {
			p, refusal := readPresented(what, payload, annotations)
			if refusal != nil {
				return nil, refusal
			}
			return j.signature(t.Context(), p)
		}
		proof, refusal := judged()
		if (proof == nil) == (refusal == nil) {
			t.Fatalf("%v and %v: both or neither", proof, refusal)
		}
		if refusal != nil && (refusal.Code == "" || refusal.Detail == "" || verify.Line(refusal.Detail) != refusal.Detail) {
			t.Errorf("%q is not one line", refusal.Detail)
		}
		if proof != nil && (!attestation && !signed[string(payload)] || proof.Subject != digest) {
			t.Errorf("proved, and nobody signed it: %q", payload)
		}
		again, refusedAgain := judged()
		if diff := cmp.Diff(proof, again); diff != "" || (refusal == nil) != (refusedAgain == nil) || refusal != nil && refusal.Code != refusedAgain.Code {
			t.Errorf("another answer at the second time: %s, %v, %v", diff, refusal, refusedAgain)
		}
	})
}

// FuzzManifest: what reads as a manifest names content by digests alone, and reads as no index.
func FuzzManifest(f *testing.F) {
	const layer = `{"mediaType":"x","size":2,"digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`
	f.Add([]byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":` + layer + `,"layers":[` + layer + `]}`))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[` + layer + `],"annotations":{"a":"b"}}`))
	f.Add([]byte(`{"manifests":[],"layers":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		index, notIndex := parseIndex(b)
		if err == nil && notIndex == nil && len(m.Layers)+len(index) > 0 {
			t.Fatal("it is an image and an index")
		}
		if err == nil {
			index = append(index, m.Layers...)
		}
		for _, d := range index {
			if !sha256Digest.MatchString(d.Digest) || d.Size < 0 {
				t.Errorf("%+v", d)
			}
			if _, err := json.Marshal(d); err != nil {
				t.Error(err)
			}
		}
	})
}

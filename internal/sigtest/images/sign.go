package images

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/sigstore/cosign/v2/pkg/cosign/bundle"
	"github.com/sigstore/cosign/v2/pkg/oci"
	"github.com/sigstore/cosign/v2/pkg/oci/mutate"
	ociremote "github.com/sigstore/cosign/v2/pkg/oci/remote"
	"github.com/sigstore/cosign/v2/pkg/oci/static"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"github.com/sigstore/sigstore/pkg/signature/payload"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/wormsweep/wormsweep/internal/sigtest"
)

// SignedBy is the predicate type under which cosign 3 signs an image.
const SignedBy = "https://sigstore.dev/cosign/sign/v1"

// Payload is what cosign 2 signs of an image.
func (r *Repository) Payload(digest string) ([]byte, error) {
	return payload.Cosign{Image: r.name.Digest(digest)}.MarshalJSON()
}

// Sign signs an image as cosign 2 does, beside the signatures that it has.
func (r *Repository) Sign(ctx context.Context, digest string, s *sigtest.Sigstore, how sigtest.Signing) error {
	signed, err := r.Payload(digest)
	if err != nil {
		return err
	}
	made, err := s.Cosign(signed, how)
	if err != nil {
		return err
	}
	sig, err := Signature(signed, made)
	if err != nil {
		return err
	}
	return r.attach(ctx, digest, sig, false)
}

// Signature is a signature in cosign's type.
func Signature(signed []byte, made *sigtest.Cosign) (oci.Signature, error) {
	var options []static.Option
	if made.Certificate != nil {
		options = append(options, static.WithCertChain(made.Certificate, made.Chain))
	}
	if made.Bundle != nil {
		logged := &bundle.RekorBundle{}
		if err := json.Unmarshal(made.Bundle, logged); err != nil {
			return nil, err
		}
		options = append(options, static.WithBundle(logged))
	}
	if made.Timestamp != nil {
		options = append(options, static.WithRFC3161Timestamp(&bundle.RFC3161Timestamp{SignedRFC3161Timestamp: made.Timestamp}))
	}
	return static.NewSignature(signed, base64.StdEncoding.EncodeToString(made.Signature), options...)
}

// attach writes a signature or attestation beside an image, with cosign's own code.
func (r *Repository) attach(ctx context.Context, digest string, sig oci.Signature, attestation bool) error {
	options := ociremote.WithRemoteOptions(r.with(ctx)...)
	entity, err := ociremote.SignedEntity(r.name.Digest(digest), options)
	if err != nil {
		return err
	}
	if attestation {
		if entity, err = mutate.AttachAttestationToEntity(entity, sig); err != nil {
			return err
		}
		return ociremote.WriteAttestations(r.name, entity, options)
	}
	if entity, err = mutate.AttachSignatureToEntity(entity, sig); err != nil {
		return err
	}
	return ociremote.WriteSignatures(r.name, entity, options)
}

// Statement is an in-toto statement about an image.
func (r *Repository) Statement(digest, predicateType string, predicate []byte) ([]byte, error) {
	return json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []map[string]any{{"name": r.name.Name(), "digest": map[string]string{"sha256": digest[len("sha256:"):]}}},
		"predicateType": predicateType,
		"predicate":     json.RawMessage(predicate),
	})
}

// Attest attests of an image as cosign 2 does, beside the attestations that it has.
func (r *Repository) Attest(ctx context.Context, digest, predicateType string, predicate []byte, s *sigtest.Sigstore, how sigtest.Signing) error {
	statement, err := r.Statement(digest, predicateType, predicate)
	if err != nil {
		return err
	}
	made, err := s.Attest(statement, how)
	if err != nil {
		return err
	}
	att, err := Attestation(made, predicateType)
	if err != nil {
		return err
	}
	return r.attach(ctx, digest, att, true)
}

// Attestation writes a bundle with a statement in it as cosign 2 does.
func Attestation(made []byte, predicateType string) (oci.Signature, error) {
	b := &protobundle.Bundle{}
	if err := protojson.Unmarshal(made, b); err != nil {
		return nil, err
	}
	envelope := b.GetDsseEnvelope()
	if len(envelope.GetSignatures()) != 1 {
		return nil, fmt.Errorf("a bundle without a statement that is signed once")
	}
	// The bytes that the log has the hash of.
	written, err := json.Marshal(map[string]any{
		"payload": envelope.Payload, "payloadType": envelope.PayloadType, "signatures": []map[string]any{{"sig": envelope.Signatures[0].Sig}},
	})
	if err != nil {
		return nil, err
	}
	options := []static.Option{
		static.WithLayerMediaType("application/vnd.dsse.envelope.v1+json"),
		static.WithAnnotations(map[string]string{"predicateType": predicateType}),
	}
	material := b.VerificationMaterial
	if der := material.GetCertificate().GetRawBytes(); der != nil {
		options = append(options, static.WithCertChain(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil))
	}
	if entries := material.GetTlogEntries(); len(entries) > 0 {
		options = append(options, static.WithBundle(&bundle.RekorBundle{
			SignedEntryTimestamp: entries[0].GetInclusionPromise().GetSignedEntryTimestamp(),
			Payload: bundle.RekorPayload{
				Body:           base64.StdEncoding.EncodeToString(entries[0].CanonicalizedBody),
				IntegratedTime: entries[0].IntegratedTime,
				LogIndex:       entries[0].LogIndex,
				LogID:          hex.EncodeToString(entries[0].LogId.KeyId),
			},
		}))
	}
	return static.NewAttestation(written, options...)
}

// Bundle attests of an image as cosign 3 does, by a bundle that refers to it. With SignedBy as
// the predicate type it signs the image.
func (r *Repository) Bundle(ctx context.Context, digest, predicateType string, predicate []byte, s *sigtest.Sigstore, how sigtest.Signing) error {
	statement, err := r.Statement(digest, predicateType, predicate)
	if err != nil {
		return err
	}
	made, err := s.Attest(statement, how)
	if err != nil {
		return err
	}
	return r.PutBundle(ctx, digest, made, predicateType)
}

// PutBundle lets a bundle refer to an image, whatever is in it.
func (r *Repository) PutBundle(ctx context.Context, digest string, made []byte, predicateType string) error {
	return ociremote.WriteAttestationNewBundleFormat(r.name.Digest(digest), made, predicateType, ociremote.WithRemoteOptions(r.with(ctx)...))
}

package image

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore/pkg/signature"
	sigdsse "github.com/sigstore/sigstore/pkg/signature/dsse"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// statement is an in-toto statement: github.com/in-toto/attestation, spec/v1/statement.md.
type statement struct {
	Subject []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string             `json:"predicateType"`
	Predicate     stdjson.RawMessage `json:"-"`
	Raw           jsontext.Value     `json:"predicate"`
}

const inTotoType = "application/vnd.in-toto+json"

// readStatement reads the statement in a DSSE envelope, whose signature is not looked at.
func readStatement(envelope []byte) (*statement, error) {
	var e struct {
		PayloadType string `json:"payloadType"`
		Payload     []byte `json:"payload"`
	}
	if err := json.Unmarshal(envelope, &e); err != nil {
		return nil, fmt.Errorf("an envelope that does not read: %w", err)
	}
	if e.PayloadType != inTotoType {
		return nil, fmt.Errorf("an envelope with %.100q in it", e.PayloadType)
	}
	s := &statement{}
	if err := json.Unmarshal(e.Payload, s); err != nil {
		return nil, fmt.Errorf("a statement that does not read: %w", err)
	}
	if s.PredicateType == "" || len(s.Subject) == 0 {
		return nil, errors.New("a statement without a predicate type or subject")
	}
	s.Predicate = stdjson.RawMessage(s.Raw)
	return s, nil
}

// subject is the digest that what was presented is about: want where it is one of several.
func (p *presented) subject(want string) (string, error) {
	if p.what == whatAttestation {
		s, err := readStatement(p.payload)
		if err != nil {
			return "", err
		}
		digests := make([]string, len(s.Subject))
		for i, subject := range s.Subject {
			digests[i] = "sha256:" + subject.Digest["sha256"]
		}
		if slices.Contains(digests, want) {
			return want, nil
		}
		return digests[0], nil
	}
	var signed struct {
		Critical struct {
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
		} `json:"critical"`
	}
	if err := json.Unmarshal(p.payload, &signed); err != nil {
		return "", fmt.Errorf("a payload that does not read: %w", err)
	}
	return signed.Critical.Image.Digest, nil
}

// kindOf is what a predicate type makes of an attestation.
func kindOf(predicateType string) string {
	switch {
	case strings.HasPrefix(predicateType, "https://slsa.dev/provenance/"):
		return verify.KindProvenance
	case strings.HasPrefix(predicateType, "https://sigstore.dev/cosign/sign/"): // cosign 3 signs so
		return verify.KindImageSignature
	}
	return verify.KindAttestation
}

// verifyEnvelope checks the signature of an envelope, as cosign's verifyOCIAttestation does.
func verifyEnvelope(ctx context.Context, by signature.Verifier, envelope []byte) error {
	var e dsse.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		return fmt.Errorf("an envelope that does not read: %w", err)
	}
	verifier, err := dsse.NewEnvelopeVerifier(&sigdsse.VerifierAdapter{SignatureVerifier: by})
	if err != nil {
		return err
	}
	_, err = verifier.Verify(ctx, &e)
	return err
}

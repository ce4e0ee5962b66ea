package sigtest

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"time"

	rekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
)

// signer is what a signature is made with, as logs write it down.
type signer struct {
	certificate *x509.Certificate // or
	key         []byte            // a public key's PKIX form
}

func (s signer) pem() []byte {
	if s.certificate != nil {
		return certificatePEM(s.certificate)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: s.key})
}

// object is JSON whose keys come out sorted, which is what canonical JSON (RFC 8785) asks of
// values as simple as these.
type object = map[string]any

// hashed is the body of a "hashedrekord" of Rekor v1: a signature over something with that
// SHA-256.
func hashed(by signer, sum [sha256.Size]byte, signature []byte) ([]byte, error) {
	return json.Marshal(object{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": object{
		"data":      object{"hash": object{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}},
		"signature": object{"content": signature, "publicKey": object{"content": by.pem()}},
	}})
}

// enveloped is the body of a "dsse" of Rekor v1: an envelope with one signature.
func enveloped(by signer, payload, signature []byte) ([]byte, error) {
	envelope, err := json.Marshal(object{
		"payload": payload, "payloadType": statementType, "signatures": []object{{"sig": signature}},
	})
	if err != nil {
		return nil, err
	}
	hash := func(b []byte) object {
		sum := sha256.Sum256(b)
		return object{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
	}
	return json.Marshal(object{"apiVersion": "0.0.1", "kind": "dsse", "spec": object{
		"envelopeHash": hash(envelope), "payloadHash": hash(payload),
		"signatures": []object{{"signature": base64.StdEncoding.EncodeToString(signature), "verifier": by.pem()}},
	}})
}

// hashedV2 is the body of a "hashedrekord" of Rekor v2, which has no other kind.
func hashedV2(by signer, sum [sha256.Size]byte, signature []byte) ([]byte, error) {
	verifier := object{"keyDetails": "PKIX_ECDSA_P256_SHA_256"}
	if by.certificate != nil {
		verifier["x509Certificate"] = object{"rawBytes": by.certificate.Raw}
	} else {
		verifier["publicKey"] = object{"rawBytes": by.key}
	}
	return json.Marshal(object{"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": object{"hashedRekordV002": object{
		"data":      object{"algorithm": "SHA2_256", "digest": sum[:]},
		"signature": object{"content": signature, "verifier": verifier},
	}}})
}

// logged puts a signature into the log that how asks for; nil where it asks for none. sum is of
// what was signed, payload that of an envelope.
func (s *Sigstore) logged(by signer, how Signing, sum [sha256.Size]byte, payload, signature []byte, at time.Time) (*rekor.TransparencyLogEntry, error) {
	switch {
	case s.v1 == nil || how.Log == NoLog:
		return nil, nil
	case how.Log == RekorV2:
		body, err := hashedV2(by, sum, signature)
		if err != nil {
			return nil, err
		}
		return s.v2.add("hashedrekord", "0.0.2", body, at)
	case payload != nil:
		body, err := enveloped(by, payload, signature)
		if err != nil {
			return nil, err
		}
		return s.v1.add("dsse", "0.0.1", body, at)
	}
	body, err := hashed(by, sum, signature)
	if err != nil {
		return nil, err
	}
	return s.v1.add("hashedrekord", "0.0.1", body, at)
}

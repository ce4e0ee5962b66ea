package sigtest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	common "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	rekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/wormsweep/wormsweep/internal/verify"
)

const (
	mediaType     = "application/vnd.dev.sigstore.bundle.v0.3+json"
	statementType = "application/vnd.in-toto+json"
)

// Log is which transparency log a signature is put into.
type Log int

// The logs. A signature in RekorV2, or in none, has a signed timestamp, since nothing else says
// when it was made.
const (
	RekorV1 Log = iota
	RekorV2
	NoLog
)

// Signing says who signs and how. The zero value of what follows Identity is a signature as the
// public Sigstore makes it.
type Signing struct {
	Identity verify.Identity
	At       time.Time // when, to the second; zero is now
	Log      Log
	// Timestamped adds a signed timestamp where the log would do; Untimed leaves it out
	// where it is all that there is, which is a fault; NoSCT is one, too.
	Timestamped, Untimed, NoSCT bool
	// Key signs in place of a certificate; KeyHint names it.
	Key     *ecdsa.PrivateKey
	KeyHint string
}

// Blob signs the bytes of a file, and gives the bundle.
func (s *Sigstore) Blob(artifact []byte, how Signing) ([]byte, error) {
	return s.Digest(sha256.Sum256(artifact), how)
}

// Digest is Blob of a file with that SHA-256.
func (s *Sigstore) Digest(sum [sha256.Size]byte, how Signing) ([]byte, error) {
	signed, err := s.sign(sum, nil, how)
	if err != nil {
		return nil, err
	}
	signed.bundle.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &common.MessageSignature{
		MessageDigest: &common.HashOutput{Algorithm: common.HashAlgorithm_SHA2_256, Digest: sum[:]},
		Signature:     signed.signature,
	}}
	return written(signed.bundle)
}

// Attest signs an in-toto statement, and gives the bundle.
func (s *Sigstore) Attest(statement []byte, how Signing) ([]byte, error) {
	sum := sha256.Sum256(pae(statement))
	signed, err := s.sign(sum, statement, how)
	if err != nil {
		return nil, err
	}
	signed.bundle.Content = &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &dsse.Envelope{
		Payload: statement, PayloadType: statementType,
		Signatures: []*dsse.Signature{{Sig: signed.signature, Keyid: how.KeyHint}},
	}}
	return written(signed.bundle)
}

// pae is what the signature of an envelope is over.
//
// "PAE(type, body) = "DSSEv1" + SP + LEN(type) + SP + type + SP + LEN(body) + SP + body" (DSSE
// protocol)
func pae(payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(statementType), statementType, len(payload), payload)
}

func written(b *protobundle.Bundle) ([]byte, error) {
	text, err := protojson.Marshal(b)
	if err != nil {
		return nil, err
	}
	return compact(text)
}

// signed is a signature, and a bundle with all that proves it and without it.
type signed struct {
	signature []byte
	bundle    *protobundle.Bundle
}

func (s *Sigstore) sign(sum [sha256.Size]byte, payload []byte, how Signing) (*signed, error) {
	at := how.At
	if at.IsZero() {
		at = time.Now()
	}
	at = at.Truncate(time.Second)
	key, by, material := how.Key, signer{}, &protobundle.VerificationMaterial{}
	if key == nil {
		certificate, err := s.Certificate(how.Identity, at, how.NoSCT)
		if err != nil {
			return nil, err
		}
		key, by.certificate = certificate.Key, certificate.Leaf
		material.Content = &protobundle.VerificationMaterial_Certificate{
			Certificate: &common.X509Certificate{RawBytes: certificate.Leaf.Raw},
		}
	} else {
		var err error
		if by.key, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
			return nil, err
		}
		material.Content = &protobundle.VerificationMaterial_PublicKey{
			PublicKey: &common.PublicKeyIdentifier{Hint: how.KeyHint},
		}
	}
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	entry, err := s.logged(by, how, sum, payload, signature, at)
	if err != nil {
		return nil, err
	}
	if entry != nil {
		material.TlogEntries = []*rekor.TransparencyLogEntry{entry}
	}
	promised := entry != nil && entry.InclusionPromise != nil
	if (how.Timestamped || !promised) && !how.Untimed {
		stamp, err := s.Timestamp(signature, at)
		if err != nil {
			return nil, err
		}
		material.TimestampVerificationData = &protobundle.TimestampVerificationData{
			Rfc3161Timestamps: []*common.RFC3161SignedTimestamp{{SignedTimestamp: stamp}},
		}
	}
	return &signed{signature, &protobundle.Bundle{MediaType: mediaType, VerificationMaterial: material}}, nil
}

// Cosign is a signature of an image's payload in the form of cosign v2: what stands in the
// annotations of its layer.
type Cosign struct {
	Signature   []byte // as bytes; the annotation has it in base64
	Certificate []byte // PEM, nil of a key
	Chain       []byte // PEM, nil of a key
	Bundle      []byte // JSON of the annotation "dev.sigstore.cosign/bundle", nil without a log
	Timestamp   []byte // a timestamp response, nil without one
}

// Cosign signs the payload of an image's signature. The log, if any, is Rekor v1: that form knows
// no other.
func (s *Sigstore) Cosign(payload []byte, how Signing) (*Cosign, error) {
	if how.Log == RekorV2 {
		return nil, fmt.Errorf("a signature of cosign v2 stands in no log of Rekor v2")
	}
	made, err := s.sign(sha256.Sum256(payload), nil, how)
	if err != nil {
		return nil, err
	}
	c := &Cosign{Signature: made.signature}
	material := made.bundle.VerificationMaterial
	if der := material.GetCertificate().GetRawBytes(); der != nil {
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		c.Certificate, c.Chain = certificatePEM(leaf), s.ChainPEM()
	}
	if stamps := material.GetTimestampVerificationData().GetRfc3161Timestamps(); len(stamps) > 0 {
		c.Timestamp = stamps[0].SignedTimestamp
	}
	if entries := material.TlogEntries; len(entries) > 0 {
		c.Bundle, err = json.Marshal(object{
			"SignedEntryTimestamp": entries[0].InclusionPromise.SignedEntryTimestamp, "Payload": payloadOf(entries[0]),
		})
	}
	return c, err
}

package bundle

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	common "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// mediaTypes are those of the versions that are read.
var mediaTypes = []string{
	"application/vnd.dev.sigstore.bundle+json;version=0.1",
	"application/vnd.dev.sigstore.bundle+json;version=0.2",
	"application/vnd.dev.sigstore.bundle+json;version=0.3",
	"application/vnd.dev.sigstore.bundle.v0.3+json",
}

// presented is a bundle that was read and of which nothing is verified.
type presented struct {
	*bundle.Bundle // what the library verifies

	leaf      *x509.Certificate // nil of a signature by a key
	hint      string            // of the key
	signature []byte
	statement *statement     // nil of a signature over a file
	message   *digest.Digest // of that file
	entries   []*rekor.TransparencyLogEntry
	stamps    int
}

// read parses a bundle strictly.
func read(text []byte) (*presented, error) {
	if len(text) > MaxBytes {
		return nil, refuse(verify.TooLarge, "%d bytes, and at most %d are read", len(text), MaxBytes)
	}
	if err := strict(text, maxElements); err != nil {
		return nil, err
	}
	message := &protobundle.Bundle{}
	if err := protojson.Unmarshal(text, message); err != nil {
		return nil, refuse(verify.Malformed, "%v", err)
	}
	version := slices.Index(mediaTypes, message.GetMediaType())
	if version < 0 {
		return nil, refuse(verify.Malformed, "the media type %q is not of a bundle that is read", message.GetMediaType())
	}
	r := &presented{}
	if err := r.material(message.GetVerificationMaterial(), version == 0); err != nil {
		return nil, err
	}
	if err := r.content(message); err != nil {
		return nil, err
	}
	var err error
	if r.Bundle, err = bundle.NewBundle(message); err != nil {
		return nil, refuse(verify.Malformed, "%v", err)
	}
	return r, nil
}

// strict refuses JSON that two readers may read in two ways: a key that is there twice, something
// after the end, invalid UTF-8, and nesting without end. A list may have so many elements, any
// number for 0.
func strict(text []byte, elements int64) error {
	in := jsontext.NewDecoder(bytes.NewBuffer(text))
	for {
		if _, err := in.ReadToken(); errors.Is(err, io.EOF) {
			return refuse(verify.Malformed, "there is no JSON in it")
		} else if err != nil {
			return refuse(verify.Malformed, "%v", err)
		}
		depth := in.StackDepth()
		if depth > maxDepth {
			return refuse(verify.Malformed, "JSON that is nested more than %d deep", maxDepth)
		}
		if depth == 0 {
			break
		}
		switch kind, length := in.StackIndex(depth); {
		case kind == '{' && length > 2*maxMembers:
			return refuse(verify.TooLarge, "an object with more than %d members", maxMembers)
		case kind == '[' && elements > 0 && length > elements:
			return refuse(verify.TooLarge, "a list with more than %d elements", elements)
		}
	}
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		return refuse(verify.Malformed, "there is something after the end of its JSON")
	}
	return nil
}

// material reads what a signature is verified with. first is for version 0.1, whose entries have
// the log's promise; later ones have its proof.
func (r *presented) material(m *protobundle.VerificationMaterial, first bool) error {
	switch c := m.GetContent().(type) {
	case *protobundle.VerificationMaterial_Certificate:
		if err := r.certificate(c.Certificate); err != nil {
			return err
		}
	case *protobundle.VerificationMaterial_X509CertificateChain:
		certificates := c.X509CertificateChain.GetCertificates()
		if len(certificates) == 0 || len(certificates) > maxEntries {
			return refuse(verify.Malformed, "a chain of %d certificates", len(certificates))
		}
		if err := r.certificate(certificates[0]); err != nil {
			return err
		}
	case *protobundle.VerificationMaterial_PublicKey:
		if r.hint = c.PublicKey.GetHint(); len(r.hint) > maxHint {
			return refuse(verify.TooLarge, "a key with a name of %d bytes", len(r.hint))
		}
	default:
		return refuse(verify.Malformed, "neither a certificate nor a key is in it")
	}
	stamps := m.GetTimestampVerificationData().GetRfc3161Timestamps()
	r.entries, r.stamps = m.GetTlogEntries(), len(stamps)
	if len(r.entries) > maxEntries || r.stamps > maxEntries {
		return refuse(verify.TooLarge, "%d log entries and %d timestamps, and at most %d are read", len(r.entries), r.stamps, maxEntries)
	}
	for _, stamp := range stamps {
		if n := len(stamp.GetSignedTimestamp()); n == 0 || n > maxCertificate {
			return refuse(verify.Malformed, "a timestamp of %d bytes", n)
		}
	}
	proved := len(r.entries) == 0
	for _, e := range r.entries {
		if e.GetKindVersion() == nil || len(e.GetLogId().GetKeyId()) == 0 || len(e.GetCanonicalizedBody()) == 0 {
			return refuse(verify.Malformed, "a log entry lacks its kind, its log or its body")
		}
		if err := bounded(e); err != nil {
			return err
		}
		if err := named(e); err != nil {
			return err
		}
		if first {
			proved = proved || len(e.GetInclusionPromise().GetSignedEntryTimestamp()) > 0
		} else {
			proved = proved || e.GetInclusionProof().GetCheckpoint().GetEnvelope() != ""
		}
	}
	if !proved {
		return refuse(verify.NoLogEntry, "its log entry has no proof of inclusion")
	}
	return nil
}

// bounded refuses an entry that has more than a log would put there.
func bounded(e *rekor.TransparencyLogEntry) error {
	proof := e.GetInclusionProof()
	switch head := proof.GetCheckpoint().GetEnvelope(); {
	case len(e.GetCanonicalizedBody()) > maxBody:
		return refuse(verify.TooLarge, "a log entry of %d bytes", len(e.GetCanonicalizedBody()))
	case len(head) > maxCheckpoint:
		return refuse(verify.TooLarge, "a checkpoint of %d bytes", len(head))
	case len(proof.GetHashes()) > maxHashes:
		return refuse(verify.TooLarge, "a proof of inclusion with %d hashes", len(proof.GetHashes()))
	}
	return strict(e.GetCanonicalizedBody(), maxElements)
}

// named refuses an entry that is named another kind than its body is.
func named(e *rekor.TransparencyLogEntry) error {
	var body struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal(e.GetCanonicalizedBody(), &body); err != nil {
		return refuse(verify.Malformed, "log entry: %v", err)
	}
	if v := e.GetKindVersion(); v.GetKind() != body.Kind || v.GetVersion() != body.APIVersion {
		return refuse(verify.Malformed, "a log entry that is named %q %q and is %q %q", v.GetKind(), v.GetVersion(), body.Kind, body.APIVersion)
	}
	return nil
}

func (r *presented) certificate(c *common.X509Certificate) error {
	der := c.GetRawBytes()
	if len(der) == 0 || len(der) > maxCertificate {
		return refuse(verify.Malformed, "a certificate of %d bytes", len(der))
	}
	var err error
	if r.leaf, err = x509.ParseCertificate(der); err != nil {
		return refuse(verify.Malformed, "certificate: %v", err)
	}
	return nil
}

// content reads what was signed, and the signature.
func (r *presented) content(b *protobundle.Bundle) error {
	if envelope := b.GetDsseEnvelope(); envelope != nil {
		if n := len(envelope.GetSignatures()); n != 1 {
			return refuse(verify.Malformed, "an envelope with %d signatures, and exactly one is verified", n)
		}
		if t := envelope.GetPayloadType(); t != bundle.IntotoMediaType {
			return refuse(verify.Malformed, "an envelope around %q, and only in-toto statements are read", t)
		}
		one := envelope.GetSignatures()[0]
		if r.signature = one.GetSig(); len(r.signature) > maxSignature {
			return refuse(verify.TooLarge, "a signature of %d bytes", len(r.signature))
		}
		// nothing signs the name of the key, and the library refuses one that it did not give
		one.Keyid = ""
		var err error
		r.statement, err = parseStatement(envelope.GetPayload())
		return err
	}
	message := b.GetMessageSignature()
	if message == nil {
		return refuse(verify.Malformed, "neither a statement nor a signature is in it")
	}
	if r.signature = message.GetSignature(); len(r.signature) > maxSignature {
		return refuse(verify.TooLarge, "a signature of %d bytes", len(r.signature))
	}
	hash := message.GetMessageDigest()
	algorithm := map[common.HashAlgorithm]digest.Algorithm{
		common.HashAlgorithm_SHA2_256: digest.SHA256,
		common.HashAlgorithm_SHA2_384: digest.SHA384,
		common.HashAlgorithm_SHA2_512: digest.SHA512,
	}[hash.GetAlgorithm()]
	sum, err := sumOf(algorithm, hash.GetDigest())
	r.message = &sum
	return err
}

package image

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/sigstore/cosign/v2/pkg/cosign/bundle"
	"github.com/sigstore/cosign/v2/pkg/oci"
	"github.com/sigstore/cosign/v2/pkg/oci/static"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// The most that an annotation may have. Rekor's entries of cosign have some 2 kB, and
// certificates and timestamps less.
const (
	maxSignatureText   = 16 << 10
	maxCertificateText = 32 << 10
	maxLogText         = 512 << 10
	maxTimestampText   = 64 << 10
)

// presented is one signature, or one attestation, of cosign's older form: a layer and the
// annotations of its descriptor. Whoever may push to the repository wrote it. Each of cosign's
// assumptions about its types holds once it is read.
type presented struct {
	what        string // whatSignature or whatAttestation
	payload     []byte // simple signing, or a DSSE envelope
	signature   string // base64; "" for an attestation, whose signature is in the envelope
	certificate *x509.Certificate
	log         *logEntry
	timestamp   []byte // RFC 3161
}

// logEntry is what Rekor, version 1, promised about a signature.
type logEntry struct {
	SignedEntryTimestamp []byte
	Payload              struct {
		Body           string `json:"body"` // base64 of the entry
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		LogID          string `json:"logID"`
	}
}

func (e *logEntry) time() time.Time { return time.Unix(e.Payload.IntegratedTime, 0).UTC() }

// What is presented, in the words of refusals.
const (
	whatSignature   = "image signature"
	whatAttestation = "attestation"
	whatBundle      = "bundle"
)

// readPresented reads a layer's payload and annotations.
func readPresented(what string, payload []byte, annotations map[string]string) (*presented, *verify.Refusal) {
	p := &presented{what: what, payload: payload}
	for _, a := range []struct {
		key  string
		most int
		read func(text string) error
	}{
		{static.SignatureAnnotationKey, maxSignatureText, p.readSignature},
		{static.CertificateAnnotationKey, maxCertificateText, p.readCertificate},
		{static.BundleAnnotationKey, maxLogText, p.readLog},
		{static.RFC3161TimestampAnnotationKey, maxTimestampText, p.readTimestamp},
	} {
		text := annotations[a.key]
		if len(text) > a.most {
			return nil, refuse(what, verify.TooLarge, "annotation %q has %d bytes, over the limit of %d", a.key, len(text), a.most)
		}
		if err := a.read(text); err != nil {
			return nil, refuse(what, verify.Malformed, "annotation %q: %v", a.key, err)
		}
	}
	return p, nil
}

func (p *presented) readSignature(text string) error {
	if p.what == whatAttestation {
		return nil // cosign writes "", and what else stands there is not asked
	}
	if text == "" {
		return errors.New("there is none")
	}
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return err
	}
	p.signature = text
	return nil
}

func (p *presented) readCertificate(text string) error {
	if text == "" {
		return nil
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return errors.New("not one certificate in PEM")
	}
	var err error
	p.certificate, err = x509.ParseCertificate(block.Bytes)
	return err
}

// kindsOfEntry are the entries of Rekor whose fields cosign compares with a signature.
var kindsOfEntry = []string{"hashedrekord", "dsse", "intoto", "rekord"}

// readLog holds the body to be a string: cosign v2.6.5 asserts so without a look, and ends the
// process otherwise.
func (p *presented) readLog(text string) error {
	if text == "" {
		return nil
	}
	e := &logEntry{}
	if err := json.Unmarshal([]byte(text), e); err != nil {
		return err
	}
	if id, err := hex.DecodeString(e.Payload.LogID); err != nil || len(id) != 32 {
		return fmt.Errorf("%.100q is not the id of a log", e.Payload.LogID)
	}
	if e.Payload.LogIndex < 0 || e.Payload.IntegratedTime <= 0 || len(e.SignedEntryTimestamp) == 0 {
		return errors.New("an entry without its place, time or signature")
	}
	body, err := base64.StdEncoding.DecodeString(e.Payload.Body)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	var entry struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(body, &entry); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if !slices.Contains(kindsOfEntry, entry.Kind) {
		return fmt.Errorf("body: an entry of the kind %.40q", entry.Kind)
	}
	p.log = e
	return nil
}

func (p *presented) readTimestamp(text string) error {
	if text == "" {
		return nil
	}
	var t struct{ SignedRFC3161Timestamp []byte }
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	if len(t.SignedRFC3161Timestamp) == 0 {
		return errors.New("there is none in it")
	}
	p.timestamp = t.SignedRFC3161Timestamp
	return nil
}

// forCosign is what was read, in cosign's type. The chain of the annotations is left out: a
// certificate is traced to a trusted root by the root's own intermediates.
func (p *presented) forCosign() (oci.Signature, error) {
	var options []static.Option
	if p.certificate != nil {
		options = append(options, static.WithCertChain(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw}), nil))
	}
	if p.log != nil {
		options = append(options, static.WithBundle(&bundle.RekorBundle{
			SignedEntryTimestamp: p.log.SignedEntryTimestamp,
			Payload: bundle.RekorPayload{
				Body: p.log.Payload.Body, IntegratedTime: p.log.Payload.IntegratedTime,
				LogIndex: p.log.Payload.LogIndex, LogID: p.log.Payload.LogID,
			},
		}))
	}
	if p.timestamp != nil {
		options = append(options, static.WithRFC3161Timestamp(&bundle.RFC3161Timestamp{SignedRFC3161Timestamp: p.timestamp}))
	}
	return static.NewSignature(p.payload, p.signature, options...)
}

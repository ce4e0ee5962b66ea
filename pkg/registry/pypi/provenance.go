package pypi

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Limits of one provenance object.
const (
	maxBundles      = 64
	maxAttestations = 64 // of one bundle
)

// provenance is the object of PEP 740 ("Provenance objects").
type provenance struct {
	Version jsontext.Value `json:"version"`
	Bundles []struct {
		Publisher    publisher     `json:"publisher"`
		Attestations []attestation `json:"attestations"`
	} `json:"attestation_bundles"`
}

// publisher is a trusted publisher. Which members it has is the business of its kind: a
// repository and a workflow for GitHub, an e-mail address for Google.
type publisher struct {
	Kind        string         `json:"kind"`
	Repository  jsontext.Value `json:"repository"`
	Workflow    jsontext.Value `json:"workflow"`
	File        jsontext.Value `json:"workflow_filepath"`
	Environment jsontext.Value `json:"environment"`
	Email       jsontext.Value `json:"email"`
}

// attestation is the object of that name.
type attestation struct {
	Version  jsontext.Value `json:"version"`
	Material struct {
		Certificate string           `json:"certificate"`
		Entries     []jsontext.Value `json:"transparency_entries"`
		Timestamps  []string         `json:"timestamps"`
	} `json:"verification_material"`
	Envelope struct {
		Statement string `json:"statement"`
		Signature string `json:"signature"`
	} `json:"envelope"`
}

// readProvenance makes the attestations of a file of its provenance object.
func readProvenance(file string, body []byte) ([]registry.Attestation, error) {
	var p provenance
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("%w: %v", registry.ErrMalformed, err)
	}
	switch {
	case string(p.Version) != "1":
		return nil, fmt.Errorf("version %.20q of the provenance object: %w", string(p.Version), registry.ErrMalformed)
	case len(p.Bundles) == 0:
		return nil, fmt.Errorf("a provenance object without attestations: %w", registry.ErrMalformed)
	case len(p.Bundles) > maxBundles:
		return nil, fmt.Errorf("%d publishers, over the limit of %d: %w", len(p.Bundles), maxBundles, registry.ErrTooLarge)
	}
	var all []registry.Attestation
	for i, b := range p.Bundles {
		if b.Publisher.Kind == "" || len(b.Attestations) == 0 {
			return nil, fmt.Errorf("publisher %d without kind or attestations: %w", i+1, registry.ErrMalformed)
		}
		if len(b.Attestations) > maxAttestations {
			return nil, fmt.Errorf("%d attestations of one publisher, over the limit of %d: %w", len(b.Attestations), maxAttestations, registry.ErrTooLarge)
		}
		for j, a := range b.Attestations {
			read, err := a.bundle()
			if err != nil {
				return nil, fmt.Errorf("publisher %d, attestation %d: %w: %v", i+1, j+1, registry.ErrMalformed, err)
			}
			read.File = file
			read.TrustedPublisher = registry.Known(strings.ToLower(b.Publisher.Kind))
			read.Publisher = registry.Known(b.Publisher.person())
			all = append(all, read)
		}
	}
	return all, nil
}

// person names a publisher in one line: "acme/sdk release.yml pypi".
func (p publisher) person() registry.Person {
	var parts []string
	for _, raw := range []jsontext.Value{p.Repository, p.Workflow, p.File, p.Environment} {
		if s := text(raw); s != "" {
			parts = append(parts, s)
		}
	}
	email := text(p.Email)
	if len(parts) == 0 {
		parts = []string{email}
	}
	return registry.Person{Name: strings.Join(parts, " "), Email: email}
}

// text is a member that is a text, and "" for any other.
func text(raw jsontext.Value) (s string) {
	if raw.Kind() != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// What a Sigstore bundle is made of (sigstore_bundle.proto, version 0.3). The certificate, the
// log entries and the signature are the attestation's own, unchanged.
type (
	bundle struct {
		MediaType string   `json:"mediaType"`
		Material  material `json:"verificationMaterial"`
		Envelope  envelope `json:"dsseEnvelope"`
	}
	material struct {
		Certificate certificate      `json:"certificate"`
		Entries     []jsontext.Value `json:"tlogEntries"`
		Timestamps  *timestamps      `json:"timestampVerificationData,omitempty"`
	}
	certificate struct {
		Raw string `json:"rawBytes"`
	}
	timestamps struct {
		RFC3161 []timestamp `json:"rfc3161Timestamps"`
	}
	timestamp struct {
		Signed string `json:"signedTimestamp"`
	}
	envelope struct {
		Payload    string      `json:"payload"`
		Type       string      `json:"payloadType"`
		Signatures []signature `json:"signatures"`
	}
	signature struct {
		Sig string `json:"sig"`
	}
)

// The words of a bundle.
const (
	bundleType  = "application/vnd.dev.sigstore.bundle.v0.3+json"
	payloadType = "application/vnd.in-toto+json" // "No other PAYLOAD_TYPE is permitted."
)

// bundle makes a Sigstore bundle of an attestation.
func (a attestation) bundle() (registry.Attestation, error) {
	if string(a.Version) != "1" {
		return registry.Attestation{}, fmt.Errorf("version %.20q", string(a.Version))
	}
	for what, value := range map[string]string{
		"certificate": a.Material.Certificate, "statement": a.Envelope.Statement, "signature": a.Envelope.Signature,
	} {
		if b, err := base64.StdEncoding.DecodeString(value); err != nil || len(b) == 0 {
			return registry.Attestation{}, fmt.Errorf("the %s is not base64", what)
		}
	}
	b := bundle{
		MediaType: bundleType,
		Material:  material{Certificate: certificate{a.Material.Certificate}, Entries: a.Material.Entries},
		Envelope:  envelope{Payload: a.Envelope.Statement, Type: payloadType, Signatures: []signature{{a.Envelope.Signature}}},
	}
	for _, entry := range a.Material.Entries {
		if entry.Kind() != '{' {
			return registry.Attestation{}, fmt.Errorf("a log entry that is not an object")
		}
	}
	if len(a.Material.Timestamps) > 0 {
		b.Material.Timestamps = &timestamps{}
		for _, t := range a.Material.Timestamps {
			b.Material.Timestamps.RFC3161 = append(b.Material.Timestamps.RFC3161, timestamp{t})
		}
	}
	written, err := json.Marshal(b)
	if err != nil {
		return registry.Attestation{}, err
	}
	return registry.Attestation{PredicateType: predicateType(a.Envelope.Statement), Bundle: written}, nil
}

// predicateType is that of a statement, "" where it has none that can be read.
func predicateType(statement string) string {
	b, err := base64.StdEncoding.DecodeString(statement)
	if err != nil {
		return ""
	}
	var read struct {
		PredicateType string `json:"predicateType"`
	}
	if json.Unmarshal(b, &read) != nil {
		return ""
	}
	return read.PredicateType
}

package ghreleases

import (
	"context"
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/s2"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// bundleCache reads each bundle once: one attestation has many subjects.
type bundleCache struct {
	r    *Reader
	by   map[string][]byte // by address without query, whose signature is another each time
	read int               // bytes
}

// add reads the bundles of a list.
func (c *bundleCache) add(ctx context.Context, to []registry.Attestation, list []attestationJSON, file string) ([]registry.Attestation, error) {
	for _, a := range list {
		bundle, err := c.bundle(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
		to = append(to, registry.Attestation{PredicateType: predicateOf(bundle), File: file, Bundle: bundle})
	}
	return to, nil
}

func (c *bundleCache) bundle(ctx context.Context, a attestationJSON) ([]byte, error) {
	if a.Bundle.Kind() == '{' {
		return a.Bundle, c.count(a.Bundle)
	}
	u, err := url.Parse(a.BundleURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("neither a bundle nor the address of one: %w", registry.ErrMalformed)
	}
	key := u.Host + u.EscapedPath()
	if raw, read := c.by[key]; read {
		return raw, nil
	}
	answer, err := c.r.client.Get(ctx, fetch.Request{URL: a.BundleURL, MaxBytes: bundleBytes})
	if err != nil {
		return nil, err
	}
	raw, err := unpack(answer.Body)
	if err != nil {
		return nil, err
	}
	if c.by == nil {
		c.by = map[string][]byte{}
	}
	c.by[key] = raw
	return raw, c.count(raw)
}

func (c *bundleCache) count(bundle []byte) error {
	if c.read += len(bundle); c.read > bundlesBytes {
		return fmt.Errorf("over %d bytes in all: %w", bundlesBytes, registry.ErrTooLarge)
	}
	return nil
}

// unpack takes a bundle out of snappy's block format. What is JSON already is given as it is.
func unpack(body []byte) ([]byte, error) {
	if len(body) > 0 && body[0] == '{' && jsontext.Value(body).IsValid() {
		return body, nil
	}
	n, err := s2.DecodedLen(body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("snappy: %w: %w", err, registry.ErrMalformed)
	case n > bundleBytes:
		return nil, fmt.Errorf("snappy: %d bytes unpacked, over the limit of %d: %w", n, bundleBytes, registry.ErrTooLarge)
	}
	raw, err := s2.Decode(nil, body)
	if err != nil {
		return nil, fmt.Errorf("snappy: %w: %w", err, registry.ErrMalformed)
	}
	if !jsontext.Value(raw).IsValid() {
		return nil, fmt.Errorf("not JSON: %w", registry.ErrMalformed)
	}
	return raw, nil
}

// predicateOf is what a bundle says of its predicate type, "" where it says nothing. Nothing of
// it is verified.
func predicateOf(bundle []byte) string {
	var b struct {
		Envelope struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var statement struct {
		PredicateType string `json:"predicateType"`
	}
	if json.Unmarshal(bundle, &b) != nil || json.Unmarshal(b.Envelope.Payload, &statement) != nil {
		return ""
	}
	return statement.PredicateType
}

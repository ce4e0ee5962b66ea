// Package npm reads npm registries: packuments, the attestations and the signing keys that the
// registry serves beside them, and tarballs.
//
// A packument is read in full form as it comes, and of it only what a registry.Published has.
// The JSON is read strictly: exact keys, none twice, one document. What of it has another type
// than npm writes is a Fault of the listing, and unknown.
//
// At the origin a field that is not there is absent. At a mirror, and in the abbreviated form
// that some registries answer with, it is unknown; and so is the time of a mirror, which is
// often that of its copy. The public registry signs every version: an answer under its name that
// has no signature at all is a mirror's on the way to it, and its listing has that role.
//
// Nothing is verified here. The digests and signatures of a listing are the registry's word.
package npm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// The defaults of Options.
const (
	DefaultAddress      = "https://" + host.NPM
	DefaultMaxPackument = 256 << 20
	DefaultMaxTarball   = 1 << 30
	DefaultMaxBundles   = 8 << 20
)

// Options say which registry. The zero value is the public one.
type Options struct {
	Address string        // "https://npm.example/path"; "": DefaultAddress
	Role    registry.Role // Origin or Mirror

	MaxPackument int64 // bytes; 0: the default. It is not held in memory.
	MaxTarball   int64 // bytes; 0: the default
	MaxBundles   int64 // bytes of the attestations of one version; 0: the default

	Now func() time.Time // nil: time.Now
}

// Reader is a registry.Reader. It is safe for concurrent use.
type Reader struct {
	client  *fetch.Client
	o       Options
	address *url.URL
}

// New makes a reader that asks through c, which must be allowed to ask the host of the address,
// and those of the tarballs where they lie elsewhere.
func New(c *fetch.Client, o Options) (*Reader, error) {
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	u, err := url.Parse(o.Address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the address of a registry", o.Address)
	}
	o.Address = strings.TrimRight(o.Address, "/")
	if o.Now == nil {
		o.Now = time.Now
	}
	for limit, value := range map[*int64]int64{&o.MaxPackument: DefaultMaxPackument, &o.MaxTarball: DefaultMaxTarball, &o.MaxBundles: DefaultMaxBundles} {
		if *limit <= 0 {
			*limit = value
		}
	}
	return &Reader{client: c, o: o, address: u}, nil
}

// List gives the versions of a package, in the order of their times at the origin.
func (r *Reader) List(ctx context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	at, err := r.below(name)
	if err != nil {
		return nil, err
	}
	l := &registry.Listing{Kind: registry.NPM, Name: name, Registry: r.address.Scheme + "://" + r.address.Host}
	err = r.client.Read(ctx, fetch.Request{URL: at, Accept: "application/json", Validator: since, MaxBytes: r.o.MaxPackument, Packed: true}, func(s *fetch.Stream) error {
		p := packument{name: name, role: r.o.Role, signs: host.IsNPM(r.address.Hostname())}
		if isAbbreviated(s.Header) {
			p.role = registry.Mirror
		}
		if err := p.read(s); err != nil {
			return fmt.Errorf("npm package %q: %w", name, err)
		}
		p.list(l)
		l.Validator, l.Fetched = s.Validator, r.o.Now().UTC()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// isAbbreviated reports whether an answer is the form that installers ask for.
func isAbbreviated(h http.Header) bool {
	return strings.Contains(h.Get("Content-Type"), "vnd.npm.install")
}

// below is the address of a package.
func (r *Reader) below(name string) (string, error) {
	if err := ecosystem.NPM.CheckName(name); err != nil {
		return "", err
	}
	return r.o.Address + "/" + url.PathEscape(name), nil
}

// maxAttestations is how many of one version are taken.
const maxAttestations = 64

// Attestations gives what the registry serves beside a version. It asks the registry itself,
// whatever address a packument tells. ErrNotFound stands for a version of which the packument
// says that there is none, and ErrNotServed for a registry that has no such address, or none
// for a version of which its packument says that there is one.
func (r *Reader) Attestations(ctx context.Context, name string, p *registry.Published) ([]registry.Attestation, error) {
	if err := ecosystem.NPM.CheckName(name); err != nil {
		return nil, err
	}
	if err := version.Check(ecosystem.NPM, p.Version); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("attestations of npm package %q, version %q", name, p.Version)
	if p.Provenance.Knowledge == registry.Absent {
		return nil, fmt.Errorf("%s: %w", what, registry.ErrNotFound)
	}
	at := r.o.Address + "/-/npm/v1/attestations/" + url.PathEscape(name) + "@" + url.PathEscape(p.Version)
	a, err := r.client.Get(ctx, fetch.Request{URL: at, Accept: "application/json", MaxBytes: r.o.MaxBundles})
	if errors.Is(err, registry.ErrNotFound) || unserved(err) {
		return nil, fmt.Errorf("%s: status %d: %w", what, fetch.Status(err), registry.ErrNotServed)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	read, err := readAttestations(a.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return read, nil
}

// unserved reports whether an error says that the registry does not know the address.
func unserved(err error) bool {
	switch fetch.Status(err) {
	case http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented:
		return true
	}
	return false
}

// readAttestations reads the answer of the attestations' address.
func readAttestations(body []byte) ([]registry.Attestation, error) {
	var answer struct {
		Attestations []struct {
			PredicateType string         `json:"predicateType"`
			Bundle        jsontext.Value `json:"bundle"`
		} `json:"attestations"`
	}
	if err := unmarshal(body, &answer); err != nil {
		return nil, malformed("the attestations", err)
	}
	if len(answer.Attestations) > maxAttestations {
		return nil, fmt.Errorf("%d attestations, over the limit of %d: %w", len(answer.Attestations), maxAttestations, registry.ErrTooLarge)
	}
	var read []registry.Attestation
	for i, a := range answer.Attestations {
		if a.Bundle.Kind() != '{' {
			return nil, fmt.Errorf("attestation %d without a bundle: %w", i+1, registry.ErrMalformed)
		}
		read = append(read, registry.Attestation{PredicateType: a.PredicateType, Bundle: a.Bundle})
	}
	if len(read) == 0 {
		return nil, fmt.Errorf("an answer without one: %w", registry.ErrMalformed)
	}
	return read, nil
}

// Open reads a tarball of List.
func (r *Reader) Open(ctx context.Context, name string, f registry.File) (io.ReadCloser, error) {
	at := f.URL
	// Old packuments name the public registry by plain http, as installers no longer ask it.
	if rest, plain := strings.CutPrefix(at, "http://"+r.address.Host+"/"); plain && r.address.Scheme == "https" {
		at = "https://" + r.address.Host + "/" + rest
	}
	s, err := r.client.Open(ctx, fetch.Request{URL: at, MaxBytes: r.o.MaxTarball})
	if err != nil {
		return nil, fmt.Errorf("file %q of npm package %q: %w", f.Name, name, err)
	}
	return s, nil
}

// Key is a key by which the registry signs versions.
type Key struct {
	ID      string    // "SHA256:..."
	Type    string    // "ecdsa-sha2-nistp256"
	Scheme  string    // the same
	Public  string    // DER in base64
	Expires time.Time // signatures of versions that are newer are not to be believed; zero: no end
}

// maxKeys is how many keys are taken.
const maxKeys = 100

// Keys gives the registry's signing keys. ErrNotServed stands for a registry without.
func (r *Reader) Keys(ctx context.Context) ([]Key, error) {
	const what = "signing keys of the npm registry"
	a, err := r.client.Get(ctx, fetch.Request{URL: r.o.Address + "/-/npm/v1/keys", Accept: "application/json", MaxBytes: 1 << 20})
	if errors.Is(err, registry.ErrNotFound) || unserved(err) {
		return nil, fmt.Errorf("%s: status %d: %w", what, fetch.Status(err), registry.ErrNotServed)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	keys, err := readKeys(a.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return keys, nil
}

func readKeys(body []byte) ([]Key, error) {
	var answer struct {
		Keys []struct {
			Expires *string `json:"expires"`
			KeyID   string  `json:"keyid"`
			KeyType string  `json:"keytype"`
			Scheme  string  `json:"scheme"`
			Key     string  `json:"key"`
		} `json:"keys"`
	}
	if err := unmarshal(body, &answer); err != nil {
		return nil, malformed("the keys", err)
	}
	if len(answer.Keys) == 0 || len(answer.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys: %w", len(answer.Keys), registry.ErrMalformed)
	}
	var keys []Key
	for i, k := range answer.Keys {
		key := Key{ID: k.KeyID, Type: k.KeyType, Scheme: k.Scheme, Public: k.Key}
		if k.Expires != nil {
			var err error
			if key.Expires, err = time.Parse(time.RFC3339Nano, *k.Expires); err != nil {
				return nil, fmt.Errorf("key %d: expires %.100q: %w", i+1, *k.Expires, registry.ErrMalformed)
			}
		}
		if key.ID == "" || key.Public == "" {
			return nil, fmt.Errorf("key %d without id or value: %w", i+1, registry.ErrMalformed)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

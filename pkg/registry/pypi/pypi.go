// Package pypi reads Python package indexes by the Simple API in JSON (PEP 691, with the
// additions of PEP 700, 740 and 792), and the provenance objects beside files.
//
// The API has versions, and says which it speaks. What a field's version is not spoken of is
// unknown; at an origin that speaks it a field that is not there is absent. At a mirror it is
// unknown. A major version other than 1 is an error, as the specification wants it.
//
// A release is what the files of one version are. Its version is read of their names where the
// index does not list versions.
//
// Nothing is verified here: the publisher that a provenance object names is the index's word.
package pypi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// The defaults of Options.
const (
	DefaultAddress       = "https://" + host.PyPI + "/simple"
	DefaultMaxPage       = 64 << 20
	DefaultMaxFile       = 2 << 30
	DefaultMaxProvenance = 8 << 20
)

// Options say which index. The zero value is the public one.
type Options struct {
	// Address is that of the Simple API, "https://devpi.example/root/pypi/+simple", or of an
	// index that has it at /simple, without a path: "https://pypi.example". "": DefaultAddress.
	Address string
	Role    registry.Role // Origin or Mirror

	MaxPage       int64 // bytes of a project's page; 0: the default
	MaxFile       int64 // bytes of a file; 0: the default
	MaxProvenance int64 // bytes of a provenance object; 0: the default

	Now func() time.Time // nil: time.Now
}

// Reader is a registry.Reader. It is safe for concurrent use.
type Reader struct {
	client  *fetch.Client
	o       Options
	address *url.URL
}

// New makes a reader that asks through c, which must be allowed to ask the host of the address,
// and those of the files.
func New(c *fetch.Client, o Options) (*Reader, error) {
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	u, err := url.Parse(o.Address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the address of a package index", o.Address)
	}
	if o.Address = strings.TrimRight(o.Address, "/"); strings.Trim(u.Path, "/") == "" {
		o.Address += "/simple"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for limit, value := range map[*int64]int64{&o.MaxPage: DefaultMaxPage, &o.MaxFile: DefaultMaxFile, &o.MaxProvenance: DefaultMaxProvenance} {
		if *limit <= 0 {
			*limit = value
		}
	}
	return &Reader{client: c, o: o, address: u}, nil
}

// What is asked for.
const (
	simpleJSON    = "application/vnd.pypi.simple.v1+json"
	integrityJSON = "application/vnd.pypi.integrity.v1+json"
)

// List gives the releases of a project, in the order of their first files where all have times.
func (r *Reader) List(ctx context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	if err := ecosystem.PyPI.CheckName(name); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("PyPI project %q", name)
	// "Clients MUST NOT rely on this redirection and MUST request the normalized URL."
	normal := ecosystem.PyPI.CanonicalName(name)
	at := r.o.Address + "/" + normal + "/"
	a, err := r.client.Get(ctx, fetch.Request{URL: at, Accept: simpleJSON, Validator: since, MaxBytes: r.o.MaxPage})
	if fetch.Status(err) == http.StatusNotAcceptable {
		return nil, fmt.Errorf("%s: the index does not speak JSON: %w", what, registry.ErrNotServed)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); strings.Contains(kind, "html") {
		return nil, fmt.Errorf("%s: the index answers with HTML and not with JSON: %w", what, registry.ErrNotServed)
	}
	base, err := url.Parse(a.URL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	p := page{name: normal, role: r.o.Role, base: base}
	if err := p.read(a.Body); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	l := &registry.Listing{
		Kind: registry.PyPI, Name: normal, Registry: r.address.Scheme + "://" + r.address.Host, Role: r.o.Role,
		Fetched: r.o.Now().UTC(), Validator: a.Validator,
	}
	p.list(l)
	return l, nil
}

// Attestations gives what the provenance objects of a release's files have, in the order of the
// files, each attestation as a Sigstore bundle. ErrNotFound stands for a release of whose files
// the index says that none has any; ErrNotServed for an index that does not speak of them, or
// does not have one that it named.
func (r *Reader) Attestations(ctx context.Context, name string, p *registry.Published) ([]registry.Attestation, error) {
	what := fmt.Sprintf("provenance of PyPI project %q, version %q", name, p.Version)
	var all []registry.Attestation
	known := len(p.Files) > 0
	for _, f := range p.Files {
		at, present := f.Provenance.Get()
		if !present {
			known = known && f.Provenance.Knowledge == registry.Absent
			continue
		}
		what := fmt.Sprintf("%s, file %q", what, f.Name)
		a, err := r.client.Get(ctx, fetch.Request{URL: at, Accept: integrityJSON, MaxBytes: r.o.MaxProvenance})
		if errors.Is(err, registry.ErrNotFound) {
			return nil, fmt.Errorf("%s: status %d: %w", what, fetch.Status(err), registry.ErrNotServed)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		read, err := readProvenance(f.Name, a.Body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		all = append(all, read...)
	}
	switch {
	case len(all) > 0:
		return all, nil
	case known:
		return nil, fmt.Errorf("%s: %w", what, registry.ErrNotFound)
	}
	return nil, fmt.Errorf("%s: %w", what, registry.ErrNotServed)
}

// Open reads a file of List.
func (r *Reader) Open(ctx context.Context, name string, f registry.File) (io.ReadCloser, error) {
	s, err := r.client.Open(ctx, fetch.Request{URL: f.URL, MaxBytes: r.o.MaxFile})
	if err != nil {
		return nil, fmt.Errorf("file %q of PyPI project %q: %w", f.Name, name, err)
	}
	return s, nil
}

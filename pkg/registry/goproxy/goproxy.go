// Package goproxy reads Go module proxies (go.dev/ref/mod, "GOPROXY protocol"): which versions
// of a module are published, when, of which commit by the proxy's word, and which of them their
// author has retracted.
//
// Modules of other major versions and nested modules are modules of their own: what is
// published under example.org/m says nothing of example.org/m/v2 and example.org/m/sub.
//
// A proxy serves no attestations and does not know who published. Its digests are those of the
// checksum database, which is asked by package sumdb.
package goproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/module"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Limits of what is read.
const (
	MaxZip   = 500 << 20 // of a module zip, and of the files in it (golang.org/x/mod/zip)
	MaxMod   = 16 << 20  // of a go.mod, likewise
	maxInfo  = 64 << 10
	maxList  = 8 << 20
	maxInfos = 200
	asking   = 4 // requests for .info at once
)

// Options are the settings of a Reader; the zero value is that of the public proxy.
type Options struct {
	Address string        // "https://proxy.example/path"; the public proxy's if ""
	Role    registry.Role // of the proxy; what a mirror does not list may be published all the same
	// Infos is of how many versions List asks for time and commit, the highest first; 0: 200.
	// Each takes a request. Those of the others are unknown.
	Infos  int
	MaxZip int64            // bytes of a zip; MaxZip if 0
	Now    func() time.Time // time.Now if nil
}

// Reader reads one proxy. It is a registry.Reader.
type Reader struct {
	client *fetch.Client
	base   string
	opt    Options
}

var _ registry.Reader = (*Reader)(nil)

// New makes a reader, whose client may ask the host of the address.
func New(client *fetch.Client, opt Options) (*Reader, error) {
	if opt.Address == "" {
		opt.Address = "https://" + host.GoProxy
	}
	u, err := url.Parse(opt.Address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the address of a module proxy", opt.Address)
	}
	if opt.Infos <= 0 {
		opt.Infos = maxInfos
	}
	if opt.MaxZip <= 0 {
		opt.MaxZip = MaxZip
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Reader{client: client, base: strings.TrimRight(opt.Address, "/"), opt: opt}, nil
}

// Address is the address of the proxy.
func (r *Reader) Address() string { return r.base }

// Role is what its word is worth.
func (r *Reader) Role() registry.Role { return r.opt.Role }

// get reads one address below that of a module.
func (r *Reader) get(ctx context.Context, path, rest string, since registry.Validator, max int64) (*fetch.Answer, error) {
	address, err := r.address(path, rest)
	if err != nil {
		return nil, err
	}
	answer, err := r.client.Get(ctx, fetch.Request{URL: address, Validator: since, MaxBytes: max})
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", path, err)
	}
	return answer, nil
}

func (r *Reader) address(path, rest string) (string, error) {
	escaped, err := module.EscapePath(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	}
	return r.base + "/" + escaped + rest, nil
}

// versioned is the address of a file of a version, below that of the module.
func versioned(path, version, suffix string) (string, error) {
	if err := module.Check(path, version); err != nil {
		return "", fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	}
	escaped, err := module.EscapeVersion(version)
	if err != nil {
		return "", fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	}
	return "/@v/" + escaped + suffix, nil
}

// Info asks for what the proxy says of a version, which is canonical.
func (r *Reader) Info(ctx context.Context, path, version string) (*Info, error) {
	rest, err := versioned(path, version, ".info")
	if err != nil {
		return nil, err
	}
	answer, err := r.get(ctx, path, rest, registry.Validator{}, maxInfo)
	if err != nil {
		return nil, err
	}
	info, err := ParseInfo(answer.Body)
	if err == nil && info.Version != version {
		err = fmt.Errorf("it is of the version %.100q", info.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("module %q: info of %q: %w: %w", path, version, registry.ErrMalformed, err)
	}
	return info, nil
}

// Latest asks for the version that the proxy would give to who names none: for a module without
// tags it is a pseudo-version. Not every proxy says it.
func (r *Reader) Latest(ctx context.Context, path string) (*Info, error) {
	answer, err := r.get(ctx, path, "/@latest", registry.Validator{}, maxInfo)
	if err != nil {
		return nil, err
	}
	info, err := ParseInfo(answer.Body)
	if err == nil {
		err = module.Check(path, info.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("module %q: its latest version: %w: %w", path, registry.ErrMalformed, err)
	}
	return info, nil
}

// Mod reads the go.mod of a version, byte for byte.
func (r *Reader) Mod(ctx context.Context, path, version string) ([]byte, error) {
	rest, err := versioned(path, version, ".mod")
	if err != nil {
		return nil, err
	}
	answer, err := r.get(ctx, path, rest, registry.Validator{}, MaxMod)
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}

// Zip opens the zip of a version. The caller closes it.
func (r *Reader) Zip(ctx context.Context, path, version string) (io.ReadCloser, error) {
	rest, err := versioned(path, version, ".zip")
	if err != nil {
		return nil, err
	}
	address, err := r.address(path, rest)
	if err != nil {
		return nil, err
	}
	stream, err := r.client.Open(ctx, fetch.Request{URL: address, MaxBytes: r.opt.MaxZip})
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", path, err)
	}
	return stream, nil
}

// Open is registry.Reader's: it reads a zip or a go.mod that List named. The address is made of
// the names, whatever f.URL says.
func (r *Reader) Open(ctx context.Context, name string, f registry.File) (io.ReadCloser, error) {
	if version, ok := strings.CutSuffix(f.Name, ".zip"); ok {
		return r.Zip(ctx, name, version)
	}
	if version, ok := strings.CutSuffix(f.Name, ".mod"); ok {
		data, err := r.Mod(ctx, name, version)
		return io.NopCloser(strings.NewReader(string(data))), err
	}
	return nil, fmt.Errorf("module %q: file %.100q: %w", name, f.Name, registry.ErrNotFound)
}

var errNoAttestations = errors.New("a module proxy has no attestations")

// Attestations is registry.Reader's. There are none.
func (r *Reader) Attestations(_ context.Context, name string, _ *registry.Published) ([]registry.Attestation, error) {
	return nil, fmt.Errorf("module %q: %w: %w", name, registry.ErrNotServed, errNoAttestations)
}

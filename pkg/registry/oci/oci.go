// Package oci reads what is published in a registry of the OCI distribution specification 1.1:
// tags, manifests, blobs, and what refers to an image.
//
// A tag is only ever a way to a digest: it is resolved once, and everything after that is asked
// for by digest and compared with it, so that a tag that moves between two requests changes
// nothing. What refers to an image is looked for by both schemes: the referrers API (with the
// fall-back tag "sha256-<hex>" of registries that do not have it), and the tags of cosign before
// version 3 ("sha256-<hex>.sig", ".att", ".sbom").
//
// The protocol is spoken here, over package fetch, and not by go-containerregistry: that library
// follows the realm of a challenge and the Link of a page to wherever they lead, asks for the
// scope that it is told, and has no bound on tags, pages and referrers. Its types are not needed
// to read two JSON documents.
package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// The bounds.
const (
	DefaultMaxTags      = 10_000
	DefaultMaxReferrers = 1000

	maxManifest = 4 << 20  // what registries must take (distribution-spec, "Pushing Manifests")
	maxBundle   = 16 << 20 // one Sigstore bundle
	maxBundles  = 64 << 20 // all of one image
	maxPages    = 1000     // of one list
	maxPage     = 4 << 20  // of tags or referrers
	workers     = 8        // tags that are resolved at once
)

// Options say which registry is read. Address is needed.
type Options struct {
	Address string        // "https://registry.example"
	Host    string        // that names of artifacts begin with; "" is the host of Address
	Role    registry.Role // what its word is worth
	// TokenHosts may give tokens for it, beside the registry's own host: "auth.example". A
	// challenge that names another host is refused.
	TokenHosts []string

	MaxTags      int              // of one repository; more is an error. 0: DefaultMaxTags
	MaxReferrers int              // of one image; more is an error. 0: DefaultMaxReferrers
	Now          func() time.Time // nil: time.Now
}

// Reader reads one registry. It is a registry.Reader, and safe for concurrent use.
type Reader struct {
	client       *fetch.Client
	base         *url.URL // with the path "/"
	origin       string   // the same, without path
	host         string
	role         registry.Role
	tokenHosts   []string
	maxTags      int
	maxReferrers int
	now          func() time.Time
	tokens       tokens
}

// New makes a reader, and asks nothing. The hosts of c hold the registry, its token service, and
// where it redirects blobs to. What c has for the registry's host, or for that of the token
// service, is a name and a password (fetch.Basic) where the registry gives tokens of its own.
func New(c *fetch.Client, o Options) (*Reader, error) {
	base, err := url.Parse(o.Address)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" || base.User != nil || base.RawQuery != "" || strings.Trim(base.Path, "/") != "" {
		return nil, fmt.Errorf("address of a container registry %q: not of the form https://HOST", o.Address)
	}
	r := &Reader{
		client: c, base: &url.URL{Scheme: base.Scheme, Host: strings.ToLower(base.Host), Path: "/"}, host: o.Host, role: o.Role,
		tokenHosts: append([]string{base.Host}, o.TokenHosts...), maxTags: o.MaxTags, maxReferrers: o.MaxReferrers, now: o.Now,
	}
	r.origin = strings.TrimSuffix(r.base.String(), "/")
	if r.host == "" {
		r.host = r.base.Host
	}
	if r.maxTags <= 0 {
		r.maxTags = DefaultMaxTags
	}
	if r.maxReferrers <= 0 {
		r.maxReferrers = DefaultMaxReferrers
	}
	if r.now == nil {
		r.now = time.Now
	}
	return r, nil
}

// List gives the tags of a repository, each with the digest that it names now. A tag of the
// schemes that signatures and referrers are kept under is not among the releases. A tag that
// could not be resolved is a fault.
//
// Registries have no condition for what their tags name, so that a Validator saves what comes
// after the list, and no request: it is a digest over all tags and what they name.
func (r *Reader) List(ctx context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	repo, err := r.repository(name)
	if err != nil {
		return nil, err
	}
	tags, err := r.tags(ctx, repo)
	if err != nil {
		return nil, fmt.Errorf("tags of %q: %w", name, err)
	}
	if len(tags) == 0 {
		return nil, fmt.Errorf("tags of %q: %w", name, registry.ErrNotFound)
	}
	tags = slices.DeleteFunc(tags, IsReferrerTag)
	return r.listing(ctx, name, repo, tags, since)
}

// ListTags is List of the named tags alone, without asking which there are. A tag that is not
// there is a fault.
func (r *Reader) ListTags(ctx context.Context, name string, tags []string, since registry.Validator) (*registry.Listing, error) {
	repo, err := r.repository(name)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if !ValidTag(tag) {
			return nil, fmt.Errorf("%q: tag %.150q is not one that a registry can have", name, tag)
		}
	}
	if len(tags) > r.maxTags {
		return nil, fmt.Errorf("%q: %d tags, over the limit of %d: %w", name, len(tags), r.maxTags, registry.ErrTooLarge)
	}
	return r.listing(ctx, name, repo, tags, since)
}

func (r *Reader) listing(ctx context.Context, name, repo string, tags []string, since registry.Validator) (*registry.Listing, error) {
	l := &registry.Listing{
		Kind: registry.OCI, Name: name, Registry: r.origin, Role: r.role, Fetched: r.now().UTC(), Tags: map[string]string{},
	}
	found := make([]Descriptor, len(tags))
	errs := make([]error, len(tags))
	each(ctx, len(tags), func(i int) { found[i], errs[i] = r.resolve(ctx, repo, tags[i]) })
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("tags of %q: %w", name, err)
	}
	sum := sha256.New()
	for i, tag := range tags {
		if errs[i] != nil {
			l.Faults = append(l.Faults, fmt.Sprintf("tag %q: %v", tag, errs[i]))
			continue
		}
		d := found[i]
		fmt.Fprintf(sum, "%s %s\n", tag, d.Digest)
		l.Tags[tag] = d.Digest.String()
		l.Releases = append(l.Releases, registry.Published{Version: tag, Files: []registry.File{r.file(repo, d)}})
	}
	if len(l.Releases) == 0 && len(tags) > 0 {
		return nil, fmt.Errorf("tags of %q: none of %d could be resolved: %w", name, len(tags), errs[0])
	}
	if l.Faults == nil {
		l.Validator.ETag = `"tags-` + hex.EncodeToString(sum.Sum(nil)) + `"`
		if since.ETag == l.Validator.ETag {
			return nil, fmt.Errorf("tags of %q: %w", name, registry.ErrNotModified)
		}
	}
	return l, nil
}

// file is a manifest as one of a release.
func (r *Reader) file(repo string, d Descriptor) registry.File {
	f := registry.File{
		Name: d.Digest.String(), URL: r.address(repo, "manifests", d.Digest.String()), MediaType: d.MediaType, Digests: []digest.Digest{d.Digest},
	}
	if d.Size >= 0 {
		f.Size = registry.Known(d.Size)
	}
	return f
}

// address is where the part of a repository is.
func (r *Reader) address(repo, part, reference string) string {
	return r.base.JoinPath("v2", repo, part, reference).String()
}

// each calls do for 0 to n-1, several at once, and begins none after the context's end.
func each(ctx context.Context, n int, do func(i int)) {
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(n, workers) {
		wait.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wait.Wait()
}

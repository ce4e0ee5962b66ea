package oci

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

func newHash(a digest.Algorithm) hash.Hash {
	if a == digest.SHA512 {
		return sha512.New()
	}
	return sha256.New()
}

func sum(a digest.Algorithm, b []byte) digest.Digest {
	h := newHash(a)
	h.Write(b)
	return digest.Digest{Algorithm: a, Text: hex.EncodeToString(h.Sum(nil))}
}

// Blob reads a blob of at most max bytes by its digest, and compares it.
func (r *Reader) Blob(ctx context.Context, name string, d digest.Digest, max int64) ([]byte, error) {
	body, err := r.OpenBlob(ctx, name, d, max)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// OpenBlob opens a blob of at most max bytes by its digest. The last Read errs where the content
// has another one, so that only what was read to its end is known to be the blob. The caller
// closes it.
func (r *Reader) OpenBlob(ctx context.Context, name string, d digest.Digest, max int64) (io.ReadCloser, error) {
	return r.open(ctx, name, "blobs", "", d, max)
}

// Open reads a file of a release, which is a manifest; and a layer, for a File that has its
// digest. The bytes are compared with the digest all the same, as those of OpenBlob are.
func (r *Reader) Open(ctx context.Context, name string, f registry.File) (io.ReadCloser, error) {
	if len(f.Digests) == 0 {
		return nil, fmt.Errorf("%q of %q: a file without digest: %w", f.Name, name, registry.ErrForbidden)
	}
	if isManifest(f.MediaType) {
		return r.open(ctx, name, "manifests", acceptManifests, f.Digests[0], maxManifest)
	}
	return r.open(ctx, name, "blobs", "", f.Digests[0], 0)
}

func (r *Reader) open(ctx context.Context, name, part, accept string, d digest.Digest, max int64) (io.ReadCloser, error) {
	repo, err := r.repository(name)
	if err != nil {
		return nil, err
	}
	if d, err = ParseDigest(d.String()); err != nil {
		return nil, fmt.Errorf("%q: %w: %w", name, err, registry.ErrForbidden)
	}
	var s *fetch.Stream
	q := fetch.Request{URL: r.address(repo, part, d.String()), Accept: accept, MaxBytes: max}
	err = r.ask(ctx, repo, q, func(q fetch.Request) (err error) {
		s, err = r.client.Open(ctx, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s of %q: %w", d, name, err)
	}
	return &compared{s, d, newHash(d.Algorithm)}, nil
}

// compared is a body whose digest is compared at its end.
type compared struct {
	body io.ReadCloser
	want digest.Digest
	hash hash.Hash
}

func (c *compared) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.hash.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(c.hash.Sum(nil)); got != c.want.Text {
			return n, fmt.Errorf("%s: its content has the digest %s:%s: %w", c.want, c.want.Algorithm, got, registry.ErrMalformed)
		}
	}
	return n, err
}

func (c *compared) Close() error { return c.body.Close() }

//go:build network

package npm_test

import (
	"errors"
	"io"
	"net/url"
	"os"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

// TestRealRegistry lists a package of the registry that npm is set to use here, which may be the
// public one or a mirror under its name. What a mirror leaves out is unknown, and not absent.
func TestRealRegistry(t *testing.T) {
	address := os.Getenv("WORMSWEEP_NPM_REGISTRY")
	if address == "" {
		t.Skip("WORMSWEEP_NPM_REGISTRY is not set: scripts/verify-real.sh sets it to npm's own setting")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever set npm to use this registry, or names the public one's address in this network,
	// may have it inside.
	c, err := fetch.New(fetch.Options{Hosts: []string{u.Host}, PrivateHosts: []string{u.Host}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := npm.New(c, npm.Options{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	const name, version = "sigstore", "2.0.0"
	l, err := r.List(t.Context(), name, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Faults) > 0 {
		t.Errorf("faults: %q", l.Faults)
	}
	var release registry.Published
	for _, p := range l.Releases {
		for what, k := range map[string]registry.Knowledge{
			"publisher": p.Publisher.Knowledge, "signatures": p.Signatures.Knowledge, "attestations": p.Provenance.Knowledge, "time": p.Time.Knowledge,
		} {
			if l.Role == registry.Mirror && k == registry.Absent || l.Role == registry.Origin && k == registry.Unknown {
				t.Errorf("%s: %s: %v, by the word of a registry that is taken for %q", p.Version, what, k, l.Role)
			}
		}
		if p.Version == version {
			release = p
		}
	}
	if len(release.Files) != 1 {
		t.Fatalf("%s of %d versions: %+v", version, len(l.Releases), release)
	}
	// What sigstore's own provenance of this version is about.
	const integrity = "RtTi90xIdzFmQAAKb9+Ki1nx4IR2Z5c+mFn3dN0xuPHgk3gTt3f7ZqKsZ9UFQP40ZAlm7un8LMyjhwgrTIXNPA=="
	if got := release.Files[0].Digests[0]; got.Algorithm != digest.SHA512 || got.Text != integrity {
		t.Errorf("digest %s", got)
	}
	body, err := r.Open(t.Context(), name, release.Files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if n, err := io.Copy(io.Discard, body); err != nil || n == 0 {
		t.Errorf("tarball: %d bytes, %v", n, err)
	}
	bundles, err := r.Attestations(t.Context(), name, &release)
	if err != nil && !errors.Is(err, registry.ErrNotServed) {
		t.Errorf("attestations: %v", err)
	}
	t.Logf("%s, role %q: %d versions, signatures %v, provenance %v, %d attestations (%v)", l.Registry, l.Role, len(l.Releases), release.Signatures.Knowledge, release.Provenance.Knowledge, len(bundles), err)
}

package served

import (
	"context"
	"errors"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/npmsig"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// npm checks the registry's signature of a tarball, its attestation that it took it, and the
// provenance.
func (k *check) npm(ctx context.Context) {
	var tarball []digest.Digest
	if len(k.release.Files) > 0 {
		tarball = k.release.Files[0].Digests
	}
	if len(tarball) == 0 {
		k.gap(verify.GapNotServed, "the registry tells no digest of the tarball")
		return
	}
	var keys []trust.Key
	if k.RegistryKeys != nil {
		keys = k.RegistryKeys(k.listing.Registry)
	}
	k.npmSignatures(keys, tarball)
	switch k.release.Provenance.Knowledge {
	case registry.Absent:
		k.none("attestations")
		return
	case registry.Unknown:
		k.gap(verify.GapMirror, "attestations: the registry does not say whether there are any")
		return
	}
	list, _ := k.attestations(ctx)
	for _, a := range list {
		want := bundle.NPMProvenance(k.version.Name, k.version.Version, tarball, k.version.Accept)
		switch predicate := predicateOf(&a); {
		case predicate == bundle.NPMPublish && len(keys) == 0:
			k.gap(verify.GapUnsupported, "publish attestation: the keys of %q are not known", k.listing.Registry)
			continue
		case predicate == bundle.NPMPublish:
			want = bundle.NPMPublished(k.version.Name, k.version.Version, tarball, keys)
		case predicate != bundle.ProvenanceV1 && predicate != bundle.ProvenanceV02:
			want = bundle.Attested(tarball, k.version.Accept, predicate)
			want.Keys = k.version.Keys
		}
		k.bundle(a.Bundle, want)
	}
}

// npmSignatures verifies the registry's own signatures.
func (k *check) npmSignatures(keys []trust.Key, tarball []digest.Digest) {
	list, present := k.release.Signatures.Get()
	switch {
	case !present:
		return // the publish attestation says the same, and drift sees what was there before
	case len(keys) == 0:
		k.gap(verify.GapUnsupported, "registry signature: the keys of %q are not known", k.listing.Registry)
		return
	}
	published, _ := k.release.Time.Get()
	k.signatures++
	proof, err := npmsig.Verify(npmsig.Version{Name: k.version.Name, Version: k.version.Version, Integrity: tarball[0], Published: published}, list, keys)
	switch {
	case errors.Is(err, npmsig.ErrUnsigned):
	case err != nil:
		k.refused("registry signature", err)
	default:
		k.subject.Proofs = append(k.subject.Proofs, *proof)
	}
}

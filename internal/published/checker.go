package published

import (
	"context"
	"slices"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/served"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Served checks by what the policy believes. It is a Checker.
type Served struct {
	// For gives the checker of an artifact: the same, or one with the transport of its registry.
	For func(a *policy.Artifact) *served.Checker
}

// Check is Checker.Check.
func (s Served) Check(ctx context.Context, r Request) (drift.Subject, int) {
	v := served.Version{
		Kind: r.Artifact.Kind, Name: r.Artifact.Name, Version: r.Release.Version, Source: r.Artifact.Source,
		Accept:       func(id verify.Identity) error { return accept(r, id) },
		Attestations: slices.Clone(r.Artifact.Attestations),
	}
	v.Tag, _ = r.Artifact.GitTag(r.Release.Version)
	for _, k := range r.Artifact.Keys {
		key, err := trust.ParseKey([]byte(k.PEM))
		if err != nil {
			continue // the policy does not validate with such a key: it believes nobody
		}
		v.Keys = append(v.Keys, key)
	}
	return s.For(r.Artifact).Check(ctx, v, r.Reader, r.Listing, r.Release)
}

// accept compares who signed with the policy. Of an image, the tags beside this one count where
// the policy says so.
func accept(r Request, id verify.Identity) error {
	if r.Artifact.Kind != registry.OCI || len(r.Release.Files) == 0 || len(r.Release.Files[0].Digests) == 0 {
		return r.Artifact.Accept(r.Release.Version, id)
	}
	digest := r.Release.Files[0].Digests[0].String()
	var others []string
	for _, other := range r.Listing.Releases {
		if other.Version != r.Release.Version && len(other.Files) > 0 && len(other.Files[0].Digests) > 0 && other.Files[0].Digests[0].String() == digest {
			others = append(others, other.Version)
		}
	}
	return r.Artifact.AcceptTag(r.Release.Version, others, id)
}

package served

import (
	"context"
	"fmt"
	"slices"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// pypi checks the attestations that were uploaded with each file. Where one file has them, each
// must: a wheel that was added to a release by a stolen token has none.
func (k *check) pypi(ctx context.Context) {
	if !slices.ContainsFunc(k.release.Files, func(f registry.File) bool { return f.Provenance.Knowledge != registry.Absent }) {
		k.none("attestations")
		return
	}
	list, ok := k.attestations(ctx)
	if !ok {
		return
	}
	for _, f := range k.release.Files {
		found := false
		for _, a := range list {
			if a.File != f.Name {
				continue
			}
			found = true
			want := bundle.PyPIPublished(f.Name, f.Digests, k.version.Accept)
			if predicate := predicateOf(&a); predicate == bundle.ProvenanceV1 || predicate == bundle.ProvenanceV02 {
				want.What, want.Predicates = "provenance", []string{predicate}
			}
			k.bundle(a.Bundle, want)
		}
		switch {
		case found:
		case f.Provenance.Knowledge == registry.Absent && k.listing.Role == registry.Origin:
			k.subject.Refusals = append(k.subject.Refusals, verify.Refusal{
				Code: verify.MissingRequired, What: "publish attestation", Detail: verify.Line(fmt.Sprintf("%q has none, and other files of the version have", f.Name)),
			})
		default:
			k.gap(verify.GapNotServed, "attestations of %q: they were not given", f.Name)
		}
	}
	for _, a := range list {
		if !slices.ContainsFunc(k.release.Files, func(f registry.File) bool { return f.Name == a.File }) {
			k.gap(verify.GapUnsupported, "an attestation is of %q, which is no file of the version", a.File)
		}
	}
}

// predicateOf is the predicate type that a bundle has, and not what the registry says of it.
func predicateOf(a *registry.Attestation) string {
	predicate, err := bundle.PredicateType(a.Bundle)
	if err != nil {
		return a.PredicateType // the verification says what is wrong with it
	}
	return predicate
}

package served

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// githubRelease checks the attestations of a release's assets. Where one asset is attested, each
// must be.
func (k *check) githubRelease(ctx context.Context) {
	if len(k.release.Files) == 0 {
		k.none("assets")
		return
	}
	list, ok := k.attestations(ctx)
	if !ok {
		return
	}
	for _, f := range k.release.Files {
		if len(f.Digests) == 0 {
			k.gap(verify.GapNotServed, "attestations of %q: the registry tells no digest of it", f.Name)
			continue
		}
		found := false
		for _, a := range list {
			about, err := k.about(a.Bundle, f.Digests)
			switch {
			case a.File != "" && a.File != f.Name, a.File == "" && !about && err == nil:
				continue
			}
			found = true
			want := bundle.Attested(f.Digests, k.version.Accept)
			want.Keys = k.version.Keys
			if predicate := predicateOf(&a); predicate == bundle.GitHubReleased || predicate == bundle.GitHubReleasedV02 {
				want = bundle.GitHubRelease(f.Name, f.Digests)
			}
			k.bundle(a.Bundle, want)
		}
		if !found {
			k.subject.Refusals = append(k.subject.Refusals, verify.Refusal{
				Code: verify.MissingRequired, What: "attestation", Detail: verify.Line(fmt.Sprintf("%q has none, and other assets of the release have", f.Name)),
			})
		}
	}
}

// about reports whether a bundle says that it is about a file with one of those digests. It is a
// question of which bundle belongs to which file, and proves nothing.
func (k *check) about(text []byte, digests []digest.Digest) (bool, error) {
	subjects, err := bundle.Subjects(text)
	for _, s := range subjects {
		for _, d := range s.Digests {
			for _, want := range digests {
				if d.String() == want.String() {
					return true, nil
				}
			}
		}
	}
	return false, err
}

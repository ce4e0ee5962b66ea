package served

import (
	"context"
	"errors"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/image"
)

// image checks what signs the image that a tag names today, by its digest: the tag is not
// resolved again.
func (k *check) image(ctx context.Context) {
	if len(k.release.Files) == 0 || len(k.release.Files[0].Digests) == 0 {
		k.gap(verify.GapNoAnswer, "the registry tells no digest of the image")
		return
	}
	if k.Transport == nil {
		k.gap(verify.GapOffline, "the registry of the image was not asked for signatures")
		return
	}
	answer, err := image.Verify(ctx, image.Request{
		Reference: k.version.Name + "@" + k.release.Files[0].Digests[0].String(),
		Accept:    k.version.Accept, Keys: k.version.Keys, Roots: k.Roots, RequireAttestations: k.version.Attestations, Transport: k.Transport,
	})
	var refusal *verify.Refusal
	switch {
	case errors.As(err, &refusal):
		k.subject.Refusals = append(k.subject.Refusals, *refusal)
		return
	case err != nil:
		k.missing("the image", err)
		return
	}
	k.signatures += len(answer.Proofs) + len(answer.Refusals)
	k.subject.Proofs, k.subject.Refusals, k.subject.Gaps = answer.Proofs, answer.Refusals, append(k.subject.Gaps, answer.Gaps...)
	switch {
	case answer.Unsigned():
		k.none("signatures")
	case len(answer.Gaps) == 0:
		k.present()
	}
}

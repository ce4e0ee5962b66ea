package served

import (
	"context"
	"errors"
	"slices"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/image"
)

// NoteOtherSigner is said of an image that somebody who is believed signed, and somebody else as
// well: whoever may push can put a signature beside it, and takes nothing from the first.
const NoteOtherSigner = "other-signer"

// ofOthers are the codes of refusals that say who signed, and not that what is signed is wrong.
var ofOthers = []string{verify.WrongIdentity, verify.WrongIssuer, verify.WrongKey, verify.WrongRoot}

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
	k.subject.Proofs, k.subject.Gaps = answer.Proofs, append(k.subject.Gaps, answer.Gaps...)
	for _, refusal := range answer.Refusals {
		if len(answer.Proofs) > 0 && slices.Contains(ofOthers, refusal.Code) {
			k.subject.Notes = append(k.subject.Notes, verify.Signal{Rule: NoteOtherSigner, Weight: verify.Note, Evidence: refusal.Code + ": " + refusal.What + ": " + refusal.Detail})
			continue
		}
		k.subject.Refusals = append(k.subject.Refusals, refusal)
	}
	switch {
	case answer.Unsigned():
		k.none("signatures")
	case len(answer.Gaps) == 0:
		k.present()
	}
}

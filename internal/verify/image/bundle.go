package image

import (
	"strings"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// bundle verifies a Sigstore bundle about the image, of whatever version. A key that is believed
// needs no log, as in the older form.
func (j judge) bundle(text []byte) (*verify.Proof, *verify.Refusal) {
	proof, err := bundle.Verify(text, bundle.Want{
		What: whatBundle, Digests: []digest.Digest{{Algorithm: digest.SHA256, Text: strings.TrimPrefix(j.digest, "sha256:")}},
		Accept: j.accept, Keys: j.keys, LogOptional: true,
	}, j.roots...)
	if err != nil {
		return nil, refusalOf(whatBundle, verify.Malformed, err)
	}
	// A statement's name for the image is its signer's, and says nothing that its digest does not.
	proof.Subject = j.digest
	if proof.Kind == verify.KindBlobSignature { // of the manifest
		proof.Kind = verify.KindImageSignature
	} else {
		proof.Kind = kindOf(proof.Predicate)
	}
	return proof, nil
}

// Package image verifies who signed a container image and what is attested of it, as cosign
// version 2 and 3 and GitHub's attestations leave it in a registry: the older form, in the tags
// sha256-HEX.sig and sha256-HEX.att, and Sigstore bundles that refer to the image, by the
// referrers API of OCI 1.1 and by its fall-back tag. All of them are looked for, always.
//
// An image is its digest. A tag is resolved once, and what is said is said of the digest; whoever
// moves the tag later changes nothing of it. The signature of an index is the signature of all
// that it names, and of the index alone.
//
// Everything that a registry holds beside an image was put there by whoever may push, and each
// part of it becomes a proof, a refusal or a gap: nothing is skipped in silence. An image can
// have a proof of one signer and a refusal of another; which signers are wanted is the caller's
// business. No input ends the process: cosign is given one signature at a time, whose types
// were checked, and is called where its panics are caught.
//
// Nothing but the registry is asked, through the transport of the request: no transparency log,
// no certificate authority, no update of trusted roots.
package image

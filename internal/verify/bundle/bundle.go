// Package bundle verifies Sigstore bundles: signatures over files, and signed statements
// (attestations) of npm, PyPI, GitHub and others.
//
// A bundle comes from whoever may publish, so every byte of it is taken for an attacker's. What
// decides is a trusted root or a key (package trust), the digest of what was published, and who
// the caller believes. Bundles of the versions 0.1 to 0.3 are read. A signature with a
// certificate needs what its root offers: an entry in a transparency log where the root has logs
// (Rekor v1 or v2), a certificate timestamp where it has logs of certificates, and always a time
// that a log or a timestamp authority signed.
//
// Nothing here asks the network or writes. Verify is safe for concurrent use.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// The limits of what is read. A larger bundle is refused before it is parsed, and what the library
// would make many objects of is counted before it does.
const (
	MaxBytes = 24 << 20 // of a bundle: the largest predicate that GitHub takes is 16 MiB, in base64

	maxDepth       = 64      // of JSON, in a bundle and in a statement
	maxMembers     = 100_000 // of one JSON object
	maxElements    = 1024    // of one JSON list but those of a statement
	maxEntries     = 32      // of logs, and of timestamps
	maxHashes      = 64      // of a proof of inclusion
	maxSubjects    = 1024
	maxProvenance  = 4 << 20   // bytes of a predicate that is read
	maxBody        = 256 << 10 // bytes of a log entry: it has no payload
	maxCheckpoint  = 16 << 10
	maxCertificate = 64 << 10 // and of a timestamp, which has some
	maxSignature   = 8 << 10
	maxHint        = 1 << 10
)

// Want is what a bundle must prove. The zero value is met by no bundle.
type Want struct {
	// What is presented, for refusals: "provenance"; "bundle" for "".
	What string
	// Digests are of what was published. One of SHA-256, SHA-384 or SHA-512 must be in the
	// bundle, and no other that is may differ.
	Digests []digest.Digest
	// Artifact is the file itself, and may stand for Digests. It is read from its beginning.
	Artifact io.ReadSeeker
	// Subject is the name of the subject of a statement, compared whole; "" is any. Same, where
	// it is set, compares in its place.
	Subject string
	Same    func(want, got string) bool
	// Only refuses a statement about more than one subject.
	Only bool
	// Predicates are the types that the statement may have; none is any, or a signature of the
	// file without statement.
	Predicates []string

	// Accept says whether a signer without a key is believed: nil for yes. Without Accept none
	// is. An error that is a *verify.Refusal stands as it is, another is a WrongIdentity.
	Accept func(verify.Identity) error
	// Keys are those that are believed. Without any, no signature by a key is.
	Keys []trust.Key
	// LogOptional lets a signature by a key stand in no transparency log. Where it does stand in
	// one that a root knows, that is verified all the same.
	LogOptional bool
}

// Verify verifies a bundle. The roots are tried by who issued the certificate: one of another
// root proves nothing under this one. What signs under GitHub's own root stands in no log, so that
// root is for attestations of GitHub and not for what npm or PyPI serve. Every error is a *verify.Refusal with a detail of one line.
func Verify(text []byte, want Want, roots ...*trust.Root) (*verify.Proof, error) {
	proof, err := verified(text, want, roots)
	if err == nil && proof.Identity != nil {
		err = accepted(want.Accept, *proof.Identity)
	}
	if err == nil {
		return proof, nil
	}
	refusal := &verify.Refusal{}
	if !errors.As(err, &refusal) {
		refusal = &verify.Refusal{Code: verify.Malformed, Detail: err.Error()}
	}
	what := want.What
	if what == "" {
		what = "bundle"
	}
	return nil, &verify.Refusal{Code: refusal.Code, What: what, Detail: verify.Line(refusal.Detail)}
}

// verified is all of Verify but for the question whether the signer is believed.
func verified(text []byte, want Want, roots []*trust.Root) (proof *verify.Proof, err error) {
	defer func() {
		if p := recover(); p != nil {
			proof, err = nil, refuse(verify.Malformed, "the library gave up on it: %v", p)
		}
	}()
	if want.Accept == nil && len(want.Keys) == 0 {
		return nil, refuse(verify.WrongIdentity, "nobody is believed: neither an identity nor a key was given")
	}
	if want.Artifact != nil && len(want.Digests) == 0 {
		if want.Digests, err = digestsOf(want.Artifact); err != nil {
			return nil, err
		}
	}
	if len(want.Digests) == 0 {
		return nil, refuse(verify.WrongDigest, "there is nothing to compare with: neither a digest nor a file was given")
	}
	r, err := read(text)
	if err != nil {
		return nil, err
	}
	matched, err := r.about(want)
	if err != nil {
		return nil, err
	}
	checks, err := r.checks(want, roots)
	if err != nil {
		return nil, err
	}
	return r.try(checks, matched, want)
}

// accepted asks whether the signer is believed.
func accepted(accept func(verify.Identity) error, id verify.Identity) error {
	if accept == nil {
		return refuse(verify.WrongKey, "it is signed by %q without a key, and only keys are believed", id.SAN)
	}
	err := accept(id)
	if refusal := (&verify.Refusal{}); err == nil || errors.As(err, &refusal) {
		return err
	}
	return refuse(verify.WrongIdentity, "%v", err)
}

// Exactly believes one identity: both are compared whole, and neither may be empty.
func Exactly(issuer, san string) func(verify.Identity) error {
	return func(id verify.Identity) error {
		switch {
		case issuer == "" || san == "":
			return refuse(verify.WrongIdentity, "an issuer and a subject must be given")
		case id.Issuer != issuer:
			return refuse(verify.WrongIssuer, "signed by %q of %q, and not of %q", id.SAN, id.Issuer, issuer)
		case id.SAN != san:
			return refuse(verify.WrongIdentity, "signed by %q, and not by %q", id.SAN, san)
		}
		return nil
	}
}

// Digest names a bundle by its bytes, as "sha256:" and hex, for keys of what is kept.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func refuse(code, format string, args ...any) *verify.Refusal {
	return &verify.Refusal{Code: code, Detail: fmt.Sprintf(format, args...)}
}

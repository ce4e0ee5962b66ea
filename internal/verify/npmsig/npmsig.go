// Package npmsig verifies the signatures that an npm registry puts on what it serves: ECDSA on
// P-256 with SHA-256 over "name@version:integrity", by a key of the registry.
//
// Such a signature says that the registry serves what it took, and nothing of who published.
package npmsig

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The limits of what is looked at.
const (
	maxSignatures = 16
	maxBytes      = 1 << 10 // of one in base64
)

// ErrUnsigned says that there is no signature: that is for the caller's policy to judge.
var ErrUnsigned = errors.New("not signed by the registry")

// Version is what was signed.
type Version struct {
	Name, Version string
	Integrity     digest.Digest // of the tarball: dist.integrity
	// Published is when, by the word of the registry; zero where it is not known. A key that
	// has ended is believed for what was published before.
	Published time.Time
}

// Verify verifies the signatures of a version. One by a key that is known must be good, and none
// of them may be bad. The error is a *verify.Refusal, or wraps ErrUnsigned.
func Verify(v Version, signatures []registry.Signature, keys []trust.Key) (*verify.Proof, error) {
	sum, ok := v.Integrity.Bytes()
	if !ok || v.Integrity.Algorithm != digest.SHA512 && v.Integrity.Algorithm != digest.SHA1 {
		return nil, refuse(verify.Malformed, "the integrity %q is not one that a registry signs", v.Integrity.String())
	}
	if len(signatures) == 0 {
		return nil, fmt.Errorf("%q: %w", v.Name+"@"+v.Version, ErrUnsigned)
	}
	if len(signatures) > maxSignatures {
		return nil, refuse(verify.TooLarge, "%d signatures, and at most %d are read", len(signatures), maxSignatures)
	}
	message := fmt.Sprintf("%s@%s:%s-%s", v.Name, v.Version, v.Integrity.Algorithm, base64.StdEncoding.EncodeToString(sum))
	var proof *verify.Proof
	for _, s := range signatures {
		key, err := known(s, v.Published, keys)
		if err != nil {
			return nil, err
		}
		if key == nil {
			continue
		}
		if err := fits(key, message, s); err != nil {
			return nil, err
		}
		if proof == nil {
			proof = &verify.Proof{Kind: verify.KindRegistrySig, Subject: v.Name + "@" + v.Version + " " + v.Integrity.String(), Key: key.ID}
		}
	}
	if proof == nil {
		return nil, refuse(verify.WrongKey, "signed with the key %q, which is not one of the registry's", signatures[0].KeyID)
	}
	return proof, nil
}

// known is the key that a signature names, nil where none has that name.
func known(s registry.Signature, published time.Time, keys []trust.Key) (*trust.Key, error) {
	for i := range keys {
		k := &keys[i]
		if k.ID != s.KeyID || !k.May("npm:signatures") {
			continue
		}
		switch {
		case published.IsZero() && !k.Until.IsZero():
			return nil, refuse(verify.NoTimestamp, "the key %q ended %s, and nothing says when it was published", k.ID, k.Until.Format(time.DateOnly))
		case !published.IsZero() && !k.ValidAt(published):
			return nil, refuse(verify.Expired, "published %s, when the key %q was not valid", published.UTC().Format(time.RFC3339), k.ID)
		}
		return k, nil
	}
	return nil, nil
}

func fits(k *trust.Key, message string, s registry.Signature) error {
	public, ok := k.Public.(*ecdsa.PublicKey)
	if !ok {
		return refuse(verify.WrongKey, "the key %q is a %T, and npm signs with ECDSA", k.ID, k.Public)
	}
	if len(s.Sig) > maxBytes {
		return refuse(verify.TooLarge, "a signature of %d bytes", len(s.Sig))
	}
	signature, err := base64.StdEncoding.DecodeString(s.Sig)
	if err != nil {
		return refuse(verify.Malformed, "the signature: %v", err)
	}
	sum := sha256.Sum256([]byte(message))
	if !ecdsa.VerifyASN1(public, sum[:], signature) {
		return refuse(verify.BadSignature, "the signature by %q does not fit %q", k.ID, message)
	}
	return nil
}

func refuse(code, format string, args ...any) *verify.Refusal {
	return &verify.Refusal{Code: code, What: "registry signature", Detail: verify.Line(fmt.Sprintf(format, args...))}
}

package bundle

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// keyChecks are those of a signature by a key: the keys that its hint names, or all of them where
// it names none of ours, since programs put all kinds of hints there.
func (r *presented) keyChecks(want Want, roots []*trust.Root) ([]check, error) {
	if len(want.Keys) == 0 {
		return nil, refuse(verify.WrongKey, "it is signed with the key %q, and no key is believed", r.hint)
	}
	var keys []trust.Key
	for _, k := range want.Keys {
		if r.names(&k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		for _, k := range want.Keys {
			if print, err := trust.Fingerprint(k.Public); err == nil && print == k.ID { // nobody named it
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil, refuse(verify.WrongKey, "it is signed with the key %q, which is not one that is believed", r.hint)
	}
	if len(r.entries) == 0 && !want.LogOptional {
		return nil, refuse(verify.NoLogEntry, "it stands in no transparency log")
	}
	var checks []check
	for i := range keys {
		more, err := r.keyCheck(&keys[i], want, roots)
		if err != nil {
			return nil, err
		}
		checks = append(checks, more...)
	}
	return checks, nil
}

// keyCheck are the ways to verify a bundle with one key. Where a root knows its log or may know
// its timestamps, they are verified under that; a key without bounds needs no time, so that a
// timestamp of an authority that nobody trusts does not refuse it.
func (r *presented) keyCheck(k *trust.Key, want Want, roots []*trust.Root) ([]check, error) {
	bound := !k.From.IsZero() || !k.Until.IsZero()
	var checks []check
	for _, t := range roots {
		logged := knows(t, r)
		if !logged && (len(r.entries) > 0 || r.stamps == 0) {
			continue
		}
		one := check{
			key: k, root: t, material: root.TrustedMaterialCollection{keyMaterial(k), t.Material()}, logged: logged,
			timed: bound || r.promised() || r.stamps > 0,
		}
		checks = append(checks, one)
		if one.timed && !bound && !r.promised() {
			one.timed = false
			checks = append(checks, one)
		}
	}
	if len(checks) > 0 {
		return checks, nil
	}
	if len(r.entries) > 0 && !want.LogOptional {
		return nil, refuse(verify.WrongRoot, "its transparency log is not of the trusted root")
	}
	return []check{{key: k, material: keyMaterial(k), timed: bound}}, nil
}

// names reports whether the bundle says that it is signed with k.
func (r *presented) names(k *trust.Key) bool { return k.ID == r.hint || hintOf(k) == r.hint }

// hintOf is how cosign names a key in a bundle.
func hintOf(k *trust.Key) string {
	print, err := trust.Fingerprint(k.Public)
	if err != nil {
		return ""
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(print, "sha256:"))
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}

func keyMaterial(k *trust.Key) root.TrustedMaterial {
	return root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		v, err := signature.LoadDefaultVerifier(k.Public)
		if err != nil {
			return nil, err
		}
		return root.NewExpiringKey(v, k.From, k.Until), nil
	})
}

// knows reports whether an entry of the bundle is of one of the root's logs.
func knows(t *trust.Root, r *presented) bool {
	for _, e := range r.entries {
		if t.Material().RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())] != nil {
			return true
		}
	}
	return false
}

// promised reports whether an entry has the promise of a log with its time.
func (r *presented) promised() bool {
	for _, e := range r.entries {
		if len(e.GetInclusionPromise().GetSignedEntryTimestamp()) > 0 {
			return true
		}
	}
	return false
}

package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// check is one way in which a bundle may be verified: under one root, or by one key.
type check struct {
	root     *trust.Root // nil for a key alone
	key      *trust.Key  // nil for a certificate
	material root.TrustedMaterial
	logged   bool // an entry in a log of material is needed
	ct       bool // a certificate timestamp is needed
	timed    bool // a signed time is needed
}

func (c *check) options() []sigverify.VerifierOption {
	// the predicate is read by us
	options := []sigverify.VerifierOption{sigverify.WithoutStatementPredicate()}
	if c.logged {
		options = append(options, sigverify.WithTransparencyLog(1))
	}
	if c.ct {
		options = append(options, sigverify.WithSignedCertificateTimestamps(1))
	}
	if c.timed {
		return append(options, sigverify.WithObserverTimestamps(1))
	}
	return append(options, sigverify.WithNoObserverTimestamps())
}

// checks are the ways that are open to a bundle, at least one.
func (r *presented) checks(want Want, roots []*trust.Root) ([]check, error) {
	if r.leaf == nil {
		return r.keyChecks(want, roots)
	}
	if len(roots) == 0 {
		return nil, refuse(verify.WrongRoot, "no trusted root was given")
	}
	var checks []check
	for _, t := range roots {
		if issued(t, r.leaf) {
			checks = append(checks, check{
				root: t, material: t.Material(), logged: t.Logged(), ct: t.CertificatesLogged(), timed: true,
			})
		}
	}
	if len(checks) == 0 {
		names := make([]string, len(roots))
		for i, t := range roots {
			names[i] = t.String()
		}
		return nil, refuse(verify.WrongRoot, "the certificate is of %q, which is not of the trusted root (%s)", r.leaf.Issuer, strings.Join(names, "; "))
	}
	return checks, nil
}

// issued reports whether an authority of the root has the name and key that the certificate says
// it was issued by. Whether it was is verified later.
func issued(t *trust.Root, leaf *x509.Certificate) bool {
	for _, a := range t.Material().FulcioCertificateAuthorities() {
		a, ok := a.(*root.FulcioCertificateAuthority)
		if !ok {
			continue
		}
		for _, c := range append([]*x509.Certificate{a.Root}, a.Intermediates...) {
			if bytes.Equal(c.RawSubject, leaf.RawIssuer) &&
				(len(leaf.AuthorityKeyId) == 0 || len(c.SubjectKeyId) == 0 || bytes.Equal(leaf.AuthorityKeyId, c.SubjectKeyId)) {
				return true
			}
		}
	}
	return false
}

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

// try verifies the bundle in the first way that it can be. Where there is none, the refusal is of
// the first.
func (r *presented) try(checks []check, matched digest.Digest, want Want) (*verify.Proof, error) {
	var first error
	for i := range checks {
		c := &checks[i]
		result, err := r.run(c, matched, want)
		if err != nil {
			if first == nil {
				first = r.reason(c, err)
			}
			continue
		}
		return r.proof(c, result, matched)
	}
	if last := checks[len(checks)-1].key; last != nil && last != checks[0].key {
		return nil, refuse(verify.WrongKey, "none of the keys that are believed signed it")
	}
	return nil, first
}

// run asks the library.
func (r *presented) run(c *check, matched digest.Digest, want Want) (*sigverify.VerificationResult, error) {
	verifier, err := sigverify.NewVerifier(c.material, c.options()...)
	if err != nil {
		return nil, err
	}
	sum, ok := matched.Bytes()
	if !ok {
		return nil, refuse(verify.WrongDigest, "the digest %s is none", matched)
	}
	artifact := sigverify.WithArtifactDigest(matched.Algorithm.String(), sum)
	if c.key != nil && r.statement == nil {
		if _, pure := c.key.Public.(ed25519.PublicKey); pure {
			if want.Artifact == nil {
				return nil, refuse(verify.BadSignature, "an Ed25519 key signs the file and not its digest: the file must be given")
			}
			if _, err := want.Artifact.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
			artifact = sigverify.WithArtifact(want.Artifact)
		}
	}
	policy := []sigverify.PolicyOption{sigverify.WithoutIdentitiesUnsafe()} // Accept decides, on what the library verified
	if c.key != nil {
		policy = []sigverify.PolicyOption{sigverify.WithKey()}
	}
	return verifier.Verify(r, sigverify.NewPolicy(artifact, policy...))
}

// proof is what was verified.
func (r *presented) proof(c *check, result *sigverify.VerificationResult, matched digest.Digest) (*verify.Proof, error) {
	p := &verify.Proof{Kind: verify.KindBlobSignature, Subject: matched.String(), Log: r.standsIn(c)}
	if r.statement != nil {
		p.Kind, p.Predicate = kindOf(r.statement.predicateType), r.statement.predicateType
		p.Statement = []byte(r.statement.predicate)
		for _, s := range r.statement.subjects {
			if s.name != "" && strings.EqualFold(s.digests[matched.Algorithm.String()], matched.Text) {
				p.Subject = s.name + " " + p.Subject
				break
			}
		}
	}
	if c.root != nil {
		p.Root = c.root.String()
	}
	if c.key != nil {
		p.Key = c.key.ID
	} else {
		id := Identity(result.Signature.Certificate)
		p.Identity = &id
	}
	for _, t := range result.VerifiedTimestamps {
		if p.Time.IsZero() || t.Timestamp.Before(p.Time) {
			p.Time, p.TimeBy = t.Timestamp.UTC(), "timestamp authority"
			if t.Type == "Tlog" {
				p.TimeBy = "transparency log"
			}
		}
	}
	if r.statement == nil {
		return p, nil
	}
	return p, contradicted(r.statement, p.Identity)
}

// standsIn are the log entries that were verified.
func (r *presented) standsIn(c *check) []verify.LogEntry {
	if !c.logged {
		return nil
	}
	var list []verify.LogEntry
	logs := c.material.RekorLogs()
	for _, e := range r.entries {
		l := logs[hex.EncodeToString(e.GetLogId().GetKeyId())]
		if l == nil || len(r.entries) > 1 && !r.included(c, e) {
			continue
		}
		one := verify.LogEntry{Log: l.BaseURL, Index: e.GetLogIndex()}
		if len(e.GetInclusionPromise().GetSignedEntryTimestamp()) > 0 {
			one.Time = time.Unix(e.GetIntegratedTime(), 0).UTC() // the promise signs it, the proof does not
		}
		list = append(list, one)
	}
	return list
}

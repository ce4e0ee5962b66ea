package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

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

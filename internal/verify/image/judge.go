package image

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/cosign/v2/pkg/cosign"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// judge says of what is presented about one image whether it is proved. It starts no goroutine.
type judge struct {
	digest string // of the image, sha256:hex
	accept func(verify.Identity) error
	keys   []trust.Key
	roots  []*trust.Root
}

// signature verifies one signature or attestation of the older form. It gives a proof or a
// refusal, and nothing that p holds makes it do otherwise.
func (j judge) signature(ctx context.Context, p *presented) (*verify.Proof, *verify.Refusal) {
	var proof *verify.Proof
	var refusal *verify.Refusal
	if p.certificate != nil {
		proof, refusal = j.keyless(ctx, p)
	} else {
		proof, refusal = j.byKey(ctx, p)
	}
	if refusal != nil {
		return nil, refusal
	}
	// cosign said the same, by a reader that is less strict.
	if digest, err := p.subject(j.digest); err != nil || digest != j.digest {
		return nil, j.explain(p, nil, &cosign.CheckOpts{IgnoreTlog: true}, err)
	}
	proof.Kind, proof.Subject = verify.KindImageSignature, j.digest
	if p.what == whatAttestation {
		s, err := readStatement(p.payload)
		if err != nil {
			return nil, refuse(p.what, verify.Malformed, "%v", err)
		}
		if err := bundle.Contradicted(s.PredicateType, s.Predicate, proof.Identity); err != nil {
			return nil, refusalOf(p.what, verify.Malformed, err)
		}
		proof.Kind, proof.Predicate, proof.Statement = kindOf(s.PredicateType), s.PredicateType, s.Predicate
	}
	return proof, nil
}

// keyless verifies what was signed with a certificate, by the root that vouches for it.
func (j judge) keyless(ctx context.Context, p *presented) (*verify.Proof, *verify.Refusal) {
	refusal := refuse(p.what, verify.WrongRoot, "signed with a certificate, and there is no trusted root")
	for i, root := range j.roots {
		stamped, err := p.stamped(root)
		options := keylessOptions(root, p)
		if err == nil {
			err = j.cosign(ctx, p, options)
		}
		if err != nil {
			if why := j.explain(p, root, options, err); i == 0 || refusal.Code == verify.WrongRoot {
				refusal = why
			}
			continue
		}
		id, err := identityOf(p.certificate)
		if err != nil {
			return nil, refuse(p.what, verify.Malformed, "certificate: %v", err)
		}
		if refusal := j.accepted(id, p.what); refusal != nil {
			return nil, refusal
		}
		proof := &verify.Proof{Identity: &id, Root: root.String(), Time: stamped, TimeBy: "timestamp authority"}
		if root.Logged() {
			p.logged(root, proof)
		}
		return proof, nil
	}
	return nil, refusal
}

// keylessOptions ask for all that a root has: logs where it has logs, else a timestamp.
func keylessOptions(root *trust.Root, p *presented) *cosign.CheckOpts {
	return &cosign.CheckOpts{
		TrustedMaterial: root.Material(), Offline: true,
		IgnoreTlog: !root.Logged(), IgnoreSCT: !root.CertificatesLogged(), UseSignedTimestamps: p.timestamp != nil,
	}
}

// stamped is the time of a signature's timestamp, zero where there is none and the root has a
// log that says it. It is verified here: cosign v2.6.5 panics where it does not verify.
func (p *presented) stamped(root *trust.Root) (at time.Time, err error) {
	defer recovered(&err)
	if p.timestamp == nil {
		if !root.Logged() {
			return time.Time{}, errors.New("nothing proves when it was signed")
		}
		return time.Time{}, nil
	}
	over := p.payload // of an attestation, which has its signature in it
	if p.what == whatSignature {
		if over, err = base64.StdEncoding.DecodeString(p.signature); err != nil {
			return time.Time{}, err
		}
	}
	err = errors.New("the trusted root has no timestamp authority")
	for _, authority := range root.Material().TimestampingAuthorities() {
		stamp, wrong := authority.Verify(p.timestamp, over)
		if wrong == nil {
			return stamp.Time.UTC(), nil
		}
		err = fmt.Errorf("its timestamp is of no authority of the trusted root: %w", wrong)
	}
	return time.Time{}, err
}

// byKey verifies what was signed with a key of its own. An entry of a log that a root knows is
// verified, too; a key that is believed needs none, and no timestamp.
func (j judge) byKey(ctx context.Context, p *presented) (*verify.Proof, *verify.Refusal) {
	key, by := j.keyOf(ctx, p)
	if by == nil {
		return nil, refuse(p.what, verify.WrongKey, "%s", j.noKey())
	}
	proof := &verify.Proof{Key: key.ID}
	options := &cosign.CheckOpts{SigVerifier: by, Offline: true, IgnoreTlog: true}
	for _, root := range j.roots {
		if p.log != nil && p.logOf(root) != "" {
			options.TrustedMaterial, options.IgnoreTlog = root.Material(), false
			proof.Root = root.String()
			p.logged(root, proof)
			break
		}
	}
	if err := j.cosign(ctx, p, options); err != nil {
		return nil, j.explain(p, nil, options, err)
	}
	if !proof.Time.IsZero() && !key.ValidAt(proof.Time) {
		return nil, refuse(p.what, verify.Expired, "signed at %s, when the key was not valid", proof.Time.Format(time.RFC3339))
	}
	return proof, nil
}

// keyOf is the first key that the signature is by.
func (j judge) keyOf(ctx context.Context, p *presented) (trust.Key, signature.Verifier) {
	for _, k := range j.keys {
		by, err := signature.LoadVerifier(k.Public, signatureHash)
		if err == nil && j.signedBy(ctx, p, by) == nil {
			return k, by
		}
	}
	return trust.Key{}, nil
}

// signatureHash is the hash of cosign's signatures, by key and by certificate.
const signatureHash = crypto.SHA256

func (j judge) noKey() string {
	if len(j.keys) == 0 {
		return "signed with a key, and no key is believed"
	}
	return fmt.Sprintf("signed with a key that is none of the %d that are believed", len(j.keys))
}

// cosign is the verdict of cosign. It panics on some inputs, which is a verdict, too.
func (j judge) cosign(ctx context.Context, p *presented, options *cosign.CheckOpts) (err error) {
	defer recovered(&err)
	sig, err := p.forCosign()
	if err != nil {
		return err
	}
	hash, err := v1.NewHash(j.digest)
	if err != nil {
		return err
	}
	logged := false
	if p.what == whatAttestation {
		options.ClaimVerifier = cosign.IntotoSubjectClaimVerifier
		// VerifyImageAttestation verifies in a goroutine, whose panic nobody could recover; this
		// is the same, called at once.
		logged, err = cosign.VerifyBlobAttestation(ctx, sig, hash, options)
	} else {
		options.ClaimVerifier = cosign.SimpleClaimVerifier
		logged, err = cosign.VerifyImageSignature(ctx, sig, hash, options)
	}
	if err == nil && logged == options.IgnoreTlog {
		return errors.New("the log was not asked as it should have been")
	}
	return err
}

// signedBy reports whether a signature is by a key, whatever it is about.
func (j judge) signedBy(ctx context.Context, p *presented, by signature.Verifier) (err error) {
	defer recovered(&err)
	if p.what == whatAttestation {
		return verifyEnvelope(ctx, by, p.payload)
	}
	raw, err := base64.StdEncoding.DecodeString(p.signature)
	if err != nil {
		return err
	}
	return by.VerifySignature(bytes.NewReader(raw), bytes.NewReader(p.payload))
}

// explain finds the code and the line for what cosign refused. It decides nothing.
func (j judge) explain(p *presented, root *trust.Root, options *cosign.CheckOpts, cause error) *verify.Refusal {
	if digest, err := p.subject(j.digest); err != nil {
		return refuse(p.what, verify.Malformed, "%v", err)
	} else if digest != j.digest {
		return refuse(p.what, verify.WrongDigest, "it is about %.100q, and the image is %s", digest, j.digest)
	}
	if p.certificate != nil {
		return j.explainCertificate(p, root, options, cause)
	}
	if r := p.explainLog(options); r != nil {
		return r
	}
	return refuse(p.what, verify.BadSignature, "%v", cause)
}

// explainCertificate takes the steps of cosign's verifyInternal one by one, the ones that say
// most first.
func (j judge) explainCertificate(p *presented, root *trust.Root, options *cosign.CheckOpts, cause error) *verify.Refusal {
	if root == nil {
		return refuse(p.what, verify.BadSignature, "%v", cause)
	}
	chain := safely(func() error {
		_, err := cosign.ValidateAndUnpackCert(p.certificate, &cosign.CheckOpts{TrustedMaterial: options.TrustedMaterial, IgnoreSCT: true})
		return err
	})
	unfit := safely(func() error {
		by, err := signature.LoadVerifier(p.certificate.PublicKey, signatureHash)
		if err != nil {
			return err
		}
		return j.signedBy(context.Background(), p, by)
	})
	switch {
	case chain != nil:
		return refuse(p.what, verify.WrongRoot, "the certificate is of no authority of the trusted root: %v", chain)
	case unfit != nil:
		return refuse(p.what, verify.BadSignature, "%v", unfit)
	}
	if r := p.explainLog(options); r != nil {
		return r
	}
	at, stamp := p.stamped(root)
	switch {
	case stamp != nil:
		return refuse(p.what, verify.NoTimestamp, "%v", stamp)
	case !at.IsZero() && cosign.CheckExpiry(p.certificate, at) != nil:
		return p.expired(at)
	}
	if sct := safely(func() error {
		_, err := cosign.ValidateAndUnpackCert(p.certificate, options)
		return err
	}); sct != nil {
		return refuse(p.what, verify.NoLogEntry, "its certificate is in no certificate log of the trusted root: %v", sct)
	}
	return refuse(p.what, verify.BadSignature, "%v", cause)
}

// explainLog says what is wrong with the entry of a log; nil where that is nothing.
func (p *presented) explainLog(options *cosign.CheckOpts) *verify.Refusal {
	if options.IgnoreTlog {
		return nil
	}
	if p.log == nil {
		return refuse(p.what, verify.NoLogEntry, "it has no entry of a transparency log beside it")
	}
	if options.TrustedMaterial.RekorLogs()[p.log.Payload.LogID] == nil {
		return refuse(p.what, verify.WrongRoot, "its log %s is not of the trusted root", p.log.Payload.LogID)
	}
	err := safely(func() error {
		sig, err := p.forCosign()
		if err == nil {
			_, err = cosign.VerifyBundle(sig, options)
		}
		return err
	})
	switch {
	case err == nil && p.certificate != nil && cosign.CheckExpiry(p.certificate, p.log.time()) != nil:
		return p.expired(p.log.time())
	case err == nil:
		return nil
	case strings.HasPrefix(err.Error(), "verifying bundle with trusted root"):
		return refuse(p.what, verify.NoLogEntry, "the log did not promise its entry: %v", err)
	case errors.Is(err, errGaveUp), strings.HasPrefix(err.Error(), "failed to extract"):
		return refuse(p.what, verify.Malformed, "its log entry: %v", err)
	}
	return refuse(p.what, verify.BadSignature, "its log entry is of another signature: %v", err)
}

func (p *presented) expired(at time.Time) *verify.Refusal {
	return refuse(p.what, verify.Expired, "signed at %s, and its certificate was good from %s to %s", at.Format(time.RFC3339),
		p.certificate.NotBefore.UTC().Format(time.RFC3339), p.certificate.NotAfter.UTC().Format(time.RFC3339))
}

// logOf is the log that a signature stands in, where a root knows it, else "".
func (p *presented) logOf(root *trust.Root) string {
	log := root.Material().RekorLogs()[p.log.Payload.LogID]
	switch {
	case log == nil:
		return ""
	case log.BaseURL == "":
		return p.log.Payload.LogID
	}
	return log.BaseURL
}

// logged says in a proof what the log says.
func (p *presented) logged(root *trust.Root, proof *verify.Proof) {
	proof.Time, proof.TimeBy = p.log.time(), "transparency log"
	proof.Log = []verify.LogEntry{{Log: p.logOf(root), Index: p.log.Payload.LogIndex, Time: proof.Time}}
}

// safely calls cosign, whose panics are errors.
func safely(f func() error) (err error) {
	defer recovered(&err)
	return f()
}

// errGaveUp is for a panic.
var errGaveUp = errors.New("cosign gave up on it")

// recovered makes an error of a panic.
func recovered(err *error) {
	if caught := recover(); caught != nil {
		*err = fmt.Errorf("%w: %v", errGaveUp, caught)
	}
}

// refuse is a refusal whose detail is one line.
func refuse(what, code, format string, args ...any) *verify.Refusal {
	return &verify.Refusal{Code: code, What: what, Detail: verify.Line(fmt.Sprintf(format, args...))}
}

// refusalOf is an error as a refusal, of that code where it is none.
func refusalOf(what, code string, err error) *verify.Refusal {
	var r *verify.Refusal
	if errors.As(err, &r) {
		return refuse(what, r.Code, "%s", r.Detail)
	}
	return refuse(what, code, "%v", err)
}

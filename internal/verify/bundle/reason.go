package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	rekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// reason finds out why the library refused a bundle. Its errors are text, so each of its steps is
// taken by itself, in its order, and the first that fails gives the code.
func (r *presented) reason(c *check, failed error) error {
	if refusal := (&verify.Refusal{}); errors.As(failed, &refusal) {
		return refusal
	}
	var times []root.Timestamp
	if c.logged {
		var err error
		if times, err = sigverify.VerifyTlogEntry(r, c.material, 1, c.timed); err != nil {
			return r.unlogged(c, err)
		}
	}
	if c.timed {
		stamps, faults, err := sigverify.VerifySignedTimestamp(r, c.material)
		if err != nil {
			return refuse(verify.NoTimestamp, "%v", err)
		}
		for _, s := range stamps {
			times = append(times, *s)
		}
		if len(times) == 0 && len(faults) > 0 {
			return refuse(verify.NoTimestamp, "no authority of the trusted root signed its timestamp: %v", errors.Join(faults...))
		}
		if len(times) == 0 {
			return refuse(verify.NoTimestamp, "nothing proves when it was signed")
		}
	}
	if c.key != nil {
		for _, t := range times {
			if !c.key.ValidAt(t.Time) {
				return refuse(verify.Expired, "signed %s, when the key %q was not valid", date(t.Time), c.key.ID)
			}
		}
		if r.names(c.key) {
			return refuse(verify.BadSignature, "the signature does not fit the key %q: %v", c.key.ID, failed)
		}
		return refuse(verify.WrongKey, "the key %q did not sign it", c.key.ID)
	}
	if err := r.uncertified(c, times); err != nil {
		return err
	}
	return refuse(verify.BadSignature, "%v", failed)
}

// unlogged is why no log entry was verified.
func (r *presented) unlogged(c *check, failed error) error {
	if len(r.entries) == 0 {
		return refuse(verify.NoLogEntry, "it stands in no transparency log")
	}
	known := 0
	for _, e := range r.entries {
		if c.material.RekorLogs()[hex.EncodeToString(e.GetLogId().GetKeyId())] == nil {
			continue
		}
		known++
		entry, err := tlog.ParseTransparencyLogEntry(e)
		if err != nil {
			return refuse(verify.Malformed, "log entry: %v", err)
		}
		if err := tlog.ValidateEntry(entry); err != nil {
			return refuse(verify.Malformed, "log entry: %v", err)
		}
		if err := r.otherEntry(c, entry); err != nil {
			return err
		}
		at := entry.IntegratedTime()
		if r.leaf != nil && !at.IsZero() && (at.Before(r.leaf.NotBefore) || at.After(r.leaf.NotAfter)) {
			return refuse(verify.Expired, "logged %s, and the certificate was valid from %s to %s", date(at), date(r.leaf.NotBefore), date(r.leaf.NotAfter))
		}
		if c.key != nil && !at.IsZero() && !c.key.ValidAt(at) {
			return refuse(verify.Expired, "logged %s, when the key %q was not valid", date(at), c.key.ID)
		}
	}
	if known == 0 {
		return refuse(verify.WrongRoot, "its transparency log is not of the trusted root")
	}
	return refuse(verify.NoLogEntry, "%v", failed)
}

// otherEntry is the refusal of an entry that is of another signature: it was taken from there.
func (r *presented) otherEntry(c *check, entry *tlog.Entry) error {
	if !bytes.Equal(entry.Signature(), r.signature) {
		return refuse(verify.BadSignature, "its log entry is of another signature")
	}
	if entry.IsRekorV2() {
		return nil
	}
	if by, err := r.VerificationContent(); err == nil && !by.CompareKey(entry.PublicKey(), c.material) {
		if c.key != nil && !r.names(c.key) {
			return refuse(verify.WrongKey, "the key %q did not sign it", c.key.ID)
		}
		return refuse(verify.BadSignature, "its log entry is of another certificate or key")
	}
	if r.statement == nil {
		if sum, _, ok := entry.GetHashedRekordDigest(); ok && hex.EncodeToString(sum) != r.message.Text {
			return refuse(verify.BadSignature, "its log entry is of other bytes")
		}
		return nil
	}
	sum := sha256.Sum256(r.GetDsseEnvelope().GetPayload())
	if logged, ok := entry.GetDssePayloadHash(); ok && !bytes.Equal(logged, sum[:]) {
		return refuse(verify.BadSignature, "its log entry is of another statement")
	}
	return nil
}

// uncertified is why the certificate was not verified; nil where that is not why.
func (r *presented) uncertified(c *check, times []root.Timestamp) error {
	for _, t := range times {
		chains, err := sigverify.VerifyLeafCertificate(t.Time, r.leaf, c.material)
		if err != nil {
			if t.Time.Before(r.leaf.NotBefore) || t.Time.After(r.leaf.NotAfter) {
				return refuse(verify.Expired, "signed %s, and the certificate was valid from %s to %s", date(t.Time), date(r.leaf.NotBefore), date(r.leaf.NotAfter))
			}
			return refuse(verify.WrongRoot, "no authority of %s vouches for the certificate of %q", c.root, r.leaf.Issuer)
		}
		if !c.ct {
			continue
		}
		if err := sigverify.VerifySignedCertificateTimestamp(chains, 1, c.material); err != nil {
			return refuse(verify.NoLogEntry, "the certificate stands in no log of certificates: %v", err)
		}
	}
	return nil
}

// included reports whether the entry alone would verify.
func (r *presented) included(c *check, entry *rekor.TransparencyLogEntry) bool {
	alone := &protobundle.Bundle{MediaType: r.MediaType, Content: r.Bundle.Bundle.Content, VerificationMaterial: &protobundle.VerificationMaterial{
		Content: r.VerificationMaterial.Content, TlogEntries: []*rekor.TransparencyLogEntry{entry},
	}}
	b, err := bundle.NewBundle(alone)
	if err != nil {
		return false
	}
	_, err = sigverify.VerifyTlogEntry(b, c.material, 1, false)
	return err == nil
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

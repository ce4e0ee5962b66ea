package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// The types of what lies beside images.
const (
	layerSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
	layerEnvelope      = "application/vnd.dsse.envelope.v1+json"
	bundlePrefix       = "application/vnd.dev.sigstore.bundle" // and ".v0.3+json", or "+json;version=0.1"

	// artifactSignature is the older form of a signature as a referrer: cosign's experiment with
	// OCI 1.1. Attestations have inTotoType there.
	artifactSignature = "application/vnd.dev.cosign.artifact.sig.v1+json"
	artifactNotation  = "application/vnd.cncf.notary.signature"
)

// finder looks for what is signed beside one image, and has it judged.
type finder struct {
	s      *source
	answer *Answer
	judge  judge
	left   int               // signatures that may still be looked at
	bytes  int64             // of payloads that may still be read
	read   map[string][]byte // blobs by their digest: signatures by many signers have one payload
	full   bool
}

func (f *finder) refused(r *verify.Refusal) { f.answer.Refusals = append(f.answer.Refusals, *r) }

func (f *finder) gap(code, format string, args ...any) {
	f.answer.Gaps = append(f.answer.Gaps, verify.Gap{Code: code, Detail: refuse("", "", format, args...).Detail})
}

// all looks at every place, and goes on after a fault in one of them.
func (f *finder) all(ctx context.Context) {
	tag := strings.Replace(f.answer.Digest, ":", "-", 1)
	for _, kept := range []struct{ what, at string }{{whatSignature, ".sig"}, {whatAttestation, ".att"}} {
		m, err := f.s.manifest(ctx, tag+kept.at)
		switch {
		case err == nil:
			f.layers(ctx, kept.what, "tag "+kept.at, m)
		case !errors.Is(err, registry.ErrNotFound):
			f.unread(kept.what, "tag "+kept.at, err)
		}
	}
	for _, d := range f.referrers(ctx, tag) {
		if !f.take() {
			return
		}
		f.referrer(ctx, d)
	}
}

// take counts one signature more, and says once that there are too many.
func (f *finder) take() bool {
	if f.left > 0 {
		f.left--
		return true
	}
	if !f.full {
		f.full = true
		f.refused(refuse(whatSignature, verify.TooLarge, "over %d signatures, attestations and bundles: the rest was not looked at", f.s.limits.Signatures))
	}
	return false
}

// layers judges the layers of a manifest, each of which is one signature or attestation of the
// older form.
func (f *finder) layers(ctx context.Context, what, at string, m *manifest) {
	parsed, err := parseManifest(m.bytes)
	if err == nil && m.media != ociManifest && m.media != dockerManifest {
		err = fmt.Errorf("a manifest of the type %.100q", m.media)
	}
	if err != nil {
		f.refused(refuse(what, verify.Malformed, "%s: %v", at, err))
		return
	}
	want := layerSimpleSigning
	if what == whatAttestation {
		want = layerEnvelope
	}
	for i, d := range parsed.Layers {
		if !f.take() {
			return
		}
		at := fmt.Sprintf("%s, layer %d", at, i)
		if d.MediaType != want {
			f.refused(refuse(what, verify.Malformed, "%s: a layer of the type %.100q", at, d.MediaType))
			continue
		}
		payload := f.blob(ctx, what, at, d)
		if payload == nil {
			continue
		}
		presented, refusal := readPresented(what, payload, d.Annotations)
		var proof *verify.Proof
		if refusal == nil {
			proof, refusal = f.judge.signature(ctx, presented)
		}
		f.judged(at, proof, refusal)
	}
}

// judged takes a proof or a refusal.
func (f *finder) judged(at string, p *verify.Proof, r *verify.Refusal) {
	if r != nil {
		f.refused(refuse(r.What, r.Code, "%s: %s", at, r.Detail))
		return
	}
	f.answer.Proofs = append(f.answer.Proofs, *p)
}

// blob reads a layer; nil where it said why not.
func (f *finder) blob(ctx context.Context, what, at string, d descriptor) []byte {
	if d.Size > f.s.limits.Payload {
		f.refused(refuse(what, verify.TooLarge, "%s: %d bytes, over the limit of %d", at, d.Size, f.s.limits.Payload))
		return nil
	}
	if b, ok := f.read[d.Digest]; ok {
		return b
	}
	if d.Size > f.bytes {
		f.refused(refuse(what, verify.TooLarge, "%s: with it, over %d bytes are signed", at, f.s.limits.Total))
		return nil
	}
	f.bytes -= d.Size
	b, err := f.s.blob(ctx, d)
	if err != nil {
		f.unread(what, at, err)
		return nil
	}
	f.read[d.Digest] = b
	return b
}

// unread says that something beside the image could not be read.
func (f *finder) unread(what, at string, err error) {
	switch {
	case errors.Is(err, errOtherBytes):
		f.refused(refuse(what, verify.WrongDigest, "%s: %v", at, err))
	case errors.Is(err, registry.ErrTooLarge):
		f.refused(refuse(what, verify.TooLarge, "%s: %v", at, err))
	case errors.Is(err, registry.ErrDenied):
		f.gap(verify.GapDenied, "%s, %s: %v", what, at, err)
	case errors.Is(err, registry.ErrNotFound):
		f.gap(verify.GapNotServed, "%s, %s: %v", what, at, err)
	default:
		f.gap(verify.GapNoAnswer, "%s, %s: %v", what, at, err)
	}
}

// referrers lists what refers to the image, by the API and by the fall-back tag: a registry
// that got the API later may have older referrers in the tag alone.
func (f *finder) referrers(ctx context.Context, tag string) []descriptor {
	all, err := f.s.referrers(ctx, f.answer.Digest)
	if err != nil && !errors.Is(err, registry.ErrNotServed) {
		f.unread(whatBundle, "referrers", err)
	}
	m, err := f.s.manifest(ctx, tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return all
	case err != nil:
		f.unread(whatBundle, "the fall-back tag", err)
		return all
	}
	listed, err := parseIndex(m.bytes)
	if err == nil && m.media != ociIndex {
		err = fmt.Errorf("an index of the type %.100q", m.media)
	}
	if err != nil {
		f.refused(refuse(whatBundle, verify.Malformed, "the fall-back tag: %v", err))
		return all
	}
	for _, d := range listed {
		if !slices.ContainsFunc(all, func(o descriptor) bool { return o.Digest == d.Digest }) {
			all = append(all, d)
		}
	}
	return all
}

// referrer judges one referrer by its manifest: what a list says of it may be wrong or missing.
func (f *finder) referrer(ctx context.Context, d descriptor) {
	at := "referrer " + d.Digest
	m, err := f.s.manifest(ctx, d.Digest)
	if err != nil {
		f.unread(whatBundle, at, err)
		return
	}
	parsed, err := parseManifest(m.bytes)
	if err != nil {
		f.refused(refuse(whatBundle, verify.Malformed, "%s: %v", at, err))
		return
	}
	isBundle := strings.HasPrefix(parsed.kind(), bundlePrefix) || slices.ContainsFunc(parsed.Layers, func(l descriptor) bool {
		return strings.HasPrefix(l.MediaType, bundlePrefix)
	})
	switch kind := parsed.kind(); {
	case isBundle:
		f.bundle(ctx, at, parsed)
	case kind == artifactSignature:
		f.left++ // its layers are counted
		f.layers(ctx, whatSignature, at, m)
	case kind == inTotoType:
		f.left++
		f.layers(ctx, whatAttestation, at, m)
	case kind == artifactNotation:
		f.gap(verify.GapUnsupported, "%s: a signature of Notation, which is not read", at)
	default:
		f.answer.Others = append(f.answer.Others, Other{d.Digest, kind})
	}
}

// bundle judges a referrer with a Sigstore bundle.
func (f *finder) bundle(ctx context.Context, at string, m *imageManifest) {
	if len(m.Layers) != 1 {
		f.refused(refuse(whatBundle, verify.Malformed, "%s: %d layers, and a bundle has one", at, len(m.Layers)))
		return
	}
	if text := f.blob(ctx, whatBundle, at, m.Layers[0]); text != nil {
		proof, refusal := f.judge.bundle(text)
		f.judged(at, proof, refusal)
	}
}

// children says which images of an index have something signed beside them.
func (f *finder) children(ctx context.Context) {
	for i := range f.answer.Children {
		if i == f.s.limits.Children {
			f.gap(verify.GapUnsupported, "an index of %d images, of which %d were looked at", len(f.answer.Children), i)
			return
		}
		c := &f.answer.Children[i]
		c.Signed = f.signed(ctx, c.Digest)
	}
}

// signed reports whether something lies at one of the places for a digest.
func (f *finder) signed(ctx context.Context, digest string) registry.Knowledge {
	tag := strings.Replace(digest, ":", "-", 1)
	known := registry.Absent
	for _, at := range []string{tag + ".sig", tag} {
		switch _, err := f.s.manifest(ctx, at); {
		case err == nil:
			return registry.Present
		case !errors.Is(err, registry.ErrNotFound):
			f.gap(verify.GapNoAnswer, "signature of a child, %s: %v", at, err)
			known = registry.Unknown
		}
	}
	switch listed, err := f.s.referrers(ctx, digest); {
	case len(listed) > 0:
		return registry.Present
	case err != nil && !errors.Is(err, registry.ErrNotServed):
		f.gap(verify.GapNoAnswer, "signature of a child: %v", err)
		known = registry.Unknown
	}
	return known
}

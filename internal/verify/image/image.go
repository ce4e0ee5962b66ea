package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Request is an image, and who may sign it. Nobody may where neither Accept nor Keys are given.
type Request struct {
	Reference string // "registry.example/team/app@sha256:..." or ":tag", with its registry

	// Accept says whether an identity is believed: nil, or the reason why not, which may be a
	// *verify.Refusal. Where Accept is nil, none is.
	Accept func(verify.Identity) error
	Keys   []trust.Key   // any one of them is believed
	Roots  []*trust.Root // that vouch for certificates and logs; any one of them is enough

	RequireAttestations []string // predicate types that must be proved
	Children            bool     // look at the images of an index, too: do they have signatures of their own?

	Transport http.RoundTripper // by which the registry is asked, and which knows who may be
	Keychain  authn.Keychain    // nil: nobody's name is given
	Limits    Limits
}

// Limits bound what is read. The zero value of each field is its default.
type Limits struct {
	Manifest   int64 // bytes of a manifest, an index or a page of referrers; default 4 MiB, the specification's
	Payload    int64 // bytes of a signed payload, an envelope or a bundle; default 16 MiB
	Total      int64 // bytes of all of them; default 64 MiB
	Signatures int   // signatures, attestations and bundles of an image; default 1000
	Children   int   // images of an index that are looked at; default 64
}

func (l Limits) orDefault() Limits {
	set := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&l.Manifest, 4<<20)
	set(&l.Payload, 16<<20)
	set(&l.Total, 64<<20)
	if l.Signatures == 0 {
		l.Signatures = 1000
	}
	if l.Children == 0 {
		l.Children = 64
	}
	return l
}

// Answer is what was found out about an image.
type Answer struct {
	Image    string // repository and digest: "registry.example/team/app@sha256:..."
	Digest   string // sha256:hex
	Media    string // its manifest's media type
	Children []Child
	Others   []Other // what refers to the image and is no signature: an SBOM, a scan

	// In the order in which they were found: signatures, attestations, bundles.
	Proofs   []verify.Proof
	Refusals []verify.Refusal
	Gaps     []verify.Gap
}

// Child is an image of an index.
type Child struct {
	Digest   string
	Platform string // "linux/arm64", "" where the index does not say it
	// Signed is whether a signature of its own lies beside it, which is not verified. It is
	// unknown where the request did not ask.
	Signed registry.Knowledge
}

// Other is something that refers to an image.
type Other struct {
	Digest string
	Type   string // its artifact type
}

// Unsigned reports whether the registry has nothing by anybody beside the image, neither good
// nor bad. It is false where that is not known.
func (a *Answer) Unsigned() bool {
	return len(a.Proofs) == 0 && len(a.Refusals) == 0 && len(a.Gaps) == 0
}

// ErrReference is for a Reference that is none.
var ErrReference = errors.New("not a full reference of an image")

// Verify looks for all that signs an image, and verifies it. An error means that the image
// itself was not found out: it wraps ErrReference, an error of package registry where one fits,
// or is a *verify.Refusal where the registry gave other bytes than those of the digest. What
// could not be read beside the image is a gap in the answer.
func Verify(ctx context.Context, r Request) (*Answer, error) {
	ref, err := name.ParseReference(r.Reference, name.StrictValidation)
	if err == nil && strings.Contains(r.Reference, "://") {
		err = errors.New("it is without a scheme")
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w: %v", r.Reference, ErrReference, err)
	}
	if r.Transport == nil {
		return nil, fmt.Errorf("%q: no transport to ask the registry by", r.Reference)
	}
	r.Limits = r.Limits.orDefault()
	s, err := open(ctx, ref.Context(), r)
	if err != nil {
		return nil, err
	}
	m, err := s.manifest(ctx, ref.Identifier())
	switch {
	case errors.Is(err, errOtherBytes):
		return nil, refuse("image", verify.WrongDigest, "%q: %v", r.Reference, err)
	case err != nil:
		return nil, fmt.Errorf("%q: %w", r.Reference, err)
	}
	a := &Answer{Image: ref.Context().Name() + "@" + m.digest, Digest: m.digest, Media: m.media}
	switch m.media {
	case ociIndex, dockerIndex:
		index, err := parseIndex(m.bytes)
		if err != nil {
			return nil, fmt.Errorf("%q: %w: %w", a.Image, err, registry.ErrMalformed)
		}
		for _, d := range index {
			a.Children = append(a.Children, Child{Digest: d.Digest, Platform: d.platform()})
		}
	case ociManifest, dockerManifest:
		if _, err := parseManifest(m.bytes); err != nil {
			return nil, fmt.Errorf("%q: %w: %w", a.Image, err, registry.ErrMalformed)
		}
	default:
		return nil, fmt.Errorf("%q: a manifest of the type %.100q: %w", a.Image, m.media, registry.ErrMalformed)
	}
	f := &finder{s: s, answer: a, judge: judge{a.Digest, r.Accept, r.Keys, r.Roots}, left: r.Limits.Signatures, bytes: r.Limits.Total, read: map[string][]byte{}}
	f.all(ctx)
	f.required(r.RequireAttestations)
	if r.Children {
		f.children(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%q: %w", a.Image, err)
	}
	return a, nil
}

// required refuses an image whose registry has no attestation that must be there. Where
// something of it could not be read, that is the gap's business.
func (f *finder) required(predicates []string) {
	for _, want := range predicates {
		has := slices.ContainsFunc(f.answer.Proofs, func(p verify.Proof) bool { return p.Predicate == want })
		if !has && len(f.answer.Gaps) == 0 {
			f.refused(refuse(whatAttestation, verify.MissingRequired, "none of the type %q is proved", want))
		}
	}
}

package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// Scheme is how something refers to an image.
type Scheme string

// The schemes.
const (
	ByAPI          Scheme = "referrers"       // the registry lists it
	ByTag          Scheme = "fall-back tag"   // it stands in the index of the tag "sha256-<hex>"
	SignatureTag   Scheme = "signature tag"   // it is the tag "sha256-<hex>.sig"
	AttestationTag Scheme = "attestation tag" // ".att"
	SBOMTag        Scheme = "SBOM tag"        // ".sbom"
)

var tagSchemes = []struct {
	suffix string
	scheme Scheme
}{{".sig", SignatureTag}, {".att", AttestationTag}, {".sbom", SBOMTag}}

// Referrer is something that refers to an image: a signature, an attestation, a list of parts.
// That it does is the word of whoever pushed it.
type Referrer struct {
	Descriptor
	Scheme Scheme
	Tag    string // of the tag schemes
}

// Referrers gives what refers to an image, by all schemes, in the order of the schemes and then
// of the registry. Nothing is an empty list. None of it is verified, and annotations may hold
// anything.
func (r *Reader) Referrers(ctx context.Context, name string, d digest.Digest) ([]Referrer, error) {
	repo, err := r.repository(name)
	if err != nil {
		return nil, err
	}
	if d, err = ParseDigest(d.String()); err != nil {
		return nil, fmt.Errorf("%q: %w: %w", name, err, registry.ErrForbidden)
	}
	found, err := r.referrers(ctx, repo, d)
	if err != nil {
		return nil, fmt.Errorf("referrers of %s in %q: %w", d, name, err)
	}
	return found, nil
}

func (r *Reader) referrers(ctx context.Context, repo string, d digest.Digest) ([]Referrer, error) {
	found, err := r.byAPI(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 { // not served; or served since later than something was pushed
		if found, err = r.byTag(ctx, repo, d); err != nil {
			return nil, err
		}
	}
	for _, s := range tagSchemes {
		tag := referrersTag(d) + s.suffix
		if len(tag) > maxTag {
			continue // cosign has no such tag of a sha512
		}
		one, err := r.resolve(ctx, repo, tag)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("tag %q: %w", tag, err)
		}
		found = append(found, Referrer{Descriptor: one, Scheme: s.scheme, Tag: tag})
	}
	return found, nil
}

// referrersTag is the tag of the specification's fall-back scheme, and the beginning of cosign's.
func referrersTag(d digest.Digest) string {
	tag := d.Algorithm.String() + "-" + d.Text
	return tag[:min(len(tag), maxTag)] // "truncated to 128 characters": sha512
}

// IsReferrerTag reports whether a tag is one of the schemes', and so no version.
func IsReferrerTag(tag string) bool {
	for _, s := range tagSchemes {
		if rest, cut := strings.CutSuffix(tag, s.suffix); cut {
			tag = rest
			break
		}
	}
	algorithm, hex, _ := strings.Cut(tag, "-")
	switch algorithm {
	case "sha256":
		return len(hex) == 64 && isHex(hex)
	case "sha512":
		return len(tag) == maxTag && isHex(hex)
	}
	return false
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// byAPI asks the referrers API. A registry that does not have it answers in one of several ways,
// and nothing is then the answer here.
func (r *Reader) byAPI(ctx context.Context, repo string, d digest.Digest) ([]Referrer, error) {
	var found []Referrer
	seen := map[digest.Digest]bool{}
	first := r.base.JoinPath("v2", repo, "referrers", d.String())
	err := r.pages(ctx, repo, first, MediaTypeIndex, func(a *fetch.Answer) (int, error) {
		if mediaType(a.Header) != MediaTypeIndex {
			return 0, errNoAPI
		}
		index, err := ParseManifest(a.Body, MediaTypeIndex)
		if err != nil {
			return 0, err
		}
		news := 0
		for _, one := range index.Manifests {
			if !seen[one.Digest] {
				seen[one.Digest] = true
				found = append(found, Referrer{Descriptor: one, Scheme: ByAPI})
				news++
			}
		}
		return news, r.few(len(found))
	})
	switch status := fetch.Status(err); {
	case errors.Is(err, errNoAPI), status == http.StatusNotFound, status == http.StatusBadRequest, status == http.StatusMethodNotAllowed,
		status == http.StatusNotAcceptable, status == http.StatusNotImplemented:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return found, nil
}

var errNoAPI = errors.New("no referrers API: the answer is not an index")

func (r *Reader) few(n int) error {
	if n > r.maxReferrers {
		return fmt.Errorf("over %d of them: %w", r.maxReferrers, registry.ErrTooLarge)
	}
	return nil
}

// byTag reads the index of the fall-back tag.
func (r *Reader) byTag(ctx context.Context, repo string, d digest.Digest) ([]Referrer, error) {
	tag := referrersTag(d)
	index, err := r.manifest(ctx, repo, tag)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err == nil && !index.IsIndex() {
		err = fmt.Errorf("not an index: %w", registry.ErrMalformed)
	}
	if err == nil {
		err = r.few(len(index.Manifests))
	}
	if err != nil {
		return nil, fmt.Errorf("tag %q: %w", tag, err)
	}
	var found []Referrer
	for _, one := range index.Manifests {
		found = append(found, Referrer{Descriptor: one, Scheme: ByTag, Tag: tag})
	}
	return found, nil
}

// bundleTypes are how the media types of Sigstore bundles begin: of "application/vnd.dev.sigstore.
// bundle.v0.3+json", and of "application/vnd.dev.sigstore.bundle+json;version=0.2" before.
var bundleTypes = []string{"application/vnd.dev.sigstore.bundle.v", "application/vnd.dev.sigstore.bundle+json"}

// isBundle reports whether a media type is that of a Sigstore bundle.
func isBundle(mediaType string) bool {
	for _, begin := range bundleTypes {
		if strings.HasPrefix(mediaType, begin) {
			return true
		}
	}
	return false
}

// mayHoldBundles reports whether a referrer with the artifact type that a list tells is to be
// read. Some lists tell nothing, and some tell the type of the configuration, which is that of
// "{}" for whatever is no image.
func mayHoldBundles(artifactType string) bool {
	return artifactType == "" || artifactType == "application/vnd.oci.empty.v1+json" || isBundle(artifactType)
}

// predicateAnnotation is what cosign notes of a bundle's statement.
const predicateAnnotation = "dev.sigstore.bundle.predicateType"

// Attestations gives the Sigstore bundles that refer to the image of a release, in the order of
// Referrers. What stands under cosign's old tags is no bundle: Referrers tells of it. A referrer
// that is about another image is an error, and not left out.
func (r *Reader) Attestations(ctx context.Context, name string, p *registry.Published) ([]registry.Attestation, error) {
	if len(p.Files) == 0 || len(p.Files[0].Digests) == 0 {
		return nil, fmt.Errorf("%q of %q: a release without digest: %w", p.Version, name, registry.ErrForbidden)
	}
	d := p.Files[0].Digests[0]
	referrers, err := r.Referrers(ctx, name, d)
	if err != nil {
		return nil, err
	}
	var found []registry.Attestation
	left := int64(maxBundles)
	for _, ref := range referrers {
		if ref.Scheme != ByAPI && ref.Scheme != ByTag || !mayHoldBundles(ref.ArtifactType) {
			continue
		}
		bundles, err := r.bundles(ctx, name, d, ref, &left)
		if err != nil {
			return nil, fmt.Errorf("referrer %s of %s in %q: %w", ref.Digest, d, name, err)
		}
		for i := range bundles {
			bundles[i].File = p.Files[0].Name
		}
		found = append(found, bundles...)
	}
	if found == nil {
		return nil, fmt.Errorf("bundles of %s in %q: %w", d, name, registry.ErrNotFound)
	}
	return found, nil
}

// bundles reads those that a referrer holds, none for one that is something else.
func (r *Reader) bundles(ctx context.Context, name string, subject digest.Digest, ref Referrer, left *int64) ([]registry.Attestation, error) {
	m, err := r.Manifest(ctx, name, ref.Digest)
	if err != nil {
		return nil, err
	}
	if m.Subject == nil || m.Subject.Digest != subject {
		return nil, fmt.Errorf("it is about another image: %w", registry.ErrMalformed)
	}
	var found []registry.Attestation
	for _, layer := range m.Layers {
		if !isBundle(layer.MediaType) {
			continue
		}
		raw, err := r.Blob(ctx, name, layer.Digest, min(maxBundle, *left))
		if err != nil {
			return nil, err
		}
		if *left -= int64(len(raw)); *left <= 0 {
			return nil, fmt.Errorf("its bundles have over %d bytes: %w", maxBundles, registry.ErrTooLarge)
		}
		found = append(found, registry.Attestation{PredicateType: m.Annotations[predicateAnnotation], Bundle: raw})
	}
	if found == nil && (isBundle(ref.ArtifactType) || isBundle(m.ArtifactType)) {
		return nil, fmt.Errorf("a bundle without a layer that is one: %w", registry.ErrMalformed)
	}
	return found, nil
}

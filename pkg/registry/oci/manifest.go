package oci

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
)

// Media types.
const (
	MediaTypeIndex          = "application/vnd.oci.image.index.v1+json"
	MediaTypeManifest       = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	MediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

const acceptManifests = MediaTypeIndex + ", " + MediaTypeManifest + ", " + MediaTypeDockerList + ", " + MediaTypeDockerManifest

// maxDescriptors is how many layers, or manifests of an index, are read. Small documents could
// otherwise become large in memory.
const maxDescriptors = 5000

// Descriptor says what a digest is of. Only Resolve and lists that were compared with a digest
// of their own vouch for one; the rest is the registry's word.
type Descriptor struct {
	MediaType    string
	ArtifactType string
	Digest       digest.Digest
	Size         int64 // -1: not told
	Annotations  map[string]string
	Platform     string // "linux/arm64", "" for none
}

// Manifest is a manifest or an index whose bytes were compared with its digest.
type Manifest struct {
	Descriptor             // MediaType, ArtifactType and Annotations are its own
	Raw        []byte      // as it was served
	Config     *Descriptor // of a manifest
	Layers     []Descriptor
	Manifests  []Descriptor // of an index
	Subject    *Descriptor  // what it refers to
}

// IsIndex reports whether it lists manifests.
func (m *Manifest) IsIndex() bool { return isIndex(m.MediaType) }

func isIndex(mediaType string) bool {
	return mediaType == MediaTypeIndex || mediaType == MediaTypeDockerList
}

func isManifest(mediaType string) bool {
	return mediaType == MediaTypeManifest || mediaType == MediaTypeDockerManifest || isIndex(mediaType)
}

// Resolve gives what a tag, or a digest as text, names now. It is asked once; what the caller
// does next it does with the digest.
func (r *Reader) Resolve(ctx context.Context, name, reference string) (Descriptor, error) {
	repo, err := r.repository(name)
	if err != nil {
		return Descriptor{}, err
	}
	d, err := r.resolve(ctx, repo, reference)
	if err != nil {
		return Descriptor{}, fmt.Errorf("%q of %q: %w", reference, name, err)
	}
	return d, nil
}

func (r *Reader) resolve(ctx context.Context, repo, reference string) (Descriptor, error) {
	want, wanted, err := wantedDigest(reference)
	if err != nil {
		return Descriptor{}, err
	}
	var a *fetch.Answer
	q := fetch.Request{URL: r.address(repo, "manifests", reference), Accept: acceptManifests, MaxBytes: maxManifest}
	err = r.ask(ctx, repo, q, func(q fetch.Request) (err error) {
		a, err = r.client.Head(ctx, q)
		return err
	})
	if err != nil {
		return Descriptor{}, err
	}
	told := a.Header.Get("Docker-Content-Digest")
	if told == "" { // it may leave it out: then it is what the content says
		m, err := r.manifest(ctx, repo, reference)
		if err != nil {
			return Descriptor{}, err
		}
		return m.Descriptor, nil
	}
	d := Descriptor{MediaType: mediaType(a.Header), Size: -1}
	if d.Digest, err = ParseDigest(told); err != nil {
		return Descriptor{}, fmt.Errorf("Docker-Content-Digest: %w: %w", err, registry.ErrMalformed)
	}
	if wanted && d.Digest != want && d.Digest.Algorithm == want.Algorithm {
		return Descriptor{}, fmt.Errorf("asked for %s, and told of %s: %w", want, d.Digest, registry.ErrMalformed)
	}
	if wanted {
		d.Digest = want
	}
	if n, err := strconv.ParseInt(a.Header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		d.Size = n
	}
	return d, nil
}

// wantedDigest tells a digest from a tag, and errs for what is neither.
func wantedDigest(reference string) (d digest.Digest, is bool, err error) {
	if ValidTag(reference) {
		return d, false, nil
	}
	if d, err = ParseDigest(reference); err != nil {
		return d, false, fmt.Errorf("neither a tag nor a digest: %w", registry.ErrForbidden)
	}
	return d, true, nil
}

// Manifest reads a manifest or index by its digest, and compares it.
func (r *Reader) Manifest(ctx context.Context, name string, d digest.Digest) (*Manifest, error) {
	repo, err := r.repository(name)
	if err != nil {
		return nil, err
	}
	m, err := r.manifest(ctx, repo, d.String())
	if err != nil {
		return nil, fmt.Errorf("manifest of %q: %w", name, err)
	}
	return m, nil
}

// manifest reads a manifest by digest, or by tag; then its digest is that of the content.
func (r *Reader) manifest(ctx context.Context, repo, reference string) (*Manifest, error) {
	want, wanted, err := wantedDigest(reference)
	if err != nil {
		return nil, err
	}
	var a *fetch.Answer
	q := fetch.Request{URL: r.address(repo, "manifests", reference), Accept: acceptManifests, MaxBytes: maxManifest}
	err = r.ask(ctx, repo, q, func(q fetch.Request) (err error) {
		a, err = r.client.Get(ctx, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !wanted {
		want = sum(digest.SHA256, a.Body)
	} else if got := sum(want.Algorithm, a.Body); got != want {
		return nil, fmt.Errorf("%s: its content has the digest %s: %w", want, got, registry.ErrMalformed)
	}
	m, err := ParseManifest(a.Body, mediaType(a.Header))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", want, err)
	}
	m.Digest = want
	return m, nil
}

// mediaType is that of an answer, without parameters.
func mediaType(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

type descriptorJSON struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *platformJSON     `json:"platform"`
}

type platformJSON struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (d *descriptorJSON) descriptor() (Descriptor, error) {
	out := Descriptor{MediaType: d.MediaType, ArtifactType: d.ArtifactType, Size: d.Size, Annotations: d.Annotations}
	var err error
	if out.Digest, err = ParseDigest(d.Digest); err != nil {
		return out, err
	}
	if d.Size < 0 {
		return out, fmt.Errorf("%s has the size %d", out.Digest, d.Size)
	}
	if p := d.Platform; p != nil {
		out.Platform = strings.Join([]string{p.OS, p.Architecture}, "/")
		if p.Variant != "" {
			out.Platform += "/" + p.Variant
		}
	}
	return out, nil
}

// descriptors is a list of them, of which there are maxDescriptors at most.
type descriptors []Descriptor

// UnmarshalJSONFrom reads the list.
func (l *descriptors) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	list, err := jsonlist.Read[descriptorJSON](dec, maxDescriptors)
	if err != nil || list == nil {
		return err
	}
	*l = make(descriptors, len(list))
	for i := range list {
		if (*l)[i], err = list[i].descriptor(); err != nil {
			return err
		}
	}
	return nil
}

// ParseManifest reads a manifest or an index, as of a media type that the registry told, "" for
// none. The digest is not set: the caller has compared it. A document that could be read as a
// manifest and as an index is refused (CVE-2021-41190).
func ParseManifest(raw []byte, served string) (*Manifest, error) {
	malformed := func(format string, args ...any) (*Manifest, error) {
		return nil, fmt.Errorf("manifest: %w: %w", fmt.Errorf(format, args...), registry.ErrMalformed)
	}
	var doc struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		ArtifactType  string            `json:"artifactType"`
		Config        *descriptorJSON   `json:"config"`
		Layers        descriptors       `json:"layers"`
		Manifests     descriptors       `json:"manifests"`
		Subject       *descriptorJSON   `json:"subject"`
		Annotations   map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		if errors.Is(err, registry.ErrTooLarge) {
			return nil, fmt.Errorf("manifest: over %d layers or manifests: %w", maxDescriptors, registry.ErrTooLarge)
		}
		return malformed("%w", err)
	}
	kind := doc.MediaType
	if kind == "" {
		kind = served
	}
	switch {
	case doc.SchemaVersion != 2:
		return malformed("schema version %d", doc.SchemaVersion)
	case !isManifest(kind):
		return malformed("media type %.100q", kind)
	case served != "" && served != kind:
		return malformed("served as %.100q, and says that it is %.100q", served, kind)
	case isIndex(kind) && (doc.Config != nil || doc.Layers != nil), !isIndex(kind) && doc.Manifests != nil:
		return malformed("both a manifest and an index")
	case isIndex(kind) && doc.Manifests == nil:
		return malformed("an index without manifests")
	case !isIndex(kind) && doc.Config == nil:
		return malformed("a manifest without config")
	}
	m := &Manifest{
		Descriptor: Descriptor{MediaType: kind, ArtifactType: doc.ArtifactType, Size: int64(len(raw)), Annotations: doc.Annotations},
		Raw:        raw, Layers: doc.Layers, Manifests: doc.Manifests,
	}
	for _, part := range []struct {
		from *descriptorJSON
		to   **Descriptor
	}{{doc.Config, &m.Config}, {doc.Subject, &m.Subject}} {
		if part.from == nil {
			continue
		}
		d, err := part.from.descriptor()
		if err != nil {
			return malformed("%w", err)
		}
		*part.to = &d
	}
	return m, nil
}

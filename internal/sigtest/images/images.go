// Package images puts container images into a registry and signs them as cosign does: with a key
// or keyless, in tags (cosign 2) or in bundles that refer to the image (cosign 3, GitHub), and in
// any wrong way that a test asks for. What cosign writes is written by cosign's own packages.
//
// Tests and the demonstrations of docs/verify.md use it; nothing that verifies imports it.
package images

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Repository is where images are put: "127.0.0.1:5000/team/app".
type Repository struct {
	name    name.Repository
	options []remote.Option
}

// Open gives the repository of that name, asked through transport: nil is the usual one.
func Open(repository string, transport http.RoundTripper) (*Repository, error) {
	repo, err := name.NewRepository(repository, name.StrictValidation)
	if err != nil {
		return nil, err
	}
	r := &Repository{name: repo}
	if transport != nil {
		r.options = append(r.options, remote.WithTransport(transport))
	}
	return r, nil
}

func (r *Repository) with(ctx context.Context) []remote.Option {
	return append([]remote.Option{remote.WithContext(ctx)}, r.options...)
}

// Reference is the image of that digest: "127.0.0.1:5000/team/app@sha256:...".
func (r *Repository) Reference(digest string) string { return r.name.Digest(digest).String() }

// Tagged is what a tag names: "127.0.0.1:5000/team/app:1.0.0".
func (r *Repository) Tagged(tag string) string { return r.name.Tag(tag).String() }

// Image is a small image for one platform with one file, "text", in it. The same text and
// platform make the same image.
func Image(text, os, architecture string) (v1.Image, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	if err := w.WriteHeader(&tar.Header{Name: "text", Mode: 0o644, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: os, Architecture: architecture, RootFS: v1.RootFS{Type: "layers"}}); err != nil {
		return nil, err
	}
	return mutate.AppendLayers(img, layer)
}

// Push puts an image with that text under a tag, and gives its digest.
func (r *Repository) Push(ctx context.Context, tag, text string) (string, error) {
	img, err := Image(text, "linux", "amd64")
	if err != nil {
		return "", err
	}
	if err := remote.Write(r.name.Tag(tag), img, r.with(ctx)...); err != nil {
		return "", err
	}
	h, err := img.Digest()
	return h.String(), err
}

// PushIndex puts an index of images for amd64 and arm64 under a tag, and gives its digest and
// theirs.
func (r *Repository) PushIndex(ctx context.Context, tag, text string) (digest string, children []string, err error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, architecture := range []string{"amd64", "arm64"} {
		img, err := Image(text, "linux", architecture)
		if err != nil {
			return "", nil, err
		}
		h, err := img.Digest()
		if err != nil {
			return "", nil, err
		}
		children = append(children, h.String())
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	if err := remote.WriteIndex(r.name.Tag(tag), index, r.with(ctx)...); err != nil {
		return "", nil, err
	}
	h, err := index.Digest()
	return h.String(), children, err
}

// Move lets a tag name another digest.
func (r *Repository) Move(ctx context.Context, tag, digest string) error {
	what, err := remote.Get(r.name.Digest(digest), r.with(ctx)...)
	if err != nil {
		return err
	}
	return remote.Tag(r.name.Tag(tag), what, r.with(ctx)...)
}

// Resolve gives the digest that a tag names.
func (r *Repository) Resolve(ctx context.Context, tag string) (string, error) {
	what, err := remote.Get(r.name.Tag(tag), r.with(ctx)...)
	if err != nil {
		return "", err
	}
	return what.Digest.String(), nil
}

// Layer is a layer as it is written, right or wrong.
type Layer struct {
	Media       string
	Content     []byte
	Annotations map[string]string
}

// PutLayers puts a manifest with those layers and no others under a tag: "sha256-HEX.sig".
func (r *Repository) PutLayers(ctx context.Context, tag string, layers ...Layer) error {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, l := range layers {
		var err error
		if img, err = mutate.Append(img, mutate.Addendum{
			Layer: static.NewLayer(l.Content, types.MediaType(l.Media)), Annotations: l.Annotations, MediaType: types.MediaType(l.Media),
		}); err != nil {
			return err
		}
	}
	return remote.Write(r.name.Tag(tag), img, r.with(ctx)...)
}

// Refer lets a manifest of that artifact type, with those layers, refer to an image.
func (r *Repository) Refer(ctx context.Context, digest, artifactType string, layers ...Layer) error {
	subject, err := remote.Head(r.name.Digest(digest), r.with(ctx)...)
	if err != nil {
		return err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(artifactType))
	for _, l := range layers {
		if img, err = mutate.Append(img, mutate.Addendum{
			Layer: static.NewLayer(l.Content, types.MediaType(l.Media)), Annotations: l.Annotations, MediaType: types.MediaType(l.Media),
		}); err != nil {
			return err
		}
	}
	made := mutate.Subject(img, *subject).(v1.Image)
	h, err := made.Digest()
	if err != nil {
		return err
	}
	return remote.Write(r.name.Digest(h.String()), made, r.with(ctx)...)
}

// Referrers are what refers to an image.
func (r *Repository) Referrers(ctx context.Context, digest string) ([]v1.Descriptor, error) {
	index, err := remote.Referrers(r.name.Digest(digest), r.with(ctx)...)
	if err != nil {
		return nil, err
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	return m.Manifests, nil
}

// PutIndex puts an index of those manifests under a tag.
func (r *Repository) PutIndex(ctx context.Context, tag string, of ...v1.Descriptor) error {
	content, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: of})
	if err != nil {
		return err
	}
	return r.PutManifest(ctx, tag, string(types.OCIImageIndex), content)
}

// PutManifest puts a manifest as it is written under a tag or a digest.
func (r *Repository) PutManifest(ctx context.Context, reference, media string, content []byte) error {
	ref, err := name.ParseReference(r.name.Name() + ":" + reference)
	if err != nil {
		if ref, err = name.ParseReference(r.name.Name() + "@" + reference); err != nil {
			return err
		}
	}
	return remote.Put(ref, raw{content, types.MediaType(media)}, r.with(ctx)...)
}

type raw struct {
	content []byte
	media   types.MediaType
}

func (m raw) RawManifest() ([]byte, error)        { return m.content, nil }
func (m raw) MediaType() (types.MediaType, error) { return m.media, nil }

// PutBlob puts a blob, and gives its digest.
func (r *Repository) PutBlob(ctx context.Context, content []byte) (string, error) {
	layer := static.NewLayer(content, types.OCILayer)
	if err := remote.WriteLayer(r.name, layer, r.with(ctx)...); err != nil {
		return "", err
	}
	h, err := layer.Digest()
	return h.String(), err
}

// Attached is the tag beside an image that cosign 2 keeps something in: "sig" or "att".
func Attached(digest, what string) string {
	return fmt.Sprintf("%s.%s", Fallback(digest), what)
}

// Fallback is the tag that lists what refers to an image where the registry has no API for it.
func Fallback(digest string) string { return "sha256-" + digest[len("sha256:"):] }

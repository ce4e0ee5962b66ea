package image

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
)

// The media types of manifests: opencontainers/image-spec and those of Docker before it.
const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

// descriptor names content by its digest: image-spec, descriptor.md.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platform     *struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant,omitempty"`
	} `json:"platform,omitempty"`
}

var sha256Digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (d descriptor) check() error {
	switch {
	case !sha256Digest.MatchString(d.Digest):
		return fmt.Errorf("%.100q is not a digest by SHA-256", d.Digest)
	case d.Size < 0:
		return fmt.Errorf("%s: a size of %d", d.Digest, d.Size)
	}
	return nil
}

// platform is "linux/arm64/v8", or "".
func (d descriptor) platform() string {
	if d.Platform == nil {
		return ""
	}
	return strings.TrimSuffix(d.Platform.OS+"/"+d.Platform.Architecture+"/"+d.Platform.Variant, "/")
}

// parseIndex gives the descriptors of an index. Keys in other letters and repeated ones are
// refused, here and in every other JSON that this package reads.
func parseIndex(b []byte) ([]descriptor, error) {
	var index struct {
		MediaType string       `json:"mediaType"`
		Manifests []descriptor `json:"manifests"`
		Layers    []descriptor `json:"layers"`
	}
	if err := json.Unmarshal(b, &index); err != nil {
		return nil, fmt.Errorf("an index that does not read: %w", err)
	}
	if index.Layers != nil {
		return nil, errors.New("an index with the layers of an image") // one could be taken for the other
	}
	for _, d := range index.Manifests {
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("an index that does not read: %w", err)
		}
	}
	return index.Manifests, nil
}

// imageManifest is the manifest of an image, or of what is kept in the form of one.
type imageManifest struct {
	MediaType    string       `json:"mediaType"`
	ArtifactType string       `json:"artifactType"`
	Config       descriptor   `json:"config"`
	Layers       []descriptor `json:"layers"`
	Manifests    []descriptor `json:"manifests"`
}

// kind is what its maker says that it is: image-spec, manifest.md, "Guidelines for Artifact
// Usage".
func (m imageManifest) kind() string {
	if m.ArtifactType != "" {
		return m.ArtifactType
	}
	return m.Config.MediaType
}

func parseManifest(b []byte) (*imageManifest, error) {
	m := &imageManifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("a manifest that does not read: %w", err)
	}
	if m.Manifests != nil {
		return nil, errors.New("a manifest with the manifests of an index")
	}
	for _, d := range m.Layers {
		if err := d.check(); err != nil {
			return nil, fmt.Errorf("a manifest that does not read: %w", err)
		}
	}
	return m, nil
}

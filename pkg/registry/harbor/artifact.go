package harbor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// artifactJSON is what is read of an artifact.
type artifactJSON struct {
	Digest            string         `json:"digest"`
	ManifestMediaType string         `json:"manifest_media_type"`
	PushTime          *time.Time     `json:"push_time"`
	Tags              tagsJSON       `json:"tags"`
	Accessories       jsontext.Value `json:"accessories"` // not there before Harbor 2.5
}

type tagJSON struct {
	Name     string     `json:"name"`
	PushTime *time.Time `json:"push_time"`
}

type tagsJSON []tagJSON

// UnmarshalJSONFrom reads the list.
func (l *tagsJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	*l, err = jsonlist.Read[tagJSON](dec, maxTags)
	return err
}

type accessoryJSON struct {
	Digest string `json:"digest"`
	Type   string `json:"type"`
}

// artifact is one that was read.
type artifact struct {
	digest      digest.Digest
	mediaType   string
	pushed      *time.Time
	tags        []tagJSON
	accessories string // their digests and types; "none", "unknown"
}

const (
	noAccessories      = "none"
	unknownAccessories = "unknown"
)

var errChanged = errors.New("the list changed while it was read")

// parseArtifacts reads a page.
func parseArtifacts(body []byte) ([]artifact, error) {
	list, err := jsonlist.Parse[artifactJSON](body, pageSize)
	if err != nil {
		return nil, fmt.Errorf("list of artifacts: %w", err)
	}
	out := make([]artifact, 0, len(list))
	for _, in := range list {
		a := artifact{mediaType: in.ManifestMediaType, pushed: in.PushTime, tags: in.Tags}
		if a.digest, err = oci.ParseDigest(in.Digest); err != nil {
			return nil, fmt.Errorf("list of artifacts: %w: %w", err, registry.ErrMalformed)
		}
		if a.accessories, err = accessories(in.Accessories); err != nil {
			return nil, fmt.Errorf("accessories of %s: %w", a.digest, err)
		}
		for _, t := range in.Tags {
			if !oci.ValidTag(t.Name) {
				return nil, fmt.Errorf("%s: %.150q is not a tag: %w", a.digest, t.Name, registry.ErrMalformed)
			}
		}
		slices.SortFunc(a.tags, func(a, b tagJSON) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, a)
	}
	return out, nil
}

// accessories reads those of an artifact: null is none, and nothing at all is an old Harbor.
func accessories(raw jsontext.Value) (string, error) {
	if raw == nil {
		return unknownAccessories, nil
	}
	list, err := jsonlist.Parse[accessoryJSON](raw, maxAccessories)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, a := range list {
		d, err := oci.ParseDigest(a.Digest)
		if err != nil {
			return "", fmt.Errorf("%w: %w", err, registry.ErrMalformed)
		}
		parts = append(parts, fmt.Sprintf("%s %q", d, a.Type))
	}
	if parts == nil {
		return noAccessories, nil
	}
	slices.Sort(parts)
	return strings.Join(parts, ", "), nil
}

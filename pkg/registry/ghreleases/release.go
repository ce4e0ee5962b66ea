package ghreleases

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
)

// releaseJSON is what is read of a release.
type releaseJSON struct {
	TagName     string     `json:"tag_name"`
	Draft       bool       `json:"draft"`
	Immutable   *bool      `json:"immutable"` // not there on a server
	PublishedAt *time.Time `json:"published_at"`
	Author      *userJSON  `json:"author"`
	Assets      assetsJSON `json:"assets"`
}

type userJSON struct {
	Login string `json:"login"`
}

type assetJSON struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	State       string     `json:"state"`
	ContentType string     `json:"content_type"`
	Size        int64      `json:"size"`
	Digest      *string    `json:"digest"` // null for those from before June 2025
	CreatedAt   *time.Time `json:"created_at"`
}

type assetsJSON []assetJSON

// UnmarshalJSONFrom reads the list.
func (l *assetsJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	*l, err = jsonlist.Read[assetJSON](dec, maxAssets)
	return err
}

// published makes a release of ours, with what of it could not be read.
func (r *Reader) published(owner, repo string, in *releaseJSON, tags map[string]string) (registry.Published, []string) {
	p := registry.Published{Version: in.TagName}
	var faults []string
	if in.PublishedAt != nil {
		p.Time = registry.Known(in.PublishedAt.UTC())
	}
	if in.Author != nil && in.Author.Login != "" {
		p.Publisher = registry.Known(registry.Person{Name: in.Author.Login})
	}
	if in.Immutable != nil {
		p.Immutable = registry.Known(*in.Immutable)
	}
	if commit, there := tags[in.TagName]; there {
		p.Head = registry.Known(commit)
	} else if !r.opts.WithoutTags && r.opts.Role == registry.Origin {
		p.Head = registry.None[string]()
	}
	for _, a := range in.Assets {
		f, err := r.file(owner, repo, a)
		if err != nil {
			faults = append(faults, fmt.Sprintf("release %q: file %q: %v", in.TagName, a.Name, err))
			continue
		}
		p.Files = append(p.Files, f)
	}
	return p, faults
}

func (r *Reader) file(owner, repo string, a assetJSON) (registry.File, error) {
	switch {
	case a.State != "uploaded":
		return registry.File{}, fmt.Errorf("state %.50q: its upload did not come to an end", a.State)
	case a.ID <= 0 || a.Name == "" || a.Size < 0:
		return registry.File{}, errors.New("without id, name or size")
	}
	f := registry.File{
		Name: a.Name, URL: r.api.URL(nil, "repos", owner, repo, "releases", "assets", strconv.FormatInt(a.ID, 10)),
		MediaType: a.ContentType, Size: registry.Known(a.Size),
	}
	if a.CreatedAt != nil {
		f.Time = registry.Known(a.CreatedAt.UTC())
	}
	if a.Digest != nil {
		d, err := parseDigest(*a.Digest)
		if err != nil {
			return f, err
		}
		f.Digests = []digest.Digest{d}
	}
	return f, nil
}

// parseDigest reads "sha256:<hex>", which is all that GitHub has.
func parseDigest(s string) (digest.Digest, error) {
	name, hex, _ := strings.Cut(s, ":")
	d := digest.Digest{Algorithm: digest.ParseAlgorithm(name), Text: hex}
	if d.Algorithm != digest.SHA256 || len(hex) != 64 || !d.Valid() {
		return digest.Digest{}, fmt.Errorf("digest %.150q is not of sha256", s)
	}
	d.Text = strings.ToLower(hex)
	return d, nil
}

// Package harbor reads what is published in a Harbor: its API v2.0 lists the artifacts of a
// repository with their digests, tags, times and accessories, a hundred in one request, where the
// distribution API takes one request for each tag. Everything else is asked by the distribution
// API, which Harbor speaks too (package oci).
//
// The list is Harbor's word about itself. Content is compared with its digest when it is read.
package harbor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// The bounds.
const (
	DefaultMaxArtifacts = 10_000

	pageSize  = 100 // the most that Harbor gives
	pageBytes = 8 << 20
	readings  = 3 // of a list that changes while it is read

	maxTags        = 10_000 // of one repository
	maxAccessories = 1000   // of one artifact
)

// Options say which Harbor is read. Address is needed.
type Options struct {
	Address string // "https://harbor.example"
	Host    string // that names of artifacts begin with; "" is the host of Address
	Role    registry.Role

	MaxArtifacts int              // of one repository; more is an error. 0: DefaultMaxArtifacts
	Now          func() time.Time // nil: time.Now
}

// Reader reads one Harbor. What is not listed is read by the distribution API. It is a registry.Reader, and safe for concurrent use.
type Reader struct {
	*oci.Reader // all but List
	client      *fetch.Client
	base        *url.URL
	host        string
	opts        Options
}

// New makes a reader, and asks nothing. What c has for Harbor's host is fetch.Basic(robot, secret).
func New(c *fetch.Client, o Options) (*Reader, error) {
	content, err := oci.New(c, oci.Options{Address: o.Address, Host: o.Host, Role: o.Role, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("a Harbor: %w", err)
	}
	base, err := url.Parse(o.Address) // which oci.New took
	if err != nil {
		return nil, err
	}
	if o.MaxArtifacts <= 0 {
		o.MaxArtifacts = DefaultMaxArtifacts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	base = &url.URL{Scheme: base.Scheme, Host: strings.ToLower(base.Host)}
	return &Reader{content, c, base, cmp.Or(o.Host, base.Host), o}, nil
}

// List gives the tags of a repository, and by its digest each artifact without one, in the order
// of their pushing. Provenance is known where Harbor lists accessories, and absent where it says
// that there are none. The Validator is a digest over what of the list can change; Harbor has no
// condition, and List takes a request for each hundred artifacts.
func (r *Reader) List(ctx context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	project, repo, err := r.split(name)
	if err != nil {
		return nil, err
	}
	artifacts, err := r.artifacts(ctx, project, repo)
	if err == nil && len(artifacts) == 0 {
		err = registry.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("artifacts of %q: %w", name, err)
	}
	l := &registry.Listing{
		Kind: registry.OCI, Name: name, Registry: r.base.String(), Role: r.opts.Role, Fetched: r.opts.Now().UTC(), Tags: map[string]string{},
	}
	sum := sha256.New()
	for _, a := range artifacts {
		fmt.Fprintf(sum, "%s %s\n", a.digest, a.accessories)
		for _, p := range r.published(project+"/"+repo, a) {
			if p.Version != a.digest.String() {
				if before, twice := l.Tags[p.Version]; twice {
					return nil, fmt.Errorf("artifacts of %q: tag %q is of %s and of %s: %w", name, p.Version, before, a.digest, registry.ErrMalformed)
				}
				l.Tags[p.Version] = a.digest.String()
				fmt.Fprintf(sum, "tag %s\n", p.Version)
			}
			l.Releases = append(l.Releases, p)
		}
	}
	slices.SortStableFunc(l.Releases, func(a, b registry.Published) int {
		return cmp.Or(a.Time.Value.Compare(b.Time.Value), strings.Compare(a.Version, b.Version))
	})
	l.Validator.ETag = `"artifacts-` + hex.EncodeToString(sum.Sum(nil)) + `"`
	if since.ETag == l.Validator.ETag {
		return nil, fmt.Errorf("artifacts of %q: %w", name, registry.ErrNotModified)
	}
	return l, nil
}

// split takes "harbor.example/project/repository/of/any/depth" apart.
func (r *Reader) split(name string) (project, repo string, err error) {
	ref, err := oci.ParseReference(name + ":any")
	project, repo, ok := strings.Cut(ref.Repository, "/")
	if err != nil || !ok || ref.Host != r.host {
		return "", "", fmt.Errorf("%.300q is not of the form %s/PROJECT/REPOSITORY: %w", name, r.host, registry.ErrForbidden)
	}
	return project, repo, nil
}

// artifacts reads all of them, sorted by digest. What is pushed or deleted while it reads can
// move one to a page that was read before: where Harbor tells another number of them on the next
// page, or another than was read, it reads again.
func (r *Reader) artifacts(ctx context.Context, project, repo string) ([]artifact, error) {
	var err error
	for range readings {
		var all []artifact
		if all, err = r.read(ctx, project, repo); !errors.Is(err, errChanged) {
			return all, err
		}
	}
	return nil, err
}

func (r *Reader) read(ctx context.Context, project, repo string) ([]artifact, error) {
	found := map[digest.Digest]artifact{}
	tags, first := 0, 0
	for page := 1; ; page++ {
		list, total, err := r.page(ctx, project, repo, page)
		if err != nil {
			return nil, err
		}
		if page == 1 {
			first = total
		} else if total != first {
			return nil, fmt.Errorf("%d artifacts on page 1, and %d on page %d: %w: %w", first, total, page, errChanged, registry.ErrMalformed)
		}
		if max(total, len(found)+len(list)) > r.opts.MaxArtifacts {
			return nil, fmt.Errorf("over %d of them: %w", r.opts.MaxArtifacts, registry.ErrTooLarge)
		}
		for _, a := range list {
			found[a.digest] = a
			if tags += len(a.tags); tags > maxTags {
				return nil, fmt.Errorf("over %d tags: %w", maxTags, registry.ErrTooLarge)
			}
		}
		if page*pageSize >= total || len(list) == 0 {
			if len(found) != total {
				return nil, fmt.Errorf("%d artifacts, and there should be %d: %w: %w", len(found), total, errChanged, registry.ErrMalformed)
			}
			all := make([]artifact, 0, len(found))
			for _, a := range found {
				all = append(all, a)
			}
			slices.SortFunc(all, func(a, b artifact) int { return strings.Compare(a.digest.String(), b.digest.String()) })
			return all, nil
		}
	}
}

// page reads one page, and the number of all artifacts by Harbor's word.
func (r *Reader) page(ctx context.Context, project, repo string, page int) ([]artifact, int, error) {
	u := *r.base
	// A repository's name with slashes is one part of the path, and encoded twice, because a proxy
	// may decode it once.
	u.Path = "/api/v2.0/projects/" + project + "/repositories/" + url.PathEscape(repo) + "/artifacts"
	u.RawQuery = url.Values{
		"page": {strconv.Itoa(page)}, "page_size": {strconv.Itoa(pageSize)}, "with_tag": {"true"}, "with_accessory": {"true"},
	}.Encode()
	a, err := r.client.Get(ctx, fetch.Request{URL: u.String(), Accept: "application/json", MaxBytes: pageBytes})
	switch fetch.Status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		err = fmt.Errorf("%w: it takes a robot account with list of artifacts, tags and accessories in project %q", err, project)
	}
	if err != nil {
		return nil, 0, err
	}
	total, err := strconv.Atoi(a.Header.Get("X-Total-Count"))
	if err != nil || total < 0 {
		return nil, 0, fmt.Errorf("X-Total-Count %.50q is not a number: %w", a.Header.Get("X-Total-Count"), registry.ErrMalformed)
	}
	list, err := parseArtifacts(a.Body)
	return list, total, err
}

// published makes a release of each tag, and of an artifact without one.
func (r *Reader) published(repo string, a artifact) []registry.Published {
	at := r.base.JoinPath("v2", repo)
	p := registry.Published{
		Version: a.digest.String(),
		Files: []registry.File{{
			Name: a.digest.String(), URL: at.JoinPath("manifests", a.digest.String()).String(), MediaType: a.mediaType, Digests: []digest.Digest{a.digest},
		}},
	}
	if a.pushed != nil {
		p.Time = registry.Known(a.pushed.UTC())
		p.Files[0].Time = p.Time
	}
	switch {
	case a.accessories == unknownAccessories:
	case a.accessories != noAccessories:
		p.Provenance = registry.Known(at.JoinPath("referrers", a.digest.String()).String())
	case r.opts.Role == registry.Origin:
		p.Provenance = registry.None[string]()
	}
	if len(a.tags) == 0 {
		return []registry.Published{p}
	}
	var all []registry.Published
	for _, t := range a.tags {
		p.Version, p.Files = t.Name, slices.Clone(p.Files)
		if t.PushTime != nil {
			p.Time = registry.Known(t.PushTime.UTC())
		}
		all = append(all, p)
	}
	return all
}

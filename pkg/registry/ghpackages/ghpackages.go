// Package ghpackages reads what is published in GitHub Packages. The REST API lists the versions
// of a package with their times, the tags of a container among them; the content is read by the
// reader of the package's own protocol (oci, npm), which asks another host.
//
// An App cannot see packages, and neither can the fine-grained token of a person: it takes a
// classic token with the scope read:packages, or the GITHUB_TOKEN of a workflow whose repository
// the package is linked to.
package ghpackages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/ghrest"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// The bounds.
const (
	DefaultMaxVersions = 10_000

	pageSize  = 100
	pageBytes = 8 << 20
	maxTags   = 1000 // of one version
)

// need is the permission that every request takes.
const need = `"packages: read" (a classic token with the scope read:packages, or GITHUB_TOKEN; no App can have it)`

// Type is a type of package, as GitHub spells it.
type Type string

// The types that are read.
const (
	Container Type = "container" // named "ghcr.io/acme/app"
	NPM       Type = "npm"       // named "@acme/sdk"
)

// Options say which packages are read. Type and Content are needed.
type Options struct {
	Address string // of GitHub: "https://github.example"; "" is github.com
	Type    Type
	User    bool // the owners are users, and not organisations
	// Untagged lists containers without a tag, too. Most of them are no version of anything:
	// parts of an index, and what refers to an image.
	Untagged bool
	Role     registry.Role
	// Content reads the same packages by their own protocol: package oci at the container
	// registry, package npm at the npm registry of GitHub.
	Content registry.Reader

	MaxVersions int              // of one package; more is an error. 0: DefaultMaxVersions
	Now         func() time.Time // nil: time.Now
}

// Reader reads the packages of one type. It is a registry.Reader, and safe for concurrent use.
type Reader struct {
	api  *ghrest.API
	opts Options
}

// New makes a reader, and asks nothing. c is for the API; Content has a client of its own.
func New(c *fetch.Client, o Options) (*Reader, error) {
	api, err := ghrest.New(c, o.Address)
	switch {
	case err != nil:
		return nil, err
	case o.Type != Container && o.Type != NPM:
		return nil, fmt.Errorf("packages of type %q are not read", o.Type)
	case o.Content == nil:
		return nil, errors.New("GitHub Packages without a reader of their content")
	}
	if o.MaxVersions <= 0 {
		o.MaxVersions = DefaultMaxVersions
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reader{api, o}, nil
}

// versionJSON is what is read of a version.
type versionJSON struct {
	Name      string     `json:"name"`
	CreatedAt *time.Time `json:"created_at"`
	DeletedAt *time.Time `json:"deleted_at"`
	Metadata  struct {
		Container struct {
			Tags tagsJSON `json:"tags"`
		} `json:"container"`
	} `json:"metadata"`
}

type tagsJSON []string

// UnmarshalJSONFrom reads the list.
func (l *tagsJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	*l, err = jsonlist.Read[string](dec, maxTags)
	return err
}

// List gives the versions of a package that are not deleted, the oldest first. Of a container it
// gives each tag, but for those that signatures are kept under; Time is when the version was
// made, and not when it was tagged. Of any other package it gives what the reader of its content lists,
// with the times of the API; a version that one of the two lacks is a fault.
func (r *Reader) List(ctx context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	owner, pkg, err := r.split(name)
	if err != nil {
		return nil, err
	}
	l, err := r.list(ctx, name, owner, pkg, since)
	if err != nil {
		return nil, fmt.Errorf("versions of %q: %w", name, err)
	}
	return l, nil
}

func (r *Reader) list(ctx context.Context, name, owner, pkg string, since registry.Validator) (*registry.Listing, error) {
	if r.opts.Type == Container {
		versions, v, err := r.versions(ctx, owner, pkg, "active", since)
		if err != nil {
			return nil, err
		}
		return r.container(name, versions, v)
	}
	// The versions do not tell of all that can change in a package: of npm's tags, say. So both
	// are as they were, or both are read anew.
	sinceVersions, sinceContent := splitValidator(since)
	versions, v, err := r.versions(ctx, owner, pkg, "active", sinceVersions)
	same := errors.Is(err, registry.ErrNotModified)
	if err != nil && !same {
		return nil, err
	}
	l, errContent := r.opts.Content.List(ctx, name, sinceContent)
	sameContent := errors.Is(errContent, registry.ErrNotModified)
	switch {
	case same && sameContent:
		return nil, err
	case same:
		versions, v, err = r.versions(ctx, owner, pkg, "active", registry.Validator{})
	case sameContent:
		l, errContent = r.opts.Content.List(ctx, name, registry.Validator{})
	}
	if err = cmp.Or(err, errContent); err != nil {
		return nil, err
	}
	r.merge(l, versions)
	l.Validator = joinValidators(v, l.Validator)
	return l, nil
}

// versions lists those of a state.
func (r *Reader) versions(ctx context.Context, owner, pkg, state string, since registry.Validator) ([]versionJSON, registry.Validator, error) {
	l := ghrest.List{
		Path: []string{"orgs", owner, "packages", string(r.opts.Type), pkg, "versions"}, Query: map[string][]string{"state": {state}},
		Page: pageSize, Max: r.opts.MaxVersions, Bytes: pageBytes, Need: need,
	}
	if r.opts.User {
		l.Path[0], l.Query = "users", nil // which has no states
	}
	return ghrest.Pages[versionJSON](ctx, r.api, l, since)
}

// container makes a Listing of the versions of a container.
func (r *Reader) container(name string, versions []versionJSON, v registry.Validator) (*registry.Listing, error) {
	l := &registry.Listing{
		Kind: registry.OCI, Name: name, Registry: r.api.Origin(), Role: r.opts.Role, Fetched: r.opts.Now().UTC(), Validator: v, Tags: map[string]string{},
	}
	for _, in := range versions {
		d, err := oci.ParseDigest(in.Name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, registry.ErrMalformed)
		}
		p := registry.Published{
			Version: d.String(), Time: in.time(),
			Files: []registry.File{{Name: d.String(), Digests: []digest.Digest{d}, Time: in.time()}},
		}
		if len(in.Metadata.Container.Tags) == 0 && r.opts.Untagged {
			l.Releases = append(l.Releases, p)
		}
		for _, tag := range in.Metadata.Container.Tags {
			before, twice := l.Tags[tag]
			switch {
			case !oci.ValidTag(tag):
				return nil, fmt.Errorf("%s: %.150q is not a tag: %w", d, tag, registry.ErrMalformed)
			case oci.IsReferrerTag(tag):
				continue
			case twice:
				return nil, fmt.Errorf("tag %q is of %s and of %s: %w", tag, before, d, registry.ErrMalformed)
			}
			l.Tags[tag] = d.String()
			p.Version, p.Files = tag, slices.Clone(p.Files)
			l.Releases = append(l.Releases, p)
		}
	}
	sortByTime(l.Releases)
	return l, nil
}

func (v *versionJSON) time() registry.Fact[time.Time] {
	if v.CreatedAt == nil {
		return registry.Fact[time.Time]{}
	}
	return registry.Known(v.CreatedAt.UTC())
}

func sortByTime(list []registry.Published) {
	slices.SortStableFunc(list, func(a, b registry.Published) int {
		return cmp.Or(a.Time.Value.Compare(b.Time.Value), strings.Compare(a.Version, b.Version))
	})
}

// merge adds what the API says to what the reader of the content listed.
func (r *Reader) merge(l *registry.Listing, versions []versionJSON) {
	by := map[string]*versionJSON{}
	for i := range versions {
		by[versions[i].Name] = &versions[i]
	}
	for i := range l.Releases {
		p := &l.Releases[i]
		v := by[p.Version]
		delete(by, p.Version)
		unpublished, _ := p.Unpublished.Get()
		switch {
		case v != nil && v.CreatedAt != nil:
			p.Time = v.time()
		case v == nil && !unpublished:
			l.Faults = append(l.Faults, fmt.Sprintf("version %q is in the registry, and GitHub's API does not list it", p.Version))
		}
	}
	for _, v := range versions {
		if by[v.Name] != nil {
			delete(by, v.Name)
			l.Faults = append(l.Faults, fmt.Sprintf("version %q is listed by GitHub's API, and is not in the registry", v.Name))
		}
	}
	sortByTime(l.Releases)
}

// Deleted gives the versions that were deleted, and can still be restored (for 30 days, says
// GitHub), the oldest first, each Unpublished. Of users GitHub does not serve them.
func (r *Reader) Deleted(ctx context.Context, name string) ([]registry.Published, error) {
	owner, pkg, err := r.split(name)
	if err != nil {
		return nil, err
	}
	if r.opts.User {
		return nil, fmt.Errorf("deleted versions of %q: %w", name, registry.ErrNotServed)
	}
	versions, _, err := r.versions(ctx, owner, pkg, "deleted", registry.Validator{})
	if err != nil {
		return nil, fmt.Errorf("deleted versions of %q: %w", name, err)
	}
	var list []registry.Published
	for _, v := range versions {
		list = append(list, registry.Published{Version: v.Name, Time: v.time(), Unpublished: registry.Known(true)})
	}
	sortByTime(list)
	return list, nil
}

// Attestations is the content reader's.
func (r *Reader) Attestations(ctx context.Context, name string, p *registry.Published) ([]registry.Attestation, error) {
	return r.opts.Content.Attestations(ctx, name, p)
}

// Open is the content reader's.
func (r *Reader) Open(ctx context.Context, name string, f registry.File) (io.ReadCloser, error) {
	if r.opts.Type == Container && f.MediaType == "" {
		f.MediaType = oci.MediaTypeManifest // of whichever type: the API does not tell
	}
	return r.opts.Content.Open(ctx, name, f)
}

// Package ghreleases reads the releases of repositories on GitHub, their files, the commits of
// their tags, and the attestations of both.
//
// A release is asked for its attestations by the digests of its files: GitHub keeps those that
// workflows made (build provenance, lists of parts) and, for an immutable release, one of its
// own. Bundles lie on another host than the API, packed by snappy; so do files. The client must
// be allowed to ask these hosts (host.GitHubBundles, host.GitHubAssets), which get no token.
//
// The API's limits are none of this package's business: give the client a transport for the API's
// host that keeps them (fetch.Options.Transports).
package ghreleases

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/ghrest"
)

// The bounds.
const (
	DefaultMaxReleases = 5000
	DefaultMaxTags     = 10_000

	maxAssets    = 1000 // of one release, as GitHub has it
	releasePage  = 50   // one with many files is long
	releaseBytes = 32 << 20
	tagPage      = 100
	tagBytes     = 1 << 20
)

// The permissions that requests take.
const (
	needContents     = `"contents: read"`
	needAttestations = `"attestations: read"`
)

// Options say which GitHub is read.
type Options struct {
	Address string // "https://github.example"; "" is github.com
	Role    registry.Role
	// WithoutTags leaves the commits of tags unknown, and halves the requests for what did not
	// change. A tag that was moved is then not seen.
	WithoutTags bool
	MaxReleases int              // of one repository; more is an error. 0: DefaultMaxReleases
	MaxTags     int              // the same; 0: DefaultMaxTags
	Now         func() time.Time // nil: time.Now
}

// Reader reads the releases of one GitHub. It is a registry.Reader, and safe for concurrent use.
type Reader struct {
	client *fetch.Client
	api    *ghrest.API
	opts   Options
}

// New makes a reader, and asks nothing.
func New(c *fetch.Client, o Options) (*Reader, error) {
	api, err := ghrest.New(c, o.Address)
	if err != nil {
		return nil, err
	}
	if o.MaxReleases <= 0 {
		o.MaxReleases = DefaultMaxReleases
	}
	if o.MaxTags <= 0 {
		o.MaxTags = DefaultMaxTags
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Reader{c, api, o}, nil
}

// APIHost is the host, and port, that a GitHub's API is at: "api.github.com" for "".
func APIHost(address string) (string, error) {
	api, err := ghrest.New(nil, address)
	if err != nil {
		return "", err
	}
	return api.Host(), nil
}

// List gives the releases of "owner/repository" that are published, the oldest first; drafts are
// not. Head is the commit that a release's tag leads to now; a tag that is not there any more is
// absent. The Validator covers the releases, their files and the tags.
func (r *Reader) List(ctx context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	owner, repo, err := splitName(name)
	if err != nil {
		return nil, err
	}
	list, tags, v, err := r.lists(ctx, owner, repo, since)
	if err != nil {
		return nil, fmt.Errorf("releases of %q: %w", name, err)
	}
	l := &registry.Listing{
		Kind: registry.Release, Name: name, Registry: r.api.Origin(), Role: r.opts.Role, Fetched: r.opts.Now().UTC(), Validator: v,
	}
	for _, one := range list {
		if one.Draft {
			continue
		}
		p, faults := r.published(owner, repo, &one, tags)
		l.Releases = append(l.Releases, p)
		l.Faults = append(l.Faults, faults...)
	}
	slices.SortStableFunc(l.Releases, func(a, b registry.Published) int {
		return cmp.Or(a.Time.Value.Compare(b.Time.Value), strings.Compare(a.Version, b.Version))
	})
	return l, nil
}

// lists reads the releases and the tags. Both are as they were, or both are read anew: the
// ETags of the two are kept in one, with a slash between them.
func (r *Reader) lists(ctx context.Context, owner, repo string, since registry.Validator) ([]releaseJSON, map[string]string, registry.Validator, error) {
	none := registry.Validator{}
	sinceReleases, sinceTags, both := strings.Cut(since.ETag, " / ")
	if both == r.opts.WithoutTags {
		sinceReleases, sinceTags = "", "" // of a reader with other options
	}
	list, v, err := r.releases(ctx, owner, repo, registry.Validator{ETag: sinceReleases})
	same := errors.Is(err, registry.ErrNotModified)
	if r.opts.WithoutTags || err != nil && !same {
		return list, nil, v, err
	}
	tags, tagsV, errTags := r.tags(ctx, owner, repo, registry.Validator{ETag: sinceTags})
	sameTags := errors.Is(errTags, registry.ErrNotModified)
	switch {
	case same && sameTags:
		return nil, nil, none, err
	case sameTags:
		tags, tagsV, errTags = r.tags(ctx, owner, repo, none)
	case same:
		list, v, err = r.releases(ctx, owner, repo, none)
	}
	if err = cmp.Or(err, errTags); err != nil {
		return nil, nil, none, err
	}
	if v.ETag != "" && tagsV.ETag != "" {
		v.ETag += " / " + tagsV.ETag
	} else {
		v = none
	}
	return list, tags, v, nil
}

func (r *Reader) releases(ctx context.Context, owner, repo string, since registry.Validator) ([]releaseJSON, registry.Validator, error) {
	return ghrest.Pages[releaseJSON](ctx, r.api, ghrest.List{
		Path: []string{"repos", owner, repo, "releases"}, Page: releasePage, Max: r.opts.MaxReleases, Bytes: releaseBytes, Need: needContents,
	}, since)
}

// tags gives the commits of all tags, by name.
func (r *Reader) tags(ctx context.Context, owner, repo string, since registry.Validator) (map[string]string, registry.Validator, error) {
	list, v, err := ghrest.Pages[struct {
		Name   string `json:"name"`
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}](ctx, r.api, ghrest.List{
		Path: []string{"repos", owner, repo, "tags"}, Page: tagPage, Max: r.opts.MaxTags, Bytes: tagBytes, Need: needContents,
	}, since)
	if err != nil {
		return nil, v, err
	}
	tags := make(map[string]string, len(list))
	for _, t := range list {
		if !isCommit(t.Commit.SHA) {
			return nil, v, fmt.Errorf("tag %q: %.100q is not a commit: %w", t.Name, t.Commit.SHA, registry.ErrMalformed)
		}
		tags[t.Name] = t.Commit.SHA
	}
	return tags, v, nil
}

func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// Open reads a file of a release that List gave, from the host that the API leads to.
func (r *Reader) Open(ctx context.Context, name string, f registry.File) (io.ReadCloser, error) {
	owner, repo, err := splitName(name)
	if err != nil {
		return nil, err
	}
	id, ours := strings.CutPrefix(f.URL, r.api.URL(nil, "repos", owner, repo, "releases", "assets")+"/")
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || !ours || n <= 0 {
		return nil, fmt.Errorf("file %q of %q: not an address of List's: %w", f.Name, name, registry.ErrForbidden)
	}
	q := r.api.Request(nil, "repos", owner, repo, "releases", "assets", id)
	q.Accept = "application/octet-stream"
	s, err := r.client.Open(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("file %q of %q: %w", f.Name, name, ghrest.Explain(err, needContents))
	}
	return s, nil
}

// splitName takes "owner/repository" apart.
func splitName(name string) (owner, repo string, err error) {
	owner, repo, ok := strings.Cut(name, "/")
	if !ok || !validPart(owner) || !validPart(repo) {
		return "", "", fmt.Errorf("%.200q is not of the form OWNER/REPOSITORY: %w", name, registry.ErrForbidden)
	}
	return owner, repo, nil
}

func validPart(s string) bool {
	return s != "" && len(s) <= 100 && s != "." && s != ".." && strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-'
	}) < 0
}

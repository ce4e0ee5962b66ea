package trust

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

//go:embed roots/tuf-public-good.json
var tufPublicGood []byte

//go:embed roots/tuf-github.json
var tufGitHub []byte

// Repository is where a root is kept up to date with TUF (The Update Framework): every answer is
// signed, has an end, and is never older than one that was seen before.
type Repository struct {
	Name    string // of the root: PublicGood, GitHubRoot
	Address string
	Root    []byte // the TUF root that everything else is verified from
	NPMKeys bool   // the keys of the npm registry are among its targets
}

// PublicRepository is that of the public Sigstore.
func PublicRepository() Repository {
	return Repository{Name: PublicGood, Address: "https://" + host.SigstoreTUF, Root: tufPublicGood, NPMKeys: true}
}

// GitHubRepository is that of GitHub's own Sigstore.
func GitHubRepository() Repository {
	return Repository{Name: GitHubRoot, Address: "https://" + host.GitHubTUF, Root: tufGitHub}
}

// The limits of a refresh.
const (
	refreshTime   = time.Minute
	maxRequests   = 64 // a root for each rotation, and five more
	trustedRoot   = "trusted_root.json"
	npmKeysTarget = host.NPM + "/keys.json"
)

// Refresher is the means of a refresh.
type Refresher struct {
	// Get fetches an address and reads at most limit bytes of the answer. The error wraps
	// registry.ErrNotFound where the answer was that there is nothing.
	Get func(ctx context.Context, address string, limit int64) ([]byte, error)
	// Cache is a folder where what was seen is kept, which is what tells that an answer is
	// older. It is not shared with other programs' caches. "" keeps nothing.
	Cache string
	Now   func() time.Time // nil is time.Now
}

// Refreshed is what a refresh gave.
type Refreshed struct {
	Root *Root
	Keys []Key // of the npm registry, where the repository has them
}

// Refresh fetches the newest root of a repository. An error means that there was none to be had,
// or that what was served was not to be believed: expired, older than before, or signed by
// others. The embedded root is then as good as it was.
func (f Refresher) Refresh(ctx context.Context, r Repository) (*Refreshed, error) {
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	now := time.Now
	if f.Now != nil {
		now = f.Now
	}
	fetched, err := f.refresh(ctx, r, now())
	if err != nil {
		return nil, fmt.Errorf("trusted root %q: refresh from %s: %w", r.Name, r.Address, err)
	}
	return fetched, nil
}

func (f Refresher) refresh(ctx context.Context, r Repository, now time.Time) (fetched *Refreshed, err error) {
	defer func() {
		if p := recover(); p != nil {
			fetched, err = nil, fmt.Errorf("%w: the library gave up on it: %v", registry.ErrMalformed, p)
		}
	}()
	if _, err := url.Parse(r.Address); err != nil {
		return nil, err
	}
	client, err := tuf.New(&tuf.Options{
		Root: r.Root, RepositoryBaseURL: r.Address, CachePath: f.Cache, DisableLocalCache: f.Cache == "",
		Fetcher: &fetcher{ctx: ctx, get: f.Get, left: maxRequests}, Context: ctx,
	})
	if err != nil {
		return nil, err
	}
	text, err := client.GetTarget(trustedRoot)
	if err != nil {
		return nil, err
	}
	fetched = &Refreshed{}
	if fetched.Root, err = Parse(r.Name, now, text); err != nil {
		return nil, err
	}
	if !r.NPMKeys {
		return fetched, nil
	}
	if text, err = client.GetTarget(npmKeysTarget); err != nil {
		return nil, err
	}
	fetched.Keys, err = ParseNPMKeys(text)
	return fetched, err
}

// fetcher is what the TUF library fetches with. It is used by one goroutine.
type fetcher struct {
	ctx  context.Context
	get  func(ctx context.Context, address string, limit int64) ([]byte, error)
	left int
}

// DownloadFile is part of the library's interface. The library ends its search for newer TUF
// roots with the first that is not there.
func (f *fetcher) DownloadFile(address string, limit int64, _ time.Duration) ([]byte, error) {
	if f.left--; f.left < 0 {
		return nil, fmt.Errorf("more than %d requests", maxRequests)
	}
	body, err := f.get(f.ctx, address, min(limit, MaxBytes))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: 404, URL: address}
	}
	if err == nil && int64(len(body)) > limit {
		return nil, fmt.Errorf("%q: %w", address, registry.ErrTooLarge)
	}
	return body, err
}

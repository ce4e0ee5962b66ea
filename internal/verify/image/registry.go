package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// errOtherBytes: what was asked for by its digest has another.
var errOtherBytes = errors.New("other bytes than its digest says")

// A registry that is busy is asked three times, within some seconds.
var (
	busy    = []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	backoff = transport.Backoff{Duration: 500 * time.Millisecond, Factor: 3, Jitter: 0.1, Steps: 3}
)

// source reads one repository of a registry. What it gives by digest has that digest.
type source struct {
	repo   name.Repository
	client *http.Client
	limits Limits
}

// open connects to the registry, and gets a token for the repository where it asks for one.
func open(ctx context.Context, repo name.Repository, r Request) (*source, error) {
	keychain := r.Keychain
	if keychain == nil {
		keychain = authn.NewMultiKeychain() // lets nobody in
	}
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return nil, fmt.Errorf("credentials for %q: %w", repo.Name(), err)
	}
	patient := transport.NewRetry(r.Transport, transport.WithRetryBackoff(backoff), transport.WithRetryStatusCodes(busy...))
	authenticated, err := transport.NewWithContext(ctx, repo.Registry, auth, patient, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, fmt.Errorf("%q: %w", repo.Name(), answered(err))
	}
	return &source{repo, &http.Client{Transport: authenticated}, r.Limits}, nil
}

// manifest is what a registry has under a tag or a digest.
type manifest struct {
	digest string // of bytes, as sha256:hex
	media  string
	bytes  []byte
}

// manifestTypes are what is asked for, the most wanted first.
var manifestTypes = strings.Join([]string{ociIndex, ociManifest, dockerIndex, dockerManifest}, ", ")

// manifest reads what a tag or a digest names. The error wraps registry.ErrNotFound where there
// is none, and errOtherBytes where a digest is not that of the answer.
func (s *source) manifest(ctx context.Context, reference string) (*manifest, error) {
	resp, b, err := s.get(ctx, "/manifests/"+reference, manifestTypes, s.limits.Manifest)
	if err != nil {
		return nil, err
	}
	m := &manifest{digestOf(b), mediaOf(resp), b}
	if strings.HasPrefix(reference, "sha256:") && reference != m.digest {
		return nil, fmt.Errorf("%s: %w, they have %s", reference, errOtherBytes, m.digest)
	}
	return m, nil
}

// blob reads what a descriptor names, whose size is within the limit.
func (s *source) blob(ctx context.Context, d descriptor) ([]byte, error) {
	_, b, err := s.get(ctx, "/blobs/"+d.Digest, "", d.Size)
	switch {
	case errors.Is(err, registry.ErrTooLarge):
		return nil, fmt.Errorf("%s: %w, they are more than %d", d.Digest, errOtherBytes, d.Size)
	case err != nil:
		return nil, err
	}
	if got := digestOf(b); got != d.Digest {
		return nil, fmt.Errorf("%s: %w, they have %s", d.Digest, errOtherBytes, got)
	}
	return b, nil
}

// referrers asks the API of OCI 1.1 for what refers to a manifest. The error wraps
// registry.ErrNotServed where the registry has no such API.
func (s *source) referrers(ctx context.Context, digest string) ([]descriptor, error) {
	var all []descriptor
	next := "/referrers/" + digest
	for range maxPages {
		resp, b, err := s.get(ctx, next, ociIndex, s.limits.Manifest)
		status := 0
		if te := (*transport.Error)(nil); errors.As(err, &te) {
			status = te.StatusCode
		}
		switch {
		// The specification has 404 for a registry without the API; older ones have the others.
		case status == http.StatusNotFound, status == http.StatusBadRequest, status == http.StatusMethodNotAllowed, status == http.StatusNotAcceptable:
			return nil, fmt.Errorf("referrers of %s: %w", digest, registry.ErrNotServed)
		case err != nil:
			return nil, err
		case mediaOf(resp) != ociIndex:
			return nil, fmt.Errorf("referrers of %s: an answer of the type %.80q: %w", digest, mediaOf(resp), registry.ErrNotServed)
		}
		index, err := parseIndex(b)
		if err != nil {
			return nil, fmt.Errorf("referrers of %s: %w: %w", digest, err, registry.ErrMalformed)
		}
		all = append(all, index...)
		if len(all) > s.limits.Signatures {
			return all, nil // who reads them says that they are too many
		}
		if next, err = s.nextPage(resp); err != nil {
			return nil, fmt.Errorf("referrers of %s: %w", digest, err)
		}
		if next == "" {
			return all, nil
		}
	}
	return nil, fmt.Errorf("referrers of %s: more than %d pages: %w", digest, maxPages, registry.ErrTooLarge)
}

// maxPages bounds a list of referrers, whose pages may be empty.
const maxPages = 64

// nextPage is where the header Link says that a list goes on, for the same repository. Another
// place is not followed.
func (s *source) nextPage(resp *http.Response) (string, error) {
	link := resp.Header.Get("Link")
	if link == "" {
		return "", nil
	}
	target, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
	if !ok || !strings.Contains(rest, `rel="next"`) && !strings.Contains(rest, "rel=next") {
		return "", nil
	}
	to, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("a next page at %.200q: %w", target, registry.ErrMalformed)
	}
	to = resp.Request.URL.ResolveReference(to)
	below, ok := strings.CutPrefix(to.RequestURI(), s.path())
	if to.Host != s.repo.RegistryStr() || !ok || !strings.HasPrefix(below, "/referrers/") {
		return "", fmt.Errorf("a next page at %.200q, which is not of the repository: %w", target, registry.ErrForbidden)
	}
	return below, nil
}

func (s *source) path() string { return "/v2/" + s.repo.RepositoryStr() }

// get reads one answer whole. Where the registry answered with another status than 200, the
// error wraps that of package registry which fits, and a *transport.Error.
func (s *source) get(ctx context.Context, below, accept string, limit int64) (*http.Response, []byte, error) {
	address := s.repo.Scheme() + "://" + s.repo.RegistryStr() + s.path() + below
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, nil, answered(err)
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return nil, nil, answered(err)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(b)) > limit {
		return nil, nil, fmt.Errorf("more than %d bytes: %w", limit, registry.ErrTooLarge)
	}
	return resp, b, nil
}

// answered gives an error of go-containerregistry the word of package registry that fits.
func answered(err error) error {
	te := (*transport.Error)(nil)
	if !errors.As(err, &te) {
		return err
	}
	var word error
	switch te.StatusCode {
	case http.StatusNotFound:
		word = registry.ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		word = registry.ErrDenied
	default:
		return err
	}
	return fmt.Errorf("%w: %w", word, err)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// mediaOf is the media type of an answer, without parameters.
func mediaOf(resp *http.Response) string {
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(media)
}

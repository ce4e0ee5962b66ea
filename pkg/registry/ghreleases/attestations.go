package ghreleases

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/ghrest"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
)

// MaxBulk is how many digests Bulk asks for at most.
const MaxBulk = 1024

const (
	maxAttestations  = 1000 // of one release, or of one digest of many
	attestationPage  = 30
	attestationBytes = 32 << 20
	bundleBytes      = 16 << 20 // packed, and unpacked
	bundlesBytes     = 64 << 20 // all that one call reads
	maxDigests       = 1000     // of the files of one release
)

// attestationJSON is one of a list. Until July 2026 the bundle stood in it; since then it is null,
// and at bundle_url.
type attestationJSON struct {
	Bundle    jsontext.Value `json:"bundle"`
	BundleURL string         `json:"bundle_url"`
}

type attestationsJSON []attestationJSON

// UnmarshalJSONFrom reads the list.
func (l *attestationsJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) (err error) {
	*l, err = jsonlist.Read[attestationJSON](dec, maxAttestations)
	return err
}

// Attestations gives the attestations of the files of a release, in the order of the files; of a
// release without files, those of its tag. A file of which GitHub has no digest has none that
// could be asked for: a release with such files alone is ErrNotServed, as is a server that has no
// attestations. An Enterprise Server that has some of one file has them.
func (r *Reader) Attestations(ctx context.Context, name string, p *registry.Published) ([]registry.Attestation, error) {
	owner, repo, err := splitName(name)
	if err != nil {
		return nil, err
	}
	found, err := r.attestations(ctx, owner, repo, p)
	if err != nil {
		return nil, fmt.Errorf("attestations of release %q of %q: %w", p.Version, name, err)
	}
	return found, nil
}

func (r *Reader) attestations(ctx context.Context, owner, repo string, p *registry.Published) ([]registry.Attestation, error) {
	var found []registry.Attestation
	bundles := bundleCache{r: r}
	asked := map[string][]attestationJSON{}
	answered := false
	var unserved error // of files that have none, or of a server that has no attestations
	for _, f := range p.Files {
		if len(f.Digests) == 0 {
			continue
		}
		subject := f.Digests[0].String()
		list, known := asked[subject]
		if !known {
			if len(asked) == maxDigests {
				return nil, fmt.Errorf("over %d files: %w", maxDigests, registry.ErrTooLarge)
			}
			var err error
			if list, err = r.ofSubject(ctx, owner, repo, subject); errors.Is(err, registry.ErrNotServed) {
				unserved, err = err, nil
			}
			if err != nil {
				return nil, err
			}
			asked[subject] = list
		}
		answered = true
		var err error
		if found, err = bundles.add(ctx, found, list, f.Name); err != nil {
			return nil, fmt.Errorf("file %q: %w", f.Name, err)
		}
	}
	if len(p.Files) == 0 {
		tag, err := r.tag(ctx, owner, repo, p.Version)
		if err != nil {
			return nil, err
		}
		list, err := r.ofSubject(ctx, owner, repo, "sha1:"+tag.Object)
		if err != nil {
			return nil, err
		}
		answered = true
		if found, err = bundles.add(ctx, found, list, ""); err != nil {
			return nil, err
		}
	}
	switch {
	case unserved != nil && found == nil:
		return nil, unserved
	case !answered:
		return nil, fmt.Errorf("GitHub has no digests of its files: %w", registry.ErrNotServed)
	case found == nil:
		return nil, registry.ErrNotFound
	}
	return found, nil
}

// ofSubject lists those of one digest, without their bundles. A repository that has none answers
// 404, as a server does that does not know attestations.
func (r *Reader) ofSubject(ctx context.Context, owner, repo, subject string) ([]attestationJSON, error) {
	var all []attestationJSON
	for after := ""; ; {
		query := url.Values{"per_page": {strconv.Itoa(attestationPage)}}
		if after != "" {
			query.Set("after", after)
		}
		var page struct {
			Attestations attestationsJSON `json:"attestations"`
		}
		q := r.api.Request(query, "repos", owner, repo, "attestations", subject)
		q.MaxBytes = attestationBytes
		answer, err := r.api.Get(ctx, q, needAttestations, &page)
		switch {
		case errors.Is(err, registry.ErrNotFound) && !r.api.Hosted():
			return nil, fmt.Errorf("%w: %w", notServed(err), registry.ErrNotServed)
		case errors.Is(err, registry.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		}
		if all = append(all, page.Attestations...); len(all) > maxAttestations {
			return nil, fmt.Errorf("over %d of %s: %w", maxAttestations, subject, registry.ErrTooLarge)
		}
		next, err := ghrest.Cursor(answer.Header)
		switch {
		case err != nil:
			return nil, err
		case next == "":
			return all, nil
		case next == after || len(page.Attestations) == 0:
			return nil, fmt.Errorf("a page leads to another one and has nothing new: %w", registry.ErrMalformed)
		}
		after = next
	}
}

// notServed keeps the text of an error, and not what it wraps.
func notServed(err error) error { return errors.New(err.Error()) }

// Bulk gives the attestations of up to MaxBulk digests, by "sha256:<hex>", that the repositories
// of an organisation have. One that has none is not in the map. The attestations of each have no
// File. All bundles together have a limit: ask for fewer digests where it is met. predicate is "" for all, "provenance", "sbom", "release", or a predicate type.
func (r *Reader) Bulk(ctx context.Context, org string, digests []digest.Digest, predicate string) (map[string][]registry.Attestation, error) {
	if !validPart(org) || len(digests) == 0 || len(digests) > MaxBulk {
		return nil, fmt.Errorf("attestations of %d digests of %.100q: %w", len(digests), org, registry.ErrForbidden)
	}
	found, err := r.bulk(ctx, org, digests, predicate)
	if err != nil {
		return nil, fmt.Errorf("attestations of %d digests of %q: %w", len(digests), org, err)
	}
	return found, nil
}

func (r *Reader) bulk(ctx context.Context, org string, digests []digest.Digest, predicate string) (map[string][]registry.Attestation, error) {
	question := struct {
		Digests   []string `json:"subject_digests"`
		Predicate string   `json:"predicate_type,omitempty"`
	}{Predicate: predicate}
	wanted := map[string]bool{}
	for _, d := range digests {
		question.Digests = append(question.Digests, d.String())
		wanted[d.String()] = true
	}
	bundles := bundleCache{r: r}
	found := map[string][]registry.Attestation{}
	total := 0
	for after := ""; ; {
		query := url.Values{"per_page": {"100"}}
		if after != "" {
			query.Set("after", after)
		}
		var page struct {
			BySubject map[string]attestationsJSON `json:"attestations_subject_digests"`
			Page      struct {
				HasNext bool   `json:"has_next"`
				Next    string `json:"next"`
			} `json:"page_info"`
		}
		q := r.api.Request(query, "orgs", org, "attestations", "bulk-list")
		q.MaxBytes = attestationBytes
		if err := r.api.Query(ctx, q, question, needAttestations, &page); err != nil {
			if errors.Is(err, registry.ErrNotFound) && !r.api.Hosted() {
				return nil, fmt.Errorf("%w: %w", notServed(err), registry.ErrNotServed)
			}
			return nil, err
		}
		news := 0
		for subject, list := range page.BySubject {
			if !wanted[subject] {
				return nil, fmt.Errorf("the answer is about %.100q, which was not asked for: %w", subject, registry.ErrMalformed)
			}
			news += len(list)
			if total += len(list); total > maxAttestations*len(digests) {
				return nil, fmt.Errorf("over %d: %w", maxAttestations*len(digests), registry.ErrTooLarge)
			}
			added, err := bundles.add(ctx, found[subject], list, "")
			if err != nil {
				return nil, fmt.Errorf("%s: %w", subject, err)
			}
			if len(added) > 0 {
				found[subject] = added
			}
		}
		if !page.Page.HasNext {
			return found, nil
		}
		if news == 0 || page.Page.Next == "" || page.Page.Next == after {
			return nil, fmt.Errorf("a page leads to another one and has nothing new: %w", registry.ErrMalformed)
		}
		after = page.Page.Next
	}
}

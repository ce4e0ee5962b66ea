// Package registry is what Wormsweep asks of every registry: what is published under a name,
// when, by whom, with which digests, and which attestations are served beside it.
//
// One package for each protocol (npm, pypi, goproxy, oci, harbor, ghpackages, ghreleases)
// has a Reader. A Reader only asks: nothing here writes to a registry. All of them fetch
// through package fetch, which bounds what is read and says which hosts may be asked.
//
// What a registry did not say is Unknown, which is not the same as Absent: a mirror that drops
// a field is no registry that says there is none.
package registry

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
)

// Kind is a kind of published artifact, as policies and commands spell it.
type Kind string

// The kinds. The name of an artifact is that of its registry: "@acme/sdk"; a normalised PyPI
// name (PEP 503); a module path; "registry.example/team/app" without tag; "owner/repository".
const (
	NPM     Kind = "npm"
	PyPI    Kind = "pypi"
	Go      Kind = "go"
	OCI     Kind = "oci"
	Release Kind = "release" // a GitHub release and its assets
)

// Kinds lists them in the order of reports.
var Kinds = []Kind{NPM, PyPI, Go, OCI, Release}

// Role is what a registry's word is worth.
type Role string

// The roles. The zero value is Origin.
const (
	Origin Role = ""       // artifacts are published here: a field that it lacks is absent
	Mirror Role = "mirror" // a copy of another registry: a field that it lacks is unknown
)

// The errors that callers may branch on. Everything else means that there was no answer.
var (
	ErrNotFound    = errors.New("the registry has none")           // it answered, and there is none
	ErrNotModified = errors.New("not changed")                     // since the Validator that was given
	ErrNotServed   = errors.New("not served by this registry")     // it does not have this part of the protocol
	ErrDenied      = errors.New("the registry did not let us in")  // no token, or one that may not
	ErrTooLarge    = errors.New("larger than the limit")           // what was read so far is not given
	ErrMalformed   = errors.New("the answer is not of its format") // a lying, damaged or unknown answer
	ErrForbidden   = errors.New("not a host that may be asked")    // by our own rules: nothing was sent
)

// Reader asks one registry of one protocol. It is safe for concurrent use. Every error names
// what was asked for, and wraps one of the errors above where one fits.
type Reader interface {
	// List gives all that is published under a name. Where since is the Validator of an
	// earlier Listing and nothing changed, the error wraps ErrNotModified.
	List(ctx context.Context, name string, since Validator) (*Listing, error)
	// Attestations gives what the registry serves beside a release that List gave:
	// ErrNotFound where it says that there is nothing, ErrNotServed where it has no such
	// service. Nothing of it is verified.
	Attestations(ctx context.Context, name string, r *Published) ([]Attestation, error)
	// Open reads a file of a release. The caller closes it, and compares its digest: the
	// bytes are the registry's, at most as many as the reader's limit.
	Open(ctx context.Context, name string, f File) (io.ReadCloser, error)
}

// Validator makes the next request conditional. The zero value asks for everything.
type Validator struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

// Listing is what is published under a name, as one registry tells it.
type Listing struct {
	Kind      Kind      `json:"kind"`
	Name      string    `json:"name"`
	Registry  string    `json:"registry"` // the address that was asked, without path
	Role      Role      `json:"role,omitempty"`
	Fetched   time.Time `json:"fetched"`
	Validator Validator `json:"validator,omitzero"`

	Tags        map[string]string       `json:"tags,omitempty"` // npm's dist-tags; an OCI tag and its digest
	Maintainers Fact[[]Person]          `json:"maintainers,omitzero"`
	Status      Fact[string]            `json:"status,omitzero"`     // PyPI's project status: "active", "quarantined"
	Publishing  Fact[map[string]string] `json:"publishing,omitzero"` // what the registry says of how it may be published

	// Releases in the order of their publishing where the registry tells it, else in its own.
	Releases []Published `json:"releases,omitempty"`
	// Faults are parts of the answer that could not be read, one line each; what stands
	// beside them was read whole.
	Faults []string `json:"faults,omitempty"`
}

// Published is one published version. An OCI version is a tag, or the digest of a manifest
// without one.
type Published struct {
	Version   string          `json:"version"`
	Time      Fact[time.Time] `json:"time,omitzero"`
	Publisher Fact[Person]    `json:"publisher,omitzero"`
	// TrustedPublisher is set where a workflow published with a short-lived token: "github".
	TrustedPublisher Fact[string] `json:"trusted_publisher,omitzero"`
	Files            []File       `json:"files,omitempty"`

	Scripts    Fact[map[string]string] `json:"scripts,omitzero"`    // npm: those that run on installation
	Git        Fact[map[string]string] `json:"git,omitzero"`        // npm: dependencies at git or other addresses
	Head       Fact[string]            `json:"head,omitzero"`       // the commit that it was made of, by its own word
	Signatures Fact[[]Signature]       `json:"signatures,omitzero"` // npm: the registry's own
	Provenance Fact[string]            `json:"provenance,omitzero"` // address of its attestations

	Yanked     Fact[string] `json:"yanked,omitzero"` // the reason, "" for none given
	Deprecated Fact[string] `json:"deprecated,omitzero"`
	Retracted  Fact[string] `json:"retracted,omitzero"`
	// Unpublished is true of a version that was taken back: its number is burnt, and of all
	// the rest at most its time is known (npm).
	Unpublished Fact[bool] `json:"unpublished,omitzero"`
	Immutable   Fact[bool] `json:"immutable,omitzero"` // a GitHub release that cannot be changed any more
}

// File is one file of a release: a tarball, a wheel, a module zip, a manifest, an asset.
type File struct {
	Name       string          `json:"name"`
	URL        string          `json:"url,omitempty"`
	MediaType  string          `json:"media_type,omitempty"`
	Size       Fact[int64]     `json:"size,omitzero"`
	Digests    []digest.Digest `json:"digests,omitempty"` // the strongest first
	Time       Fact[time.Time] `json:"time,omitzero"`     // of its upload
	Yanked     Fact[string]    `json:"yanked,omitzero"`
	Provenance Fact[string]    `json:"provenance,omitzero"`
}

// Person is somebody or something that may publish, as the registry names it.
type Person struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

// Signature is a registry's own signature of a release.
type Signature struct {
	KeyID string `json:"key_id"`
	Sig   string `json:"sig"` // base64
}

// Attestation is a signed statement as a registry serves it.
type Attestation struct {
	// PredicateType is what the registry says of it; what counts is what the bundle says.
	PredicateType string
	File          string // name of the file that it stands beside, "" for the release
	Bundle        []byte // a Sigstore bundle in JSON, whatever form the registry has it in
	// TrustedPublisher and Publisher are who uploaded by the registry's word, where it says
	// so beside the attestation and not in the listing (PyPI).
	TrustedPublisher Fact[string]
	Publisher        Fact[Person]
}

// Package policy holds wormsweep.yaml: what an organisation publishes, and who may sign each of
// its artifacts. docs/policy.md explains the file, docs/schemas/wormsweep-policy.json is its
// schema. It is pure: it reads bytes, and asks nothing.
//
// An identity is compared whole, after {version} and {tag} are filled in; there is no other
// pattern. A policy that would believe everybody does not validate, and the zero Artifact
// believes nobody.
package policy

import (
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Error is a fault of a policy file. Line is 0 where it is about no line.
type Error = strictyaml.Error

// Limits of the file.
const (
	MaxBytes = 4 << 20 // its size
	maxText  = 1024    // bytes of one text
	maxList  = 1000    // texts of one list
)

// Policy is a policy file.
type Policy struct {
	Version      int        // of the file's form: 1
	Organisation string     // of GitHub, "" where nothing is asked of GitHub
	Registries   []Registry // beside the public ones
	Artifacts    []Artifact // in the order of the file; no two of one kind and name
}

// Registry is where artifacts are published: one of a company, or another address of a public
// one.
type Registry struct {
	Name     string        // as artifacts name it
	Protocol string        // "npm", "pypi", "goproxy", "oci", "harbor", "ghpackages", "ghreleases"
	Address  string        // https, or http on loopback, without a slash at its end: "https://harbor.example"
	Role     registry.Role // Origin or Mirror
	TokenEnv string        // environment variable that holds its token, "" for none
	Private  bool          // it may have an address that is not public
}

// Artifact is one published package, image or release, and what is believed of it.
type Artifact struct {
	Kind     registry.Kind
	Name     string
	Registry string // name of one of Registries, "" for the public one of its kind
	Source   string // "owner/repository" that it is made from; a release's own name
	// Tag is the git tag of a version, "v{version}"; "" for none. The version of a release is
	// its tag, and {version} what is left of it without the text beside {version} here.
	Tag string

	// Identities are believed by themselves, each whole; Keys are public keys that are.
	Identities []Identity
	Keys       []Key
	// SignedFrom is the first version that must be signed, "" for every version; Unsigned lets
	// every version be unsigned. A Go module counts as signed where it equals its tag.
	SignedFrom string
	Unsigned   bool
	// Attestations are predicate types that every signed version must have.
	Attestations []string

	Maintainers   []string  // who may maintain it; none: not looked at
	TokenUntil    time.Time // until when a token may publish; zero: a workflow's identity alone from SignedFrom on
	TokensAllowed bool      // a token may always publish
	Branch        string    // the commit of its tag must be on it; "" is not looked at
	Release       bool      // every version must have a GitHub release
	Run           bool      // the run of its certificate must be found, and must have published it
	Scripts       []string  // npm: installation scripts that it may have
	Versions      []string  // OCI: the tags that are looked at, whole; none: all of them
}

// Identity is a keyless signer. A field that is "" or empty is not compared, but Issuer, SAN and,
// for GitHub's issuer, RepositoryID and OwnerID are never empty. {version} and {tag} stand for
// the version and its tag in SAN, Ref and Signer, and nothing else stands for anything.
type Identity struct {
	Issuer       string
	SAN          string
	RepositoryID string // number
	OwnerID      string // number
	Workflow     string // build config URI without its ref: ".github/workflows/release.yml" of the source
	Signer       string // build signer URI, of a reusable workflow
	Ref          string // "" where SAN is a workflow of the source: its ref is that of SAN
	Triggers     []string
	Runner       string // "github-hosted"
	Visibility   string
	From, Until  string // the versions it may sign: the first, and the last; "" is open
}

// Key is a public key that signs.
type Key struct {
	PEM  string // of one block "PUBLIC KEY", a PKIX key
	File string // where it was read from; "" where it stands in the policy
}

// ID is the artifact as the file names it: "npm:@acme/sdk".
func (a *Artifact) ID() string { return string(a.Kind) + ":" + a.Name }

// Artifact finds an artifact, nil where the policy has none of that name.
func (p *Policy) Artifact(kind registry.Kind, name string) *Artifact {
	for i := range p.Artifacts {
		if a := &p.Artifacts[i]; a.Kind == kind && (a.Name == name || kind == registry.Release && strings.EqualFold(a.Name, name)) {
			return a
		}
	}
	return nil
}

// RegistryOf finds where an artifact is published; nil stands for the public registry of its
// kind.
func (p *Policy) RegistryOf(a *Artifact) *Registry {
	for i := range p.Registries {
		if a.Registry != "" && p.Registries[i].Name == a.Registry {
			return &p.Registries[i]
		}
	}
	return nil
}

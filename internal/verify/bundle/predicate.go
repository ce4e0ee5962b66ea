package bundle

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// The predicate types that mean something here.
const (
	ProvenanceV1      = "https://slsa.dev/provenance/v1"
	ProvenanceV02     = "https://slsa.dev/provenance/v0.2"
	NPMPublish        = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
	PyPIPublish       = "https://docs." + host.PyPI + "/attestations/publish/v1"
	GitHubReleased    = "https://in-toto.io/attestation/release/v0.1"
	GitHubReleasedV02 = "https://in-toto.io/attestation/release/v0.2"
)

func kindOf(predicateType string) string {
	switch predicateType {
	case ProvenanceV1, ProvenanceV02:
		return verify.KindProvenance
	case NPMPublish, PyPIPublish:
		return verify.KindPublish
	case GitHubReleased, GitHubReleasedV02:
		return verify.KindRelease
	}
	return verify.KindAttestation
}

// Provenance is what a SLSA predicate claims. Whoever signed it wrote it: the certificate, and
// not this, says who built. A field that is not there is "".
type Provenance struct {
	Builder    string // its id
	BuildType  string
	Repository string // "https://github.com/acme/sdk"
	Ref        string
	Workflow   string // path in the repository
	Commit     string
	Run        string // address of the run
}

// ParseProvenance reads a predicate of ProvenanceV1 or ProvenanceV02.
func ParseProvenance(predicateType string, predicate []byte) (Provenance, error) {
	if len(predicate) > maxProvenance {
		return Provenance{}, refuse(verify.TooLarge, "provenance: %d bytes", len(predicate))
	}
	switch predicateType {
	case ProvenanceV1:
		return provenanceV1(predicate)
	case ProvenanceV02:
		return provenanceV02(predicate)
	}
	return Provenance{}, refuse(verify.WrongPredicate, "%q is no type of provenance", predicateType)
}

type dependency struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

func provenanceV1(predicate []byte) (Provenance, error) {
	var p struct {
		BuildDefinition struct {
			BuildType          string `json:"buildType"`
			ExternalParameters struct {
				Workflow struct {
					Ref        string `json:"ref"`
					Repository string `json:"repository"`
					Path       string `json:"path"`
				} `json:"workflow"`
			} `json:"externalParameters"`
			ResolvedDependencies []dependency `json:"resolvedDependencies"`
		} `json:"buildDefinition"`
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
			Metadata struct {
				InvocationID string `json:"invocationId"`
			} `json:"metadata"`
		} `json:"runDetails"`
	}
	if err := json.Unmarshal(predicate, &p); err != nil {
		return Provenance{}, refuse(verify.Malformed, "provenance: %v", err)
	}
	workflow := p.BuildDefinition.ExternalParameters.Workflow
	got := Provenance{
		Builder: p.RunDetails.Builder.ID, BuildType: p.BuildDefinition.BuildType, Repository: workflow.Repository,
		Ref: workflow.Ref, Workflow: workflow.Path, Run: p.RunDetails.Metadata.InvocationID,
	}
	for _, d := range p.BuildDefinition.ResolvedDependencies {
		repository, _, _ := strings.Cut(strings.TrimPrefix(d.URI, "git+"), "@")
		if repository == got.Repository {
			got.Commit = d.Digest["gitCommit"]
			break
		}
	}
	return got, nil
}

func provenanceV02(predicate []byte) (Provenance, error) {
	var p struct {
		BuildType string `json:"buildType"`
		Builder   struct {
			ID string `json:"id"`
		} `json:"builder"`
		Invocation struct {
			ConfigSource struct {
				dependency
				EntryPoint string `json:"entryPoint"`
			} `json:"configSource"`
		} `json:"invocation"`
	}
	if err := json.Unmarshal(predicate, &p); err != nil {
		return Provenance{}, refuse(verify.Malformed, "provenance: %v", err)
	}
	source := p.Invocation.ConfigSource
	repository, ref, _ := strings.Cut(strings.TrimPrefix(source.URI, "git+"), "@")
	return Provenance{
		Builder: p.Builder.ID, BuildType: p.BuildType, Repository: strings.TrimSuffix(repository, ".git"),
		Ref: ref, Workflow: source.EntryPoint, Commit: source.Digest["sha1"],
	}, nil
}

// onActions are the build types of GitHub Actions, whose fields can be compared with a
// certificate of GitHub's.
var onActions = []string{
	"https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
	"https://actions.github.io/buildtypes/workflow/v1",
	"https://github.com/npm/cli/gha/v1",
	"https://github.com/npm/cli/gha/v2",
}

// Contradicted is the refusal of a predicate that claims another source, commit, workflow, run or
// builder than the certificate has, for those who verify statements outside of bundles: a
// *verify.Refusal, or nil.
func Contradicted(predicateType string, predicate []byte, id *verify.Identity) error {
	return contradicted(&statement{predicateType: predicateType, predicate: predicate}, id)
}

// contradicted refuses a predicate that claims another source, commit, workflow, run or builder
// than the certificate has. What either does not say is no contradiction.
func contradicted(s *statement, id *verify.Identity) error {
	switch {
	case s.predicateType == NPMPublish:
		return contradictedPublish(s)
	case id == nil || kindOf(s.predicateType) != verify.KindProvenance:
		return nil
	}
	p, err := ParseProvenance(s.predicateType, s.predicate)
	if err != nil {
		return err
	}
	if !slices.Contains(onActions, p.BuildType) {
		return nil
	}
	config, _, _ := strings.Cut(strings.TrimPrefix(id.BuildConfigURI, id.SourceRepositoryURI+"/"), "@")
	for _, c := range []struct{ what, claimed, certified string }{
		{"repository", p.Repository, id.SourceRepositoryURI},
		{"ref", p.Ref, id.SourceRef},
		{"commit", p.Commit, id.SourceDigest},
		{"workflow", p.Workflow, config},
		{"run", p.Run, id.RunURI},
		{"runner", runner(p.Builder), id.RunnerEnvironment},
		{"builder", reusable(p.Builder), id.BuildSignerURI},
	} {
		if c.claimed != "" && c.certified != "" && c.claimed != c.certified {
			return refuse(verify.WrongPredicate, "it claims the %s %q, and the certificate has %q", c.what, c.claimed, c.certified)
		}
	}
	return nil
}

// runner is the kind of runner that a builder's id names, "" where it names none.
func runner(builder string) string {
	kind, ok := strings.CutPrefix(builder, "https://github.com/actions/runner/")
	if !ok {
		return ""
	}
	return kind
}

// reusable is a builder's id where it names a workflow, as a certificate's build signer does.
func reusable(builder string) string {
	if strings.Contains(builder, "/.github/workflows/") && strings.Contains(builder, "@") {
		return builder
	}
	return ""
}

// contradictedPublish refuses an attestation of npm's that claims another package than its
// subject.
func contradictedPublish(s *statement) error {
	var p struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	if err := json.Unmarshal(s.predicate, &p); err != nil {
		return refuse(verify.Malformed, "publish attestation: %v", err)
	}
	for _, one := range s.subjects {
		if one.name != NPMPurl(p.Name, p.Version) {
			return refuse(verify.WrongPredicate, "it claims the publishing of %q in %q, and is about %q", p.Version, p.Name, one.name)
		}
	}
	return nil
}

// Release is what GitHub's attestation of a release claims.
type Release struct {
	Repository   string `json:"repository"` // "acme/sdk"
	RepositoryID string `json:"repositoryId"`
	OwnerID      string `json:"ownerId"`
	ReleaseID    string `json:"releaseId"`
	Tag          string `json:"tag"`
	Purl         string `json:"purl"` // "pkg:github/acme/sdk@v1.2.3"
}

// ParseRelease reads the predicate of such an attestation.
func ParseRelease(predicate []byte) (Release, error) {
	var r Release
	if err := json.Unmarshal(predicate, &r); err != nil {
		return Release{}, refuse(verify.Malformed, "release attestation: %v", err)
	}
	return r, nil
}

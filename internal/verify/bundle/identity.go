package bundle

import (
	"cmp"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// Identity is who the certificate was issued to. Certificates of before 2023 have the older
// extensions alone.
func Identity(c *certificate.Summary) verify.Identity {
	return verify.Identity{
		Issuer: c.Issuer, SAN: c.SubjectAlternativeName,
		BuildSignerURI: c.BuildSignerURI, BuildSignerDigest: c.BuildSignerDigest,
		RunnerEnvironment: c.RunnerEnvironment, SourceRepositoryURI: c.SourceRepositoryURI,
		SourceDigest:       cmp.Or(c.SourceRepositoryDigest, c.GithubWorkflowSHA),
		SourceRef:          cmp.Or(c.SourceRepositoryRef, c.GithubWorkflowRef),
		SourceRepositoryID: c.SourceRepositoryIdentifier,
		OwnerURI:           c.SourceRepositoryOwnerURI, OwnerID: c.SourceRepositoryOwnerIdentifier,
		BuildConfigURI: c.BuildConfigURI, BuildConfigDigest: c.BuildConfigDigest,
		Trigger: cmp.Or(c.BuildTrigger, c.GithubWorkflowTrigger), RunURI: c.RunInvocationURI,
		Visibility: c.SourceRepositoryVisibilityAtSigning,
	}
}

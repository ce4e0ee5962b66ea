package image

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// identityOf is what a certificate says of the signer. A certificate with more names than one is
// refused: which of them was meant would be a guess.
func identityOf(c *x509.Certificate) (verify.Identity, error) {
	if n := len(c.URIs) + len(c.EmailAddresses) + len(c.DNSNames) + len(c.IPAddresses); n > 1 {
		return verify.Identity{}, fmt.Errorf("it has %d names, and one can be compared", n)
	}
	s, err := certificate.SummarizeCertificate(c)
	if err != nil {
		return verify.Identity{}, err
	}
	return verify.Identity{
		Issuer:              s.Issuer,
		SAN:                 s.SubjectAlternativeName,
		BuildSignerURI:      s.BuildSignerURI,
		BuildSignerDigest:   s.BuildSignerDigest,
		RunnerEnvironment:   s.RunnerEnvironment,
		SourceRepositoryURI: s.SourceRepositoryURI,
		SourceDigest:        s.SourceRepositoryDigest,
		SourceRef:           s.SourceRepositoryRef,
		SourceRepositoryID:  s.SourceRepositoryIdentifier,
		OwnerURI:            s.SourceRepositoryOwnerURI,
		OwnerID:             s.SourceRepositoryOwnerIdentifier,
		BuildConfigURI:      s.BuildConfigURI,
		BuildConfigDigest:   s.BuildConfigDigest,
		Trigger:             cmp.Or(s.BuildTrigger, s.GithubWorkflowTrigger),
		RunURI:              s.RunInvocationURI,
		Visibility:          s.SourceRepositoryVisibilityAtSigning,
	}, nil
}

// accepted is the caller's word on who signed, as a refusal.
func accepted(accept func(verify.Identity) error, id verify.Identity, what string) *verify.Refusal {
	if accept == nil {
		return refuse(what, verify.WrongIdentity, "signed by %q, and no identity is believed", id.SAN)
	}
	err := accept(id)
	var r *verify.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return refuse(what, r.Code, "%s", r.Detail)
	}
	return refuse(what, verify.WrongIdentity, "%v", err)
}

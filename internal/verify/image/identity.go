package image

import (
	"crypto/x509"
	"errors"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/wormsweep/wormsweep/internal/verify"
)

func identityOf(c *x509.Certificate) (verify.Identity, error) {
	s, err := certificate.SummarizeCertificate(c)
	if err != nil {
		return verify.Identity{}, err
	}
	return verify.Identity{Issuer: s.Issuer, SAN: s.SubjectAlternativeName, SourceRepositoryURI: s.SourceRepositoryURI}, nil
}

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
		return r
	}
	return refuse(what, verify.WrongIdentity, "%v", err)
}

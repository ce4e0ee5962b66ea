package image

import (
	"crypto/x509"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
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
	return bundle.Identity(&s), nil
}

// accepted is the caller's word on who signed, as a refusal.
func (j judge) accepted(id verify.Identity, what string) *verify.Refusal {
	switch {
	case j.accept == nil && len(j.keys) > 0:
		return refuse(what, verify.WrongKey, "signed by %q without a key, and only keys are believed", id.SAN)
	case j.accept == nil:
		return refuse(what, verify.WrongIdentity, "signed by %q, and nobody is believed", id.SAN)
	}
	if err := j.accept(id); err != nil {
		return refusalOf(what, verify.WrongIdentity, err)
	}
	return nil
}

package sigtest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"net/url"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// Lifetime is how long a certificate is valid, as Fulcio's are.
const Lifetime = 10 * time.Minute

// Certificate is a short-lived certificate with its key.
type Certificate struct {
	Leaf *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// PEM is the certificate as cosign writes it in an annotation.
func (c *Certificate) PEM() []byte { return certificatePEM(c.Leaf) }

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// ChainPEM is Chain as cosign writes it in an annotation.
func (s *Sigstore) ChainPEM() []byte {
	var written []byte
	for _, c := range s.Chain() {
		written = append(written, certificatePEM(c)...)
	}
	return written
}

// Certificate issues a certificate to id that is valid from a minute before at on. It carries
// every extension that id has a value for, and a signed certificate timestamp unless s is bare or
// withoutSCT says so. A SAN with "@" and without "://" is an e-mail address, any other a URI.
func (s *Sigstore) Certificate(id verify.Identity, at time.Time, withoutSCT bool) (*Certificate, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: s.next(), NotBefore: at.Add(-time.Minute), NotAfter: at.Add(-time.Minute + Lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	if strings.Contains(id.SAN, "@") && !strings.Contains(id.SAN, "://") {
		template.EmailAddresses = []string{id.SAN}
	} else {
		san, err := url.Parse(id.SAN)
		if err != nil {
			return nil, err
		}
		template.URIs = []*url.URL{san}
	}
	if template.ExtraExtensions, err = extensions(id); err != nil {
		return nil, err
	}
	leaf, err := certify(template, s.ca.intermediate, key.Public(), s.ca.key)
	if err != nil || s.ct == nil || withoutSCT {
		return &Certificate{leaf, key}, err
	}
	list, err := s.sct(leaf, at)
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, list)
	leaf, err = certify(template, s.ca.intermediate, key.Public(), s.ca.key)
	return &Certificate{leaf, key}, err
}

// extensions are those of Fulcio (1.3.6.1.4.1.57264.1.N) that id has a value for.
func extensions(id verify.Identity) ([]pkix.Extension, error) {
	var written []pkix.Extension
	add := func(n int, value []byte) {
		written = append(written, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n}, Value: value})
	}
	if id.Issuer != "" {
		add(1, []byte(id.Issuer))
	}
	if id.Trigger != "" {
		add(2, []byte(id.Trigger))
	}
	for _, field := range []struct {
		n     int
		value string
	}{
		{8, id.Issuer},
		{9, id.BuildSignerURI},
		{10, id.BuildSignerDigest},
		{11, id.RunnerEnvironment},
		{12, id.SourceRepositoryURI},
		{13, id.SourceDigest},
		{14, id.SourceRef},
		{15, id.SourceRepositoryID},
		{16, id.OwnerURI},
		{17, id.OwnerID},
		{18, id.BuildConfigURI},
		{19, id.BuildConfigDigest},
		{20, id.Trigger},
		{21, id.RunURI},
		{22, id.Visibility},
	} {
		if field.value == "" {
			continue
		}
		der, err := asn1.MarshalWithParams(field.value, "utf8")
		if err != nil {
			return nil, err
		}
		add(field.n, der)
	}
	return written, nil
}

// sct signs a certificate timestamp for a certificate that does not have it yet, and gives the
// extension to be put at the end of its others.
//
// "digitally-signed struct { Version sct_version; SignatureType signature_type =
// certificate_timestamp; uint64 timestamp; LogEntryType entry_type; ... PreCert; CtExtensions
// extensions; }" (RFC 6962, 3.2)
func (s *Sigstore) sct(leaf *x509.Certificate, at time.Time) (pkix.Extension, error) {
	id, err := keyID(s.ct.Public())
	if err != nil {
		return pkix.Extension{}, err
	}
	milliseconds := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	issuer := sha256.Sum256(s.ca.intermediate.RawSubjectPublicKeyInfo)
	tbs := leaf.RawTBSCertificate

	signed := append([]byte{0, 0}, milliseconds...)
	signed = append(signed, 0, 1) // a precertificate
	signed = append(signed, issuer[:]...)
	signed = append(signed, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
	signed = append(signed, tbs...)
	signed = append(signed, 0, 0) // no extensions
	sum := sha256.Sum256(signed)
	signature, err := ecdsa.SignASN1(rand.Reader, s.ct, sum[:])
	if err != nil {
		return pkix.Extension{}, err
	}

	one := append([]byte{0}, id[:]...)
	one = append(one, milliseconds...)
	one = append(one, 0, 0, 4, 3) // no extensions; SHA-256 with ECDSA
	one = append(binary.BigEndian.AppendUint16(one, uint16(len(signature))), signature...)
	list := binary.BigEndian.AppendUint16(nil, uint16(len(one)+2))
	list = append(binary.BigEndian.AppendUint16(list, uint16(len(one))), one...)
	value, err := asn1.Marshal(list)
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: value}, err
}

package sigtest

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"

	"github.com/digitorus/timestamp"
)

// timestampLeaf makes the certificate that timestamps are signed with.
func (s *Sigstore) timestampLeaf() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	use, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return err
	}
	s.tsaLeafKey = key
	s.tsaLeaf, err = certify(&x509.Certificate{
		SerialNumber: s.next(), Subject: pkix.Name{CommonName: "timestamp", Organization: []string{s.opts.Name}},
		NotBefore: s.opts.Start, NotAfter: s.opts.End, KeyUsage: x509.KeyUsageDigitalSignature,
		// "The corresponding certificate MUST contain only one instance of the extended key
		// usage field extension ... This extension MUST be critical." (RFC 3161, 2.3)
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: use}},
	}, s.tsa.intermediate, key.Public(), s.tsa.key)
	return err
}

// Timestamp is a timestamp response (RFC 3161) that says that signature was there at that time.
func (s *Sigstore) Timestamp(signature []byte, at time.Time) ([]byte, error) {
	sum := sha256.Sum256(signature)
	stamp := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: at, SerialNumber: s.next(),
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
	}
	return stamp.CreateResponseWithOpts(s.tsaLeaf, s.tsaLeafKey, crypto.SHA256)
}

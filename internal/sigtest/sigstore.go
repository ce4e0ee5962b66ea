// Package sigtest is a Sigstore that lives in memory: a certificate authority with its
// certificate transparency log, transparency logs in the forms of Rekor v1 and v2, and a
// timestamp authority. It signs as any identity that it is asked to, gives the trusted root that
// its signatures verify under, and writes what registries serve of them: npm's and PyPI's
// attestations, npm's registry signatures, GitHub's attestations.
//
// Tests, figures and the demonstrations of docs/verify.md talk to it; nothing that verifies
// imports it. No network is asked, and a Sigstore is safe for concurrent use.
package sigtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
)

// Options say which Sigstore New makes. The zero value is one as the public one is.
type Options struct {
	Name string // of its hosts: "sim.example" for ""
	// Bare has neither kind of transparency log, as GitHub's own has not: a signature is
	// proved by the certificate and a signed timestamp.
	Bare bool
	// Start is since when its authorities are valid, and End until when: ten years ago and in
	// ten years for zero.
	Start, End time.Time
}

// Sigstore is a certificate authority, its logs and a timestamp authority.
type Sigstore struct {
	opts Options

	ca         authority // of certificates
	tsa        authority // of timestamps; its leaf signs
	tsaLeaf    *x509.Certificate
	tsaLeafKey *ecdsa.PrivateKey
	ct         *ecdsa.PrivateKey // certificate transparency
	v1, v2     *log              // nil in a bare one
	serial     atomic.Int64
}

// authority is a root and an intermediate certificate below it, whose key signs.
type authority struct {
	root, intermediate *x509.Certificate
	key                *ecdsa.PrivateKey
}

// New makes a Sigstore with keys of its own: nothing that another one signed verifies under it.
func New(opts Options) (*Sigstore, error) {
	if opts.Name == "" {
		opts.Name = "sim.example"
	}
	now := time.Now().Truncate(time.Second)
	if opts.Start.IsZero() {
		opts.Start = now.AddDate(-10, 0, 0)
	}
	if opts.End.IsZero() {
		opts.End = now.AddDate(10, 0, 0)
	}
	s := &Sigstore{opts: opts}
	var err error
	if s.ca, err = s.authority("fulcio", x509.ExtKeyUsageCodeSigning); err != nil {
		return nil, err
	}
	if s.tsa, err = s.authority("timestamp", x509.ExtKeyUsageTimeStamping); err != nil {
		return nil, err
	}
	if err := s.timestampLeaf(); err != nil {
		return nil, err
	}
	if opts.Bare {
		return s, nil
	}
	if s.ct, err = newKey(); err != nil {
		return nil, err
	}
	v1, err := newKey()
	if err != nil {
		return nil, err
	}
	if s.v1, err = newLog("rekor."+opts.Name, v1); err != nil {
		return nil, err
	}
	_, v2, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s.v2, err = newLog("log2.rekor."+opts.Name, v2)
	return s, err
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// authority makes a root and an intermediate certificate for one use.
func (s *Sigstore) authority(name string, use x509.ExtKeyUsage) (authority, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader) // as the public one's
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		SerialNumber: s.next(), Subject: pkix.Name{CommonName: name, Organization: []string{s.opts.Name}},
		NotBefore: s.opts.Start, NotAfter: s.opts.End,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
	a := authority{}
	if a.root, err = certify(template, template, rootKey.Public(), rootKey); err != nil {
		return authority{}, err
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader); err != nil {
		return authority{}, err
	}
	template.SerialNumber, template.Subject.CommonName = s.next(), name+"-intermediate"
	template.ExtKeyUsage, template.MaxPathLenZero = []x509.ExtKeyUsage{use}, true
	a.intermediate, err = certify(template, a.root, a.key.Public(), rootKey)
	return a, err
}

func (s *Sigstore) next() *big.Int { return big.NewInt(s.serial.Add(1)) }

func certify(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Chain is what a certificate of s is verified with, the intermediate first and the root last.
func (s *Sigstore) Chain() []*x509.Certificate {
	return []*x509.Certificate{s.ca.intermediate, s.ca.root}
}

// TrustedRoot is the trusted_root.json of s.
func (s *Sigstore) TrustedRoot() ([]byte, error) {
	authorities := []root.CertificateAuthority{&root.FulcioCertificateAuthority{
		Root: s.ca.root, Intermediates: []*x509.Certificate{s.ca.intermediate},
		ValidityPeriodStart: s.opts.Start, URI: "https://fulcio." + s.opts.Name,
	}}
	timestamps := []root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{
		Root: s.tsa.root, Intermediates: []*x509.Certificate{s.tsa.intermediate}, Leaf: s.tsaLeaf,
		ValidityPeriodStart: s.opts.Start, URI: "https://timestamp." + s.opts.Name,
	}}
	logs, ct := map[string]*root.TransparencyLog{}, map[string]*root.TransparencyLog{}
	if !s.opts.Bare {
		for _, l := range []*log{s.v1, s.v2} {
			logs[l.host] = s.logOfRoot("https://"+l.host, l.key.Public(), l.id[:])
		}
		id, err := keyID(s.ct.Public())
		if err != nil {
			return nil, err
		}
		ct["ct"] = s.logOfRoot("https://ct."+s.opts.Name, s.ct.Public(), id[:])
	}
	trusted, err := root.NewTrustedRoot(root.TrustedRootMediaType01, authorities, ct, timestamps, logs)
	if err != nil {
		return nil, err
	}
	written, err := trusted.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return compact(written)
}

func (s *Sigstore) logOfRoot(address string, public crypto.PublicKey, id []byte) *root.TransparencyLog {
	return &root.TransparencyLog{
		BaseURL: address, ID: id, ValidityPeriodStart: s.opts.Start,
		HashFunc: crypto.SHA256, PublicKey: public, SignatureHashFunc: crypto.SHA256,
	}
}

// keyID is the SHA-256 of a public key's PKIX form, by which keys are named, and logs but those of
// Rekor v2.
func keyID(public crypto.PublicKey) ([sha256.Size]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(der), nil
}

// compact takes the spaces out of JSON: protobuf's writer puts some there by chance.
func compact(written []byte) ([]byte, error) {
	var value any
	if err := json.Unmarshal(written, &value); err != nil {
		return nil, fmt.Errorf("written JSON: %w", err)
	}
	return json.Marshal(value)
}

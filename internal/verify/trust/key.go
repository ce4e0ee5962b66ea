package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
)

//go:embed roots/npm-keys.json
var npmKeys []byte

// Key is a public key that signs.
type Key struct {
	ID     string // as its owner names it; the fingerprint where nobody names it
	Public crypto.PublicKey
	Usage  string    // "npm:signatures", "npm:attestations"; "" is anything
	From   time.Time // zero is open
	Until  time.Time // zero is open
}

// ValidAt reports whether k was valid then.
func (k Key) ValidAt(t time.Time) bool {
	return (k.From.IsZero() || !t.Before(k.From)) && (k.Until.IsZero() || t.Before(k.Until))
}

// May reports whether k is for that usage.
func (k Key) May(usage string) bool { return k.Usage == "" || k.Usage == usage }

// Fingerprint is the SHA-256 of the key's PKIX form, as "sha256:" and hex. (npm names its keys
// by ssh's fingerprints, which are over another form.)
func Fingerprint(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

var registryKeys = sync.OnceValues(func() ([]Key, error) { return ParseNPMKeys(npmKeys) })

// NPMKeys are the embedded keys of the public npm registry.
func NPMKeys() ([]Key, error) { return registryKeys() }

func badKey(format string, args ...any) error {
	return &verify.Refusal{Code: verify.Malformed, What: "key", Detail: verify.Line(fmt.Sprintf(format, args...))}
}

// ParseKey reads a public key in PEM: ECDSA on a NIST curve, Ed25519, or RSA of 2048 bits and
// more. Every error is a *verify.Refusal.
func ParseKey(text []byte) (Key, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return Key{}, badKey("there is no PEM block")
	case block.Type != "PUBLIC KEY":
		return Key{}, badKey("the PEM block is a %q, and not a PUBLIC KEY", block.Type)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return Key{}, badKey("there is more than one PEM block")
	}
	return parseKey("", block.Bytes)
}

func parseKey(id string, der []byte) (Key, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return Key{}, badKey("%v", err)
	}
	if err := usable(public); err != nil {
		return Key{}, badKey("%v", err)
	}
	if id == "" {
		if id, err = Fingerprint(public); err != nil {
			return Key{}, badKey("%v", err)
		}
	}
	return Key{ID: id, Public: public}, nil
}

func usable(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			return fmt.Errorf("a key on the curve %s is too weak", k.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 || k.N.BitLen() > 8192 {
			return fmt.Errorf("an RSA key of %d bits: 2048 to 8192 are read", k.N.BitLen())
		}
	default:
		return fmt.Errorf("a key of the type %T is not read", public)
	}
	return nil
}

// ParseNPMKeys reads the keys of an npm registry, either as the registry serves them at
// /-/npm/v1/keys or as the TUF target of the public one has them. Every error is a
// *verify.Refusal.
func ParseNPMKeys(text []byte) ([]Key, error) {
	if len(text) > MaxBytes {
		return nil, &verify.Refusal{Code: verify.TooLarge, What: "key", Detail: fmt.Sprintf("%d bytes of keys", len(text))}
	}
	var read struct {
		Keys []struct {
			// the registry's form
			KeyID   string     `json:"keyid"`
			KeyType string     `json:"keytype"`
			Key     []byte     `json:"key"`
			Expires *time.Time `json:"expires"`
			// the target's form; its "keyId" meets the field above, too
			Usage     string `json:"keyUsage"`
			PublicKey struct {
				RawBytes []byte `json:"rawBytes"`
				ValidFor struct {
					Start, End time.Time
				} `json:"validFor"`
			} `json:"publicKey"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, badKey("%v", err)
	}
	var keys []Key
	for _, k := range read.Keys {
		der := k.PublicKey.RawBytes
		if der == nil {
			der = k.Key
		}
		key, err := parseKey(k.KeyID, der)
		if err != nil {
			var why *verify.Refusal
			errors.As(err, &why)
			return nil, badKey("%q: %s", k.KeyID, why.Detail)
		}
		key.Usage, key.From, key.Until = k.Usage, k.PublicKey.ValidFor.Start, k.PublicKey.ValidFor.End
		if k.Expires != nil {
			key.Until = *k.Expires
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, badKey("there is none")
	}
	return keys, nil
}

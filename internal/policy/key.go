package policy

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// MaxKeyBytes is the size of the largest key file.
const MaxKeyBytes = 64 << 10

// minRSA is the length of the shortest RSA key that is believed, in bits.
const minRSA = 2048

var errNoKey = errors.New("no PEM block \"PUBLIC KEY\"")

// canonicalKey checks a public key, and gives it in the one form that it is kept in.
func canonicalKey(text []byte) (string, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return "", errNoKey
	case strings.Contains(block.Type, "PRIVATE"):
		return "", fmt.Errorf("a PEM block %q: only the public key belongs here, and this one should be thrown away", block.Type)
	case block.Type != "PUBLIC KEY":
		return "", fmt.Errorf("a PEM block %q: %w", block.Type, errNoKey)
	case len(block.Headers) > 0:
		return "", errors.New("a PEM block with headers")
	case strings.TrimSpace(string(rest)) != "":
		return "", errors.New("something follows the key: one key for each entry")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return "", err
	}
	switch key := key.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return "", fmt.Errorf("an RSA key of %d bits: %d are the least", key.N.BitLen(), minRSA)
		}
	default:
		return "", fmt.Errorf("a key of the kind %T", key)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: block.Bytes})), nil
}

// Package sshsig checks signatures that ssh-keygen -Y sign makes (OpenSSH, PROTOCOL.sshsig):
// one Ed25519 key, one namespace.
//
// A signature says who signed which bytes for what purpose: the namespace is part of what is
// signed, so that the signature of a git commit by the same key is none of a feed. It says
// nothing of when; a serial number in the signed bytes does.
//
// Other kinds of keys, certificates and hashes than SHA-512 and SHA-256 are refused: whoever
// signs for this program can make an Ed25519 key.
package sshsig

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// MaxSignature is the size in bytes of the largest signature that is read; one of an Ed25519
// key has under 400.
const MaxSignature = 8 << 10

// The errors of Verify.
var (
	ErrFormat    = errors.New("not an SSH signature")
	ErrSigner    = errors.New("signed by another key")
	ErrNamespace = errors.New("signed for another purpose")
	ErrSignature = errors.New("the signature is not one of these bytes")
)

// Key is an Ed25519 public key. The zero value is none, and Verify refuses it.
type Key struct {
	public ssh.PublicKey
}

// ParseKey reads a public key as it stands in a .pub file: "ssh-ed25519 BASE64 comment".
func ParseKey(line string) (Key, error) {
	public, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil:
		return Key{}, fmt.Errorf("not a public key of SSH: %w", err)
	case public.Type() != ssh.KeyAlgoED25519:
		return Key{}, fmt.Errorf("a key of type %q: want %q", public.Type(), ssh.KeyAlgoED25519)
	case len(options) > 0 || len(bytes.TrimSpace(rest)) > 0:
		return Key{}, errors.New("more than a public key")
	}
	return Key{public}, nil
}

// Fingerprint is the key as ssh-keygen -l prints it.
func (k Key) Fingerprint() string {
	if k.public == nil {
		return ""
	}
	return ssh.FingerprintSHA256(k.public)
}

// blob is what stands between magic and end of a signature, and the frame of what is signed.
// Field names do not matter, their order does.
type blob struct {
	Version       uint32
	PublicKey     []byte
	Namespace     string
	Reserved      []byte
	HashAlgorithm string
	Signature     []byte
}

type signed struct {
	Namespace     string
	Reserved      []byte
	HashAlgorithm string
	Hash          []byte
}

const (
	magic   = "SSHSIG"
	pemType = "SSH SIGNATURE"
)

// Verify returns nil when armored is a signature of message by key for namespace, and else an
// error that wraps ErrFormat, ErrSigner, ErrNamespace or ErrSignature.
func Verify(key Key, namespace string, message, armored []byte) error {
	if len(armored) > MaxSignature {
		return fmt.Errorf("%d bytes: %w", len(armored), ErrFormat)
	}
	block, rest := pem.Decode(armored)
	if block == nil || block.Type != pemType || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return ErrFormat
	}
	packed, ok := bytes.CutPrefix(block.Bytes, []byte(magic))
	if !ok {
		return ErrFormat
	}
	var b blob
	if err := ssh.Unmarshal(packed, &b); err != nil {
		return fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if b.Version != 1 {
		return fmt.Errorf("version %d: %w", b.Version, ErrFormat)
	}
	if key.public == nil || !bytes.Equal(b.PublicKey, key.public.Marshal()) {
		return ErrSigner
	}
	if b.Namespace != namespace || namespace == "" {
		return fmt.Errorf("namespace %.50q: %w", b.Namespace, ErrNamespace)
	}
	var hash []byte
	switch b.HashAlgorithm {
	case "sha512":
		sum := sha512.Sum512(message)
		hash = sum[:]
	case "sha256":
		sum := sha256.Sum256(message)
		hash = sum[:]
	default:
		return fmt.Errorf("hash %.20q: %w", b.HashAlgorithm, ErrFormat)
	}
	var signature ssh.Signature
	if err := ssh.Unmarshal(b.Signature, &signature); err != nil {
		return fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if signature.Format != ssh.KeyAlgoED25519 || len(signature.Blob) != ed25519.SignatureSize || len(signature.Rest) > 0 {
		return ErrFormat
	}
	frame := append([]byte(magic), ssh.Marshal(signed{b.Namespace, b.Reserved, b.HashAlgorithm, hash})...)
	if key.public.Verify(frame, &signature) != nil {
		return ErrSignature
	}
	return nil
}

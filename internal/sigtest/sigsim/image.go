package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// errUse is for wrong use.
var errUse = errors.New("wrong use")

// imageCommands are what "sigsim image" does.
var imageCommands = map[string]func(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error{
	"push": imagePush, "sign": imageSign, "attest": imageAttest, "tamper": imageTamper,
}

// splitReference cuts a reference into its repository and its tag or digest.
func splitReference(reference string) (*images.Repository, string, error) {
	repository, digest, ok := strings.Cut(reference, "@")
	if ok {
		repo, err := images.Open(repository, nil)
		return repo, digest, err
	}
	at := strings.LastIndexByte(reference, ':')
	if at < strings.LastIndexByte(reference, '/') || at < 0 {
		return nil, "", fmt.Errorf("%q has neither a tag nor a digest: %w", reference, errUse)
	}
	repo, err := images.Open(reference[:at], nil)
	return repo, reference[at+1:], err
}

// one parses the flags, and gives the one argument behind them.
func one(flags *flag.FlagSet, args []string, what string) (string, error) {
	if err := flags.Parse(args); err != nil {
		return "", fmt.Errorf("%w: %w", errUse, err)
	}
	if flags.NArg() != 1 {
		return "", fmt.Errorf("one %s is wanted: %w", what, errUse)
	}
	return flags.Arg(0), nil
}

func imagePush(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	text := flags.String("text", "hello", "`text` of the one file in the image")
	reference, err := one(flags, args, "reference")
	if err != nil {
		return err
	}
	repo, tag, err := splitReference(reference)
	if err != nil {
		return err
	}
	digest, err := repo.Push(ctx, tag, *text)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, repo.Reference(digest))
	return nil
}

func imageTamper(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	text := flags.String("text", "evil", "`text` of the one file in the image that takes the tag")
	reference, err := one(flags, args, "reference with a tag")
	if err != nil {
		return err
	}
	repo, tag, err := splitReference(reference)
	if err != nil {
		return err
	}
	if strings.HasPrefix(tag, "sha256:") {
		return fmt.Errorf("a digest always names the same image, and a tag is wanted: %w", errUse)
	}
	digest, err := repo.Tamper(ctx, tag, *text)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, repo.Reference(digest))
	return nil
}

// signer are the flags that say who signs.
type signer struct {
	key, keyless, issuer, roots string
	repositoryID, ownerID       string
	bundle                      bool
}

func (s *signer) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.key, "key", "", "`file` of the private key that signs")
	flags.StringVar(&s.keyless, "keyless", "", "`identity` that signs with a certificate: an e-mail address, or the address of a workflow with its ref")
	flags.StringVar(&s.issuer, "issuer", "https://token.actions.githubusercontent.com", "`issuer` of the identity")
	flags.StringVar(&s.roots, "trusted-root", "", "`file` to which the trusted root is added that a keyless signature verifies under")
	flags.StringVar(&s.repositoryID, "repository-id", "1", "`number` of the workflow's repository")
	flags.StringVar(&s.ownerID, "owner-id", "2", "`number` of its owner")
	flags.BoolVar(&s.bundle, "bundle", false, "sign as cosign 3 does, by a bundle that refers to the image")
}

// ready makes the Sigstore that signs.
func (s *signer) ready() (*sigtest.Sigstore, sigtest.Signing, error) {
	var how sigtest.Signing
	if (s.key == "") == (s.keyless == "") {
		return nil, how, fmt.Errorf("either -key or -keyless is wanted: %w", errUse)
	}
	made, err := sigtest.New(sigtest.Options{})
	if err != nil {
		return nil, how, err
	}
	if s.key != "" {
		how = sigtest.Signing{Log: sigtest.NoLog, Untimed: true}
		how.Key, err = readKey(s.key)
		return made, how, err
	}
	if s.roots == "" {
		return nil, how, fmt.Errorf("-keyless wants -trusted-root: %w", errUse)
	}
	how.Identity = s.identity()
	return made, how, addRoot(s.roots, made)
}

// identity is what a certificate of GitHub's says of a workflow; of others it says the issuer and
// the name alone.
func (s *signer) identity() verify.Identity {
	id := verify.Identity{Issuer: s.issuer, SAN: s.keyless}
	path, ref, ok := strings.Cut(s.keyless, "@")
	parts := strings.SplitN(strings.TrimPrefix(path, "https://github.com/"), "/", 3)
	if !ok || len(parts) != 3 || !strings.HasPrefix(parts[2], ".github/workflows/") {
		return id
	}
	const commit = "4a5b6c7d8e9f4a5b6c7d8e9f4a5b6c7d8e9f4a5b"
	id.OwnerURI, id.OwnerID = "https://github.com/"+parts[0], s.ownerID
	id.SourceRepositoryURI, id.SourceRepositoryID = id.OwnerURI+"/"+parts[1], s.repositoryID
	id.SourceRef, id.SourceDigest = ref, commit
	id.BuildSignerURI, id.BuildSignerDigest = s.keyless, commit
	id.BuildConfigURI, id.BuildConfigDigest = s.keyless, commit
	id.RunnerEnvironment, id.Trigger, id.Visibility = "github-hosted", "push", "public"
	id.RunURI = id.SourceRepositoryURI + "/actions/runs/1/attempts/1"
	return id
}

func imageSign(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	return signed(ctx, flags, args, stdout, func(*flag.FlagSet) func() (string, []byte, error) {
		return func() (string, []byte, error) { return images.SignedBy, []byte("{}"), nil }
	})
}

func imageAttest(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	return signed(ctx, flags, args, stdout, func(flags *flag.FlagSet) func() (string, []byte, error) {
		kind := flags.String("type", "https://slsa.dev/provenance/v1", "predicate `type`")
		file := flags.String("predicate", "", "`file` with the predicate, in JSON; an empty one otherwise")
		return func() (string, []byte, error) {
			if *file == "" {
				return *kind, []byte("{}"), nil
			}
			predicate, err := os.ReadFile(*file)
			return *kind, predicate, err
		}
	})
}

// signed signs an image, or attests of it what a predicate says.
func signed(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer, claim func(*flag.FlagSet) func() (string, []byte, error)) error {
	var by signer
	by.flags(flags)
	claimed := claim(flags)
	reference, err := one(flags, args, "reference")
	if err != nil {
		return err
	}
	repo, digest, err := splitReference(reference)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(digest, "sha256:") {
		if digest, err = repo.Resolve(ctx, digest); err != nil {
			return err
		}
	}
	kind, predicate, err := claimed()
	if err != nil {
		return err
	}
	s, how, err := by.ready()
	if err != nil {
		return err
	}
	switch {
	case by.bundle:
		err = repo.Bundle(ctx, digest, kind, predicate, s, how)
	case kind == images.SignedBy:
		err = repo.Sign(ctx, digest, s, how)
	default:
		err = repo.Attest(ctx, digest, kind, predicate, s, how)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, repo.Reference(digest))
	return nil
}

// newKeys writes a key to a file, and its public key beside it.
func newKeys(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(file+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644)
}

func readKey(file string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%q: no key in PEM", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", file, err)
	}
	ours, ok := key.(*ecdsa.PrivateKey)
	if !ok || ours.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%q: a key of another kind than ECDSA on P-256", file)
	}
	return ours, nil
}

// addRoot adds a trusted root to a file, which has one on each line.
func addRoot(file string, s *sigtest.Sigstore) error {
	root, err := s.TrustedRoot()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(root, '\n'))
	return errors.Join(err, f.Close())
}

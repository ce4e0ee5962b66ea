package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// serve runs a registry in memory, and prints where it listens.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sigsim registry", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:5000", "`address` to listen on")
	referrers := flags.Bool("referrers", false, "have the referrers API of OCI 1.1")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUse, err)
	}
	return images.Serve(ctx, *listen, *referrers, func(address string) { fmt.Fprintln(stdout, address) })
}

// imageCommand runs one of "sigsim image". dir is the folder of the Sigstore.
func imageCommand(ctx context.Context, dir string, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("image wants push, sign, attest or tamper: %w", errUse)
	}
	flags := flag.NewFlagSet("sigsim image "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	switch args[0] {
	case "push":
		return imagePush(ctx, flags, args[1:], stdout)
	case "sign":
		return signed(ctx, dir, flags, args[1:], stdout, images.SignedBy)
	case "attest":
		return signed(ctx, dir, flags, args[1:], stdout, "")
	case "tamper":
		return imageTamper(ctx, flags, args[1:], stdout)
	}
	return fmt.Errorf("image wants push, sign, attest or tamper: %w", errUse)
}

// starting is how long a registry on this machine is waited for that was started a moment ago.
const starting = 5 * time.Second

// await waits for the registry of a reference where it is one of this machine. That it does not
// answer in the end says whoever asks it.
func await(reference string) {
	address, _, _ := strings.Cut(reference, "/")
	name, _, err := net.SplitHostPort(address)
	if err != nil || !net.ParseIP(name).IsLoopback() {
		return
	}
	for end := time.Now().Add(starting); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
}

// splitReference cuts a reference into its repository and its tag or digest.
func splitReference(reference string) (*images.Repository, string, error) {
	await(reference)
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
	key, keyless, issuer  string
	repositoryID, ownerID string
	bundle                bool
}

func (s *signer) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.key, "key", "", "`file` of the private key that signs")
	flags.StringVar(&s.keyless, "keyless", "", "`identity` that signs with a certificate: an e-mail address, or the address of a workflow with its ref")
	flags.StringVar(&s.issuer, "issuer", "https://token.actions.githubusercontent.com", "`issuer` of the identity")
	flags.StringVar(&s.repositoryID, "repository-id", "1", "`number` of the workflow's repository")
	flags.StringVar(&s.ownerID, "owner-id", "2", "`number` of its owner")
	flags.BoolVar(&s.bundle, "bundle", false, "sign as cosign 3 does, by a bundle that refers to the image")
}

// how says who signs. A signature with a key is in no log: its owner's word is enough.
func (s *signer) how() (how sigtest.Signing, err error) {
	switch {
	case (s.key == "") == (s.keyless == ""):
		return how, fmt.Errorf("either -key or -keyless is wanted: %w", errUse)
	case s.key == "":
		return sigtest.Signing{Identity: s.identity()}, nil
	}
	how = sigtest.Signing{Log: sigtest.NoLog, Untimed: true}
	how.Key, err = readKey(s.key)
	return how, err
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

// signed signs an image, or attests of it what a predicate says where kind is "".
func signed(ctx context.Context, dir string, flags *flag.FlagSet, args []string, stdout io.Writer, kind string) error {
	var by signer
	by.flags(flags)
	var file string
	if kind == "" {
		flags.StringVar(&kind, "type", "https://slsa.dev/provenance/v1", "predicate `type`")
		flags.StringVar(&file, "predicate", "", "`file` with the predicate, in JSON; an empty one otherwise")
	}
	reference, err := one(flags, args, "reference")
	if err != nil {
		return err
	}
	repo, digest, err := splitReference(reference)
	if err != nil {
		return err
	}
	how, err := by.how()
	if err != nil {
		return err
	}
	predicate := []byte("{}")
	if file != "" {
		if predicate, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(digest, "sha256:") {
		if digest, err = repo.Resolve(ctx, digest); err != nil {
			return err
		}
	}
	s, state, err := sigstore(dir)
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
	return s.Save(state) // its logs have grown
}

// Command sigsim signs with a Sigstore of its own, for demonstrations on a machine that reaches no
// other: files and images, with a key or keyless as anybody.
//
//	go run ./internal/sigtest/sigsim [-dir DIR] root
//	go run ./internal/sigtest/sigsim [-dir DIR] key NAME
//	go run ./internal/sigtest/sigsim [-dir DIR] [-san SAN -issuer ISSUER | -key FILE] blob FILE
//	go run ./internal/sigtest/sigsim registry [-listen 127.0.0.1:5000] [-referrers]
//	go run ./internal/sigtest/sigsim image push [-text TEXT] REFERENCE
//	go run ./internal/sigtest/sigsim [-dir DIR] image sign [-bundle] (-keyless SAN [-issuer ISSUER] | -key FILE) REFERENCE
//	go run ./internal/sigtest/sigsim [-dir DIR] image attest [-type TYPE -predicate FILE] [-bundle] (-keyless SAN | -key FILE) REFERENCE
//	go run ./internal/sigtest/sigsim image tamper [-text TEXT] REFERENCE
//
// The Sigstore is made in DIR with the first command and kept there: its trusted root is
// DIR/trusted_root.json, which root prints the path of. key writes a key pair, NAME.key and
// NAME.pub. blob writes a bundle, FILE.sigstore.json. Each prints what it wrote, one a line.
//
// registry runs a registry in memory until it is interrupted; any other will do, Debian's
// docker-registry among them. The image commands print the image with its digest. sign signs as
// cosign 2 does, and with -bundle as cosign 3. tamper does what somebody does who may push: another
// image takes the tag, and the signatures of the first are put beside it.
//
// What it signs proves nothing to anybody who does not trust that root: that is what it is for.
// The exit code is 2 for wrong use, and 1 for any other fault.
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
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/sigtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "sigsim:", err)
		os.Exit(exitCode(err))
	}
}

// errUse is for wrong use.
var errUse = errors.New("wrong use")

func exitCode(err error) int {
	if errors.Is(err, errUse) {
		return 2
	}
	return 1
}

// logs are the values of -log.
var logs = map[string]sigtest.Log{"v1": sigtest.RekorV1, "v2": sigtest.RekorV2, "none": sigtest.NoLog}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sigsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "sigsim.d", "`folder` of the Sigstore")
	var how sigtest.Signing
	flags.StringVar(&how.Identity.SAN, "san", "", "who signs: an `identity`, as a certificate would name it")
	flags.StringVar(&how.Identity.Issuer, "issuer", "", "who vouches for it: an OIDC `issuer`")
	keyFile := flags.String("key", "", "`file` with the private key that signs")
	log := flags.String("log", "v1", "the transparency `log`: v1 or v2 of Rekor, or none")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUse, err)
	}
	var known bool
	if how.Log, known = logs[*log]; !known {
		return fmt.Errorf("-log %q: it is v1, v2 or none: %w", *log, errUse)
	}
	command, argument := flags.Arg(0), flags.Arg(1)
	switch command {
	case "registry":
		return serve(ctx, flags.Args()[1:], stdout, stderr)
	case "image":
		return imageCommand(ctx, *dir, flags.Args()[1:], stdout, stderr)
	}
	if flags.NArg() != 2 && (command != "root" || flags.NArg() != 1) {
		return fmt.Errorf("a command and what it is about are wanted: root, key NAME, blob FILE, registry or image: %w", errUse)
	}
	if command == "key" {
		return newKey(argument, stdout)
	}
	s, state, err := sigstore(*dir)
	if err != nil {
		return err
	}
	if command == "root" {
		_, err := fmt.Fprintln(stdout, filepath.Join(*dir, "trusted_root.json"))
		return err
	}
	keyless := how.Identity.SAN != "" && how.Identity.Issuer != ""
	if keyless == (*keyFile != "") {
		return fmt.Errorf("-san with -issuer or -key says who signs: %w", errUse)
	}
	if *keyFile != "" {
		if how.Key, err = readKey(*keyFile); err != nil {
			return err
		}
	}
	if command != "blob" {
		return fmt.Errorf("%q is no command: %w", command, errUse)
	}
	if err := blob(s, how, argument, stdout); err != nil {
		return err
	}
	return s.Save(state) // its logs have grown
}

// sigstore gives the Sigstore of a folder, and the file that it is kept in.
func sigstore(dir string) (*sigtest.Sigstore, string, error) {
	state := filepath.Join(dir, "sigstore.json")
	s, err := sigtest.Open(state)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, state, err
	}
	if s, err = sigtest.New(sigtest.Options{}); err != nil {
		return nil, "", err
	}
	root, err := s.TrustedRoot()
	if err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "trusted_root.json"), root, 0o644); err != nil {
		return nil, "", err
	}
	return s, state, s.Save(state)
}

func newKey(path string, stdout io.Writer) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := sigtest.PublicPEM(key)
	if err != nil {
		return err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(path+".key", private, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(path+".pub", public, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s.key\n%s.pub\n", path, path)
	return err
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%q: there is no PEM block in it", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	ours, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%q: a key of the type %T, and not one that key wrote", path, key)
	}
	return ours, nil
}

func blob(s *sigtest.Sigstore, how sigtest.Signing, path string, stdout io.Writer) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bundle, err := s.Blob(content, how)
	if err != nil {
		return err
	}
	path += ".sigstore.json"
	if err := os.WriteFile(path, bundle, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, path)
	return err
}

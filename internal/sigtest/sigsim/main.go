// Command sigsim signs in demonstrations, without a network: a Sigstore that lives for one
// signature stands in for the public one, and its trusted root is left in a file.
//
//	go run ./internal/sigtest/sigsim registry -listen 127.0.0.1:5000
//	go run ./internal/sigtest/sigsim key cosign.key
//	go run ./internal/sigtest/sigsim image push 127.0.0.1:5000/acme/app:1.0.0
//	go run ./internal/sigtest/sigsim image sign -key cosign.key 127.0.0.1:5000/acme/app:1.0.0
//	go run ./internal/sigtest/sigsim image sign -keyless https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0 -trusted-root root.jsonl 127.0.0.1:5000/acme/app:1.0.0
//	go run ./internal/sigtest/sigsim image attest -keyless ... -trusted-root root.jsonl -bundle 127.0.0.1:5000/acme/app:1.0.0
//	go run ./internal/sigtest/sigsim image tamper 127.0.0.1:5000/acme/app:1.0.0
//
// registry runs until it is interrupted, and forgets everything then; any other registry will do,
// Debian's docker-registry among them. key writes cosign.key and cosign.key.pub. Each image command
// prints the image with its digest. tamper gives the tag to another image and puts the signatures
// of the first beside it. The exit code is 2 for wrong use, and 1 for any other fault.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/sigtest/images"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "sigsim:", err)
	if errors.Is(err, errUse) {
		return 2
	}
	return 1
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("a command is wanted, registry, key or image: %w", errUse)
	}
	flags := flag.NewFlagSet("sigsim "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	switch args[0] {
	case "registry":
		listen := flags.String("listen", "127.0.0.1:5000", "`address` to listen on")
		referrers := flags.Bool("referrers", false, "have the referrers API of OCI 1.1")
		if err := flags.Parse(args[1:]); err != nil {
			return fmt.Errorf("%w: %w", errUse, err)
		}
		return images.Serve(ctx, *listen, *referrers, func(address string) { fmt.Fprintln(stdout, address) })
	case "key":
		file, err := one(flags, args[1:], "file")
		if err != nil {
			return err
		}
		return newKeys(file)
	case "image":
		if len(args) < 2 || imageCommands[args[1]] == nil {
			return fmt.Errorf("image wants push, sign, attest or tamper: %w", errUse)
		}
		return imageCommands[args[1]](ctx, flags, args[2:], stdout)
	}
	return fmt.Errorf("%q is no command: %w", args[0], errUse)
}

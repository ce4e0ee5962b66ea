// Command app is the GitHub App: it listens while nobody looks. See "app help" and docs/app.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/appcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(appcli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

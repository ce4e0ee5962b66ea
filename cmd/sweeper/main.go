// Command sweeper looks for the traces of supply-chain worms in repositories: the packages
// that they lock, and the files that they hold. See "sweeper help" and docs/.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/cli"
)

func main() {
	// A reader of standard output that goes away costs that output, and not the reports.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	roomyHeap()
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

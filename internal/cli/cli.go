// Package cli is the sweeper command: its flags, how they are wired to the packages that do
// the work, and its exit codes.
//
// Results go to stdout, everything else to stderr with the command's name before it. The
// exit codes are a contract:
//
//	0  nothing found, and everything in scope was read
//	1  an indicator was found, whatever else happened
//	2  wrong use: flags, arguments, configuration, a named path that does not exist
//	3  nothing found, but something in scope was not read, or the output could not be written
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitClean   = 0
	exitFound   = 1
	exitUsage   = 2
	exitUnknown = 3
)

// Main runs the command with its arguments, without the program's name, and returns the
// exit code. It reads no global but the environment's NO_COLOR.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "sweeper",
		Short:         "Find the traces of supply-chain worms in repositories",
		Long:          "Sweeper looks through repositories for the packages and files of known supply-chain\ncampaigns, and says what it found and what it could not look at.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       Version(),
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(sweepCommand(), inventoryCommand(), iocCommand())

	err := root.ExecuteContext(ctx)
	var exit exitError
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintf(stderr, "sweeper: %v\n", exit.err)
		}
		return exit.code
	}
	fmt.Fprintf(stderr, "sweeper: %v\nsweeper: run \"sweeper help\" for how it is used\n", err)
	return exitUsage
}

// exitError ends a command with a code; err, where set, is printed.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return fmt.Sprintf("exit %d: %v", e.code, e.err) }

// usage marks err as wrong use.
func usage(err error) error { return exitError{exitUsage, err} }

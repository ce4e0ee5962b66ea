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
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/report"
)

// The exit codes.
const (
	exitClean   = 0
	exitFound   = 1
	exitUsage   = 2
	exitUnknown = 3
)

// Main runs the command with its arguments, without the program's name, and returns the
// exit code. Of the environment it reads NO_COLOR, GITHUB_TOKEN, GOSUMDB, the credentials and
// places whose variables begin with WORMSWEEP_, and the tokens that a policy names.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	cmd, err := root.ExecuteContextC(ctx)
	var exit exitError
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &exit):
		tell(stderr, exit.err)
		return exit.code
	}
	tell(stderr, fmt.Errorf("%w; %q says how it is used", err, cmd.CommandPath()+" --help"))
	return exitUsage
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "sweeper",
		Short:         "Find the traces of supply-chain worms in repositories",
		Long:          "Sweeper looks through repositories for the packages and files of known\nsupply-chain campaigns, and says what it found and what it could not look at.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       Version(),
	}
	group(root, sweepCommand(), reportCommand(), inventoryCommand(), whoHasCommand(), rematchCommand(), diffCommand(), planCommand(), verifyCommand(), publishedCommand(), configCommand(), iocCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpFunc(printHelp)
	root.SetHelpCommand(helpCommand())
	return root
}

// group makes cmd a command that only holds others. To call it by itself, or with a word that
// is none of them, is wrong use: a mistyped word in a script must not look like a clean sweep.
func group(cmd *cobra.Command, commands ...*cobra.Command) {
	cmd.AddCommand(commands...)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%q has no command %q", cmd.CommandPath(), args[0])
		}
		return fmt.Errorf("%q does nothing by itself: name a command", cmd.CommandPath())
	}
}

// wants is the check of a command that takes one of what, or with more any number of them but
// none.
func wants(what string, more bool) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%q wants a %s and got none", cmd.CommandPath(), what)
		case len(args) > 1 && !more:
			return fmt.Errorf("%q wants one %s and got %d", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

// wantsNothing is the check of a command that takes flags alone.
func wantsNothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q wants nothing but flags and got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// exitError ends a command with a code; err, where set, is printed.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// usage marks err as wrong use.
func usage(err error) error { return exitError{exitUsage, err} }

// unwritten marks err as one of standard output: the answer was not given whole.
func unwritten(err error) error {
	return exitError{exitUnknown, fmt.Errorf("standard output: not written: %w", bare(err))}
}

// bare is err without the call and the paths that the operating system's errors begin with:
// the line that it stands in has the path as the user gave it.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// tell prints err, if there is one, with the command's name before each of its lines. Names in
// it may be those of a swept repository or of somebody's list.
func tell(stderr io.Writer, err error) {
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "sweeper: %s\n", report.EscapeText(strings.TrimSuffix(line, "\n")))
	}
}

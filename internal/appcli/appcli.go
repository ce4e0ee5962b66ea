// Package appcli is the command app: its flags, how they are wired to package app, and its exit
// codes, which are a contract:
//
//	0  done; of "app serve": stopped by a signal, with nothing lost
//	1  of "app check": something is missing
//	2  wrong use: flags, arguments, a configuration that cannot be used
//	3  what was asked for could not be done, or served
package appcli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/report"
)

// The exit codes.
const (
	exitDone    = 0
	exitMissing = 1
	exitUsage   = 2
	exitNot     = 3
)

// Main runs the command with its arguments, without the program's name, and returns the exit
// code. Of the environment it reads the variables that package app names.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(strings.NewReader(""))
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var exit exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		tell(stderr, exit.err)
		return exit.code
	}
	tell(stderr, fmt.Errorf("%w; %q says how it is used", err, cmd.CommandPath()+" --help"))
	return exitUsage
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "app",
		Short:         "The GitHub App that listens for new publishes and bad lockfiles",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%q has no command %q", cmd.CommandPath(), args[0])
			}
			return fmt.Errorf("%q does nothing by itself: name a command", cmd.CommandPath())
		},
	}
	root.AddCommand(serveCommand(), setupCommand(), checkCommand(), backupCommand(), deadLettersCommand(), retryCommand(), killSwitchCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// nothing is the check of a command that takes flags alone.
func nothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q wants nothing but flags and got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// exitError ends a command with a code, and its error is printed.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return e.err.Error() }

// configFlag adds --config.
func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "read the configuration from `FILE`")
}

// readConfig reads the configuration that --config names.
func readConfig(file string) (app.Config, error) {
	if file == "" {
		return app.Config{}, exitError{exitUsage, errors.New("there is no configuration: name one with --config FILE")}
	}
	config, err := app.Read(file, os.Getenv)
	if err != nil {
		return app.Config{}, exitError{exitUsage, err}
	}
	return config, nil
}

// tell prints an error with the command's name before each of its lines.
func tell(stderr io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "app: %s\n", report.EscapeText(strings.TrimSuffix(line, "\n")))
	}
}

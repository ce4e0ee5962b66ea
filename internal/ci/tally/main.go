// Command tally runs test commands one after another and ends with one line that counts
// the tests of them all, subtests included:
//
//	tally -- go test -json ./... -- go test -json -race ./...
//
//	skipped: internal/xtest.TestCorpus: xtest_test.go:71: WORMSWEEP_TESTDATA is not set
//	211 passed, 0 failed, 1 skipped
//
// Each command writes the events of `go test -json` (go doc cmd/test2json) to its standard
// output. Of those, tally prints the closing line of each package and the whole output of
// a test that failed.
//
// Exit codes: 0 when every command succeeded and a test passed; 1 when a test or a command
// failed, or nothing ran; 2 for wrong use.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := split(args)
	if len(commands) == 0 {
		fmt.Fprintln(stderr, "usage: tally -- COMMAND [ARGUMENT]... [-- COMMAND [ARGUMENT]...]...")
		return 2
	}
	count := newCount(stdout)
	broken := false
	for _, command := range commands {
		fmt.Fprintln(stdout, "#", strings.Join(command, " "))
		if err := collect(ctx, count, command, stderr); err != nil {
			fmt.Fprintf(stderr, "tally: %s: %v\n", strings.Join(command, " "), err)
			broken = true
		}
	}
	count.report()
	if broken || count.failed > 0 || count.passed == 0 {
		return 1
	}
	return 0
}

// split cuts arguments into commands: each begins after a "--".
func split(args []string) [][]string {
	var commands [][]string
	for _, arg := range args {
		switch {
		case arg == "--":
			commands = append(commands, nil)
		case len(commands) == 0:
			return nil
		default:
			last := len(commands) - 1
			commands[last] = append(commands[last], arg)
		}
	}
	for _, command := range commands {
		if len(command) == 0 {
			return nil
		}
	}
	return commands
}

// collect runs one command and counts its events.
func collect(ctx context.Context, count *count, command []string, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := count.read(events)
	if err := cmd.Wait(); err != nil {
		return err
	}
	return readErr
}

// Command fuzz runs every fuzz target of the module for a short while:
//
//	fuzz -total 60s ./...
//
// The time is shared out evenly, with at least a second for each. It finds no deep bug in
// that time; it shows that each target still builds, runs and holds on its seeds. An input
// that breaks a target is written below its testdata/fuzz by `go test`, to be committed.
//
// Exit codes: 0 when every target held; 1 when one did not, or there is none; 2 for wrong
// use.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	flags.SetOutput(stderr)
	total := flags.Duration("total", time.Minute, "time for all targets together, building aside")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() == 0 {
		fmt.Fprintln(stderr, "usage: fuzz [-total DURATION] PACKAGES...")
		return 2
	}
	targets, err := list(ctx, flags.Args())
	if err != nil {
		fmt.Fprintln(stderr, "fuzz:", err)
		return 1
	}
	if len(targets) == 0 {
		fmt.Fprintln(stderr, "fuzz: no fuzz target in", strings.Join(flags.Args(), " "))
		return 1
	}
	// One worker each, as many targets at once as there are processors: most of the time goes
	// into building and starting them.
	processors := runtime.NumCPU()
	each := max(time.Second, *total/time.Duration(len(targets))*time.Duration(processors))
	outcomes := make([]chan outcome, len(targets))
	free := make(chan struct{}, processors)
	for i, t := range targets {
		outcomes[i] = make(chan outcome, 1)
		go func() {
			free <- struct{}{}
			defer func() { <-free }()
			outcomes[i] <- t.run(ctx, each)
		}()
	}
	exit := 0
	for i, t := range targets {
		o := <-outcomes[i]
		if o.err != nil {
			fmt.Fprintf(stdout, "FAIL  %s.%s: %v\n%s", t.pkg, t.name, o.err, o.output)
			exit = 1
			continue
		}
		fmt.Fprintf(stdout, "fuzz  %s.%s\t%.1fs\n", t.pkg, t.name, o.took.Seconds())
	}
	return exit
}

// target is one fuzz target.
type target struct{ pkg, name string }

// outcome is how the run of a target ended; err is nil when it held.
type outcome struct {
	took   time.Duration
	output []byte
	err    error
}

func (t target) run(ctx context.Context, length time.Duration) outcome {
	began := time.Now()
	out, err := exec.CommandContext(ctx, "go", "test", t.pkg, "-run=^$", "-fuzz=^"+t.name+"$",
		"-parallel=1", "-fuzztime="+length.String(), "-fuzzminimizetime=2s").CombinedOutput()
	if ranOut(out) {
		err = nil
	}
	return outcome{time.Since(began), out, err}
}

// ranOut reports whether a run failed for no reason but that its time was up in the middle
// of a call, as go test reports it on a busy machine. A target that broke says with which
// input.
func ranOut(out []byte) bool {
	return bytes.Contains(out, []byte("\n    context deadline exceeded\n")) &&
		!bytes.Contains(out, []byte("Failing input written"))
}

// list finds the targets of packages.
func list(ctx context.Context, packages []string) ([]target, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-list=^Fuzz"}, packages...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("list targets: %w\n%s%s", err, out.Bytes(), errs.Bytes())
	}
	return parseList(&out)
}

// parseList reads what `go test -list` prints: the names of a package's targets, then a
// line "ok", the package and the time it took.
func parseList(r io.Reader) ([]target, error) {
	var targets []target
	var names []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "Fuzz"):
			names = append(names, line)
		case len(fields) >= 2 && fields[0] == "ok":
			for _, name := range names {
				targets = append(targets, target{fields[1], name})
			}
			names = nil
		}
	}
	return targets, lines.Err()
}

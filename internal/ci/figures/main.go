// Command figures measures what docs/performance.md keeps, and prints it as Markdown:
//
//	go run ./internal/ci/figures
//	go run ./internal/ci/figures github
//	go run ./internal/ci/figures verify
//	go run ./internal/ci/figures app
//	go run ./internal/ci/figures soak
//
// The second measures sweeps of a simulated organisation, the third the verification of what one
// publishes, the fourth the App, and the last the App for two hours. It runs at the root of the module, builds the sweeper and the scalibr of bench/, and runs
// both in turn over the corpus that WORMSWEEP_TESTDATA names. CPU is user and system time of the whole process,
// memory its peak resident set, as Linux reports them when the process is waited for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/wormsweep/wormsweep/internal/xtest/corpus"
)

func main() {
	if len(os.Args) > 3 && os.Args[1] == starterRole {
		if err := start(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 1 && os.Args[1] == publishersRole {
		if err := publishing(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "figures:", err)
		os.Exit(1)
	}
}

// parts are what is measured when it is named.
var parts = map[string]func(ctx context.Context, args []string) error{"github": github, "verify": verify, "app": app, "soak": soakAlone}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && parts[args[0]] != nil {
		return parts[args[0]](ctx, args[1:])
	}
	var f figures
	flags := flag.NewFlagSet("figures", flag.ExitOnError)
	flags.IntVar(&f.runs, "runs", 5, "runs of each program; medians are printed")
	flags.BoolVar(&f.alone, "alone", false, "leave scalibr out")
	_ = flags.Parse(args) // which ends the program
	if err := f.unpack(); err != nil {
		return err
	}
	return f.print(ctx, os.Stdout, f.wholeProcess, f.memory, f.perFormat, f.cores, f.hostile)
}

// section prints a part of the figures.
type section func(context.Context, io.Writer) error

// copies is how often the corpus is taken to see whether memory grows with it.
const copies = 20

// figures is one run of the measurements.
type figures struct {
	runs  int
	alone bool

	sweeper, scalibr string // programs
	corpus           string // folder
	scratch          string // folder of this run
}

// unpack unpacks the corpus.
func (f *figures) unpack() (err error) {
	data := os.Getenv("WORMSWEEP_TESTDATA")
	if data == "" {
		return errors.New("WORMSWEEP_TESTDATA is not set: it names the folder of corpus.tar.xz")
	}
	f.corpus, err = corpus.Unpack(filepath.Join(data, "corpus.tar.xz"), os.TempDir())
	return err
}

// print prepares what is measured, and prints the sections with an empty line before each.
func (f *figures) print(ctx context.Context, w io.Writer, sections ...section) error {
	var err error
	if f.scratch, err = os.MkdirTemp(inMemory(), "wormsweep-figures-"); err != nil {
		return err
	}
	defer os.RemoveAll(f.scratch)
	if f.sweeper, err = f.build(ctx, ".", "./cmd/sweeper"); err != nil {
		return err
	}
	fmt.Fprintln(w, machine())
	for _, section := range sections {
		fmt.Fprintln(w)
		if err := section(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// inMemory is a folder whose files are in memory, where there is one: half a gigabyte of fresh
// copies on a disk is still being written while it is measured.
func inMemory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return os.TempDir()
}

// build builds a command of the module in a folder and gives the program's path.
func (f *figures) build(ctx context.Context, folder, command string) (string, error) {
	program := filepath.Join(f.scratch, filepath.Base(command))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, command)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", command, err, out)
	}
	return program, nil
}

// wholeProcess compares the sweep of the corpus with scalibr's extraction of it, in turn.
func (f *figures) wholeProcess(ctx context.Context, w io.Writer) error {
	if !f.alone {
		var err error
		if f.scalibr, err = f.build(ctx, "bench", "./scalibr"); err != nil {
			return err
		}
	}
	small := filepath.Join(f.scratch, "small")
	if err := os.Mkdir(small, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(small, "go.mod"), []byte("module example.org/small\n"), 0o644); err != nil {
		return err
	}
	programs := []struct {
		title   string
		command []string
		all     []usage
	}{
		{title: "`sweeper sweep --format json` of the corpus", command: f.sweep(f.corpus)},
		{title: "`sweeper sweep --format json` of one go.mod", command: f.sweep(small)},
	}
	if !f.alone {
		programs = append(programs, programs[0])
		programs[2].title = "osv-scalibr 0.5.3, extraction of the corpus"
		programs[2].command = []string{f.scalibr, f.corpus, filepath.Join(f.scratch, "scalibr.textproto")}
	}
	for i := range programs { // once to warm up
		if _, err := f.measure(ctx, programs[i].command); err != nil {
			return err
		}
	}
	for range f.runs {
		for i := range programs {
			u, err := f.measure(ctx, programs[i].command)
			if err != nil {
				return err
			}
			programs[i].all = append(programs[i].all, u)
		}
	}
	fmt.Fprintf(w, "| whole process, median of %d in turn | CPU s (least - most) | wall s | peak MiB |\n|---|---|---|---|\n", f.runs)
	for _, p := range programs {
		cpu, wall, peak := summarize(p.all)
		fmt.Fprintf(w, "| %s | %.3f (%.3f - %.3f) | %.3f | %.1f |\n", p.title, cpu.median, cpu.least, cpu.most, wall.median, peak.median)
	}
	if !f.alone {
		ours, _, _ := summarize(programs[0].all)
		theirs, _, _ := summarize(programs[2].all)
		fmt.Fprintf(w, "\nCPU of osv-scalibr over CPU of the sweep: %.1f. Wanted: at least 25, with at most 0.29 s.\n", theirs.median/ours.median)
	}
	return nil
}

// memory compares the peak memory of the corpus taken once with that of its copies.
func (f *figures) memory(ctx context.Context, w io.Writer) error {
	many := filepath.Join(f.scratch, "many")
	if err := corpus.Copies(f.corpus, many, copies); err != nil {
		return err
	}
	defer os.RemoveAll(many)
	fmt.Fprintf(w, "| the corpus taken | CPU s | wall s | peak MiB, median of %d |\n|---|---|---|---|\n", f.runs)
	var peaks []float64
	for _, c := range []struct{ title, folder string }{{"once", f.corpus}, {fmt.Sprintf("%d times, contents distinct", copies), many}} {
		var all []usage
		for range f.runs {
			u, err := f.measure(ctx, f.sweep(c.folder))
			if err != nil {
				return err
			}
			all = append(all, u)
		}
		cpu, wall, peak := summarize(all)
		fmt.Fprintf(w, "| %s | %.3f | %.3f | %.1f |\n", c.title, cpu.median, wall.median, peak.median)
		peaks = append(peaks, peak.median)
	}
	fmt.Fprintf(w, "\nPeak memory grows by a factor of %.2f. Wanted: at most 1.2, from at most 64 MiB.\n", peaks[1]/peaks[0])
	return nil
}

func (f *figures) sweep(folder string) []string {
	return []string{f.sweeper, "sweep", "--format", "json", folder}
}

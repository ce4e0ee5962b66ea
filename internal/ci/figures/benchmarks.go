package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// result is one line of `go test -bench`.
type result struct {
	name string             // without the suffix that gives the number of processors
	unit map[string]float64 // "ns/op", "MB/s"
}

// perFormat prints how fast each format of the corpus is read on one processor.
func (f *figures) perFormat(ctx context.Context, w io.Writer) error {
	results, err := benchmark(ctx, "./pkg/lockfile/formats", "^BenchmarkCorpus$", 1, "300ms")
	if err != nil {
		return err
	}
	fmt.Fprint(w, "| format | MB/s of CPU | packages/s of CPU | MB of the corpus |\n|---|---|---|---|\n")
	for _, r := range results {
		_, format, _ := strings.Cut(r.name, "/")
		fmt.Fprintf(w, "| %s | %.0f | %.0f | %.2f |\n", format, r.unit["cpu-MB/s"], r.unit["packages/s"], r.unit["MB/s"]*r.unit["ns/op"]/1e9)
	}
	fmt.Fprint(w, "\nWanted: no format under 100 MB/s, go.mod not under 40.\n")
	return nil
}

// cores prints the throughput of the sweep in one process, on one processor and on two. The
// two take turns, each time in a process of its own.
func (f *figures) cores(ctx context.Context, w io.Writer) error {
	var rates [2][]float64
	var ratios []float64
	for range f.runs {
		for i := range rates {
			results, err := benchmark(ctx, "./cmd/sweeper", "^BenchmarkSweep$", i+1, "2x")
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], results[0].unit["MB/s"])
		}
		last := len(rates[0]) - 1
		ratios = append(ratios, rates[1][last]/rates[0][last])
	}
	one, two, ratio := spreadOf(rates[0]), spreadOf(rates[1]), spreadOf(ratios)
	fmt.Fprintf(w, "| the corpus %d times, in one process, median of %d in turn | MB/s (least - most) |\n|---|---|\n", copies, f.runs)
	fmt.Fprintf(w, "| on one processor | %.0f (%.0f - %.0f) |\n| on two | %.0f (%.0f - %.0f) |\n",
		one.median, one.least, one.most, two.median, two.least, two.most)
	fmt.Fprintf(w, "\nTwo processors give %.2f times the throughput of one (%.2f - %.2f, pair by pair). Wanted: 1.7.\n",
		ratio.median, ratio.least, ratio.most)
	return nil
}

// benchmark runs benchmarks of a package of this module on so many processors. The variable
// says how many to the runtime: the first benchmark of a process that calls b.Loop has run
// before the testing package sets what -cpu asks for.
func benchmark(ctx context.Context, pkg, pattern string, processors int, benchtime string) ([]result, error) {
	n := strconv.Itoa(processors)
	cmd := exec.CommandContext(ctx, "go", "test", pkg, "-run=^$", "-bench="+pattern, "-cpu="+n, "-benchtime="+benchtime)
	cmd.Env = append(os.Environ(), "TMPDIR="+inMemory(), "GOMAXPROCS="+n)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("benchmark %s of %s: %w\n%s%s", pattern, pkg, err, out.Bytes(), errs.Bytes())
	}
	results := parseBenchmarks(out.String())
	if len(results) == 0 {
		return nil, fmt.Errorf("no benchmark %s in %s:\n%s", pattern, pkg, out.Bytes())
	}
	return results, nil
}

// parseBenchmarks reads the lines of results: a name, the number of rounds, then pairs of
// figure and unit.
func parseBenchmarks(out string) []result {
	var results []result
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := fields[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		r := result{name, map[string]float64{}}
		for i := 2; i+1 < len(fields); i += 2 {
			if figure, err := strconv.ParseFloat(fields[i], 64); err == nil {
				r.unit[fields[i+1]] = figure
			}
		}
		results = append(results, r)
	}
	return results
}

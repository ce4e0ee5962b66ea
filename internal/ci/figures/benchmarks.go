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
	results, err := benchmark(ctx, "./pkg/lockfile/formats", "^BenchmarkCorpus$", "1", "300ms")
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

// cores prints the throughput of the sweep in one process, on one processor and on two.
func (f *figures) cores(ctx context.Context, w io.Writer) error {
	results, err := benchmark(ctx, "./cmd/sweeper", "^BenchmarkSweep$", "1,2", "3x")
	if err != nil {
		return err
	}
	if len(results) != 2 {
		return fmt.Errorf("BenchmarkSweep gave %d results, want one for each number of processors", len(results))
	}
	one, two := results[0].unit["MB/s"], results[1].unit["MB/s"]
	fmt.Fprintf(w, "| the corpus %d times, in one process | MB/s |\n|---|---|\n| on one processor | %.0f |\n| on two | %.0f |\n", copies, one, two)
	fmt.Fprintf(w, "\nTwo processors give %.2f times the throughput of one. Wanted: 1.7.\n", two/one)
	return nil
}

// benchmark runs benchmarks of a package of this module.
func benchmark(ctx context.Context, pkg, pattern, processors, benchtime string) ([]result, error) {
	cmd := exec.CommandContext(ctx, "go", "test", pkg, "-run=^$", "-bench="+pattern, "-cpu="+processors, "-benchtime="+benchtime)
	cmd.Env = append(os.Environ(), "TMPDIR="+inMemory())
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

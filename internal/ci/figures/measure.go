package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// usage is what one run of a program took.
type usage struct {
	cpu, wall time.Duration
	peak      float64 // MiB
}

// measure runs a command with its output in a file, as a user would who keeps it. Exit
// code 2, wrong use, is an error; the others are answers.
//
// Linux counts the memory of this process, up to the moment when the new program takes its
// place, as the child's own: this process must stay small.
func (f *figures) measure(ctx context.Context, command []string) (usage, error) {
	stdout, err := os.Create(filepath.Join(f.scratch, "stdout"))
	if err != nil {
		return usage{}, err
	}
	defer stdout.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	began := time.Now()
	err = cmd.Run()
	wall := time.Since(began)
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 3) {
		err = nil
	}
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, stderr.Bytes())
	}
	rusage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return usage{
		cpu:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		wall: wall,
		peak: float64(rusage.Maxrss) / 1024,
	}, nil
}

// spread is the median of some figures, and how far they lie apart.
type spread struct{ median, least, most float64 }

func spreadOf(all []float64) spread {
	slices.Sort(all)
	return spread{all[len(all)/2], all[0], all[len(all)-1]}
}

// summarize gives CPU and wall time in seconds, and peak memory in MiB.
func summarize(all []usage) (cpu, wall, peak spread) {
	var cpus, walls, peaks []float64
	for _, u := range all {
		cpus = append(cpus, u.cpu.Seconds())
		walls = append(walls, u.wall.Seconds())
		peaks = append(peaks, u.peak)
	}
	return spreadOf(cpus), spreadOf(walls), spreadOf(peaks)
}

// machine says in one line where the figures come from.
func machine() string {
	model := runtime.GOARCH
	if cpuinfo, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(cpuinfo)) {
			if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	load := "unknown"
	if avg, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(avg), " ")
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, load %s at the start.",
		model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), load)
}

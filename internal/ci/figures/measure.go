package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	CPU, Wall time.Duration
	Peak      float64 // MiB
}

// measure runs a command with its output in a file, as a user would who keeps it. Exit
// code 2, wrong use, is an error; the others are answers.
//
// Linux counts the memory of the process that starts a program, up to the moment when the
// program takes its place, as the program's own. This process has grown by then, so the
// command is started from a fresh one: this program again, in its role as starter.
func (f *figures) measure(ctx context.Context, command []string) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	args := append([]string{starterRole, f.stdout()}, command...)
	cmd := exec.CommandContext(ctx, self, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, stderr.Bytes())
	}
	var u usage
	return u, json.Unmarshal(out, &u)
}

// stdout is the file with what the command that was measured last printed.
func (f *figures) stdout() string { return filepath.Join(f.scratch, "stdout") }

// starterRole is the first argument of a process that starts one program, waits for it and
// prints what it took.
const starterRole = "start"

// start runs command with its standard output in the file stdout, and prints its usage.
func start(stdout string, command []string) error {
	file, err := os.Create(stdout)
	if err != nil {
		return err
	}
	defer file.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = file, os.Stderr
	began := time.Now()
	err = cmd.Run()
	wall := time.Since(began)
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 3) {
		err = nil
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(usage{
		CPU:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Wall: wall,
		Peak: float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024,
	})
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
		cpus = append(cpus, u.CPU.Seconds())
		walls = append(walls, u.Wall.Seconds())
		peaks = append(peaks, u.Peak)
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

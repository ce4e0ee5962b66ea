//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program makes the sweeper of this test binary: under that name it is the command (TestMain).
// The folder that it lies in is one that everybody may search.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(openFolder(t), "sweeper")
	if err := os.WriteFile(name, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// openFolder makes a folder that everybody may search, with all that it lies in.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for at := dir; at != os.TempDir() && at != filepath.Dir(at); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// exitCode is the exit code of a command that ended with err.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	t.Fatal(err)
	return 0
}

// large makes repositories that take seconds to sweep, a megabyte on disk. The first holds an
// indicator.
func large(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	write(t, filepath.Join(top, "0000", "package-lock.json"), planted)
	var b strings.Builder
	b.WriteString(`{"name": "large", "lockfileVersion": 3, "packages": {"": {}`)
	for i := range 20_000 {
		fmt.Fprintf(&b, ",\n\"node_modules/p%d\": {\"version\": \"1.0.%d\"}", i, i)
	}
	b.WriteString("}}\n")
	first := filepath.Join(top, "0001", "package-lock.json")
	write(t, first, b.String())
	for i := range 5_000 {
		dir := filepath.Join(top, fmt.Sprintf("r%04d", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(first, filepath.Join(dir, "package-lock.json")); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// TestInterrupt sends Ctrl-C to a sweep: within a second it ends with what it has, says that
// this is not all, and is never clean.
func TestInterrupt(t *testing.T) {
	program, top := program(t), large(t)
	for _, tt := range []struct {
		name           string
		args           []string // the folder follows
		begun          string   // on stdout, when it is time
		exit           int
		stdout, stderr string // a part of what is printed after the signal
	}{
		{"nothing found", []string{"sweep", "--format", "json", "--campaign", "axios-2026-03"}, `{"type":"coverage"`, 3, `"interrupted":true`, ""},
		{"something found", []string{"sweep", "--format", "json"}, `{"type":"finding"`, 1, `"interrupted":true`, ""},
		{"as text", []string{"sweep", "--campaign", "axios-2026-03"}, "", 3, "It was interrupted: what is not listed was not looked at.", ""},
		{"inventory", []string{"inventory"}, "file\t", 3, "", "sweeper: not complete: interrupted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "run.jsonl")
			args := append(tt.args, top)
			if tt.args[0] == "sweep" {
				args = append(args, "--report", "json="+report)
			}
			cmd := exec.CommandContext(t.Context(), program, args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			begun := readUntil(t, stdout, tt.begun)
			if tt.begun == "" {
				time.Sleep(300 * time.Millisecond)
			}
			if _, err := os.Stat(report); err == nil {
				t.Error("the report stands there before it is whole")
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			since := time.Now()
			rest, err := io.ReadAll(stdout)
			if err != nil {
				t.Fatal(err)
			}
			exit := exitCode(t, cmd.Wait())
			if took := time.Since(since); took > time.Second {
				t.Errorf("it ended %v after the signal", took)
			}
			if exit != tt.exit {
				t.Errorf("exit %d, want %d", exit, tt.exit)
			}
			if text := begun + string(rest); !strings.Contains(text, tt.stdout) || strings.HasPrefix(text, "CLEAN") {
				t.Errorf("stdout has no %q: %.2000q", tt.stdout, text)
			}
			if !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("stderr %q, want %q in it", stderr.String(), tt.stderr)
			}
			if tt.args[0] == "sweep" {
				if text, err := os.ReadFile(report); err != nil || !strings.Contains(string(text), `"interrupted":true`) {
					t.Errorf("the report is not whole: %v, %.2000q", err, text)
				}
			}
		})
	}
}

// readUntil reads until part was seen.
func readUntil(t *testing.T, r io.Reader, part string) string {
	t.Helper()
	var text []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(text, []byte(part)) {
		n, err := r.Read(buf)
		text = append(text, buf[:n]...)
		if err != nil {
			t.Fatalf("no %q in %.2000q: %v", part, text, err)
		}
	}
	return string(text)
}

// TestUnreadable sweeps, as a user who may not, a file and a folder that only others may read.
func TestUnreadable(t *testing.T) {
	const nobody = 65534
	top := openFolder(t)
	write(t, filepath.Join(top, "file", "package-lock.json"), planted)
	write(t, filepath.Join(top, "folder", "closed", "package-lock.json"), planted)
	write(t, filepath.Join(top, "folder", "go.sum"), "")
	write(t, filepath.Join(top, "sound", "go.sum"), "")
	write(t, filepath.Join(top, "list.txt"), "is-number:7.0.0\n")
	program := program(t)
	for _, name := range []string{"file/package-lock.json", "folder/closed", "list.txt"} {
		name = filepath.Join(top, name)
		if err := os.Chmod(name, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(name, 0o755) })
	}
	for _, tt := range []struct {
		args           []string
		exit           int
		stdout, stderr []string // lines, or parts of them
	}{
		{
			[]string{"sweep", "."},
			3,
			[]string{
				"NOT CLEAN: 0 repositories hit, 1 clean, 2 not fully looked at.\n",
				"  file\n    package-lock.json: unreadable: permission denied\n", "  folder\n    closed: unreadable: permission denied\n",
			},
			nil,
		},
		{[]string{"sweep", "file/package-lock.json"}, 3, []string{"NOT CLEAN: ", "unreadable: permission denied\n"}, nil},
		{[]string{"sweep", "folder/closed"}, 3, []string{"NOT CLEAN: ", "unreadable: permission denied\n"}, nil},
		{
			[]string{"inventory", "."},
			3,
			[]string{"file\tecosystem\tname\tversion\tscope\tsource\n"},
			[]string{
				"sweeper: \"file/package-lock.json\": unreadable: permission denied\n",
				"sweeper: \"folder/closed\": unreadable: permission denied\n", "sweeper: not complete: problems: 2\n",
			},
		},
		{[]string{"sweep", "--ioc", "list.txt", "sound"}, 2, nil, []string{"sweeper: --ioc \"list.txt\": permission denied\n"}},
		{[]string{"sweep", "--exclusions", "list.txt", "sound"}, 2, nil, []string{"sweeper: --exclusions \"list.txt\": permission denied\n"}},
		{[]string{"sweep", "--report", "json=sound/run.jsonl", "sound"}, 2, nil, []string{"sweeper: --report \"sound/run.jsonl\": permission denied\n"}},
		{[]string{"ioc", "lint", "list.txt"}, 3, nil, []string{"sweeper: \"list.txt\": permission denied\n"}},
	} {
		cmd := exec.CommandContext(t.Context(), program, tt.args...)
		cmd.Dir = top
		if os.Getuid() == 0 { // whom no mode stops
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		} else if strings.HasPrefix(strings.Join(tt.args, " "), "sweep --report") {
			continue // the folder is ours
		}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if errors.Is(err, syscall.EPERM) {
			t.Skipf("we are root and cannot be anybody else: %v", err)
		}
		if exit := exitCode(t, err); exit != tt.exit {
			t.Errorf("%q: exit %d, want %d\n%s%s", tt.args, exit, tt.exit, &stdout, &stderr)
		}
		for _, part := range tt.stdout {
			if !strings.Contains(stdout.String(), part) {
				t.Errorf("%q: stdout has no %q:\n%s", tt.args, part, &stdout)
			}
		}
		for _, part := range tt.stderr {
			if !strings.Contains(stderr.String(), part) {
				t.Errorf("%q: stderr has no %q:\n%s", tt.args, part, &stderr)
			}
		}
		if tt.stderr == nil && stderr.Len() > 0 || tt.stdout == nil && stdout.Len() > 0 {
			t.Errorf("%q: stdout %q, stderr %q", tt.args, &stdout, &stderr)
		}
	}
}

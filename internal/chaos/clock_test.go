//go:build chaos && linux

package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/apptest"
)

// Go reads the clock without a library between it and the kernel, so that no library can give a
// process another time. The program is built with a standard library whose time.Now can.
const skewedTime = `package time

import "syscall"

var skew, skewAfter = skewSetting("WORMSWEEP_SKEW"), skewSetting("WORMSWEEP_SKEW_AFTER")

func skewSetting(name string) int64 {
	text, _ := syscall.Getenv(name)
	d, err := ParseDuration(text)
	if err != nil {
		return 0
	}
	return int64(d)
}

// skewed is by how many seconds the clock is wrong, from some time after the start on.
func skewed(mono int64) int64 {
	if mono-startNano < skewAfter {
		return 0
	}
	return skew / int64(Second)
}
`

// skewedProgram builds the command app with a clock that WORMSWEEP_SKEW sets, which compiles all of
// the standard library the first time.
func skewedProgram(dir string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	from := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(from, "time.go"))
	if err != nil {
		return "", err
	}
	const clock = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), clock) != 1 {
		return "", errors.New("time.Now reads the clock in another way: this test is for an older Go")
	}
	source = []byte(strings.Replace(string(source), clock, clock+"\tsec += skewed(mono)\n", 1))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(from, "time.go"): filepath.Join(dir, "time.go"), filepath.Join(from, "skewed.go"): filepath.Join(dir, "skewed.go"),
	}})
	if err != nil {
		return "", err
	}
	for name, text := range map[string][]byte{"time.go": source, "skewed.go": []byte(skewedTime), "overlay.json": overlay} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	program := filepath.Join(dir, "app")
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-tags", "chaos", "-o", program, "../../cmd/app").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

// TestSkewedProgram: the clock of the program is wrong when it is told so.
func TestSkewedProgram(t *testing.T) {
	if !*long {
		t.Skip("-long: it compiles the standard library")
	}
	program, err := skewedProgram(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 1, onSQLite)
	p := w.startSkewed(program, time.Hour, 0)
	line, _ := p.Logged("serving")
	at, err := time.Parse(time.RFC3339, fmt.Sprint(line["time"]))
	if ahead := time.Until(at); err != nil || ahead < 55*time.Minute || ahead > 65*time.Minute {
		t.Errorf("%v ahead, %v", ahead, err)
	}
}

// startSkewed starts a process whose clock is wrong by so much, from some time after its start on.
func (w *world) startSkewed(program string, skew, after time.Duration) *apptest.Process {
	w.Helper()
	cmd := exec.Command(program, "serve", "--config", w.config)
	cmd.Env = append(append(os.Environ(), w.env...), "WORMSWEEP_SKEW="+skew.String(), "WORMSWEEP_SKEW_AFTER="+after.String())
	p := apptest.Run(w, cmd)
	w.all = append(w.all, p)
	if !p.Serving() {
		w.Fatalf("the App does not serve:\n%s", p.Stderr())
	}
	w.serving = append(w.serving, p)
	w.lead()
	return p
}

// wrongClock has one of two processes go by a clock that is wrong by ten minutes, or that jumps by an
// hour: by more than GitHub takes.
func wrongClock(w *world, _ *rand.Rand) {
	program, err := skewedProgram(w.TempDir())
	if err != nil {
		w.Fatal(err)
	}
	w.must()
	w.load(pace, func() {
		for _, clock := range []struct{ skew, after time.Duration }{
			{10 * time.Minute, 0}, {-10 * time.Minute, 0}, {time.Hour, 5 * time.Second}, {-time.Hour, 5 * time.Second},
		} {
			p := w.startSkewed(program, clock.skew, clock.after)
			for range 8 {
				time.Sleep(1500 * time.Millisecond)
				w.authors[0].race(4)
			}
			w.kill(p)
		}
	})
}

//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
)

// TestUnit: systemd takes the unit, and what it says of the service's end is what the service does.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../../packaging/wormsweep-app.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := string(text)
	stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(unit)
	if stop == nil {
		t.Fatal("no TimeoutStopSec")
	}
	if seconds, err := strconv.Atoi(stop[1]); err != nil || seconds <= 25 {
		t.Errorf("systemd kills after %s seconds, and the App takes 25", stop[1])
	}
	if !strings.Contains(unit, "\nRestartPreventExitStatus=2\n") {
		t.Error("a configuration that cannot be used is tried again and again")
	}
	analyze := xtest.Program(t, "systemd-analyze")
	// The program is looked for where the unit has it, and is not on this machine.
	file := filepath.Join(t.TempDir(), "wormsweep-app.service")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(unit, "/usr/local/bin/wormsweep-app", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", file).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: an exposure of more than 2 of 10: %v\n%s", err, out)
	}
}

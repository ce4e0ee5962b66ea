//go:build unix

package xtest

import (
	"syscall"
	"testing"
	"time"
)

// CPUTime is the processor time that the process has used, of all its threads. A limit on it
// holds on a machine that is busy with other things, where one on the clock does not.
func CPUTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

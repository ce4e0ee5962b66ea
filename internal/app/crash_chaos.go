//go:build chaos

package app

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// In a program that is built with the tag chaos, WORMSWEEP_CRASH=STEP:N kills the process, as
// kill -9 does, when it comes to the step for the Nth time. The steps are "before insert", "after
// insert", "before claim", "after claim", "before call", "after call", "after record" and "before
// done".
var (
	crashStep, crashAt = crashSetting(os.Getenv("WORMSWEEP_CRASH"))
	crashSeen          atomic.Int64
)

func crashSetting(s string) (step string, at int64) {
	step, digits, found := strings.Cut(s, ":")
	at, err := strconv.ParseInt(digits, 10, 64)
	if !found || err != nil {
		at = 1
	}
	return step, at
}

func crash(step string) {
	if step == crashStep && crashSeen.Add(1) == crashAt {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it arrives
	}
}

// lease is the duration in WORMSWEEP_LEASE, so that a test need not wait for as long as a process
// of production may be paused.
func lease() time.Duration {
	d, err := time.ParseDuration(os.Getenv("WORMSWEEP_LEASE"))
	if err != nil {
		return 0
	}
	return d
}

package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestMemoryLimit(t *testing.T) {
	for _, tt := range []struct{ live, want int64 }{
		{0, 36 << 20},
		{1 << 20, 36 << 20},
		{16 << 20, 36 << 20},
		{18 << 20, 81 << 19},
		{100 << 20, 225 << 20},
		{1 << 40, 9 << 38},
	} {
		if got := memoryLimit(uint64(tt.live)); got != tt.want {
			t.Errorf("memoryLimit(%d) = %d, want %d", tt.live, got, tt.want)
		}
	}
}

// The limit follows what is alive, up and down again.
func TestRoomyHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer debug.SetGCPercent(percent)
	defer debug.SetMemoryLimit(limit)
	roomyHeap()
	if got := debug.SetMemoryLimit(-1); got < heapRoom || got == math.MaxInt64 {
		t.Fatalf("the limit is %d", got)
	}
	live := make([]byte, 4*heapRoom)
	await(t, func(limit int64) bool { return limit > 8*heapRoom })
	runtime.KeepAlive(live)
	await(t, func(limit int64) bool { return limit < 8*heapRoom })
}

// await collects garbage until the limit is as wanted.
func await(t *testing.T, want func(limit int64) bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !want(debug.SetMemoryLimit(-1)); {
		if time.Now().After(end) {
			t.Fatalf("the limit stays at %d", debug.SetMemoryLimit(-1))
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// Who sets the variables of the runtime is obeyed.
func TestRoomyHeapLeavesSettingsAlone(t *testing.T) {
	percent := debug.SetGCPercent(100)
	defer debug.SetGCPercent(percent)
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv("GOMEMLIMIT", "")
			t.Setenv(name, "100")
			roomyHeap()
			if got := debug.SetGCPercent(100); got != 100 {
				t.Errorf("the percentage is %d", got)
			}
		})
	}
}

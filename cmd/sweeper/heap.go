package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how many bytes of memory the program may take before it collects garbage. By
// itself the runtime begins at 4 MiB, and collects ten times in a sweep that ends within a
// tenth of a second.
const heapRoom = 36 << 20

// roomyHeap collects garbage when the program has taken heapRoom, or what twice its live data
// needs where that is more: a small sweep hardly ever, and a large one as often as it would.
// What it takes lies in huge pages where the system has them. Who sets GOGC or GOMEMLIMIT knows
// better.
func roomyHeap() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		hugePages()
		debug.SetGCPercent(-1) // the limit alone decides
		pace()
	}
}

// pace sets the limit by what was alive after the last collection, and comes back after each.
// Until it does, the runtime collects more often than it need, and never less.
func pace() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetMemoryLimit(memoryLimit(live[0].Value.Uint64()))
	cycle := new(*int) // dead by the next; a pointer, since small objects without one share memory
	runtime.AddCleanup(cycle, func(struct{}) { pace() }, struct{}{})
}

// memoryLimit is heapRoom, or room for twice what is alive and an eighth of it for what the
// runtime itself needs.
func memoryLimit(live uint64) int64 {
	return max(heapRoom, int64(live+live/8)*2)
}

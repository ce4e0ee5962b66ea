//go:build !chaos

package app

import "time"

// crash is called at the named steps between a delivery and its record; see crash_chaos.go.
func crash(string) {}

// lease is how long what a process holds is its own without a sign of life; 0 is the default of
// whatever is held.
func lease() time.Duration { return 0 }

//go:build chaos && unix

package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// TestCrashPoints kills the process at each step between a delivery's arrival and its end: what
// was stored is done by the next one, whether the sender was told or not.
func TestCrashPoints(t *testing.T) {
	for _, kind := range databases {
		for step, stored := range map[string]int64{"before insert": 0, "after insert": 1, "before done": 1} {
			t.Run(kind.name+"/"+step, func(t *testing.T) {
				github := githubtest.Start(t, githubtest.Options{})
				database := kind.fresh(t)
				config := apptest.Config(t, github, database)
				p := apptest.Serve(t, config, "WORMSWEEP_CRASH="+step)
				d := apptest.Delivery{ID: "one", Event: "push", Body: apptest.Push(github, "web", fmt.Sprintf("%040d", 1))}
				if status, err := apptest.Send(p.URL, d); err == nil && (status != 202 || step != "before done") {
					t.Errorf("status %d", status)
				}
				select {
				case <-p.Ended():
				case <-time.After(20 * time.Second):
					t.Fatal("it was not killed")
				}
				p = apptest.Serve(t, config)
				j := open(t, database)
				if counts := settle(t, j, 70*time.Second); counts[journal.Done] != stored || counts[journal.Dead] != 0 {
					t.Errorf("%v, want %d done", counts, stored)
				}
				if status, err := apptest.Send(p.URL, d); status != 202 || err != nil { // as GitHub is asked to
					t.Errorf("again: %d, %v", status, err)
				}
				if counts := settle(t, j, 20*time.Second); counts[journal.Done] != 1 || counts[journal.Dead] != 0 {
					t.Errorf("again: %v", counts)
				}
			})
		}
	}
}

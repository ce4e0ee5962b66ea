//go:build unix

package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// TestSignalGrows: a signal is triaged at once, and what comes to it is triaged together, however
// much it is.
func TestSignalGrows(t *testing.T) {
	w := newResponding(t)
	now := time.Now()
	for i := range 100 {
		err := w.Signal(t.Context(), triage.Signal{
			Source: triage.FromSweep, SourceRef: fmt.Sprint(i % 50), AlertID: triage.AlertIOC, FirstSeen: now,
			Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": "pkg:npm/axios@1.14.1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	counts, err := w.jobs.Counts(t.Context())
	if err != nil || counts["available"] != 1 || counts["scheduled"] < 1 || counts["scheduled"] > 4 {
		t.Errorf("%v, %v; want one at once, and one of each pause for all that came to it", counts, err)
	}
}

func TestPauseOf(t *testing.T) {
	for _, tt := range []struct {
		version int64
		pause   time.Duration
	}{{2, 30 * time.Second}, {20, 30 * time.Second}, {21, time.Minute}, {42, 2 * time.Minute}, {600, 8 * time.Minute}, {1 << 40, 8 * time.Minute}} {
		if got := pauseOf(tt.version); got != tt.pause || got >= waitingAfter {
			t.Errorf("pauseOf(%d) = %v, want %v", tt.version, got, tt.pause)
		}
	}
}

// grown is a taker to whose signal something comes while it is triaged, of which the job is kept out by the
// one that runs.
type grown struct{ w *watched }

func (g grown) Take(ctx context.Context, s triage.Signal, _ handler.Effects) error {
	s.SourceRef += "+"
	if err := g.w.Signal(ctx, s); err != nil {
		return err
	}
	_, err := g.w.db.Exec(ctx, "DELETE FROM river_job WHERE state = 'scheduled'")
	return err
}

// TestGrowsWhileTriaged: what comes to a signal while it is triaged is triaged, whichever clocks the processes
// have.
func TestGrowsWhileTriaged(t *testing.T) {
	w := newResponding(t)
	w.takers = []handler.Taker{grown{w}}
	s := triage.Signal{Source: triage.FromManual, SourceRef: "a", AlertID: triage.AlertReport, FirstSeen: time.Now()}
	if err := w.Signal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := w.take(t.Context(), jobs.Job{Kind: kindSignal, Args: []byte(w.signalJobs()[0])}); err != nil {
		t.Fatal(err)
	}
	if counts, err := w.jobs.Counts(t.Context()); err != nil || counts["scheduled"] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
}

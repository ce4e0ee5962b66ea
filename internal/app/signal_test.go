//go:build unix

package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
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

// TestTriageRests: while the kill switch is on what was triaged is kept, and not asked about again and again.
func TestTriageRests(t *testing.T) {
	w := newResponding(t)
	if err := w.journal.Set(t.Context(), journal.Kill, true, "jane", "a test"); err != nil {
		t.Fatal(err)
	}
	s := pushed(time.Now())
	if err := w.Signal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var later *jobs.SnoozeError
	err := w.take(t.Context(), jobs.Job{Kind: kindSignal, Args: []byte(w.signalJobs()[0])})
	if !errors.As(err, &later) || time.Until(later.Until) < killedRest-time.Minute {
		t.Fatalf("%v", err)
	}
	if rec := w.incident(s.Group); rec.Response.Verdict == nil {
		t.Error("there is no verdict")
	}
	if err := w.runPlan(s.Group, 0); !errors.As(err, &later) || time.Until(later.Until) < killedRest-time.Minute {
		t.Errorf("the plan: %v", err)
	}
}

//go:build unix

package app

import (
	"fmt"
	"testing"
	"time"

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
	if err != nil || counts["available"] != 1 || counts["scheduled"] < 1 || counts["scheduled"] > 2 {
		t.Errorf("%v, %v; want one at once, and one later for all that came to it", counts, err)
	}
}

package app

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/store"
)

// TestJanitorForgets: records of check runs, of the watch and of registries go after half a year, and those
// of incidents and of what is bad of ours stay.
func TestJanitorForgets(t *testing.T) {
	database := filepath.Join(t.TempDir(), "data")
	w := newWatched(t, database)
	for key, ago := range map[string]time.Duration{"old": 181 * 24 * time.Hour, "young": 179 * 24 * time.Hour} {
		then, err := store.Open(t.Context(), InventoryOf(database), store.Options{Now: func() time.Time { return time.Now().Add(-ago) }})
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{checkrun.RecordKind, watchRecords, registryRecords, incidentRecords, planRecords} {
			if _, ok, err := then.Records(kind).Swap(t.Context(), key, 0, []byte("{}")); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		then.Close()
	}
	if err := w.janitor(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int{checkrun.RecordKind: 1, watchRecords: 1, registryRecords: 1, incidentRecords: 2, planRecords: 2} {
		if keys, err := w.inventory.Records(kind).Keys(t.Context(), ""); len(keys) != want || err != nil {
			t.Errorf("records of the kind %q: %q, %v", kind, keys, err)
		}
	}
}

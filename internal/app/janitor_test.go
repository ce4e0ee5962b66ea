package app

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/store"
)

// TestJanitorForgets: records of check runs, of the watch, of registries and of what plans are made of go after
// half a year, and those of incidents stay.
func TestJanitorForgets(t *testing.T) {
	database := filepath.Join(t.TempDir(), "data")
	w := newWatched(t, database)
	w.writeRecords(database, checkrun.RecordKind, watchRecords, registryRecords, incidentRecords, planRecords)
	if err := w.janitor(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int{checkrun.RecordKind: 1, watchRecords: 1, registryRecords: 1, incidentRecords: 2, planRecords: 1} {
		if keys, err := w.inventory.Records(kind).Keys(t.Context(), ""); len(keys) != want || err != nil {
			t.Errorf("records of the kind %q: %q, %v", kind, keys, err)
		}
	}
}

// writeRecords writes a record of each kind that is a little older than what is kept, and a younger one.
func (w *watched) writeRecords(database string, kinds ...string) {
	w.Helper()
	for key, ago := range map[string]time.Duration{"old": recordsKeep + 24*time.Hour, "young": recordsKeep - 24*time.Hour} {
		then, err := store.Open(w.Context(), InventoryOf(database), store.Options{Now: func() time.Time { return time.Now().Add(-ago) }})
		if err != nil {
			w.Fatal(err)
		}
		for _, kind := range kinds {
			if _, ok, err := then.Records(kind).Swap(w.Context(), key, 0, []byte("{}")); !ok || err != nil {
				w.Fatal(ok, err)
			}
		}
		then.Close()
	}
}

// TestJanitorKeepsPlans: what a plan of ours is made of stays for as long as its incident may need it, whoever
// wrote it last when.
func TestJanitorKeepsPlans(t *testing.T) {
	w := newResponding(t)
	w.writeRecords(w.config.Database, planRecords)
	desk, err := w.incidents.desk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := incident.PublishedByUs()
	if err := desk.Raise(t.Context(), ours, incident.Signal{Source: "registry", Ref: "1", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	ended := func(ago time.Duration) {
		t.Helper()
		records, key := w.inventory.Records(incidentRecords), "acme/"+ours.ID
		body, version, err := records.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		var rec map[string]any
		if err := json.Unmarshal(body, &rec); err != nil {
			t.Fatal(err)
		}
		rec["state"], rec["status"] = incident.Dismissed, incident.Dismissed
		rec["response"].(map[string]any)["since"] = time.Now().Add(-ago)
		if body, err = json.Marshal(rec); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := records.Swap(t.Context(), key, version, body); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	for _, tt := range []struct {
		name string
		end  func()
		want int
	}{
		{"open", func() {}, 2},
		{"over since yesterday", func() { ended(24 * time.Hour) }, 2},
		{"over for as long as things are kept", func() { ended(recordsKeep + time.Hour) }, 1},
	} {
		tt.end()
		if err := w.janitor(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if keys, err := w.inventory.Records(planRecords).Keys(t.Context(), ""); len(keys) != tt.want || err != nil {
			t.Errorf("%s: %q, %v", tt.name, keys, err)
		}
	}
}

package incident_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// TestMayMove holds every pair of states, with every mover.
func TestMayMove(t *testing.T) {
	const sweep, hand, responder, onCall, program = incident.BySweep, incident.ByHand, incident.ByResponder, incident.ByOnCall, incident.ByProgram
	movers := []incident.Mover{sweep, hand, responder, onCall, program}
	want := map[string][]incident.Mover{
		"open acknowledged": {responder, onCall},
		"open contained":    {responder, onCall, program},
		"open cured":        {sweep},
		"open closed":       nil, // what was not proven is not closed
		"open dismissed":    {hand, onCall},

		"acknowledged open":      nil,
		"acknowledged contained": {responder, onCall, program},
		"acknowledged cured":     {sweep},
		"acknowledged closed":    nil,
		"acknowledged dismissed": {hand, onCall},

		"contained open":         nil,
		"contained acknowledged": {sweep},
		"contained cured":        {sweep},
		"contained closed":       nil,
		"contained dismissed":    {hand, onCall},

		"cured open":         {sweep, program},
		"cured acknowledged": nil,
		"cured contained":    nil,
		"cured closed":       {sweep, onCall},
		"cured dismissed":    {hand},

		"closed open":         {sweep, hand, program},
		"closed acknowledged": nil,
		"closed contained":    nil,
		"closed cured":        nil,
		"closed dismissed":    nil,

		"dismissed open":         {sweep, hand, program},
		"dismissed acknowledged": nil,
		"dismissed contained":    nil,
		"dismissed cured":        nil,
		"dismissed closed":       nil,
	}
	seen := 0
	for _, from := range incident.States {
		for _, to := range incident.States {
			if from == to { // no move
				for _, by := range movers {
					if incident.MayMove(from, to, by) {
						t.Errorf("%s moves %s to itself", by, from)
					}
				}
				continue
			}
			pair := string(from) + " " + string(to)
			by, there := want[pair]
			if !there {
				t.Errorf("no line for %s", pair)
			}
			seen++
			for _, mover := range movers {
				may := false
				for _, m := range by {
					may = may || m == mover
				}
				if got := incident.MayMove(from, to, mover); got != may {
					t.Errorf("%s by %s: %v; want %v", pair, mover, got, may)
				}
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d pairs, and %d lines", seen, len(want))
	}
	if incident.MayMove("", incident.Open, sweep) || incident.MayMove(incident.Open, "gone", sweep) || incident.MayMove(incident.Open, incident.Cured, "") {
		t.Error("a state or mover that is none may move")
	}
}

// TestOldRecord goes on with a record as the release before wrote it, and leaves one that this
// release reads as well.
func TestOldRecord(t *testing.T) {
	const api = "api@HEAD:package-lock.json"
	const key = "acme/" + campaignID
	for status, tt := range map[string]struct {
		before     func(w *world)
		found      string
		writes     string
		open       int
		wantStatus string
	}{
		"open":      {found: api, writes: "Edit", open: 1, wantStatus: "open"}, // the text has a line more, once
		"closed":    {before: func(w *world) { w.day(2, looks{read: "api@HEAD"}) }, writes: "", open: 0, wantStatus: "closed"},
		"dismissed": {before: func(w *world) { w.tracker.issues[0].Open = false; w.day(2, looks{read: "api@HEAD", found: api}) }, found: api, writes: "", open: 0, wantStatus: "dismissed"},
	} {
		t.Run(status, func(t *testing.T) {
			w := newWorld(t)
			w.expect(1, looks{read: "api@HEAD", found: api}, "Create", 1)
			if tt.before != nil {
				tt.before(w)
			}
			w.tracker.took()
			w.makeOld(key)
			if status == "open" {
				i := w.tracker.issues[0]
				i.Body = strings.Replace(i.Body, "- State: open\n", "", 1) // whose digest was another
				at := strings.LastIndex(i.Body[:strings.Index(i.Body, " -->")], " ") + 1
				i.Body = i.Body[:at] + strings.Repeat("1", 64) + i.Body[at+64:]
			}
			w.expect(3, looks{read: "api@HEAD", found: tt.found}, tt.writes, tt.open)
			w.expect(4, looks{read: "api@HEAD", found: tt.found}, "", tt.open)
			var now struct{ Schema, Status, State string }
			if err := json.Unmarshal(w.store.records[key], &now); err != nil {
				t.Fatal(err)
			}
			if now.Schema != "incident/1" || now.Status != tt.wantStatus {
				t.Errorf("schema %q, status %q; want what the release before reads, and %q", now.Schema, now.Status, tt.wantStatus)
			}
		})
	}
}

// makeOld takes from a record what the release before did not write.
func (w *world) makeOld(key string) {
	w.t.Helper()
	var rec map[string]json.RawMessage
	if err := json.Unmarshal(w.store.records[key], &rec); err != nil {
		w.t.Fatal(err)
	}
	delete(rec, "state")
	delete(rec, "response")
	data, err := json.Marshal(rec)
	if err != nil {
		w.t.Fatal(err)
	}
	w.store.records[key] = data
}

// TestRecordOfNoState refuses what no release wrote.
func TestRecordOfNoState(t *testing.T) {
	for _, damage := range []string{`"state":"cured","status":"closed"`, `"state":"gone","status":"open"`, `"status":"acknowledged"`, `"status":""`} {
		w := newWorld(t)
		w.expect(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, "Create", 1)
		key := "acme/" + campaignID
		w.store.records[key] = []byte(strings.Replace(string(w.store.records[key]), `"state":"open","status":"open"`, damage, 1))
		out := w.day(2, looks{read: "api@HEAD", found: "api@HEAD:x"})
		if len(out.Problems) == 0 || !strings.Contains(out.Problems[0].Detail, "no state") {
			t.Errorf("%s: %v; want a problem", damage, out.Problems)
		}
	}
}

// TestCloseOut: what needs a person is proven clean by a sweep, and stays open.
func TestCloseOut(t *testing.T) {
	const api = "api@HEAD:package-lock.json"
	w := newWorld(t)
	w.expect(1, looks{read: "api@HEAD", found: api}, "Create", 1)
	d := w.desk()
	if err := d.SetVerdict(context.Background(), campaignID, incident.Verdict{Scenario: "B", CloseOut: true, At: date(1)}); err != nil {
		t.Fatal(err)
	}
	w.expect(2, looks{read: "api@HEAD"}, "Edit Comment", 1)
	w.has(w.body(1), "**Proven clean:**", "- State: cured since 2026-11-02")
	w.has(w.lastComment(1), "declares it over")
	w.expect(3, looks{read: "api@HEAD"}, "", 1)
	w.expect(4, looks{read: "api@HEAD", found: api}, "Edit Comment", 1)
	w.has(w.body(1), "open, was cured, by a sweep")
}

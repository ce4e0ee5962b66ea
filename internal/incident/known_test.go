package incident_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// TestFalsePositiveOfSignals: signals are declared false by whoever is on call, themselves and no others, until
// a day.
func TestFalsePositiveOfSignals(t *testing.T) {
	ctx := context.Background()
	o := newOffice(newWorld(t))
	if err := o.desk.Raise(ctx, incident.Campaign{ID: campaignID}, incident.Signal{Source: "falco", Ref: "1", At: date(1)}); err != nil {
		t.Fatal(err)
	}
	pod := triage.Signal{
		Source: triage.FromFalco, SourceRef: "1", AlertID: "FALCO:x", FirstSeen: date(1),
		Subject: triage.Subject{Kind: triage.Pod, Parts: map[string]string{"namespace": "arc", "workload": "runner", "node": "n1"}},
	}.Identified()
	o.tick()
	const says = "/false-positive it \"pulls\" its image until 2026-12-31"
	o.has(o.says("olga", says), "no place is open")
	o.triage(listed("pkg:npm/keyv@5.6.1"), "listed+ locked-")
	o.has(o.says("olga", says), "nothing else of it can be declared false") // another place is looked at
	o.triage(pod, "")
	o.has(o.says("jane", says), "whoever is on call calls a signal false")
	known := func() []triage.FalsePositive {
		t.Helper()
		list, err := incident.KnownFalsePositives(ctx, o.known, "Acme", o.now)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := known(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	o.has(o.says("olga", says), "1 signal is known to be false until 2026-12-31. The scenario is `undecided`, and was `D`")
	o.has(o.says("olga", says), "1 signal is known") // and is there once
	list := known()
	if len(list) != 1 || list[0].Owner != "olga" || list[0].Reason != `it "pulls" its image` || len(list[0].Parts) != 2 || list[0].Check() != nil {
		t.Fatalf("%+v", list)
	}
	for _, tt := range []struct {
		change func(s *triage.Signal)
		at     time.Time
		want   triage.Truth
	}{
		{func(*triage.Signal) {}, time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC), triage.Yes},
		{func(*triage.Signal) {}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), triage.No},
		{func(s *triage.Signal) { s.AlertID = "FALCO:y" }, o.now, triage.No},
		{func(s *triage.Signal) { s.Subject.Parts = map[string]string{"namespace": "arc", "workload": "other"} }, o.now, triage.No},
	} {
		s := pod
		tt.change(&s)
		if got := triage.KnownAnswer(list, &s, tt.at); got.Truth != tt.want {
			t.Errorf("%+v at %s: %+v", s.Subject, tt.at, got)
		}
	}
	o.has(o.body(1), "false positive, by `olga`: `1 signal until 2026-12-31: it \"pulls\" its image`", "by `known false positives`")
	rec, err := o.desk.Incident(ctx, campaignID)
	if err != nil || rec.State != incident.Open || !rec.Response.Verdict.CloseOut {
		t.Errorf("%+v, %v", rec, err)
	}

	// A subject that no list holds, and a store that has something else.
	pod.Subject.Parts = map[string]string{"namespace": "a\u2028rc", "workload": strings.Repeat("x", 2000)}
	o.triage(pod, "")
	o.has(o.says("olga", says), "cannot be written into a list")
	if got := known(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
	o.known.records["acme"] = []byte("{}")
	e := o.event("olga", says)
	if err := o.desk.HandleComment(ctx, e, o.fx); err == nil || slices.ContainsFunc(o.record().Response.Handled, func(h incident.Handled) bool { return h.Comment == e.Comment }) {
		t.Errorf("a list that does not read is written over: %v", err)
	}
}

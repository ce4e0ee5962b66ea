package journal_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// notice notices a signal with a journal, as a process does.
func (s *suite) notice(db *appdb.DB, j *journal.Journal, signal triage.Signal) (id string, isNew bool) {
	s.Helper()
	err := db.Tx(s.Context(), func(tx *appdb.Tx) (err error) {
		var version int64
		id, version, err = j.Notice(s.Context(), tx, signal)
		isNew = version > 0
		return err
	})
	if err != nil {
		s.Error(err)
	}
	return id, isNew
}

// testNotice: one episode of one thing is one signal, whoever sees it and how often; what comes
// after a quiet day is another.
func testNotice(t *testing.T, s *suite) {
	began := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	at := func(ref string, after time.Duration) triage.Signal {
		return triage.Signal{
			Source: triage.FromSweep, AlertID: triage.AlertIOC, SourceRef: ref,
			Subject:   triage.Subject{Kind: "package", Parts: map[string]string{"purl": "pkg:npm/axios@1.14.1"}},
			FirstSeen: began.Add(after),
		}
	}
	first, isNew := s.notice(s.db, s.Journal, at("a", 0))
	if !isNew || first == "" {
		t.Fatalf("%q, %v", first, isNew)
	}
	for _, tt := range []struct {
		ref   string
		after time.Duration
		same  bool
		isNew bool
	}{
		{"a", time.Minute, true, false},
		{"b", 2 * time.Minute, true, true},
		{"a", 3 * time.Minute, true, false}, // however much came between
		{"c", 20 * time.Hour, true, true},
		{"d", 20*time.Hour + journal.Quiet + time.Second, false, true},
	} {
		id, isNew := s.notice(s.db, s.Journal, at(tt.ref, tt.after))
		if (id == first) != tt.same || isNew != tt.isNew {
			t.Errorf("%s after %v: %q, %v; first %q", tt.ref, tt.after, id, isNew, first)
		}
	}
	kept, found, err := s.Signal(t.Context(), first)
	if !found || err != nil || kept.Count != 3 || kept.Version != 3 || kept.Taken != 0 || kept.SourceRef != "c" || !kept.LastSeen.Equal(began.Add(20*time.Hour)) {
		t.Errorf("%+v, %v, %v", kept, found, err)
	}
	for _, version := range []int64{2, 1} {
		if now, err := s.Took(t.Context(), first, version); err != nil || now != 3 {
			t.Errorf("it is of version %d: %v", now, err)
		}
	}
	if now, err := s.Took(t.Context(), "none", 1); err != nil || now != 0 {
		t.Errorf("of none: %d, %v", now, err)
	}
	if kept, _, _ := s.Signal(t.Context(), first); kept.Taken != 2 {
		t.Errorf("taken %d", kept.Taken)
	}
	for _, tt := range []struct {
		quiet time.Duration
		most  int
		first bool
	}{{0, 10, true}, {0, 1, true}, {time.Since(began) + time.Hour, 10, false}} {
		if ids, err := s.Untaken(t.Context(), tt.quiet, tt.most); err != nil || slices.Contains(ids, first) != tt.first || len(ids) > tt.most {
			t.Errorf("%v: %q, %v", tt, ids, err)
		}
	}
	if _, err := s.Took(t.Context(), first, 3); err != nil {
		t.Error(err)
	}
	if ids, err := s.Untaken(t.Context(), 0, 10); err != nil || slices.Contains(ids, first) {
		t.Errorf("%q, %v", ids, err)
	}
	// Many at once.
	other := at("", 0)
	other.Subject.Parts = map[string]string{"purl": "pkg:npm/other@1.0.0"}
	var all sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		db, j := s.open()
		all.Go(func() {
			mine := other
			mine.SourceRef = fmt.Sprint(i)
			mine.FirstSeen = began.Add(time.Duration(i) * time.Minute)
			ids[i], _ = s.notice(db, j, mine)
		})
	}
	all.Wait()
	kept, _, err = s.Signal(t.Context(), ids[0])
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("%q and %q of one episode", ids[0], id)
		}
	}
	if err != nil || kept.Count != 8 || kept.Version != 8 {
		t.Errorf("%+v, %v", kept, err)
	}
}

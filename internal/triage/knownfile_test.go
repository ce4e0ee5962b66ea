package triage_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/triage"
)

const goodEntry = `{"alert": "FALCO:x", "subject": "pod", "parts": {"namespace": "arc", "workload": "runner"}, "owner": "ash", "reason": "it pulls its image", "until": "2026-12-31"}`

func TestParseKnown(t *testing.T) {
	now := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	list, err := triage.ParseKnown("list", []byte(`{"schema": "false-positives/1", "false-positives": [`+goodEntry+`]}`), now)
	if err != nil || len(list) != 1 || !list[0].Until.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", list, err)
	}
	text, err := triage.FormatKnown(list)
	if err != nil {
		t.Fatal(err)
	}
	back, err := triage.ParseKnown("list", text, now)
	if d := cmp.Diff(list, back); err != nil || d != "" {
		t.Errorf("%s: %v\n%s", text, err, d)
	}
	if empty, err := triage.FormatKnown(nil); err != nil {
		t.Error(err)
	} else if list, err := triage.ParseKnown("list", empty, now); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	for _, tt := range []struct{ old, now, want string }{
		{`"alert": "FALCO:x"`, `"alert": "K8"`, "never a known false positive"},
		{`"alert": "FALCO:x"`, `"alert": "IOC"`, "the exclusions file"},
		{`"alert": "FALCO:x", `, ``, "of no alert"},
		{`"pod"`, `"cloud"`, "no subject"},
		{`{"namespace": "arc", "workload": "runner"}`, `{}`, "name a part"},
		{`{"namespace": "arc", "workload": "runner"}`, `["arc"]`, "name a part"},
		{`"namespace": "arc"`, `"namespace": ""`, "is empty"},
		{`"namespace": "arc"`, `"name space": "arc"`, "no name of a part"},
		{`"owner": "ash"`, `"owner": ""`, "is empty"},
		{`"reason": "it pulls its image", `, ``, "needs an owner, a reason"},
		{`, "until": "2026-12-31"`, ``, "a date until when"},
		{`"2026-12-31"`, `"always"`, "no day such as"},
		{`"2026-12-31"`, `"2036-12-31"`, "more than 366 days"},
		{`"owner": "ash"`, `"owner": "ash", "pattern": "*"`, "pattern"},
		{`"schema": "false-positives/1"`, `"schema": "false-positives/2"`, "schema"},
		{`[` + goodEntry + `]`, `{}`, "not a list"},
		{goodEntry, `1`, "an entry"},
		{goodEntry, strings.Repeat(`{},`, 1000) + `{}`, "at most 1000"},
	} {
		text := strings.Replace(`{"schema": "false-positives/1", "false-positives": [`+goodEntry+`]}`, tt.old, tt.now, 1)
		if list, err := triage.ParseKnown("list", []byte(text), now); err == nil || !strings.Contains(err.Error(), tt.want) || list != nil {
			t.Errorf("%.300s: %+v, %v; want %q", text, list, err, tt.want)
		}
	}
}

// TestKnownDocument: the list that docs/triage.md shows reads.
func TestKnownDocument(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "```yaml\nschema: false-positives/1\n")
	shown, _, closed := strings.Cut(rest, "```\n")
	list, err := triage.ParseKnown(page, []byte("schema: false-positives/1\n"+shown), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	if !ok || !closed || err != nil || len(list) == 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func FuzzParseKnown(f *testing.F) {
	f.Add([]byte(`{"schema": "false-positives/1", "false-positives": [` + goodEntry + `]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		now := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
		list, err := triage.ParseKnown("list", data, now)
		if err != nil {
			return
		}
		text, err := triage.FormatKnown(list)
		if err != nil {
			t.Fatal(err)
		}
		back, err := triage.ParseKnown("list", text, now)
		if d := cmp.Diff(list, back); err != nil && len(text) < 1<<20 || err == nil && d != "" {
			t.Errorf("%s: %v\n%s", text, err, d)
		}
	})
}

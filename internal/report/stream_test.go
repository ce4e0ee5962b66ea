package report_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/report"
)

// rewritten is the stream of the events that a stream was read as.
func rewritten(text []byte) (string, error) {
	var out bytes.Buffer
	r := report.NewJSON(&out)
	for e, err := range report.ReadStream(bytes.NewReader(text)) {
		if err != nil {
			return out.String(), err
		}
		if err := r.Event(e); err != nil {
			return "", err
		}
	}
	return out.String(), r.Close()
}

func TestReadStreamReadsWhatJSONWrites(t *testing.T) {
	for _, sc := range scenarios {
		written := render(t, jsonLines, sc.events)
		again, err := rewritten(written)
		if err != nil {
			t.Fatalf("%s: %v", sc.name, err)
		}
		if diff := cmp.Diff(string(written), again); diff != "" {
			t.Errorf("%s (-written +read and written):\n%s", sc.name, diff)
		}
	}
}

func TestReadStreamFaults(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"<html>", "line 1"},
		{`{"type":"run","stream":"1"}` + "\n" + `{"type":"finding","repository":7}`, "line 2: finding"},
		{`{"type":"run","stream":"2"}`, `stream version "2"`},
		{`{"type":"run","stream":"1"}` + "\n" + `{"type":"find`, "line 2"},
		{`{}`, "line 1"},
	} {
		_, err := rewritten([]byte(tt.text))
		if !errors.Is(err, report.ErrStream) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v; want one that says %q", tt.text, err, tt.want)
		}
	}
	events := 0
	for _, err := range report.ReadStream(strings.NewReader(`{"type":"later","new":1}` + "\n" + `{"type":"problem","code":"c"}`)) {
		if err != nil {
			t.Fatal(err)
		}
		events++
	}
	if events != 1 {
		t.Errorf("an event of a type of a later program: %d events, want the one that is known", events)
	}
}

// What was read and written again is read as the same.
func FuzzReadStream(f *testing.F) {
	f.Add(render(f, jsonLines, threeCampaigns()))
	f.Add(render(f, jsonLines, cleanWithProblems()))
	f.Add([]byte(`{"type":"run","stream":"1"}` + "\n"))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		once, err := rewritten(text)
		if err != nil {
			return
		}
		twice, err := rewritten([]byte(once))
		if err != nil || once != twice {
			t.Errorf("read again: error %v\n%s\n%s", err, once, twice)
		}
	})
}

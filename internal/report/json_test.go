package report_test

import (
	"bytes"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

// TestJSONIsWrittenAtOnce: whoever reads along, or what is left after a crash, has every
// finding and problem. The ledger and good versions may wait.
func TestJSONIsWrittenAtOnce(t *testing.T) {
	for name, e := range eventTypes {
		var b bytes.Buffer
		r := report.NewJSON(&b)
		if err := r.Event(coverage("a", "go.mod", "go.mod", 1)); err != nil {
			t.Fatal(err)
		}
		if err := r.Event(e); err != nil {
			t.Fatal(err)
		}
		want := 2
		if name == "coverage" || name == "explain" || name == "verification" {
			want = 0
		}
		if got := bytes.Count(b.Bytes(), []byte("\n")); got != want {
			t.Errorf("%s: %d lines are written before the end; want %d", name, got, want)
		}
		if err := r.Close(); err != nil || bytes.Count(b.Bytes(), []byte("\n")) != 2 {
			t.Errorf("%s: %q after Close: %v", name, b.String(), err)
		}
	}
}

// TestJSONLeavesEventsAlone: other renderers are shown the same values.
func TestJSONLeavesEventsAlone(t *testing.T) {
	f, s := &finding.Finding{}, &finding.Summary{}
	render(t, jsonLines, []finding.Event{f, s})
	if f.Reasons != nil || f.Refs != nil || s.Findings != nil {
		t.Errorf("changed %+v, %+v", *f, *s)
	}
}

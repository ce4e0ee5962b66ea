package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
)

// sarifRun is what these tests read of a SARIF file.
type sarifRun struct {
	Tool struct {
		Driver struct {
			Rules []struct {
				ID         string
				Properties map[string]any
			}
			Notifications []struct{ ID string }
		}
	}
	Invocations []struct {
		ExecutionSuccessful        bool
		ExitCode                   *int
		ToolExecutionNotifications []struct {
			Level      string
			Message    struct{ Text string }
			Descriptor struct {
				ID    string
				Index int
			}
		}
	}
	Results []struct {
		RuleID              string
		RuleIndex           int
		Level               string
		PartialFingerprints map[string]string
		Suppressions        []struct{ Kind, Status, Justification string }
		Locations           []struct {
			PhysicalLocation struct {
				ArtifactLocation struct{ URI string }
				Region           struct{ StartLine int }
			}
		}
	}
	Properties map[string]any
}

func readSARIF(t *testing.T, events []finding.Event) sarifRun {
	t.Helper()
	var log struct{ Runs []sarifRun }
	if err := json.Unmarshal(render(t, sarif, events), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs", len(log.Runs))
	}
	return log.Runs[0]
}

// TestSARIFLevels: what counts is an error with a security severity; what is set apart is a
// note of a rule without one.
func TestSARIFLevels(t *testing.T) {
	for _, state := range finding.States {
		f := keyv("a", "package-lock.json", 3)
		f.State, f.Fingerprint = state, finding.Fingerprint(f)
		f.Exclusion = map[finding.State]*finding.Exclusion{finding.Excluded: {Owner: "o", Reason: "r", Expires: "2027-01-31"}}[state]
		r := readSARIF(t, []finding.Event{f, summary(1, 0, 0)})
		result, rule := r.Results[0], r.Tool.Driver.Rules[0]
		level, id, score := "note", "shai-hulud-keyv-2026-08/package/"+string(state), any(nil)
		if state == finding.Active {
			level, id, score = "error", "shai-hulud-keyv-2026-08/package", "9.8"
		}
		if result.Level != level || result.RuleID != id || rule.ID != id || rule.Properties["security-severity"] != score {
			t.Errorf("%s: result %+v, rule %+v; want level %s, id %s, score %v", state, result, rule, level, id, score)
		}
		if suppressed := len(result.Suppressions) == 1; suppressed != (state == finding.Excluded) {
			t.Errorf("%s: suppressions %+v", state, result.Suppressions)
		}
	}
}

// TestSARIFSuccess: a run with a problem was not successful, unless an exclusion covers it.
func TestSARIFSuccess(t *testing.T) {
	problem := func(e *finding.Exclusion) finding.Event {
		return &finding.Problem{Repository: "a", File: "yarn.lock", Code: "syntax", Detail: "d", Exclusion: e}
	}
	stopped := summary(0, 1, 0)
	stopped.Interrupted = true
	for _, tt := range []struct {
		name   string
		events []finding.Event
		want   bool
		level  string
	}{
		{"nothing", []finding.Event{summary(0, 1, 0)}, true, ""},
		{"a finding", []finding.Event{keyv("a", "b", 1), summary(1, 0, 0)}, true, ""},
		{"a problem", []finding.Event{problem(nil), summary(0, 0, 1)}, false, "error"},
		{"an excluded problem", []finding.Event{problem(&finding.Exclusion{Owner: "o"}), summary(0, 1, 0)}, true, "note"},
		{"both", []finding.Event{problem(nil), problem(&finding.Exclusion{Owner: "o"}), summary(0, 0, 1)}, false, "errornote"},
		{"interrupted", []finding.Event{stopped}, false, ""},
		{"no summary", []finding.Event{run()}, false, "error"},
	} {
		call := readSARIF(t, tt.events).Invocations[0]
		if call.ExecutionSuccessful != tt.want {
			t.Errorf("%s: successful %v; want %v", tt.name, call.ExecutionSuccessful, tt.want)
		}
		level := ""
		for _, n := range call.ToolExecutionNotifications {
			level += n.Level
		}
		if level != tt.level {
			t.Errorf("%s: notifications of level %q; want %q", tt.name, level, tt.level)
		}
	}
}

// TestSARIFPlaces: paths are those of the one repository, or begin with the name of each.
func TestSARIFPlaces(t *testing.T) {
	one := []finding.Event{keyv("my app", "the lock/package-lock.json", 7), keyv("my app", "go.sum", 0), summary(1, 0, 0)}
	two := append([]finding.Event{coverage("other", "go.mod", "go.mod", 1)}, one...)
	for _, tt := range []struct {
		events []finding.Event
		want   string
	}{
		{one, "the%20lock/package-lock.json:7 go.sum:1 "},
		{two, "my%20app/the%20lock/package-lock.json:7 my%20app/go.sum:1 "},
	} {
		got := ""
		for _, r := range readSARIF(t, tt.events).Results {
			at := r.Locations[0].PhysicalLocation
			got += fmt.Sprintf("%s:%d ", at.ArtifactLocation.URI, at.Region.StartLine)
		}
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestSARIFFingerprints: two lines of one finding in one file are told apart, and a line
// that moves is not.
func TestSARIFFingerprints(t *testing.T) {
	at := func(lines ...int) []string {
		var events []finding.Event
		for _, line := range lines {
			f := keyv("a", "package-lock.json", line)
			f.Fingerprint = finding.Fingerprint(f)
			events = append(events, f)
		}
		var out []string
		for _, r := range readSARIF(t, append(events, summary(1, 0, 0))).Results {
			out = append(out, r.PartialFingerprints["primaryLocationLineHash"])
		}
		return out
	}
	first, moved := at(10, 20), at(11, 25)
	if first[0] == first[1] || first[0] != moved[0] || first[1] != moved[1] {
		t.Errorf("%v, moved %v", first, moved)
	}
}

// TestSARIFLimits: GitHub refuses a run with more than 25,000 results and shows 5,000; both
// are said aloud, and what counts goes first.
func TestSARIFLimits(t *testing.T) {
	for _, tt := range []struct {
		latent, active int
		want           string // notifications
	}{
		{0, 5000, ""},
		{1, 5000, "warning results-hidden 5,001 "},
		{25_000, 10, "warning results-cut 10 warning results-hidden 25,000 "},
		{3, 25_007, "error results-cut 10 warning results-hidden 25,000 "},
	} {
		var events []finding.Event
		for i := range tt.latent {
			f := keyv("a", fmt.Sprintf("latent/%d", i), 1)
			f.State = finding.Latent
			events = append(events, f)
		}
		for i := range tt.active {
			events = append(events, keyv("a", fmt.Sprintf("active/%d", i), 1))
		}
		r := readSARIF(t, append(events, summary(1, 0, 0)))
		if n := min(25_000, tt.latent+tt.active); len(r.Results) != n {
			t.Errorf("%+v: %d results; want %d", tt, len(r.Results), n)
		}
		for i, result := range r.Results {
			if active := result.Level == "error"; active != (i < tt.active) {
				t.Fatalf("%+v: result %d has level %s", tt, i, result.Level)
			}
		}
		got := ""
		for _, n := range r.Invocations[0].ToolExecutionNotifications {
			number := strings.Fields(n.Message.Text)[0]
			if n.Descriptor.ID == "results-hidden" {
				number = strings.Fields(n.Message.Text)[5]
			}
			got += n.Level + " " + n.Descriptor.ID + " " + number + " "
		}
		if got != tt.want {
			t.Errorf("%+v: %q; want %q", tt, got, tt.want)
		}
	}
}

// TestSARIFManyProblems: what is not listed is counted.
func TestSARIFManyProblems(t *testing.T) {
	var events []finding.Event
	for i := range 5010 {
		events = append(events, &finding.Problem{Repository: "a", File: fmt.Sprint(i), Code: "syntax", Detail: "d"})
	}
	r := readSARIF(t, append(events, summary(0, 0, 1)))
	ns := r.Invocations[0].ToolExecutionNotifications
	last := ns[len(ns)-1]
	if len(ns) != 5001 || last.Level != "error" || !strings.HasPrefix(last.Message.Text, "10 more problems") {
		t.Errorf("%d notifications, the last %+v", len(ns), last)
	}
	for _, n := range ns {
		if got := r.Tool.Driver.Notifications[n.Descriptor.Index].ID; got != n.Descriptor.ID {
			t.Fatalf("descriptor %d is %q, not %q", n.Descriptor.Index, got, n.Descriptor.ID)
		}
	}
}

package chaos_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/chaos"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/journal"
)

func stored(id string, state journal.State, reason string) journal.Delivery {
	return journal.Delivery{Delivery: hook.Delivery{Hook: 7, ID: id, Event: "push"}, State: state, Reason: reason}
}

func attempt(id string, status int) chaos.Attempt {
	return chaos.Attempt{Hook: 7, ID: id, Status: status, Listed: true}
}

// sound is the evidence of a run in which all went well.
func sound() *chaos.Evidence {
	began := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	return &chaos.Evidence{
		Attempts: []chaos.Attempt{attempt("a", 202), attempt("a", 202), attempt("b", 0), attempt("b", 202), attempt("c", 503), {Hook: 7, ID: "d", Status: 202, Lies: true}, {Hook: 7, ID: "e", Status: 400, Lies: true}},
		Stored:   []journal.Delivery{stored("a", journal.Done, ""), stored("b", journal.Done, ""), stored("c", journal.Done, ""), stored("d", journal.Dead, "not what its event says")},
		Issues: []githubtest.Issue{
			{Number: 1, State: "closed", Body: "<!-- wormsweep incident 1 -->\n**Hit:** `test` is in 1 repository.\n- [ ] `web`, 1 place"},
			{Number: 2, State: "open", Body: "<!-- wormsweep incident 1 -->\n**Hit:** `test` is in 1 repository.\n- [ ] `web`, 1 place", Comments: []string{"<!-- wormsweep comment 1 -->\nFound", "<!-- wormsweep comment 2 -->\nFound", "<!-- wormsweep answer 1 -->\nTo `jane`:\n\n1 place", "/ack", "/ack"}},
			{Number: 3, State: "open", Body: "**Hit:** `another`"},
		},
		CheckRuns: map[string][]githubtest.CheckRun{
			"web": {{Name: "Wormsweep", HeadSHA: "1", Status: "completed", Conclusion: "failure"}, {Name: "Wormsweep", HeadSHA: "2", Status: "completed", Conclusion: "action_required"}},
			"api": {{Name: "Wormsweep", HeadSHA: "1", Status: "completed", Conclusion: "success"}},
		},
		Runs:    []chaos.Run{{Name: "sweep", Started: began, Finished: began.Add(time.Minute), Exit: 1}},
		Holds:   []string{"web"},
		Outputs: map[string]string{"log": "serving"},
		Truth: chaos.Truth{
			Campaign: "test", Planted: map[string]bool{"web": true, "api": false}, Asked: 1,
			Heads: []chaos.Head{
				{Repository: "web", Commit: "1", What: "a push that brings it in", Conclusions: []string{"failure"}, Needed: true},
				{Repository: "web", Commit: "2", What: "a pull request that is not read", Conclusions: []string{"action_required"}, Needed: true},
				{Repository: "api", Commit: "1", What: "a push of nothing", Conclusions: []string{"success", "neutral"}},
				{Repository: "api", Commit: "2", What: "a push of nothing", Conclusions: []string{"success", "neutral"}},
			},
			Secrets: map[string]string{"the webhook's secret": "hunter2"},
		},
	}
}

func TestSound(t *testing.T) {
	if v := chaos.Check(sound()); len(v) > 0 {
		t.Errorf("%v", v)
	}
}

// TestViolations: each way in which a run may go wrong is reported, and under its own name alone.
func TestViolations(t *testing.T) {
	for _, tt := range []struct {
		about string
		spoil func(e *chaos.Evidence)
		want  string // the invariant, and a part of what is said
	}{
		{"an answered delivery is not stored", func(e *chaos.Evidence) { e.Stored = e.Stored[1:] }, "I1: delivery a was answered with 202 and is stored 0 times"},
		{"an answered delivery is stored twice", func(e *chaos.Evidence) { e.Stored = append(e.Stored, stored("a", journal.Done, "")) }, "I1: delivery a was answered with 202 and is stored 2 times"},
		{"it is stored under another webhook", func(e *chaos.Evidence) { e.Stored[0].Hook = 8 }, "I1: delivery a was answered with 202 and is stored 0 times"},
		{"dead for no reason", func(e *chaos.Evidence) { e.Stored[3].Reason = "" }, "I1: delivery d is dead without a reason"},
		{"a state of no name", func(e *chaos.Evidence) { e.Stored[0].State = "" }, `I1: delivery a was answered with 202 and is ""`},
		{"a failed delivery is lost", func(e *chaos.Evidence) { e.Stored = append(e.Stored[:2:2], e.Stored[3]) }, "I2: delivery c failed (503)"},
		{"one that was asked for in vain", func(e *chaos.Evidence) { e.Attempts = append(e.Attempts, attempt("f", 0), attempt("f", 0)) }, "I2: delivery f failed (0)"},
		{"two open issues", func(e *chaos.Evidence) { e.Issues[0].State = "open" }, `I3: 2 open issues of "test"`},
		{"no open issue", func(e *chaos.Evidence) { e.Issues[1].State = "closed" }, `I3: no open issue of "test"`},
		{"a repository is not in the issue", func(e *chaos.Evidence) { e.Truth.Planted["api"] = true }, `I3: the issue of "test" does not name "api"`},
		{"a comment twice", func(e *chaos.Evidence) { e.Issues[1].Comments = append(e.Issues[1].Comments, e.Issues[1].Comments[0]) }, "I3: issue 2 has a comment twice"},
		{"a comment twice, with another text", func(e *chaos.Evidence) { e.Issues[1].Comments[1] = "<!-- wormsweep comment 1 -->\nand more" }, "I3: issue 2 has a comment twice"},
		{"a question without an answer", func(e *chaos.Evidence) { e.Truth.Asked++ }, "I3: 1 answers to 2 questions"},
		{"an answer to nothing", func(e *chaos.Evidence) { e.Truth.Asked-- }, "I3: 1 answers to 0 questions"},
		{"two check runs", func(e *chaos.Evidence) { e.CheckRuns["api"] = append(e.CheckRuns["api"], e.CheckRuns["api"][0]) }, `I3: 2 check runs "Wormsweep" of 1 in "api"`},
		{"two check runs of a commit that nobody knows", func(e *chaos.Evidence) {
			e.CheckRuns["api"] = append(e.CheckRuns["api"], githubtest.CheckRun{Name: "W", HeadSHA: "9"}, githubtest.CheckRun{Name: "W", HeadSHA: "9"})
		}, `I3: 2 check runs "W" of 9`},
		{"success of what is planted", func(e *chaos.Evidence) { e.CheckRuns["web"][0].Conclusion = "success" }, `I3: the check run of 1 in "web", a push that brings it in, is completed "success"`},
		{"success of what was not read", func(e *chaos.Evidence) { e.CheckRuns["web"][1].Conclusion = "success" }, `I3: the check run of 2 in "web"`},
		{"a check run that does not end", func(e *chaos.Evidence) { e.CheckRuns["web"][0].Status = "in_progress" }, `I3: the check run of 1 in "web", a push that brings it in, is in_progress`},
		{"failure of nothing", func(e *chaos.Evidence) { e.CheckRuns["api"][0].Conclusion = "failure" }, `I3: the check run of 1 in "api"`},
		{"no check run", func(e *chaos.Evidence) { e.CheckRuns["web"] = e.CheckRuns["web"][1:] }, `I3: no check run of 1 in "web"`},
		{"a sweep that was cut, and all is said to be known", func(e *chaos.Evidence) { e.Runs[0].Finished = time.Time{} }, "I7: the sweep never came to its end"},
		{"no sweep began, and all is said to be known", func(e *chaos.Evidence) { e.Runs = nil }, "I7: no run began"},
		{"clean with problems", func(e *chaos.Evidence) { e.Runs[0].Exit, e.Runs[0].Problems = 0, 3 }, "I7: the sweep is clean, with 3 problems"},
		{"nobody has what is planted", func(e *chaos.Evidence) { e.Holds = nil }, `I7: "test" is planted, and the inventory says that nobody has it`},
		{"a delivery waits", func(e *chaos.Evidence) { e.Stored = append(e.Stored, stored("x", journal.Accepted, "")) }, "I8: delivery x is still to be acted on"},
		{"a sound delivery is dead", func(e *chaos.Evidence) { e.Stored = append(e.Stored, stored("x", journal.Dead, "the process died")) }, "I8: delivery x (push) is dead, and need not be: the process died"},
		{"a job waits", func(e *chaos.Evidence) { e.Waiting = []string{"sweep"} }, "I8: a job has not ended: sweep"},
		{"a claim that nobody gives back", func(e *chaos.Evidence) { e.Claims = []string{"check-run:1"} }, "I8: an effect is still claimed: check-run:1"},
		{"a secret in the log", func(e *chaos.Evidence) { e.Outputs["log"] += " with hunter2" }, "I9: the webhook's secret is in log"},
		{"a secret that could not be found", func(e *chaos.Evidence) { e.Truth.Secrets["key"] = "" }, `I9: the secret "key" is empty`},
		{"nothing was looked through", func(e *chaos.Evidence) { e.Outputs = nil }, "I9: there is no output"},
		{"a call before the time", func(e *chaos.Evidence) { e.Violations = []string{"GET /x came 3s early"} }, "told: GET /x came 3s early"},
	} {
		e := sound()
		tt.spoil(e)
		got := chaos.Check(e)
		if len(got) != 1 || !strings.HasPrefix(got[0].String(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.about, got, tt.want)
		}
	}
}

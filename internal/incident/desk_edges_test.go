package incident_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// TestTooManyFalsePositives: what is not about a few places is for the exclusions file.
func TestTooManyFalsePositives(t *testing.T) {
	o := newOffice(newWorld(t))
	read, found := many(501)
	o.day(1, looks{read: read, found: found})
	o.has(o.says("jane", "/false-positive a mirror of ours until 2026-12-01"), "501 places are more than 500")
	if len(o.exclusions.records) != 0 {
		t.Error("an exclusion was written")
	}
}

// TestClosedAndNotWrittenDown: the issue of a resolved incident is closed, and the process dies before
// the record says so.
func TestClosedAndNotWrittenDown(t *testing.T) {
	o := newWorld(t).hit()
	o.tracker.step = func(call string) {
		if call == "after Edit" {
			o.tracker.step, o.store.fail = nil, errors.New("the disk is full")
		}
	}
	if err := o.desk.HandleComment(context.Background(), o.event("olga", "/resolve a drill"), o.fx); err == nil {
		t.Fatal("no error")
	}
	o.store.fail = nil
	if rec := o.record(); !rec.Response.Closing || o.tracker.open() != 0 {
		t.Fatalf("closing %t, %d open", rec.Response.Closing, o.tracker.open())
	}
	o.now = o.now.Add(time.Hour) // past the claim
	o.tracker.took()
	o.tick()
	o.tick()
	if rec := o.record(); rec.Response.Closing || rec.State != incident.Dismissed {
		t.Errorf("closing %t, %s", rec.Response.Closing, rec.State)
	}
	if got := o.tracker.took(); got != "" {
		t.Errorf("wrote %q", got)
	}
	o.told("over")
}

// TestFoundAfterResolve: something new is found before the issue of a resolved incident was closed.
func TestFoundAfterResolve(t *testing.T) {
	o := newWorld(t).hit()
	o.fx.off = errors.New("the kill switch is on")
	if err := o.desk.HandleComment(context.Background(), o.event("olga", "/resolve a drill"), o.fx); !errors.Is(err, o.fx.off) {
		t.Fatal(err)
	}
	o.fx.off = nil
	o.state(incident.Dismissed)
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json api@HEAD:yarn.lock"}, "Edit Comment", 1)
	o.state(incident.Open)
	o.tick()
	if o.tracker.open() != 1 {
		t.Error("the issue was closed")
	}
}

// TestPeopleAfterABrokenSweep: a sweep wrote down what it saw and died; what people do next shows, and
// tells and closes nothing that a sweep has to.
func TestPeopleAfterABrokenSweep(t *testing.T) {
	const first, more = "api@HEAD:package-lock.json", "api@HEAD:package-lock.json api@HEAD:yarn.lock"
	for name, tt := range map[string]struct {
		broken, next looks
		writes       string
		open         int
	}{
		"found":   {looks{read: "api@HEAD", found: more}, looks{read: "api@HEAD", found: more}, "Edit Comment", 1},
		"settled": {looks{read: "api@HEAD"}, looks{read: "api@HEAD"}, "Comment Edit", 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := newWorld(t).hit()
			o.tracker.fail = map[string]int{"Edit": 9, "Comment": 9, "ListComments": 9}
			if out := o.day(2, tt.broken); len(out.Problems) == 0 {
				t.Fatal("the sweep was not broken")
			}
			o.tracker.fail = map[string]int{}
			o.tracker.took()
			o.has(o.says("jane", "/ack"), "acknowledged")
			if got := o.tracker.took(); got != "Comment Edit" { // the answer, and the text
				t.Errorf("wrote %q", got)
			}
			o.state(incident.Acknowledged)
			o.expect(3, tt.next, tt.writes, tt.open)
		})
	}
}

// TestClosedBySweepAndNotWrittenDown is no person's doing, whoever looks next.
func TestClosedBySweepAndNotWrittenDown(t *testing.T) {
	o := newWorld(t).hit()
	o.tracker.step = func(call string) {
		if call == "after Edit" {
			o.tracker.step, o.store.fail = nil, errors.New("the disk is full")
		}
	}
	if out := o.day(2, looks{read: "api@HEAD"}); len(out.Problems) == 0 {
		t.Fatal("the record was written")
	}
	o.store.fail = nil
	o.now = o.now.Add(time.Hour)
	o.chat.kinds()
	o.tick()
	o.state(incident.Closed)
	o.told("")
	for _, e := range o.record().Response.Timeline {
		if e.Kind == incident.EntryTold || e.To == incident.Dismissed {
			t.Errorf("written down: %+v", e)
		}
	}
	o.tracker.took()
	o.expect(3, looks{read: "api@HEAD"}, "", 0)
	o.state(incident.Closed)
}

// TestBusy: while a sweep holds the incident, what people do is answered, and the text is the sweep's.
func TestBusy(t *testing.T) {
	o := newWorld(t).hit()
	o.tracker.took()
	wrote := ""
	o.tracker.step = func(call string) {
		if call != "before Edit" {
			return
		}
		o.tracker.step = nil
		o.handle(o.event("jane", "/ack"))
		wrote = strings.Join(o.tracker.calls, " ")
	}
	o.day(2, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json api@HEAD:yarn.lock"})
	if wrote != "Comment" {
		t.Errorf("wrote %q while another held it", wrote)
	}
	o.has(o.body(1), "- State: acknowledged")
}

// TestWithoutApp: sweeps alone keep no clock, and name no commands; and what is over is not touched by
// an App that starts on it.
func TestWithoutApp(t *testing.T) {
	w := newWorld(t)
	key := "acme/" + campaignID
	w.expect(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, "Create", 1)
	if s := string(w.store.records[key]); strings.Contains(s, `"noticed"`) || strings.Contains(w.body(1), "/ack") {
		t.Errorf("record %s\n%s", s, w.body(1))
	}
	w.expect(2, looks{read: "api@HEAD"}, "Comment Edit", 0)
	o, version := newOffice(w), w.store.version[key]
	o.tick()
	if w.store.version[key] != version || w.tracker.took() != "" {
		t.Error("an incident that is over was touched")
	}
	o.told("")

	// One that is open is taken on: its clock starts with the App.
	w = newWorld(t)
	w.expect(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, "Create", 1)
	w.now = w.now.AddDate(0, 0, 30)
	o = newOffice(w)
	o.tick()
	o.told("")
	o.has(o.body(1), "### Commands")
	o.now = o.now.Add(5 * time.Minute)
	o.tick()
	o.told("escalated:on-call")
}

// TestAnswersAreBounded: an answer is below GitHub's limit, and says that there is more.
func TestAnswersAreBounded(t *testing.T) {
	o := newWorld(t).hit()
	lines := make([]string, 5_000)
	for i := range lines {
		lines[i] = fmt.Sprintf("service-%04d package-lock.json", i)
	}
	o.questions = incident.Reply{Summary: "everywhere", Lines: lines, Missing: lines, More: 7}
	answer := o.says("jane", "/who-has a\n/who-has b\n/who-has c\n/exposure\n/plan")
	if len(answer) > 61_000 || !strings.Contains(answer, "There is more, which did not fit.") || !strings.Contains(answer, "that were not looked at") {
		t.Errorf("%d bytes", len(answer))
	}
}

// TestAssigned: the issue is assigned once to each who leads, whatever fails in between; and where GitHub
// refuses one, they lead all the same.
func TestAssigned(t *testing.T) {
	o := newWorld(t).hit()
	o.fx.lose = map[string]int{"incident-assignee": 1}
	e := o.event("jane", "/ack")
	if err := o.desk.HandleComment(context.Background(), e, o.fx); !errors.Is(err, errKilled) {
		t.Errorf("error %v", err)
	}
	o.tick()
	o.tick()
	o.says("jane", "/assign @rob")
	o.says("rob", "/assign @Rob")
	o.assigned.err = errors.New("GitHub does not answer")
	if err := o.desk.HandleComment(context.Background(), o.event("jane", "/assign @olga"), o.fx); !errors.Is(err, o.assigned.err) {
		t.Errorf("error %v", err)
	}
	o.assigned.err = &incident.RefusedError{Err: errors.New("422")}
	o.tick()
	o.assigned.err = nil
	o.tick()
	if got := strings.Join(o.assigned.logins, ", "); got != "jane 1, jane 1, rob 1" {
		t.Errorf("assigned to %s", got)
	}
	if got := o.record().Response; got.Owner != "olga" || got.Assigned != "olga" {
		t.Errorf("owner %q, assigned %q", got.Owner, got.Assigned)
	}
}

// TestVerdictIsBounded keeps a part of what is long, and the same is no change.
func TestVerdictIsBounded(t *testing.T) {
	o := newWorld(t).hit()
	v := incident.Verdict{Scenario: "B", Digest: strings.Repeat("ab", 32)}
	p := incident.PlanRef{Kind: "pin", Digest: strings.Repeat("cd", 32), Steps: 900}
	for i := range 900 {
		line := fmt.Sprint(i, " ", strings.Repeat("x", 2_000))
		v.Path = append(v.Path, incident.Step{Question: line, Answer: "yes"})
		v.Open, p.Summary = append(v.Open, line), append(p.Summary, line)
	}
	revision := 0
	for range 2 {
		if err := errors.Join(o.desk.SetVerdict(context.Background(), campaignID, v), o.desk.PutPlan(context.Background(), campaignID, p)); err != nil {
			t.Fatal(err)
		}
		rec := o.record()
		if n := len(o.store.records["acme/"+campaignID]); n > 200_000 || len(rec.Response.Verdict.Open) != 101 || revision > 0 && rec.Response.Revision != revision {
			t.Errorf("%d bytes, %d open, revision %d", n, len(rec.Response.Verdict.Open), rec.Response.Revision)
		}
		revision = rec.Response.Revision
	}
	if len(v.Path) != 900 || len(v.Path[0].Question) < 2_000 {
		t.Error("what was given was changed")
	}
	o.tick()
	if n := len(o.body(1)); n > 62_000 {
		t.Errorf("%d bytes", n)
	}
}

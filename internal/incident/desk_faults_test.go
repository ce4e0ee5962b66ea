package incident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// TestKilledBetween: a process dies after a write and before its record; it is done once, but for the
// chat, which cannot be asked.
func TestKilledBetween(t *testing.T) {
	o := newWorld(t).hit()
	o.fx.lose = map[string]int{"incident-answer": 1, "incident-text": 1, "incident-notice": 1}
	e := o.event("jane", "/ack")
	for range 4 {
		if err := o.desk.HandleComment(context.Background(), e, o.fx); err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
	}
	o.tick()
	o.state(incident.Acknowledged)
	if n := len(o.answers()); n != 1 {
		t.Errorf("%d answers", n)
	}
	o.told("acknowledged acknowledged")
	if got := strings.Count(strings.Join(o.tracker.calls, " "), "Edit"); got != 1 {
		t.Errorf("the text was written %d times: %v", got, o.tracker.calls)
	}
	moved := 0
	for _, entry := range o.record().Response.Timeline {
		if entry.Kind == incident.EntryMoved {
			moved++
		}
	}
	if moved != 1 {
		t.Errorf("moved %d times", moved)
	}
}

// TestDeadBeforeAnswer: a process dies after the record and before the answer. Tick shows what was
// done, and the delivery, when it comes again, is answered.
func TestDeadBeforeAnswer(t *testing.T) {
	o := newWorld(t).hit()
	o.fx.off = errors.New("the process is gone")
	e := o.event("jane", "/ack looking")
	if err := o.desk.HandleComment(context.Background(), e, o.fx); !errors.Is(err, o.fx.off) {
		t.Fatalf("error %v", err)
	}
	if got := o.tracker.took(); got != "" {
		t.Errorf("wrote %q", got)
	}
	o.fx.off = nil
	o.people.teams["responders"] = nil // since; it was asked when it was done
	o.tick()
	o.told("acknowledged")
	o.has(o.body(1), "- State: acknowledged")
	o.handle(e)
	if n := len(o.answers()); n != 1 {
		t.Errorf("%d answers", n)
	}
}

// TestSwitchedOff: while nothing may be written outside nothing is, whatever people say and the clock
// does; and all of it is made up for.
func TestSwitchedOff(t *testing.T) {
	o := newWorld(t).hit()
	o.tracker.took()
	off := errors.New("the kill switch is on")
	o.fx.off = off
	noticed := o.record().Response.Noticed
	for _, after := range []time.Duration{time.Minute, 6 * time.Minute, 30 * time.Minute} {
		o.now = noticed.Add(after)
		if err := o.desk.Tick(context.Background(), o.now, o.fx); after > 5*time.Minute && !errors.Is(err, off) {
			t.Errorf("tick: %v", err)
		}
	}
	if err := o.desk.HandleComment(context.Background(), o.event("jane", "/ack"), o.fx); !errors.Is(err, off) {
		t.Errorf("comment: %v", err)
	}
	if got := o.tracker.took(); got != "" {
		t.Errorf("wrote %q", got)
	}
	o.told("")
	o.fx.off = nil
	o.tick()
	o.told("escalated:on-call escalated:founders acknowledged")
	o.state(incident.Acknowledged)
}

// TestGate: a sweep that runs while the switch is thrown stops before its next write.
func TestGate(t *testing.T) {
	w := newWorld(t)
	off := errors.New("the kill switch is on")
	w.opt.Gate = func(context.Context) error { return off }
	out := w.day(1, looks{read: "api@HEAD", found: "api@HEAD:x"})
	if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Detail, off.Error()) || len(w.tracker.calls) != 0 {
		t.Errorf("problems %v, calls %v", out.Problems, w.tracker.calls)
	}
	w.opt.Gate = nil
	w.expect(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, "Create", 1)
}

// TestChatIsAway: an incident whose notice is not taken goes on, and the next tick tells it.
func TestChatIsAway(t *testing.T) {
	o := newWorld(t).hit()
	o.chat.err = errors.New("slack: status 503")
	if err := o.desk.HandleComment(context.Background(), o.event("jane", "/ack"), o.fx); !errors.Is(err, o.chat.err) {
		t.Errorf("error %v", err)
	}
	o.state(incident.Acknowledged)
	o.has(o.body(1), "- State: acknowledged")
	o.chat.err = nil
	o.tick()
	o.tick()
	o.told("acknowledged")
}

// TestSilentSource: a question that cannot be asked is asked again, and answered once.
func TestSilentSource(t *testing.T) {
	o := newWorld(t).hit()
	o.silent = errors.New("the inventory is locked")
	e := o.event("jane", "/ack\n/who-has keyv")
	if err := o.desk.HandleComment(context.Background(), e, o.fx); !errors.Is(err, o.silent) {
		t.Errorf("error %v", err)
	}
	o.state(incident.Acknowledged)
	o.silent = nil
	o.handle(e)
	o.handle(e)
	if all := o.answers(); len(all) != 1 || !strings.Contains(all[0], "acknowledged. `jane` leads") || !strings.Contains(all[0], "is in 2 repositories") {
		t.Errorf("answers %q", all)
	}
}

// TestWhileASweepWrites: people act while a sweep holds the incident. Neither loses what the other did,
// and nothing is written twice.
func TestWhileASweepWrites(t *testing.T) {
	for _, at := range []string{"before ListOwn", "before Edit", "after Edit", "before Comment", "after Comment", "before ListComments"} {
		for nth := 1; nth <= 2; nth++ {
			o := newWorld(t).hit()
			o.tracker.took()
			seen := 0
			o.tracker.step = func(call string) {
				if call != at {
					return
				}
				if seen++; seen == nth {
					o.tracker.step = nil
					o.handle(o.event("jane", "/ack"))
				}
			}
			out := o.day(2, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json api@HEAD:yarn.lock"})
			for _, p := range out.Problems {
				t.Errorf("%s %d: %s", at, nth, p.Detail)
			}
			if o.tracker.step != nil {
				continue // there are not so many
			}
			o.tick()
			o.state(incident.Acknowledged)
			o.has(o.body(1), "- State: acknowledged", "`yarn.lock`", "found: `1 place in 1 repository`")
			told := 0
			for _, c := range o.tracker.issues[0].comments {
				if strings.HasPrefix(c.Body, "<!-- wormsweep comment ") {
					told++
				}
			}
			if told != 1 || len(o.answers()) != 1 {
				t.Errorf("%s %d: %d comments tell of the change, %d answer", at, nth, told, len(o.answers()))
			}
			o.tracker.took()
			o.expect(3, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json api@HEAD:yarn.lock"}, "", 1)
		}
	}
}

// TestManyAtOnce: one comment at several processes, and several comments at once.
func TestManyAtOnce(t *testing.T) {
	o := newWorld(t).hit()
	var events []incident.CommentEvent
	for i := range 6 {
		login := []string{"jane", "rob", "olga"}[i%3]
		events = append(events, o.event(login, []string{"/ack me", "/assign @rob", "/contained yes"}[i/2]))
	}
	var wait sync.WaitGroup
	errs := make(chan error, 100)
	for range 4 {
		for _, e := range events {
			wait.Go(func() { errs <- o.desk.HandleComment(context.Background(), e, o.fx) })
		}
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Log(err) // a job runs again
		}
	}
	for _, e := range events {
		o.handle(e)
	}
	o.tick()
	rec := o.record()
	seen := map[string]int{}
	for _, entry := range rec.Response.Timeline {
		seen[fmt.Sprint(entry.Kind, entry.To, entry.Comment)]++
	}
	for what, n := range seen {
		if n != 1 {
			t.Errorf("%s is written down %d times", what, n)
		}
	}
	if len(o.answers()) != len(events) || len(rec.Response.Handled) != len(events) || rec.State != incident.Contained || len(rec.Response.Outbox) != 0 {
		t.Errorf("%d answers to %d comments, %d handled, %s, %d owed", len(o.answers()), len(events), len(rec.Response.Handled), rec.State, len(rec.Response.Outbox))
	}
}

// TestNewDesk refuses what would believe everybody, or nobody by accident.
func TestNewDesk(t *testing.T) {
	w := newWorld(t)
	p := &people{}
	good := incident.DeskOptions{Repository: "acme/incidents", Author: "sweeper[bot]", Remarks: p, Teams: p, Responders: "responders", OnCall: "on-call"}
	if _, err := incident.NewDesk(w.opt, good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*incident.DeskOptions){
		"no responders":  func(o *incident.DeskOptions) { o.Responders = "" },
		"nobody on call": func(o *incident.DeskOptions) { o.OnCall = "" },
		"no slug":        func(o *incident.DeskOptions) { o.OnCall = "acme/on-call" },
		"a mention":      func(o *incident.DeskOptions) { o.Ladder = []incident.Role{{Name: "x", Team: "x @everybody"}} },
		"a role":         func(o *incident.DeskOptions) { o.Ladder = []incident.Role{{Team: "x"}} },
		"repository":     func(o *incident.DeskOptions) { o.Repository = "incidents" },
		"author":         func(o *incident.DeskOptions) { o.Author = "" },
		"teams":          func(o *incident.DeskOptions) { o.Teams = nil },
		"remarks":        func(o *incident.DeskOptions) { o.Remarks = nil },
	} {
		opt := good
		change(&opt)
		if _, err := incident.NewDesk(w.opt, opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestTimelineIsBounded: what does not fit is counted, and the text is below its limit.
func TestTimelineIsBounded(t *testing.T) {
	o := newWorld(t).hit()
	ctx := context.Background()
	rec := o.record()
	for i := range incident.MaxTimeline - 10 {
		rec.Response.Timeline = append(rec.Response.Timeline, incident.Entry{At: date(1), Kind: incident.EntryVerdict, Text: fmt.Sprintf("%d %s", i, strings.Repeat("x", 450))})
	}
	for i := range incident.MaxEvidence - 5 {
		rec.Response.Evidence = append(rec.Response.Evidence, incident.Evidence{What: strings.Repeat("y", 400), Where: "there", SHA256: fmt.Sprintf("%064x", i)})
	}
	data, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	o.store.records["acme/"+campaignID] = data
	for i := range 30 {
		e := incident.Evidence{What: fmt.Sprintf("file %d %s", i, strings.Repeat("x", 600)), Where: "here", SHA256: fmt.Sprintf("%064x", i)}
		if err := o.desk.AddEvidence(ctx, campaignID, e); err != nil {
			t.Fatal(err)
		}
	}
	o.tick()
	rec = o.record()
	if len(rec.Response.Timeline) != incident.MaxTimeline || rec.Response.Unlisted != 21 || len(rec.Response.Evidence) != incident.MaxEvidence || rec.Response.More != 25 {
		t.Errorf("%d entries and %d more, %d pieces and %d more", len(rec.Response.Timeline), rec.Response.Unlisted, len(rec.Response.Evidence), rec.Response.More)
	}
	o.has(o.says("jane", "/ack"), "acknowledged")
	o.state(incident.Acknowledged)
	o.has(o.body(1), "more, which the record has", "entries between", "and 22 entries more, which were not kept")
	if n := len(o.body(1)); n > 62_000 {
		t.Errorf("%d bytes", n)
	}
}

// TestUnnumbered: a command in an issue whose number is not on record yet is asked for again, and not
// dropped.
func TestUnnumbered(t *testing.T) {
	o := newWorld(t).hit()
	if err := o.desk.Raise(context.Background(), incident.Campaign{ID: "signal-x", Title: "x"}, incident.Signal{Source: "manual", Ref: "1", Subject: "x"}); err != nil {
		t.Fatal(err)
	}
	e := o.event("jane", "/ack")
	e.Issue = 2
	if err := o.desk.HandleComment(context.Background(), e, o.fx); err == nil {
		t.Error("it was dropped")
	}
}

package incident_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
)

// effects are Effects in memory.
type effects struct {
	mu      sync.Mutex
	done    map[string]bool
	claimed map[string]bool
	off     error          // the kill switch
	lose    map[string]int // by the kind in the key: so many effects are not recorded
}

func newEffects() *effects {
	return &effects{done: map[string]bool{}, claimed: map[string]bool{}, lose: map[string]int{}}
}

var errKilled = errors.New("killed after the call, before the record")

func (e *effects) Once(ctx context.Context, key string, do func(context.Context) ([]byte, error), find func(context.Context) ([]byte, bool, error)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	kind, _, _ := strings.Cut(key, ":")
	switch {
	case e.off != nil:
		return e.off
	case e.done[key]:
		return nil
	case e.claimed[key]:
		if _, found, err := find(ctx); err != nil || found {
			e.done[key] = err == nil
			return err
		}
	}
	e.claimed[key] = true
	if _, err := do(ctx); err != nil {
		return err
	}
	if e.lose[kind] > 0 {
		e.lose[kind]--
		return errKilled
	}
	e.done[key] = true
	return nil
}

// people are who is in which team, and what they wrote.
type people struct {
	teams   map[string][]string
	remarks map[int64]incident.Remark
	ids     map[string]int64
	mu      sync.Mutex
	asked   int
	err     error
}

func (p *people) Member(_ context.Context, team string, who incident.Account) (bool, string, error) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	if p.err != nil {
		return false, "", p.err
	}
	if slices.Contains(p.teams[team], who.Login) {
		return true, "", nil
	}
	return false, "no member of the team", nil
}

// assigned are those whom issues were assigned to, in order.
type assigned struct {
	logins []string
	err    error
}

func (a *assigned) Assign(_ context.Context, issue int, login string) error {
	if a.err == nil {
		a.logins = append(a.logins, fmt.Sprint(login, " ", issue))
	}
	return a.err
}

func (p *people) Remark(_ context.Context, id int64) (incident.Remark, error) {
	r, there := p.remarks[id]
	if !there {
		return r, fmt.Errorf("comment %d: %w", id, incident.ErrNotFound)
	}
	return r, p.err
}

type notices struct {
	got []incident.Notice
	err error
}

func (n *notices) Notify(_ context.Context, notice incident.Notice) error {
	if n.err == nil {
		n.got = append(n.got, notice)
	}
	return n.err
}

func (n *notices) kinds() string {
	var out []string
	for _, notice := range n.got {
		out = append(out, string(notice.Kind)+strings.TrimSuffix(":"+notice.Role, ":"))
	}
	n.got = nil
	return strings.Join(out, " ")
}

// questions answer all alike, where they are told how.
type questions struct{ o *office }

func (q questions) WhoHas(_ context.Context, what string) (incident.Reply, error) {
	return q.or(incident.Reply{Summary: what + " is in 2 repositories", Lines: []string{"web package-lock.json", "@mallory <b>"}, More: 3, Missing: []string{"billing: truncated"}})
}

func (q questions) Exposure(_ context.Context, id, what string) (incident.Reply, error) {
	return q.or(incident.Reply{Summary: "1 run of " + id + what})
}

func (q questions) Plan(context.Context, string) (incident.Reply, error) {
	return q.or(incident.Reply{Fault: "no plan yet"})
}

func (q questions) or(r incident.Reply) (incident.Reply, error) {
	if q.o.questions.Summary+q.o.questions.Fault != "" {
		r = q.o.questions
	}
	return r, q.o.silent
}

// office is a world with a desk.
type office struct {
	*world
	people     *people
	fx         *effects
	chat       *notices
	exclusions *memory
	known      *memory
	desk       *incident.Desk
	comments   int64
	assigned   assigned
	questions  incident.Reply
	silent     error // of questions
}

func (w *world) desk() *incident.Desk { return newOffice(w).desk }

func newOffice(w *world) *office {
	w.t.Helper()
	o := &office{world: w, fx: newEffects(), chat: &notices{}, exclusions: newMemory(), known: newMemory()}
	o.people = &people{teams: map[string][]string{"responders": {"jane", "rob"}, "on-call": {"olga"}}, remarks: map[int64]incident.Remark{}, ids: map[string]int64{}}
	w.opt.Notifier, w.opt.Commands = o.chat, true
	var err error
	o.desk, err = incident.NewDesk(w.opt, incident.DeskOptions{
		Repository: "acme/incidents", Author: "sweeper[bot]", Remarks: o.people, Teams: o.people, Responders: "responders", OnCall: "on-call",
		Questions: questions{o}, Assigner: &o.assigned, Exclusions: o.exclusions, Known: o.known,
		Ladder: []incident.Role{{Name: "responders", Team: "responders"}, {Name: "on-call", Team: "on-call"}, {Name: "founders"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// hit opens an incident with one place, and forgets what was written and told.
func (w *world) hit() *office {
	o := newOffice(w)
	w.expect(1, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json"}, "Create", 1)
	o.chat.kinds()
	return o
}

// event is a comment that somebody just wrote on issue 1.
func (o *office) event(login, body string) incident.CommentEvent {
	o.comments++
	if o.people.ids[login] == 0 {
		o.people.ids[login] = int64(len(o.people.ids) + 100)
	}
	e := incident.CommentEvent{
		Action: "created", Repository: "Acme/Incidents", Issue: 1, Comment: 9000 + o.comments, Body: body,
		Author: incident.Account{Login: login, ID: o.people.ids[login], Person: true},
	}
	o.people.remarks[e.Comment] = incident.Remark{ID: e.Comment, Issue: e.Issue, Author: e.Author, Body: body, Created: o.now, Updated: o.now}
	return e
}

func (o *office) handle(e incident.CommentEvent) {
	o.t.Helper()
	if err := o.desk.HandleComment(context.Background(), e, o.fx); err != nil {
		o.t.Errorf("%q of %q: %v", e.Body, e.Author.Login, err)
	}
}

// says has somebody write a comment, and gives the answer to it; "" for none.
func (o *office) says(login, body string) string {
	o.t.Helper()
	before := len(o.answers())
	o.handle(o.event(login, body))
	all := o.answers()
	if len(all) == before {
		return ""
	}
	if len(all) > before+1 {
		o.t.Errorf("%q has %d answers", body, len(all)-before)
	}
	return all[len(all)-1]
}

// answers are our comments on issue 1 with the mark of an answer.
func (o *office) answers() (out []string) {
	for _, c := range o.tracker.issues[0].comments {
		if strings.HasPrefix(c.Body, "<!-- wormsweep answer ") {
			out = append(out, c.Body)
		}
	}
	return out
}

func (o *office) record() *incident.Record {
	o.t.Helper()
	rec, err := o.desk.Incident(context.Background(), campaignID)
	if err != nil {
		o.t.Fatal(err)
	}
	return rec
}

func (o *office) state(want incident.State) {
	o.t.Helper()
	if got := o.record().State; got != want {
		o.t.Errorf("the incident is %s; want %s", got, want)
	}
}

func (o *office) tick() {
	o.t.Helper()
	if err := o.desk.Tick(context.Background(), o.now, o.fx); err != nil {
		o.t.Errorf("tick: %v", err)
	}
}

func (o *office) told(want string) {
	o.t.Helper()
	if got := o.chat.kinds(); got != want {
		o.t.Errorf("the chat was told %q; want %q", got, want)
	}
}

// TestResponse takes an incident from its first day to its end.
func TestResponse(t *testing.T) {
	o := newWorld(t).hit()
	o.has(o.body(1), "- State: open: nobody has acknowledged it yet", "write `/ack` in a comment", "### Commands")
	o.has(o.says("jane", "/ack looking\n\nMore in a minute."), "To `jane`", "acknowledged. `jane` leads")
	o.state(incident.Acknowledged)
	o.told("acknowledged")
	o.has(o.body(1), "- State: acknowledged since 2026-11-01", "by `jane`", "- Owner: `jane`", "acknowledged, was open, by `jane`: `looking`")
	o.has(o.says("rob", "/ack"), "not carried out: the incident is acknowledged already")
	o.has(o.says("jane", "/assign @rob"), "`rob` leads the response")
	o.has(o.says("jane", "/assign @mallory"), "not carried out: of `mallory`: no member of the team")
	o.has(o.body(1), "- Owner: `rob`", "owner, by `jane`: `rob`")
	o.has(o.says("rob", "/contained the runner is gone"), "contained")
	o.told("contained")
	o.state(incident.Contained)
	o.has(o.says("rob", "/resolve all well"), "whoever is on call declares an incident over") // T8
	o.has(o.says("olga", "/resolve"), "nothing proves that it is gone, so it needs a reason")
	o.state(incident.Contained)
	o.tracker.took()

	// The same is found on the next day: nothing is written. More is found: not contained any more.
	o.expect(2, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json"}, "", 1)
	o.expect(3, looks{read: "api@HEAD", found: "api@HEAD:package-lock.json api@HEAD:yarn.lock"}, "Edit Comment", 1)
	o.state(incident.Acknowledged)
	o.told("changed")

	// Nobody was late and triage asks for nobody: the sweep closes.
	o.expect(4, looks{read: "api@HEAD"}, "Comment Edit", 0)
	o.state(incident.Closed)
	o.told("cured")
	o.has(o.says("olga", "/resolve once more"), "closed already")
	o.expect(5, looks{read: "api@HEAD", found: "api@HEAD:yarn.lock"}, "Comment Edit Comment", 1)
	o.state(incident.Open)
}

// TestClocks: nobody acknowledges, and nobody declares it over.
func TestClocks(t *testing.T) {
	o := newWorld(t).hit()
	o.tick()
	o.told("")
	noticed := o.record().Response.Noticed
	for _, step := range []struct {
		after time.Duration
		told  string
	}{
		{4*time.Minute + 59*time.Second, ""},
		{5 * time.Minute, "escalated:on-call"},
		{6 * time.Minute, ""},
		{2 * time.Minute, ""}, // the clock jumps back
		{10 * time.Minute, "escalated:founders"},
		{time.Hour, ""}, // there is nobody else
		{72 * time.Hour, ""},
	} {
		o.now = noticed.Add(step.after)
		o.tick()
		o.tick()
		if got := o.chat.kinds(); got != step.told {
			t.Errorf("after %s: told %q; want %q", step.after, got, step.told)
		}
	}
	o.has(strings.Join(o.answers(), "\n"), "@acme/on-call", "Told `on-call`: `nobody acknowledged it within 5 minutes`", "Told `founders`: `nobody acknowledged it within 10 minutes`")
	if n := len(o.answers()); n != 2 {
		t.Errorf("%d comments; want one for each role", n)
	}
	o.has(o.body(1), "told: `founders: nobody acknowledged it within 10 minutes`", "whoever is on call declares the incident over")

	// It was escalated: the proof does not end it.
	o.tracker.took()
	o.expect(9, looks{read: "api@HEAD"}, "Edit Comment", 1)
	o.state(incident.Cured)
	o.told("cured")
	o.tick()
	o.told("")
	o.now = date(9).Add(48 * time.Hour)
	o.tick()
	o.tick()
	o.told("overdue:on-call")
	o.has(o.says("olga", "/resolve"), "closed, with the proof of the sweep", "writes the post-mortem")
	o.state(incident.Closed)
	o.told("over")
	if o.tracker.open() != 0 || o.tracker.issues[0].state != incident.StateCompleted {
		t.Error("the issue was not closed as completed")
	}
	o.tracker.took()
	o.expect(12, looks{read: "api@HEAD"}, "", 0)
	o.state(incident.Closed)
}

// TestLateTick tells each role once when no process was there to do it in time.
func TestLateTick(t *testing.T) {
	o := newWorld(t).hit()
	o.tick()
	o.now = o.now.Add(3 * time.Hour)
	o.tick()
	o.told("escalated:on-call escalated:founders")
	o.has(o.says("jane", "/ack"), "acknowledged")
	o.told("acknowledged")
	o.now = o.now.Add(3 * time.Hour)
	o.tick()
	o.told("")
}

// TestResolveWithoutProof is over by a person's word, until something new is found.
func TestResolveWithoutProof(t *testing.T) {
	const api = "api@HEAD:package-lock.json"
	o := newWorld(t).hit()
	o.has(o.says("olga", "/resolve a drill, planted by us"), "over by your word, and without proof")
	o.state(incident.Dismissed)
	if o.tracker.open() != 0 || o.tracker.issues[0].state != incident.StateNotPlanned {
		t.Error("the issue was not closed as not planned")
	}
	o.has(o.body(1), "**Over, without proof:**", "dismissed, was open, by `olga`: `a drill, planted by us`")
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD", found: api}, "", 0)
	o.state(incident.Dismissed)
	o.expect(3, looks{read: "api@HEAD", found: api + " api@HEAD:yarn.lock"}, "Edit Comment", 1)
	o.state(incident.Open)
}

// TestFalsePositive excludes what is open now, by a file that the sweep reads.
func TestFalsePositive(t *testing.T) {
	o := newWorld(t).hit()
	o.has(o.says("jane", "/false-positive our canary until 2027-01-31"), "it ends too late: the last day that may be named is 2027-01-30")
	o.has(o.says("jane", "/false-positive our canary until 2026-10-31"), "the day is over")
	if len(o.exclusions.records) != 0 {
		t.Fatal("an exclusion was written")
	}
	o.has(o.says("jane", "/false-positive our \"canary\" until 2027-01-30"), "1 place is left out until 2027-01-30")
	o.has(o.says("jane", "/false-positive our \"canary\" until 2027-01-30"), "1 place is left out until 2027-01-30") // and is there once
	set, err := exclusion.Load("exclusions", o.exclusions.records["acme"], o.now)
	if err != nil {
		t.Fatal(err)
	}
	got := set.Finding(keyvAt("api@HEAD:package-lock.json"))
	want := finding.Exclusion{Owner: "jane", Reason: "our \"canary\"", Expires: "2027-01-30"}
	if got == nil || *got != want {
		t.Errorf("the place is covered by %+v; want %+v", got, want)
	}
	if set.Finding(keyvAt("api@HEAD:yarn.lock")) != nil {
		t.Error("another place is covered")
	}
	if n := strings.Count(string(o.exclusions.records["acme"]), "fingerprint"); n != 1 {
		t.Errorf("%d entries", n)
	}
	if later, err := exclusion.Load("exclusions", o.exclusions.records["acme"], o.now.AddDate(0, 0, 91)); err != nil || later.Finding(keyvAt("api@HEAD:package-lock.json")) != nil {
		t.Errorf("it holds after its end: %v", err)
	}
	o.has(o.body(1), "false positive, by `jane`: `1 place until 2027-01-30: our \"canary\"`")
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD", excluded: "api@HEAD:package-lock.json"}, "Comment Edit", 0)
}

// TestQuestions are answered with strings that do nothing.
func TestQuestions(t *testing.T) {
	o := newWorld(t).hit()
	answer := o.says("jane", "/who-has keyv@5.6.1\n/exposure\n/plan")
	o.has(answer, "`/who-has` `keyv@5.6.1`: `keyv@5.6.1 is in 2 repositories`", "- `web package-lock.json`", "- and 3 more", "- not looked at: `billing: truncated`",
		"`/exposure`: `1 run of "+campaignID+"`", "`/plan` has no answer: `no plan yet`")
	if strings.Contains(strings.ReplaceAll(answer, "`@mallory <b>`", ""), "mallory") {
		t.Errorf("a string from outside is not in a span of code:\n%s", answer)
	}
	if o.record().State != incident.Open {
		t.Error("a question changed the state")
	}
}

// TestRaise opens an incident that no sweep knows of.
func TestRaise(t *testing.T) {
	ctx := context.Background()
	o := newOffice(newWorld(t))
	c := incident.Campaign{ID: "signal-secret-scanning", Title: "a secret was pushed", Severity: "high"}
	s := incident.Signal{Source: "secret-scanning", Ref: "acme/api#7", Subject: "npm token", At: date(1)}
	for range 2 {
		if err := o.desk.Raise(ctx, c, s); err != nil {
			t.Fatal(err)
		}
		if err := o.desk.Show(ctx, c.ID, o.fx); err != nil {
			t.Fatal(err)
		}
	}
	if got := o.tracker.took(); got != "Create" {
		t.Fatalf("wrote %q", got)
	}
	if err := o.desk.SetVerdict(ctx, c.ID, incident.Verdict{Scenario: "rotate", Tree: "runbook/1", Path: []incident.Step{{Question: "secret?", Answer: "yes", Source: "signal"}}, Open: []string{"did it leave?"}, At: date(1)}); err != nil {
		t.Fatal(err)
	}
	if err := o.desk.PutPlan(ctx, c.ID, incident.PlanRef{Kind: "rotation", Digest: strings.Repeat("ab", 32), Steps: 2, Summary: []string{"whose it was: nobody knows"}, Items: []incident.PlanStep{
		{ID: "rotate-npm", Digest: "d1", Text: "Replace npm tokens"}, {ID: "delete", Digest: "d2", Text: "Delete it", People: 2},
	}}); err != nil {
		t.Fatal(err)
	}
	e := incident.Evidence{What: "alert.json", Where: "s3://evidence/7", SHA256: strings.Repeat("0f", 32), Bytes: 812, By: "jane", At: date(1)}
	for range 2 {
		if err := o.desk.AddEvidence(ctx, c.ID, e); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.desk.AddEvidence(ctx, c.ID, incident.Evidence{What: "x", Where: "y", SHA256: "00"}); err == nil {
		t.Error("evidence without a digest was taken")
	}
	if err := o.desk.Contain(ctx, c.ID, "the token is revoked"); err != nil {
		t.Fatal(err)
	}
	o.tick()
	o.told("first contained")
	o.says("jane", "/done rotate-npm whoami refuses it\n/done delete")
	golden(t, "raised.md", o.body(1))
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD"}, "Edit", 1)
	o.expect(3, looks{read: "api@HEAD"}, "", 1) // no sweep ends it
	o.has(o.says("olga", "/resolve the token is rotated, see ROT-12"), "over by your word")
	s.Ref = "acme/api#8"
	if err := o.desk.Raise(ctx, c, s); err != nil {
		t.Fatal(err)
	}
	o.tick()
	if rec, err := o.desk.Incident(ctx, c.ID); err != nil || rec.State != incident.Open || o.tracker.open() != 1 {
		t.Errorf("a new signal: %v, %d open", err, o.tracker.open())
	}
}

// TestRaiseAgain: a signal that is noticed once more opens an incident that was over; one that is told of
// twice does not.
func TestRaiseAgain(t *testing.T) {
	ctx := context.Background()
	o := newOffice(newWorld(t))
	c := incident.Campaign{ID: "signal-secret-scanning", Title: "a secret was pushed", Severity: "high"}
	raise := func(seen, detail string) *incident.Record {
		t.Helper()
		if err := o.desk.Raise(ctx, c, incident.Signal{Source: "secret-scanning", Ref: "7", Detail: detail, Seen: []string{seen}, At: date(1)}); err != nil {
			t.Fatal(err)
		}
		o.tick()
		rec, err := o.desk.Incident(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	raise("created", "validity unknown")
	if rec := raise("validated", "validity active"); len(rec.Response.Signals) != 1 || rec.Response.Signals[0].Detail != "validity active" {
		t.Errorf("%+v", rec.Response.Signals)
	}
	o.has(o.body(1), "validity active")
	o.has(o.says("olga", "/resolve the token is rotated, see ROT-12"), "over by your word")
	for _, seen := range []string{"created", "validated"} {
		if rec := raise(seen, "validity unknown"); rec.State != incident.Dismissed {
			t.Errorf("%s again: %s", seen, rec.State)
		}
	}
	if rec := raise("publicly_leaked", "leaked"); rec.State != incident.Open || o.tracker.open() != 1 {
		t.Errorf("it leaked: %s, %d open", rec.State, o.tracker.open())
	}
	for i := range 200 {
		raise(fmt.Sprint(i), "")
	}
	if rec := raise("the last", ""); len(rec.Response.Signals) != 1 || len(rec.Response.Signals[0].Seen) != 50 || len(rec.Response.Timeline) > 10 {
		t.Errorf("%d seen, %d entries", len(rec.Response.Signals[0].Seen), len(rec.Response.Timeline))
	}
}

// TestByHand: a person closes the issue and opens it again, and nobody is called meanwhile.
func TestByHand(t *testing.T) {
	ctx := context.Background()
	o := newWorld(t).hit()
	i := o.tracker.issues[0]
	event := func(action, login string) {
		t.Helper()
		e := incident.IssueEvent{Action: action, Repository: "acme/incidents", Issue: 1, Sender: incident.Account{Login: login, Person: true}}
		for range 2 {
			if err := o.desk.HandleIssue(ctx, e, o.fx); err != nil {
				t.Error(err)
			}
		}
	}
	event("closed", "mallory") // which is not so
	o.state(incident.Open)
	i.Open = false
	event("closed", "sweeper[bot]") // our own doing is written down by who does it
	o.state(incident.Open)
	event("closed", "jane")
	o.state(incident.Dismissed)
	o.now = o.now.Add(time.Hour)
	o.tick()
	o.told("")
	i.Open = true
	event("reopened", "rob")
	o.state(incident.Open)
	o.has(o.body(1), "dismissed, was open, by `jane`", "open, was dismissed, by `rob`")
	o.tick()
	o.now = o.now.Add(5 * time.Minute)
	i.Open = false // and no delivery says so
	o.tick()
	o.state(incident.Dismissed)
	o.told("")

	// Closed with proof, and opened again: it stays open.
	o = newWorld(t).hit()
	o.tracker.took()
	o.expect(2, looks{read: "api@HEAD"}, "Comment Edit", 0)
	o.tracker.issues[0].Open = true
	event("reopened", "rob")
	o.state(incident.Open)
	o.tracker.took()
	o.expect(3, looks{read: "api@HEAD"}, "", 1)
	o.has(o.body(1), "a person has to close it")
}

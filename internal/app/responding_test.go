//go:build unix

package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// newResponding is a watched App whose responders are jane.
func newResponding(t *testing.T) *watched {
	t.Helper()
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	w.github.AddTeam(w.github.Installation().Account, "responders", "jane")
	w.github.AddUser("mallory")
	w.incidents.responders = "responders"
	return w
}

// takeAll takes every signal that is kept.
func (w *watched) takeAll() {
	w.Helper()
	var ids []string
	err := w.db.Query(w.Context(), "SELECT id FROM app_signal", nil, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	for _, id := range ids {
		if err := w.take(w.Context(), jobs.Job{Kind: kindSignal, Args: fmt.Appendf(nil, `{"signal": %q}`, id)}); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *watched) deliver1(event, repository string, members map[string]any) {
	w.Helper()
	body := w.body(members, repository)
	if err := w.act(w.Context(), hook.Delivery{ID: "1", Event: event, Installation: w.github.Installation().ID, Received: time.Now(), Body: body}); err != nil {
		w.Fatal(err)
	}
}

// comment has somebody write a comment on issue 1, and delivers it.
func (w *watched) comment(login, text string) {
	w.Helper()
	who := w.github.Organization(login)
	id := w.issues.AddComment(1, who, nil, text)
	w.deliver1("issue_comment", "incident-response", map[string]any{
		"action": "created", "issue": map[string]any{"id": 11, "number": 1, "state": "open"},
		"comment": map[string]any{"id": id, "body": text, "user": map[string]any{"login": login, "id": who.ID, "type": "User"}},
	})
}

func (w *watched) incident(id string) *incident.Record {
	w.Helper()
	desk, err := w.incidents.desk(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	rec, err := desk.Incident(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return rec
}

// TestTokenPublishIsTriaged: the version that nobody announced is Scenario C with its questions in
// the issue; one of the responders acknowledges it, and nobody else does.
func TestTokenPublishIsTriaged(t *testing.T) {
	var told atomic.Int64
	channel := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		told.Add(1)
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(channel.Close)
	t.Setenv(EnvSlackWebhook, channel.URL+"/services/T0/B0/x")
	w := newResponding(t)
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.publish("1.1.1", "", time.Minute)
	if err := w.publishing().watcher.Hurry(t.Context(), w.publishing().all, 0, false); err != nil {
		t.Fatal(err)
	}
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.takeAll()
	}
	id := incident.PublishedByUs().ID
	rec := w.incident(id)
	if v := rec.Response.Verdict; v == nil || v.Scenario != triage.C.String() || !v.CloseOut || len(rec.Response.Signals) != 1 {
		t.Fatalf("%+v\n%s", rec.Response, w.log)
	}
	issues := w.issues.Issues()
	if len(issues) != 1 || !strings.Contains(issues[0].Body, "1.1.1") {
		t.Fatalf("%+v", issues)
	}
	if plan, text := rec.Response.Plan, w.planText(id); plan == nil || plan.Kind != string(respond.Withdrawal) || !strings.Contains(text, "Deprecate @acme/sdk@1.1.1") || strings.Contains(text, "Deprecate @acme/sdk@1.1.0") {
		t.Errorf("the plan: %+v", plan)
	}
	if told.Load() == 0 {
		t.Error("the chat was not told")
	}
	w.comment("mallory", "/ack")
	if rec := w.incident(id); rec.State != incident.Open {
		t.Errorf("mallory acknowledged it: %s", rec.State)
	}
	w.comment("jane", "/ack")
	if rec := w.incident(id); rec.State != incident.Acknowledged || rec.Response.Owner != "jane" {
		t.Errorf("jane's word: %s, owner %q", rec.State, rec.Response.Owner)
	}
	if err := w.tick(t.Context(), jobs.Job{}); err != nil {
		t.Error(err)
	}
}

// TestSweptIsTriaged: what a sweep found has its verdict in the one incident, and no signal that
// would keep the next sweep from proving it gone.
func TestSweptIsTriaged(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"},"node_modules/axios":{"version":"1.14.1","resolved":"https://registry.npmjs.org/axios/-/axios-1.14.1.tgz"}}}`})
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	desk, err := w.incidents.desk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids, err := desk.Incidents(t.Context())
	if err != nil || len(ids) != 1 || len(w.issues.Issues()) != 1 {
		t.Fatalf("%q, %d issues, %v", ids, len(w.issues.Issues()), err)
	}
	if rec := w.incident(ids[0]); rec.Response.Plan == nil || !strings.Contains(w.planText(ids[0]), "acme/web") || !strings.Contains(w.issues.Issues()[0].Body, rec.Response.Plan.Digest[:12]) {
		t.Errorf("the plan: %+v\n%s", rec.Response.Plan, w.issues.Issues()[0].Body)
	}
	for question, want := range map[string]string{
		"/who-has npm:axios@1.14.1": "1 places in 1 repositories", "/who-has npm:left-pad": "Nobody has it", "/who-has !": "has no answer",
		"/exposure": "pkg:npm/axios@1.14.1", "/exposure npm:axios@1.14.1": "ci-installed", "/exposure acme": "names no package", "/plan": "sha256:",
	} {
		w.comment("jane", question)
		comments := w.issues.Issues()[0].Comments
		if last := comments[len(comments)-1]; !strings.Contains(last, want) {
			t.Errorf("%s: %s; want %q", question, last, want)
		}
	}
	// What a responder calls a false positive, the next sweep lives with.
	w.comment("jane", "/false-positive a fixture of a test until "+time.Now().AddDate(0, 0, 30).Format(time.DateOnly))
	if rec := w.incident(ids[0]); rec.Response.Verdict == nil || len(rec.Response.Verdict.Path) == 0 || len(rec.Response.Signals) != 0 {
		t.Errorf("%+v", rec.Response)
	}
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if r, _, err := w.dailyRun(t.Context(), runSweep); err != nil || r.Exit != 0 {
		t.Errorf("%+v, %v\n%+v", r, err, w.issues.Issues()[0].Comments)
	}
}

// TestSignalsOfGitHub: a leaked secret opens an incident; a member who was added calls nobody, and neither does a
// pull request that nobody merged.
func TestSignalsOfGitHub(t *testing.T) {
	w := newResponding(t)
	w.deliver1("member", "web", map[string]any{"action": "added", "member": map[string]any{"login": "peter", "id": 4}, "changes": map[string]any{"role_name": map[string]any{"to": "read"}}})
	w.takeAll()
	if n := len(w.issues.Issues()); n != 0 {
		t.Fatalf("%d issues of a member who was added", n)
	}
	pull := triage.Signal{
		Source: triage.FromSweep, SourceRef: "x@y", AlertID: triage.AlertIOC, Severity: triage.Critical, Group: "axios-2026-03",
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": "pkg:npm/axios@1.14.1", "pull_request": "7", "repository": "acme/web"}},
	}
	if err := w.Signal(t.Context(), pull); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	if n := len(w.issues.Issues()); n != 0 {
		t.Fatalf("%d issues of a pull request that nobody merged: %+v", n, w.issues.Issues())
	}
	s := triage.Signal{
		Source: triage.FromSecretScanning, SourceRef: "acme/web 1", AlertID: triage.AlertSecret, Severity: triage.Critical,
		Subject: triage.Subject{Kind: triage.Secret, Parts: map[string]string{"type": "npm_access_token", "repository": "acme/web"}},
	}
	if err := w.Signal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.takeAll()
	}
	issues := w.issues.Issues()
	if len(issues) != 1 || !strings.Contains(issues[0].Title, "signal-") || !strings.Contains(issues[0].Body, "acme/web") {
		t.Fatalf("%+v\n%s", issues, w.log)
	}
	// A person closes it, and nobody is called for it any more.
	w.deliver1("issues", "incident-response", map[string]any{"action": "closed", "issue": map[string]any{"id": 11, "number": 1, "state": "open"}})
}

// TestNobodyCommands: without responders a comment does nothing, and signals are triaged into the log.
func TestNobodyCommands(t *testing.T) {
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	s := triage.Signal{Source: triage.FromSecretScanning, SourceRef: "acme/web 1", AlertID: triage.AlertSecret, Severity: triage.Critical, Subject: triage.Subject{Kind: triage.Secret, Parts: map[string]string{"repository": "acme/web"}}}
	if err := w.Signal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	if n := len(w.issues.Issues()); n != 0 || !strings.Contains(w.log.String(), "a signal was triaged") {
		t.Errorf("%d issues\n%s", n, w.log)
	}
}

// open are the issues that are open.
func (w *watched) open() (open []githubtest.Issue) {
	for _, i := range w.issues.Issues() {
		if i.State == "open" {
			open = append(open, i)
		}
	}
	return open
}

// pushed is the signal of a push that brought a listed package.
func pushed(when time.Time) triage.Signal {
	return triage.Signal{
		Source: triage.FromSweep, SourceRef: "x@y", AlertID: triage.AlertIOC, Severity: triage.Critical, Group: "axios-2026-03", FirstSeen: when,
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": "pkg:npm/axios@1.14.1", "repository": "acme/web", "commit": strings.Repeat("ab", 20)}},
	}
}

// signalJobs are the arguments of the jobs of signals, the earliest first.
func (w *watched) signalJobs() (args []string) {
	w.Helper()
	err := w.db.Query(w.Context(), "SELECT json_extract(args, '$.args') FROM river_job WHERE json_extract(args, '$.kind') = 'signal' ORDER BY scheduled_at, id", nil, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		args = append(args, text)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return args
}

// TestSignalIsNotLost: a signal whose job was given up has another, once.
func TestSignalIsNotLost(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	for _, s := range []triage.Signal{pushed(time.Now().Add(-2 * time.Hour)), {Source: triage.FromManual, SourceRef: "a moment ago", AlertID: triage.AlertReport, FirstSeen: time.Now()}} {
		if err := w.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.db.Exec(t.Context(), "DELETE FROM river_job WHERE json_extract(args, '$.kind') = 'signal'"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.janitor(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
	}
	all := w.signalJobs()
	if len(all) != 1 {
		t.Fatalf("%q", all)
	}
	waiting := func(want string) {
		t.Helper()
		rec := httptest.NewRecorder()
		newAdminServer(w.App).Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if text := rec.Body.String(); !strings.Contains(text, "\nwormsweep_signals_waiting "+want+"\n") {
			t.Errorf("the metrics do not say that %s wait:\n%s", want, text)
		}
	}
	waiting("1")
	if err := w.notTaken(t.Context(), jobs.Job{Args: []byte(all[0])}, "the tracker is archived"); err != nil || !strings.Contains(w.log.String(), "the tracker is archived") {
		t.Errorf("%v\n%s", err, w.log)
	}
	w.takeAll()
	waiting("0")
	if _, err := w.db.Exec(t.Context(), "DELETE FROM river_job WHERE json_extract(args, '$.kind') = 'signal'"); err != nil {
		t.Fatal(err)
	}
	if err := w.janitor(t.Context(), jobs.Job{}); err != nil || len(w.signalJobs()) != 0 {
		t.Errorf("%v: %q", err, w.signalJobs())
	}
}

// TestPushedLater: what a sweep found first and somebody pushed then is looked at again as well.
func TestPushedLater(t *testing.T) {
	w := newResponding(t)
	swept := pushed(time.Now())
	swept.SourceRef, swept.Subject.Parts = "swept", map[string]string{"purl": swept.Subject.Part("purl"), "repository": "acme/api"}
	for _, s := range []triage.Signal{swept, pushed(time.Now())} {
		if err := w.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	w.takeAll()
	if all := w.signalJobs(); !slices.ContainsFunc(all, func(args string) bool { return strings.Contains(args, `"again"`) }) {
		t.Errorf("%q", all)
	}
}

// TestExposureInTime: who asks what ran is answered, where data takes too long as well.
func TestExposureInTime(t *testing.T) {
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	w.askWithin = time.Nanosecond
	w.comment("jane", "/exposure")
	w.says(w.lastComment(), "not looked at:", "data did not answer in time")
	if strings.Contains(w.lastComment(), "ci-installed") {
		t.Errorf("half of an answer is one: %s", w.lastComment())
	}
}

// TestLookAgain: the signal of a push is triaged again when its runs of CI can have run, and no other is.
func TestLookAgain(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	s := pushed(time.Now())
	if err := w.Signal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for again := range 2 + len(looksAgain) {
		all := w.signalJobs()
		if want := min(again, len(looksAgain)) + 1; len(all) != want {
			t.Fatalf("%d jobs after %d triages, want %d: %q", len(all), again, want, all)
		}
		if err := w.take(t.Context(), jobs.Job{Kind: kindSignal, Args: []byte(all[len(all)-1])}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Count(w.log.String(), "a signal was triaged"), 2+len(looksAgain); got != want {
		t.Errorf("triaged %d times, want %d", got, want)
	}
	if err := w.Signal(t.Context(), triage.Signal{Source: triage.FromManual, SourceRef: "1", AlertID: triage.AlertReport, FirstSeen: time.Now()}); err != nil {
		t.Fatal(err)
	}
	before := len(w.signalJobs())
	w.takeAll()
	if after := len(w.signalJobs()); after != before {
		t.Errorf("%d jobs, were %d", after, before)
	}
}

// TestLookAgainAfterTheLast: what a signal sees later has its own look again, and not the one of what it saw first.
func TestLookAgainAfterTheLast(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	began := time.Now().Truncate(againTurn).Add(time.Second)
	for i, tt := range []struct {
		after time.Duration
		looks int // that are due
	}{{0, 1}, {time.Minute, 1}, {14 * time.Minute, 2}} {
		s := pushed(began.Add(tt.after))
		s.SourceRef = fmt.Sprint("push ", i)
		if err := w.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := w.take(t.Context(), jobs.Job{Kind: kindSignal, Args: []byte(w.signalJobs()[0])}); err != nil {
			t.Fatal(err)
		}
		all := w.signalJobs()
		if got := len(slices.DeleteFunc(all, func(args string) bool { return !strings.Contains(args, `"again":1`) })); got != tt.looks {
			t.Errorf("%s after the first: %d looks, want %d", tt.after, got, tt.looks)
		}
	}
}

// TestDataIsSlow: where data does not answer in time, somebody is called all the same.
func TestDataIsSlow(t *testing.T) {
	w := newResponding(t)
	w.askWithin = time.Nanosecond
	if err := w.Signal(t.Context(), pushed(time.Now())); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	if n := len(w.open()); n != 1 || !strings.Contains(w.log.String(), "data did not answer about a signal in time") {
		t.Fatalf("%d issues\n%s", n, w.log)
	}
	if v := w.incident("axios-2026-03").Response.Verdict; v == nil || len(v.Open) == 0 || !v.CloseOut {
		t.Errorf("%+v", v)
	}
	slow := slices.DeleteFunc(w.signalJobs(), func(args string) bool { return !strings.Contains(args, `"slow":true`) })
	if len(slow) != 1 {
		t.Fatalf("jobs: %q", w.signalJobs())
	}
	w.askWithin = 0
	if _, err := w.db.Exec(t.Context(), "DELETE FROM river_job WHERE json_extract(args, '$.args') LIKE '%again%'"); err != nil { // it is over
		t.Fatal(err)
	}
	if err := w.take(t.Context(), jobs.Job{Kind: kindSignal, Args: []byte(slow[0])}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(w.log.String(), "a signal was triaged"); got != 2 {
		t.Errorf("triaged %d times, want 2", got)
	}
	if all := w.signalJobs(); slices.ContainsFunc(all, func(args string) bool { return strings.Contains(args, "again") }) {
		t.Errorf("looks that are over come back: %q", all)
	}
}

// TestDataIsLimited: what GitHub's limits leave open is asked for once they are over, and not before.
func TestDataIsLimited(t *testing.T) {
	w := newResponding(t)
	until := time.Now().Add(2 * time.Hour) // later than the simulator says
	w.github.Break(githubtest.Rule{Kind: githubtest.REST, Path: "/api/v3/repos/*/*/actions/runs", Fault: func(e *githubtest.Exchange) {
		e.Serve()
		e.Header.Set("X-RateLimit-Remaining", "100")
		e.Header.Set("X-RateLimit-Limit", "5000")
		e.Header.Set("X-RateLimit-Reset", fmt.Sprint(until.Unix()))
	}})
	for _, name := range []string{"api", "web"} { // a signal names the last of them alone
		w.github.AddFiles(name, map[string]string{"package-lock.json": axiosLock})
	}
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	if n := len(w.open()); n != 1 || !strings.Contains(w.log.String(), "is not all of it yet") {
		t.Fatalf("%d issues\n%s", n, w.log)
	}
	var at int64
	if _, err := w.db.One(t.Context(), "SELECT unixepoch(scheduled_at) FROM river_job WHERE json_extract(args, '$.args') LIKE '%slow%'", nil, &at); err != nil {
		t.Fatal(err)
	}
	if due := time.Unix(at, 0); due.Before(until.Truncate(time.Second)) || due.After(until.Add(slowPause+2*time.Second)) {
		t.Errorf("asked again at %s, GitHub's limit is over at %s", due, until)
	}
}

// TestDataIsSlowForHours: it is not asked for ever.
func TestDataIsSlowForHours(t *testing.T) {
	w := newResponding(t)
	w.askWithin = time.Nanosecond
	if err := w.Signal(t.Context(), pushed(time.Now().Add(-slowFor-time.Minute))); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	for _, args := range w.signalJobs() {
		if strings.Contains(args, "slow") {
			t.Errorf("%q", args)
		}
	}
}

// TestPlanIsSlow: an incident is shown without a plan that is not made in time, and the signal is not tried again
// for it.
func TestPlanIsSlow(t *testing.T) {
	w := newResponding(t)
	w.planAtOnce = time.Nanosecond
	if err := w.Signal(t.Context(), pushed(time.Now())); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	if n := len(w.open()); n != 1 || !strings.Contains(w.log.String(), "a plan could not be made in time") {
		t.Fatalf("%d issues\n%s", n, w.log)
	}
}

// TestNoStorm: what somebody does hundreds of times is one incident, and what is something else is another.
func TestNoStorm(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	noon := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	raise := func(alert string, subject triage.Subject, when time.Time) {
		t.Helper()
		if err := w.Signal(t.Context(), triage.Signal{Source: triage.FromGitHub, SourceRef: "1", AlertID: alert, Severity: triage.Critical, Subject: subject, FirstSeen: when}); err != nil {
			t.Fatal(err)
		}
	}
	secret := func(repository string, number int) triage.Subject {
		return triage.Subject{Kind: triage.Secret, Parts: map[string]string{"repository": repository, "number": fmt.Sprint(number)}}
	}
	repository := func(name string) triage.Subject {
		return triage.Subject{Kind: triage.Repository, Parts: map[string]string{"repository": name}}
	}
	for i := range 12 {
		raise(triage.AlertSecret, secret("acme/web", i), noon)
		raise(triage.AlertPublicity, repository(fmt.Sprint("acme/private-", i)), noon.Add(time.Duration(i)*time.Minute))
	}
	raise(triage.AlertSecret, secret("Acme/Web", 99), noon)
	w.takeAll()
	if ids := w.incidentIDs(); len(ids) != 2 || len(w.open()) != 2 {
		t.Fatalf("%q, %d issues", ids, len(w.open()))
	}
	things := 0
	for _, id := range w.incidentIDs() {
		things += len(w.incident(id).Response.Triaged)
	}
	if things != 25 {
		t.Errorf("%d things; want each", things)
	}
	raise(triage.AlertSecret, secret("acme/api", 1), noon)
	raise(triage.AlertPublicity, repository("acme/other"), noon.AddDate(0, 0, 1))
	raise(triage.AlertSecret, triage.Subject{Kind: triage.Secret, Parts: map[string]string{"secret": "x"}}, noon)
	w.takeAll()
	if ids := w.incidentIDs(); len(ids) != 5 {
		t.Errorf("%q", ids)
	}
}

// TestCampaignOfAnotherCatalogue: what a sweep found is in the incident of its campaign, whichever catalogue
// the process has that triages it.
func TestCampaignOfAnotherCatalogue(t *testing.T) {
	w := newResponding(t)
	s := pushed(time.Now())
	s.Group, s.Evidence = "new-worm-2026-11", []triage.Evidence{{Label: "campaign", Value: "new-worm-2026-11: A new worm"}}
	s = s.Identified()
	if c := w.campaignOf(&s); c.ID != "new-worm-2026-11" || c.Severity != "critical" {
		t.Errorf("%+v", c)
	}
	s.AlertID, s.Group = triage.AlertMalware, "GHSA-abcd-efgh-jkmn" // a word of the source's, and no campaign
	if c := w.campaignOf(&s); c.ID != "signal-"+s.Fingerprint {
		t.Errorf("%+v", c)
	}
}

// TestAnswer: a responder's answer leads the triage on at once, and is not lost to what data says again.
func TestAnswer(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	if err := w.Signal(t.Context(), pushed(time.Now())); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	w.comment("mallory", "/answer ci-installed yes run 7 did")
	if v := w.incident("axios-2026-03").Response.Verdict; v.Scenario != "undecided" && v.Scenario != "pin" {
		t.Fatalf("%+v", v)
	}
	w.comment("jane", "/answer ci-installed yes run 7 did")
	if n := w.planJobs(); n != 1 {
		t.Errorf("%d jobs make the plan again; want one", n)
	}
	for range 2 {
		v := w.incident("axios-2026-03").Response.Verdict
		if body := w.issues.Issues()[0].Body; v.Scenario != triage.B.String() || !strings.Contains(body, "`yes`, by `jane`: `run 7 did`") || !strings.Contains(body, "ci-secrets") {
			t.Errorf("%+v\n%s", v, body)
		}
		if err := w.take(t.Context(), jobs.Job{Kind: kindSignal, Args: []byte(w.signalJobs()[1])}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKnownFalsePositive: what whoever is on call called false opens no incident again, and anything else does.
func TestKnownFalsePositive(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	raise := func(host string) int {
		t.Helper()
		before := len(w.open())
		s := triage.Signal{
			Source: triage.FromNative, SourceRef: fmt.Sprint(time.Now()), AlertID: "S1", FirstSeen: time.Now(), Severity: triage.High,
			Subject: triage.Subject{Kind: triage.Workstation, Parts: map[string]string{"host": host}},
		}
		if err := w.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		w.takeAll()
		return len(w.open()) - before
	}
	if n := raise("jump-host"); n != 1 {
		t.Fatalf("%d issues", n)
	}
	id := w.incidentIDs()[0]
	if v := w.incident(id).Response.Verdict; v.Scenario != triage.A.String() || !slices.ContainsFunc(v.Open, func(q string) bool { return strings.HasPrefix(q, triage.KnownFalsePositive) }) {
		t.Errorf("without a list it is not known whether it is a false one: %+v", v)
	}
	w.comment("jane", "/false-positive the backup logs in until "+time.Now().AddDate(0, 0, 30).Format(time.DateOnly)+"\n/resolve it was the backup")
	if rec := w.incident(id); rec.State != incident.Dismissed || rec.Response.Verdict.Scenario != triage.None.String() {
		t.Fatalf("%s %+v", rec.State, rec.Response.Verdict)
	}
	if n := raise("jump-host"); n != 0 {
		t.Errorf("%d issues of what is known to be false", n)
	}
	if n := raise("laptop-7"); n != 1 {
		t.Errorf("%d issues of another host", n)
	}
	w.config.Known = []triage.FalsePositive{{Alert: "S1", Parts: map[string]string{"host": "laptop-8"}, Owner: "ash", Reason: "a test", Until: time.Now().Add(time.Hour)}}
	if n := raise("laptop-8"); n != 0 {
		t.Errorf("%d issues of what the file calls false", n)
	}
	if _, _, err := w.inventory.Records(knownRecords).Swap(t.Context(), "other", 0, []byte("x")); err != nil { // of another organisation
		t.Fatal(err)
	}
	if a := w.known(t.Context(), &triage.Signal{AlertID: "S1"}); a.Truth != triage.No {
		t.Errorf("%+v", a)
	}
	w.config.Issues = "other/incidents"
	if a := w.known(t.Context(), &triage.Signal{AlertID: "S1"}); a.Truth != triage.Unknown {
		t.Errorf("a list that does not read says %+v", a)
	}
}

func (w *watched) incidentIDs() []string {
	w.Helper()
	desk, err := w.incidents.desk(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	ids, err := desk.Incidents(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return ids
}

// TestOnCall: where the configuration names who is on call, a responder who is not declares nothing over.
func TestOnCall(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	w.github.AddTeam(w.github.Installation().Account, "on-call", "olga")
	w.incidents.onCall = "on-call"
	if err := w.Signal(t.Context(), pushed(time.Now())); err != nil {
		t.Fatal(err)
	}
	w.takeAll()
	w.comment("jane", "/answer ci-installed yes run 7 did")
	for _, says := range []string{"/resolve nothing happened", "/answer ci-installed no nothing ran"} {
		w.comment("jane", says)
	}
	if rec := w.incident("axios-2026-03"); rec.State != incident.Open || rec.Response.Verdict.Scenario != triage.B.String() {
		t.Errorf("jane: %s, %+v", rec.State, rec.Response.Verdict)
	}
	w.comment("olga", "/answer ci-installed no nothing ran\n/resolve nothing happened")
	if rec := w.incident("axios-2026-03"); rec.State != incident.Dismissed || rec.Response.Verdict.Scenario == triage.B.String() {
		t.Errorf("olga: %s, %+v", rec.State, rec.Response.Verdict)
	}
}

// TestProposedThenMerged: a pull request that brought something first does not keep what is merged then
// from being triaged for itself.
func TestProposedThenMerged(t *testing.T) {
	w := newResponding(t)
	now := time.Now().UTC()
	for _, pull := range []string{"7", ""} {
		s := triage.Signal{
			Source: triage.FromSweep, SourceRef: "x@" + pull, AlertID: triage.AlertIOC, Severity: triage.Critical, Group: "axios-2026-03", FirstSeen: now,
			Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": "pkg:npm/axios@1.14.1", "pull_request": pull, "repository": "acme/web"}},
		}
		if err := w.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	w.takeAll()
	if n := len(w.issues.Issues()); n != 1 {
		t.Errorf("%d issues\n%s", n, w.log)
	}
}

// TestSignalAfterTheEnd: what comes to a signal after its incident was declared over opens it again.
func TestSignalAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	now := time.Now().UTC()
	signal := func(ref string) {
		t.Helper()
		s := triage.Signal{
			Source: triage.FromSecretScanning, SourceRef: ref, AlertID: triage.AlertSecret, Severity: triage.High, FirstSeen: now,
			Subject: triage.Subject{Kind: triage.Secret, Parts: map[string]string{"number": "9", "repository": "acme/web"}},
		}
		if err := w.Signal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		w.takeAll()
	}
	signal("created")
	w.comment("jane", "/resolve it was rotated, see OPS-7")
	if n := len(w.open()); n != 0 {
		t.Fatalf("%d open", n)
	}
	signal("created")
	if n := len(w.open()); n != 0 {
		t.Errorf("the same delivery opened it again: %d", n)
	}
	signal("publicly_leaked")
	if n := len(w.open()); n != 1 {
		t.Errorf("it leaked, and %d are open", n)
	}
}

// TestClaimedFor: whoever waits inside of an effect for the claim of a process that died comes to
// its turn.
func TestClaimedFor(t *testing.T) {
	if effect, claim := journal.DefaultLease, claimedFor(); claim <= 0 || claim > effect*2/3 {
		t.Errorf("an incident is claimed for %v, an effect for %v", claim, effect)
	}
}

//go:build unix

package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const axiosCampaign = "axios-2026-03"

// axiosLock locks a listed version of axios.
const axiosLock = `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"},"node_modules/axios":{"version":"1.14.1","resolved":"https://registry.npmjs.org/axios/-/axios-1.14.1.tgz"}}}`

// newPlanned is an App whose responders are jane and rob, with axios in its registry.
func newPlanned(t *testing.T) *watched {
	t.Helper()
	w := newResponding(t)
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for version, at := range map[string]string{"1.13.0": "2025-06-01", "1.14.0": "2025-10-01", "1.14.1": "2026-03-31"} {
		w.registry.NPM().Publish("axios", registrytest.NPMVersion{Version: version, Time: day(at), Tag: "-"})
	}
	w.registry.Forget()
	return w
}

// sweepAndTake has the organisation swept, and what is found taken to triage.
func (w *watched) sweepAndTake() {
	w.Helper()
	if err := w.sweepAll(w.Context(), jobs.Job{}); err != nil {
		w.Fatal(err)
	}
	w.takeAll()
}

// ofPlans picks the jobs that make plans.
const ofPlans = `json(args) LIKE '%"kind":"plan"%'`

// planJobs is how many jobs wait that make the plan of an incident.
func (w *watched) planJobs() (n int) {
	w.Helper()
	if _, err := w.db.One(w.Context(), "SELECT count(*) FROM river_job WHERE "+ofPlans, nil, &n); err != nil {
		w.Fatal(err)
	}
	return n
}

// runPlan runs the job that makes a plan, which was asked for a while ago.
func (w *watched) runPlan(id string, ago time.Duration) error {
	w.Helper()
	return w.makePlan(w.Context(), jobs.Job{Kind: kindPlan, Args: fmt.Appendf(nil, `{"incident": %q, "since": %q}`, id, time.Now().Add(-ago).Format(time.RFC3339))})
}

func (w *watched) asked() int { return w.registry.Counts()["npm packument"].Requests }

// planText is what the incident's record has of its plan.
func (w *watched) planText(id string) string {
	w.Helper()
	rec := w.incident(id)
	if rec.Response.Plan == nil {
		return ""
	}
	return strings.Join(append(rec.PlanLines(), rec.Response.Plan.Summary...), "\n")
}

func (w *watched) says(text string, parts ...string) {
	w.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			w.Errorf("it does not say %q:\n%s", part, text)
		}
	}
}

func (w *watched) lastComment() string {
	w.Helper()
	comments := w.issues.Issues()[0].Comments
	if len(comments) == 0 {
		w.Fatal("no comment")
	}
	return comments[len(comments)-1]
}

// TestPlanAsksRegistries: the plan is in the incident at once with its gap, and a job asks the registry
// and fills it. What was said is not asked for again, by a signal, by /plan or by the job, and the plan
// stays the same.
func TestPlanAsksRegistries(t *testing.T) {
	t.Parallel()
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	w.says(w.planText(axiosCampaign), "Decide where to go from axios@1.14.1", "its registry has not been asked yet")
	if plan := w.incident(axiosCampaign).Response.Plan; !plan.Open || w.planJobs() != 1 || w.asked() != 0 {
		t.Errorf("open %t, %d jobs, asked %d times", plan.Open, w.planJobs(), w.asked())
	}
	w.says(w.issues.Issues()[0].Body, "Decide where to go from axios@1.14.1")

	if err := w.runPlan(axiosCampaign, 0); err != nil {
		t.Fatal(err)
	}
	w.says(w.planText(axiosCampaign), "acme/web: Put axios@1.14.1 back to 1.14.0", "package-lock.json:1; package.json; npm install --package-lock-only --ignore-scripts")
	w.says(w.issues.Issues()[0].Body, "Put axios@1.14.1 back to 1.14.0")
	first := w.incident(axiosCampaign).Response
	if first.Plan.Open || w.asked() != 1 {
		t.Errorf("open %t, asked %d times", first.Plan.Open, w.asked())
	}

	// Nothing new: nobody is asked, and the plan is the same to the bit.
	for range 2 {
		if err := w.runPlan(axiosCampaign, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.comment("jane", "/plan")
	w.says(w.lastComment(), "Put axios@1.14.1 back to 1.14.0", first.Plan.Digest)
	if now := w.incident(axiosCampaign).Response; now.Plan.Digest != first.Plan.Digest || len(now.Timeline) != len(first.Timeline) || w.asked() != 1 {
		t.Errorf("the same facts: plan %s, was %s; %d entries, were %d; asked %d times", now.Plan.Digest, first.Plan.Digest, len(now.Timeline), len(first.Timeline), w.asked())
	}
	// One place more: the plan has it at once, of what was said.
	w.github.AddFiles("api", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	w.says(w.planText(axiosCampaign), "acme/web: Put axios@1.14.1 back to 1.14.0", "acme/api: Put axios@1.14.1 back to 1.14.0")
	if w.asked() != 1 {
		t.Errorf("asked %d times", w.asked())
	}
}

// TestPlanWithoutRegistry: where the registry does not answer the plan says so, in the same words each
// time, and is made again until it does, or a day is over.
func TestPlanWithoutRegistry(t *testing.T) {
	t.Parallel()
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	mend := w.registry.Break(registrytest.Rule{Path: "/npm/axios", Fault: registrytest.Reset()})
	var digest string
	for i, age := range []time.Duration{0, 5 * time.Minute, 3 * time.Hour} {
		var later *jobs.SnoozeError
		if err := w.runPlan(axiosCampaign, age); !errors.As(err, &later) {
			t.Fatalf("after %s: %v", age, err)
		}
		if wait := time.Until(later.Until); wait < 30*time.Second || wait > planLater {
			t.Errorf("after %s it is asked again in %s", age, wait)
		}
		plan := w.incident(axiosCampaign).Response.Plan
		if i > 0 && plan.Digest != digest || !plan.Open {
			t.Errorf("after %s: plan %s, was %s; open %t", age, plan.Digest, digest, plan.Open)
		}
		digest = plan.Digest
	}
	w.says(w.planText(axiosCampaign), "its registry did not say: it did not answer")
	w.says(w.issues.Issues()[0].Body, "its registry did not say: it did not answer")
	w.comment("jane", "/plan")
	w.says(w.lastComment(), "Decide where to go from axios@1.14.1", "not looked at: `what has not been asked for within the hour")

	// A job that is lost is made anew by the minute's tick, while the plan is young.
	if _, err := w.db.Exec(t.Context(), "DELETE FROM river_job WHERE "+ofPlans); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.tick(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.planJobs(); n != 1 {
		t.Errorf("%d jobs after two ticks", n)
	}
	if _, err := w.db.Exec(t.Context(), "DELETE FROM river_job WHERE "+ofPlans); err != nil {
		t.Fatal(err)
	}
	desk, err := w.incidents.desk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.plansAgain(t.Context(), desk, time.Now().Add(planFor+time.Minute)); err != nil || w.planJobs() != 0 {
		t.Errorf("a day later: %v, %d jobs", err, w.planJobs())
	}
	if err := w.runPlan(axiosCampaign, planFor+time.Minute); err != nil || !strings.Contains(w.log.String(), "nobody is asked any more") {
		t.Errorf("a day later: %v", err)
	}
	mend()
	if err := w.runPlan(axiosCampaign, time.Minute); err != nil {
		t.Fatal(err)
	}
	w.says(w.planText(axiosCampaign), "Put axios@1.14.1 back to 1.14.0")
	if w.incident(axiosCampaign).Response.Plan.Open {
		t.Error("the plan is still open")
	}
}

// TestPlanThatCannotBeMade: the incident says since when there is no plan and why, in the same words for as long
// as that is so, and has another job once the one that there was is given up.
func TestPlanThatCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.planAtOnce = time.Nanosecond
	w.takeAll()
	const said = "### Plan\n\n**There is no plan yet.** Since "
	body := func() string { return w.issues.Issues()[0].Body }
	w.says(body(), said, " it cannot be made, and is tried again: `", "context deadline exceeded`")
	if w.planJobs() != 1 || w.incident(axiosCampaign).Response.Plan != nil {
		t.Fatalf("%d jobs", w.planJobs())
	}

	// What the plan is made of cannot be read, and the job is given up.
	gone, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "gone.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	good := w.exclusions
	broken := &exclusions{records: gone.Records(exclusionRecords), log: good.log}
	w.exclusions = broken
	before := body()
	fails := func() {
		t.Helper()
		var later *jobs.SnoozeError
		if err := w.runPlan(axiosCampaign, 0); err == nil || errors.As(err, &later) {
			t.Fatalf("the plan is made, or waited for: %v", err)
		}
	}
	fails()
	if now := body(); now != before {
		t.Errorf("it could not be made again, and says:\n%s\nit said:\n%s", now, before)
	}
	giveUp := func() {
		t.Helper()
		if _, err := w.db.Exec(t.Context(), "UPDATE river_job SET state = 'discarded', finalized_at = created_at WHERE "+ofPlans); err != nil {
			t.Fatal(err)
		}
	}
	later := func() (n int) {
		t.Helper()
		for range 2 {
			if err := w.tick(t.Context(), jobs.Job{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.db.One(t.Context(), "SELECT count(*) FROM river_job WHERE state = 'scheduled' AND scheduled_at > datetime('now', '+9 minutes') AND "+ofPlans, nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := later(); n != 0 {
		t.Errorf("%d jobs more while there is one", n)
	}
	giveUp()
	if n := later(); n != 1 || w.planJobs() != 2 {
		t.Errorf("%d jobs in ten minutes, %d with the one that was given up", n, w.planJobs())
	}

	w.exclusions = good
	if err := w.runPlan(axiosCampaign, 0); err != nil {
		t.Fatal(err)
	}
	w.says(body(), "Put axios@1.14.1 back to 1.14.0")
	if strings.Contains(body(), "cannot be made") {
		t.Errorf("there is a plan:\n%s", body())
	}
	giveUp()
	if n := later(); n != 0 {
		t.Errorf("%d jobs for a plan that is whole", n)
	}

	// The plan that is there stays, and may be old.
	w.exclusions = broken
	fails()
	w.says(body(), "**The plan may lack what is new.** Since", "Put axios@1.14.1 back to 1.14.0")
	if n := later(); n != 1 {
		t.Errorf("%d jobs", n)
	}
	w.exclusions = good
	giveUp()
	w.comment("jane", "/resolve a test")
	if n := later(); n != 0 || strings.Contains(body(), "cannot be made") {
		t.Errorf("of an incident that is over %d jobs, and:\n%s", n, body())
	}
}

// TestPlanOfNothingYet: where nobody has said yet what is bad of ours the incident says that there is no plan,
// and nothing of it once nothing is.
func TestPlanOfNothingYet(t *testing.T) {
	w := newResponding(t)
	desk, err := w.incidents.desk(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := incident.PublishedByUs()
	if err := desk.Raise(t.Context(), ours, incident.Signal{Source: "registry", Ref: "1", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := w.putPlan(t.Context(), desk, ours.ID, ""); err != nil {
		t.Fatal(err)
	}
	if now := w.incident(ours.ID).Response; now.Plan != nil || now.Unplanned != nil {
		t.Fatalf("all is verified, and nothing bad: %+v", now.Unplanned)
	}
	mend := w.registry.Break(registrytest.Rule{Path: "/npm/@acme/sdk", Fault: registrytest.Reset()})
	if err := w.putPlan(t.Context(), desk, ours.ID, ""); err != nil {
		t.Fatal(err)
	}
	if now := w.incident(ours.ID).Response; now.Plan != nil || now.Unplanned == nil || !strings.Contains(now.Unplanned.Why, "was not answered") {
		t.Fatalf("nothing could be verified: %+v", now.Unplanned)
	}
	var later *jobs.SnoozeError
	if err := w.runPlan(ours.ID, planFor+time.Hour); !errors.As(err, &later) {
		t.Errorf("a day later nobody is asked: %v", err)
	}
	mend()
	if err := w.runPlan(ours.ID, 0); err != nil {
		t.Fatal(err)
	}
	if now := w.incident(ours.ID).Response; now.Unplanned != nil {
		t.Errorf("nothing is bad: %+v", now.Unplanned)
	}
}

// TestPlanIsNotOfYesterday: what a job asked for a long time puts nothing in the place of a plan that was
// made meanwhile, of a repository more.
func TestPlanIsNotOfYesterday(t *testing.T) {
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	asked, answer := make(chan struct{}), make(chan struct{})
	mend := w.registry.Break(registrytest.Rule{Path: "/npm/axios", Times: 1, Fault: registrytest.Edited(func(body []byte) []byte {
		close(asked)
		<-answer
		return body
	})})
	defer mend()
	ended := make(chan error)
	go func() { ended <- w.runPlan(axiosCampaign, 0) }()
	<-asked
	w.github.AddFiles("api", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	w.says(w.planText(axiosCampaign), "acme/api: ")
	close(answer)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	w.says(w.planText(axiosCampaign), "acme/api: Put axios@1.14.1 back to 1.14.0", "acme/web: Put axios@1.14.1 back to 1.14.0")
}

// TestPlanOfNothingMore: where nothing is to be done any more the plan stays as it was, and nobody is asked
// what it lacked.
func TestPlanOfNothingMore(t *testing.T) {
	w := newPlanned(t)
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	repo.Push("main", map[string]string{"package-lock.json": `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"}}}`})
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if err := w.runPlan(axiosCampaign, 0); err != nil {
		t.Fatal(err)
	}
	if rec := w.incident(axiosCampaign); rec.State != incident.Cured || rec.Response.Plan == nil || rec.Response.Plan.Open {
		t.Errorf("%s: %+v", rec.State, rec.Response.Plan)
	}
	w.says(w.planText(axiosCampaign), "Decide where to go from axios@1.14.1")
	if _, err := w.db.Exec(t.Context(), "DELETE FROM river_job WHERE "+ofPlans); err != nil {
		t.Fatal(err)
	}
	if err := w.tick(t.Context(), jobs.Job{}); err != nil || w.planJobs() != 0 {
		t.Errorf("%v, %d jobs", err, w.planJobs())
	}
}

// TestPlanAsksNobody: with "registries: none" the plan says so, and no job is made for it.
func TestPlanAsksNobody(t *testing.T) {
	t.Parallel()
	w := newPlanned(t)
	w.config.NoRegistries = true
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	w.says(w.planText(axiosCampaign), "no registry is asked for plans, by the App's configuration")
	if plan := w.incident(axiosCampaign).Response.Plan; plan.Open || w.planJobs() != 0 || w.asked() != 0 {
		t.Errorf("open %t, %d jobs, asked %d times", plan.Open, w.planJobs(), w.asked())
	}
}

// TestPlanOfNobody: the job of an incident that is over, or that there is none of, does nothing.
func TestPlanOfNobody(t *testing.T) {
	w := newPlanned(t)
	if err := w.runPlan("none", 0); err != nil {
		t.Error(err)
	}
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	w.comment("jane", "/resolve a test")
	if err := w.runPlan(axiosCampaign, 0); err != nil || w.asked() != 0 {
		t.Errorf("%v, asked %d times", err, w.asked())
	}
}

// TestTickedInIssue: a responder ticks a step of the plan by the name that the issue shows, and the tick
// is void once the registry's word changed the step.
func TestTickedInIssue(t *testing.T) {
	t.Parallel()
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.sweepAndTake()
	step := w.incident(axiosCampaign).Response.Plan.Items[0].ID
	w.says(w.issues.Issues()[0].Body, "- `"+step+"`:")
	w.comment("mallory", "/done "+step)
	if n := len(w.incident(axiosCampaign).Response.Ticks); n != 0 {
		t.Errorf("mallory ticked: %d", n)
	}
	w.comment("jane", "/done "+step+" it is out of the file")
	w.says(w.planText(axiosCampaign), step+" (done, by jane ")
	w.says(w.issues.Issues()[0].Body, "done, by jane ", "step done, by `jane`: `"+step+": it is out of the file`")
	w.comment("jane", "/plan")
	w.says(w.lastComment(), step+" (done, by jane ")
	if err := w.runPlan(axiosCampaign, 0); err != nil {
		t.Fatal(err)
	}
	w.says(w.issues.Issues()[0].Body, "not done: it has changed since it was ticked", "1 ticked step is not as before")
	w.comment("jane", "/plan")
	w.says(w.lastComment(), step+" (not done: it has changed since it was ticked)")
}

// TestNotReadIsSaid: what could not be read stands with a plan and an answer as not looked at.
func TestNotReadIsSaid(t *testing.T) {
	t.Parallel()
	w := newPlanned(t)
	w.github.AddFiles("web", map[string]string{"package-lock.json": axiosLock})
	w.github.AddFiles("broken", map[string]string{"package-lock.json": `{"lockfileVersion": 3, "packages": {`})
	w.sweepAndTake()
	w.says(w.planText(axiosCampaign), "in acme/broken package-lock.json")
	for _, question := range []string{"/plan", "/exposure"} {
		w.comment("jane", question)
		w.says(w.lastComment(), "not looked at:", "truncated: the file ends")
	}
	// Nobody has a package of another incident, and the file may.
	w.comment("jane", "/exposure npm:axios@1.14.1")
	w.says(w.lastComment(), "ci-installed")
	reply, err := answers{w.App}.Exposure(t.Context(), "signal-of-another-kind", "")
	if err != nil || !strings.Contains(strings.Join(reply.Missing, "\n"), "truncated: the file ends") {
		t.Errorf("an incident without packages: %+v, %v", reply, err)
	}
}

const ciText = `on: push
permissions: {contents: write}
jobs:
  test:
    runs-on: [self-hosted]
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
        env: {NODE_AUTH_TOKEN: "${{ secrets.NPM_TOKEN }}", KEY: "${{ secrets.AWS_KEY }}"}
`

// TestPlanOfOurs: Scenario C has what the registry can do and until when, who of us holds the version,
// which CI job installed it and what that could read; and says what it does not know. All of it is kept.
func TestPlanOfOurs(t *testing.T) {
	t.Parallel()
	w := newResponding(t)
	in := w.github.Installation()
	w.github.Update(func() {
		w.sdk.Releases = []githubtest.Release{{ID: 1, Tag: "v1.0.0", At: time.Now().Add(-72 * time.Hour)}, {ID: 2, Tag: "v1.1.0", At: time.Now().Add(-48 * time.Hour)}}
	})
	w.github.Update(func() { in.Permissions["secrets"], in.Permissions["actions"] = "read", "read" })
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.publish("1.1.1", "", time.Minute)
	if err := w.publishing().watcher.Hurry(t.Context(), w.publishing().all, 0, false); err != nil {
		t.Fatal(err)
	}
	lock := `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"},"node_modules/@acme/sdk":{"version":"1.1.1"}}}`
	web := w.github.AddFiles("web", map[string]string{"package-lock.json": lock, ".github/workflows/ci.yml": ciText})
	w.github.Update(func() {
		web.Actions.Secrets = []githubtest.Secret{{Name: "NPM_TOKEN", Updated: time.Now().AddDate(0, -1, 0)}, {Name: "UNUSED"}, {Name: "AWS_KEY"}}
	})
	head, _ := gitstore.Lookup(web.Content, "refs/heads/main")
	web.AddRun(githubtest.Run{
		Workflow: ".github/workflows/ci.yml", Head: head.String(), Branch: "main", Actor: "jane", Start: time.Now().Add(-30 * time.Second), End: time.Now(),
		Jobs: []githubtest.Job{{
			Name: "test", Runner: "pool-3", RunnerID: 31, Group: "ours", Labels: []string{"self-hosted"},
			Steps: []githubtest.Step{{Name: "Run actions/checkout@v4"}, {Name: "Run npm ci"}},
		}},
	})
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.takeAll()
	}
	id := incident.PublishedByUs().ID
	// Before the first sweep nobody knows who holds it.
	w.says(w.planText(id), "Deprecate @acme/sdk@1.1.1", "not known: who of us holds a bad version:", "its registry has not been asked yet")

	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.forgetExposed()
	if err := w.runPlan(id, 0); err != nil {
		t.Fatalf("%v\n%s", err, w.planText(id))
	}
	rec := w.incident(id)
	w.says(w.planText(id), "Unpublish @acme/sdk@1.1.1; until 20", "Point the tag latest", "Do not unpublish the package as a whole; not to be done",
		"acme/web: Put @acme/sdk@1.1.1 back to 1.1.0", "what the job of the publish could read: nobody found out")
	if strings.Contains(w.planText(id), "who of us holds a bad version") || strings.Contains(w.planText(id), "has not been asked") || rec.Response.Plan.Open {
		t.Errorf("all was asked and read:\n%s", w.planText(id))
	}
	plans, open, err := w.plansOf(t.Context(), id, false)
	if err != nil || open || len(plans) != 2 || len(rec.Response.Plan.With) != 1 || plans[0].Digest() != rec.Response.Plan.Digest || plans[1].Digest() != rec.Response.Plan.With[0] {
		t.Fatalf("%d plans, open %t, %v", len(plans), open, err)
	}
	var notes []string
	for i := range plans[0].Steps {
		notes = append(notes, plans[0].Steps[i].Notes...)
	}
	w.says(strings.Join(notes, "\n"), `The job "test" of run`, "on the self-hosted runner pool-3, installed pkg:npm/%40acme/sdk@1.1.1. It could read: AWS_KEY (repository), NPM_TOKEN (repository).",
		"NPM_TOKEN (repository), read by jobs of acme/web", "The self-hosted runner pool-3", "Its token could write contents")
	if strings.Contains(strings.Join(notes, "\n"), "UNUSED") {
		t.Error("a secret that the job could not read is on the list")
	}

	// Nobody is asked again within the hour.
	w.registry.Forget()
	before := len(rec.Response.Timeline)
	for range 2 {
		if err := w.runPlan(id, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.comment("jane", "/plan")
	w.says(w.lastComment(), rec.Response.Plan.Digest, rec.Response.Plan.With[0])
	if got := w.asked(); got != 0 {
		t.Errorf("asked %d times", got)
	}
	if n := len(w.incident(id).Response.Timeline); n != before {
		t.Errorf("%d entries, were %d", n, before)
	}

	// A registry that does not answer takes nothing back of what is bad.
	if err := w.keep(t.Context(), oursKey, oursFacts{At: time.Now().Add(-2 * time.Hour), Bad: mustBad(t, w)}); err != nil {
		t.Fatal(err)
	}
	w.registry.Break(registrytest.Rule{Path: "/npm/@acme/sdk", Fault: registrytest.Reset()})
	var later *jobs.SnoozeError
	if err := w.runPlan(id, 0); !errors.As(err, &later) {
		t.Errorf("%v", err)
	}
	w.says(w.planText(id), "Deprecate @acme/sdk@1.1.1", "not all of it could be verified")
}

// TestPlanOfNewsOfOurs: a signal that there was no time to verify is verified by the job, however young
// the last verification is.
func TestPlanOfNewsOfOurs(t *testing.T) {
	w := newResponding(t)
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if err := w.keep(t.Context(), oursKey, oursFacts{At: time.Now()}); err != nil { // all was good
		t.Fatal(err)
	}
	w.publish("1.1.1", "", time.Minute)
	if err := w.publishing().watcher.Hurry(t.Context(), w.publishing().all, 0, false); err != nil {
		t.Fatal(err)
	}
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	w.planAtOnce = time.Nanosecond
	w.takeAll()
	id := incident.PublishedByUs().ID
	if n := w.planJobs(); n != 1 || w.incident(id).Response.Plan != nil {
		t.Fatalf("%d jobs, a plan: %t", n, w.incident(id).Response.Plan != nil)
	}
	var later *jobs.SnoozeError
	if err := w.runPlan(id, 0); err != nil && !errors.As(err, &later) {
		t.Fatal(err)
	}
	w.says(w.planText(id), "Deprecate @acme/sdk@1.1.1")
}

// TestExposedStays: a job that is known to have installed a version is not forgotten because GitHub does not
// tell of it any more; that it did not is an answer.
func TestExposedStays(t *testing.T) {
	w := newResponding(t)
	const purl = "pkg:npm/%40acme/sdk@1.1.1"
	yes := triage.Said("github", true, "it ran")
	job := exposure.Job{Name: "test", Installed: yes, Secrets: []exposure.Secret{{Name: "NPM_TOKEN"}}}
	report := func(gap bool, jobs ...exposure.Job) *exposure.Report {
		r := &exposure.Report{Facts: triage.Facts{}.With(triage.CIInstalled, yes)}
		if len(jobs) > 0 {
			r.Runs = []exposure.Run{{Repository: "acme/web", ID: 1, Jobs: jobs}}
		}
		if gap {
			r.Gaps = []exposure.Gap{{Question: triage.CIInstalled, Gap: verify.Gap{Code: verify.GapNoAnswer, Detail: "runs of acme/web: it did not answer"}}}
		}
		return r
	}
	unread := job
	unread.Secrets, unread.Unknown = nil, "its workflow: it did not answer"
	for _, tt := range []struct {
		name    string
		report  *exposure.Report
		secrets int
	}{
		{"known", report(false, job), 1},
		{"GitHub does not answer", report(true), 1},
		{"nor for the workflow", report(true, unread), 1},
		{"no run did", report(false), 0},
	} {
		facts, err := w.keepExposed(t.Context(), purl, tt.report, true)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, x := range facts.Jobs {
			n += len(x.Secrets)
		}
		if n != tt.secrets {
			t.Errorf("%s: %+v", tt.name, facts)
		}
	}
}

// mustBad is what is kept of what is bad of ours.
func mustBad(t *testing.T, w *watched) []respond.Ours {
	t.Helper()
	var kept oursFacts
	if there, err := w.kept(t.Context(), oursKey, &kept); err != nil || !there || len(kept.Bad) == 0 {
		t.Fatalf("%+v, %t, %v", kept, there, err)
	}
	return kept.Bad
}

// forgetExposed lets what was kept of CI runs be too old to be believed.
func (w *watched) forgetExposed() {
	w.Helper()
	keys, err := w.inventory.Records(planRecords).Keys(w.Context(), exposedKey(""))
	if err != nil || len(keys) == 0 {
		w.Fatalf("%q, %v", keys, err)
	}
	for _, key := range keys {
		if err := w.keep(w.Context(), key, exposedFacts{}); err != nil {
			w.Fatal(err)
		}
	}
}

func TestRegistriesOfConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "a-secret", "key.pem": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		lines string
		none  bool
		npm   string
		fault string
	}{
		{"", false, "", ""},
		{"registries: public", false, "", ""},
		{"registries: none", true, "", ""},
		{"registries: {npm: 'https://npm.acme.example/'}", false, "https://npm.acme.example", ""},
		{"registries: {npm: 'http://127.0.0.1:4873', go: 'https://goproxy.acme.example'}", false, "http://127.0.0.1:4873", ""},
		{"registries: {npm: 'http://npm.acme.example'}", false, "", "write https"},
		{"registries: {npm: 'https://user:pass@npm.acme.example'}", false, "", "holds a user or a password"},
		{"registries: {oci: 'https://x.example'}", false, "", "oci"},
		{"registries: some", false, "", "neither"},
		{"registries: [npm]", false, "", "registries"},
	} {
		file := filepath.Join(dir, "app.yaml")
		text := "database: data\ngithub: {app-id: 1, app-key-file: key.pem}\nwebhook: {secret-files: [secret]}\n" + tt.lines + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Read(file, func(string) string { return "" })
		switch {
		case tt.fault != "":
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s: %v", tt.lines, err)
			}
		case err != nil || c.NoRegistries != tt.none || c.Registries[registry.NPM] != tt.npm:
			t.Errorf("%s: none %t, %q, %v", tt.lines, c.NoRegistries, c.Registries, err)
		}
	}
}

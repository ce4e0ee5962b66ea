//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// lock is a package-lock.json that locks packages, "name@version".
func lock(packages ...string) string {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"web\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"name\": \"web\"}")
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": {\n      \"version\": %q,\n      \"resolved\": \"https://registry.npmjs.org/%s/-/%s-%s.tgz\"\n    }", name, version, name, name, version)
	}
	return b.String() + "\n  }\n}\n"
}

// planted is a package of the catalogue's own test campaign.
const planted = "wormsweep-test-indicator@6.6.6"

// served starts the App with a repository for incidents, and has the simulator deliver to it.
func served(t *testing.T, github *githubtest.Server, database string) *apptest.Process {
	t.Helper()
	github.AddFiles("incidents", map[string]string{"README.md": "issues"})
	p := apptest.Serve(t, apptest.Config(t, github, database, "organisation: acme", "issues: acme/incidents"))
	github.SetWebhook(github.App(), githubtest.Webhook{URL: p.URL, Secret: apptest.Secret})
	return p
}

// delivered fails unless deliveries were taken.
func delivered(t *testing.T, deliveries []githubtest.Delivery) {
	t.Helper()
	if len(deliveries) == 0 {
		t.Error("nothing was delivered")
	}
	for _, d := range deliveries {
		if d.Status != 202 || d.Err != nil {
			t.Errorf("%s: %d, %v", d.Event, d.Status, d.Err)
		}
	}
}

// eventually waits for something to be so.
func eventually(t *testing.T, within time.Duration, what string, so func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// checkOf waits for the check run of a commit.
func checkOf(t *testing.T, repo *githubtest.Repo, commit string, conclusion string) githubtest.CheckRun {
	t.Helper()
	var found githubtest.CheckRun
	var seen []string
	eventually(t, 20*time.Second, fmt.Sprintf("a check run of %s that says %q", commit, conclusion), func() bool {
		seen = nil
		for _, run := range repo.CheckRuns() {
			seen = append(seen, run.HeadSHA+" "+run.Conclusion)
			if run.HeadSHA == commit && run.Conclusion == conclusion {
				found = run
				return true
			}
		}
		return false
	})
	return found
}

// signals counts the signals that were kept.
func signals(t *testing.T, database string) int {
	t.Helper()
	db, err := appdb.Open(t.Context(), database, appdb.Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if _, err := db.One(t.Context(), "SELECT count(*) FROM app_signal", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPush: a push with a planted package becomes a failed check and an incident; what takes it
// out settles it.
func TestPush(t *testing.T) {
	t.Parallel()
	for _, kind := range databases {
		t.Run(kind.name, func(t *testing.T) {
			ctx := context.Background()
			github := githubtest.Start(t, githubtest.Options{})
			repo := github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
			database := kind.fresh(t)
			served(t, github, database)
			began := time.Now()
			bad, deliveries := repo.PushFile(ctx, "main", "package-lock.json", lock("left-pad@1.3.0", planted))
			delivered(t, deliveries)
			run := checkOf(t, repo, bad.String(), "failure")
			t.Logf("check run after %v", time.Since(began))
			if len(run.Annotations) != 1 || run.Annotations[0].Path != "package-lock.json" || run.Annotations[0].StartLine != 10 || run.Annotations[0].Level != "failure" {
				t.Errorf("%+v", run.Annotations)
			}
			incidents := github.Repo("acme/incidents")
			eventually(t, 20*time.Second, "an incident", func() bool { return len(incidents.Issues()) == 1 })
			issue := incidents.Issues()[0]
			if !strings.Contains(issue.Body, "wormsweep-test-indicator") || issue.State != "open" {
				t.Errorf("%+v", issue)
			}
			if n := signals(t, database); n != 1 {
				t.Errorf("%d signals", n)
			}
			good, deliveries := repo.PushFile(ctx, "main", "package-lock.json", lock("left-pad@1.3.0"))
			delivered(t, deliveries)
			eventually(t, 30*time.Second, "the incident settled", func() bool { return incidents.Issues()[0].State == "closed" })
			for _, run := range repo.CheckRuns() {
				if run.HeadSHA == good.String() {
					t.Errorf("a check run where there is nothing to say: %+v", run)
				}
			}
		})
	}
}

// headOf is the head of a pull request.
func headOf(repo *githubtest.Repo, number int) string {
	id, _ := gitstore.Lookup(repo.Content, fmt.Sprintf("refs/pull/%d/head", number))
	return id.String()
}

// TestPullRequest: the check fails for what a pull request brings in, and for nothing else.
func TestPullRequest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	github := githubtest.Start(t, githubtest.Options{})
	repo := github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0"), "old/package-lock.json": lock(planted)})
	p := served(t, github, t.TempDir())
	open := func(path, content string) (int, string) {
		t.Helper()
		number, deliveries := repo.OpenPullFile(ctx, "a change", path, content)
		delivered(t, deliveries)
		return number, headOf(repo, number)
	}

	// It brings one in, and says that another was there before.
	number, head := open("package-lock.json", lock("left-pad@1.3.0", "right-pad@1.0.0", planted))
	run := checkOf(t, repo, head, "failure")
	if len(run.Annotations) != 2 || run.Annotations[0].Path != "package-lock.json" || run.Annotations[0].StartLine != 14 || run.Annotations[0].Level != "failure" ||
		run.Annotations[1].Path != "old/package-lock.json" || run.Annotations[1].Level != "warning" {
		t.Errorf("annotations %+v", run.Annotations)
	}
	if run.Title != "Brings in 1 known indicator; 1 known indicator was here before" || run.Name != "Wormsweep" {
		t.Errorf("title %q of %q", run.Title, run.Name)
	}

	// The same delivery twice, and replayed under another number: one check run, written once.
	last := github.Deliveries()[0]
	for _, id := range []string{last.GUID, "another-one"} {
		if status, err := apptest.Send(p.URL, apptest.Delivery{ID: id, Event: "pull_request", Body: last.Body, Hook: 1}); status != 202 || err != nil {
			t.Fatalf("%d, %v", status, err)
		}
	}
	// It goes from bad to good: the pull request has another head.
	fixed := repo.Push(fmt.Sprintf("change-%d", number), map[string]string{"package-lock.json": lock("left-pad@1.3.0"), "old/package-lock.json": lock(planted)})
	repo.Memory().SetRef(fmt.Sprintf("refs/pull/%d/head", number), fixed)
	delivered(t, github.Deliver(ctx, "pull_request", repo.PullPayload(number, "synchronize")))
	if run := checkOf(t, repo, fixed.String(), "neutral"); len(run.Annotations) != 1 || !strings.Contains(run.Summary, "Here before this change") {
		t.Errorf("what was there before: %+v", run)
	}

	// One that takes out what is there passes.
	_, head = open("old/package-lock.json", lock("left-pad@1.3.0"))
	if run := checkOf(t, repo, head, "success"); len(run.Annotations) != 0 {
		t.Errorf("%+v", run)
	}
	// One that cannot be read is no success.
	_, head = open("new/package-lock.json", `{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"`)
	if run := checkOf(t, repo, head, "action_required"); !strings.Contains(run.Title, "Could not look") || !strings.Contains(run.Summary, "no all-clear") {
		t.Errorf("%+v", run)
	}
	// Of a fork, whose head is no branch here.
	n, _ := repo.OpenPullFile(context.WithoutCancel(ctx), "of a fork", "package-lock.json", lock(planted))
	head = headOf(repo, n)
	repo.Memory().SetRef(fmt.Sprintf("refs/heads/change-%d", n), gitstore.ID{})
	repo.Change(func(r *githubtest.Repository) { r.Pulls[len(r.Pulls)-1].Fork = true })
	run = checkOf(t, repo, head, "failure")

	// Somebody asks for it again: it is written anew, and there is one.
	delivered(t, github.Deliver(ctx, "check_run", repo.CheckRunPayload(run.ID, "rerequested")))
	eventually(t, 20*time.Second, "the check run written anew", func() bool { return checkOf(t, repo, head, "failure").Writes == 2 })

	// What a merge queue is about to merge.
	repo.Memory().SetRef("refs/heads/gh-readonly-queue/main/pr-1", mustLookup(t, repo, "refs/heads/main"))
	group := repo.Push("gh-readonly-queue/main/pr-1", map[string]string{"package-lock.json": lock(planted)})
	delivered(t, github.Deliver(ctx, "merge_group", repo.MergeGroupPayload("main", group, "checks_requested")))
	checkOf(t, repo, group.String(), "failure")

	seen := map[string]int{}
	for _, run := range repo.CheckRuns() {
		seen[run.HeadSHA]++
		if seen[run.HeadSHA] > 1 || run.Writes > 1 && run.HeadSHA != head {
			t.Errorf("more than one check run, or written more than once: %+v", run)
		}
	}
	for _, issue := range github.Repo("acme/incidents").Issues() { // the daily sweep has one of what is on main
		if strings.Contains(issue.Body, "refs/pull/") || strings.Contains(issue.Body, "gh-readonly-queue") {
			t.Errorf("an incident of what nobody has merged: %s", issue.Body)
		}
	}
	if v := github.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

func mustLookup(t *testing.T, repo *githubtest.Repo, ref string) gitstore.ID {
	t.Helper()
	id, ok := gitstore.Lookup(repo.Content, ref)
	if !ok {
		t.Fatalf("no %s", ref)
	}
	return id
}

// TestManyPushes is row 17 of the threats: 1,000 pushes in less than a minute to one branch are
// collapsed to its newest state, and nobody else waits for them.
func TestManyPushes(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand deliveries")
	}
	ctx := context.Background()
	github := githubtest.Start(t, githubtest.Options{})
	loud := github.AddFiles("loud", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	quiet := github.AddFiles("quiet", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	database := t.TempDir()
	served(t, github, database)

	var senders sync.WaitGroup
	before := mustLookup(t, loud, "refs/heads/main")
	bodies := make(chan map[string]any, 64)
	for range 16 {
		senders.Go(func() {
			for payload := range bodies {
				for _, d := range github.Deliver(ctx, "push", payload) {
					if d.Status != 202 {
						t.Errorf("%d, %v", d.Status, d.Err)
					}
				}
			}
		})
	}
	const pushes = 1000
	began := time.Now()
	var waits []time.Duration
	for i := range pushes {
		packages := []string{fmt.Sprintf("left-pad@1.3.%d", i)}
		if i == pushes-1 {
			packages = append(packages, planted)
		}
		after := loud.Push("main", map[string]string{"package-lock.json": lock(packages...)})
		bodies <- loud.PushPayload("refs/heads/main", before, after)
		before = after
		if i%250 == 100 { // another repository, in the middle of it
			bad, deliveries := quiet.PushFile(ctx, fmt.Sprintf("branch-%d", i), "package-lock.json", lock(planted))
			delivered(t, deliveries)
			sent := time.Now()
			checkOf(t, quiet, bad.String(), "failure")
			waits = append(waits, time.Since(sent))
		}
	}
	close(bodies)
	senders.Wait()
	sent := time.Since(began)
	checkOf(t, loud, before.String(), "failure")
	counts := settle(t, open(t, database), 90*time.Second)
	git, checks := 0, 0
	for _, e := range github.Log() {
		if strings.Contains(e.Path, "/loud.git/") {
			git++
		}
	}
	for range loud.CheckRuns() {
		checks++
	}
	t.Logf("%d pushes in %v; settled after %v; git was asked %d times; %d check runs; others waited %v; %v", pushes, sent, time.Since(began), git, checks, waits, counts)
	if git > pushes/4 || checks != 1 {
		t.Errorf("git was asked %d times, and there are %d check runs", git, checks)
	}
	for _, wait := range waits {
		if wait > 5*time.Second {
			t.Errorf("another repository waited %v", wait)
		}
	}
	if counts[journal.Dead] != 0 {
		t.Errorf("%v", counts)
	}
}

// TestSoon: from the delivery of a push, or of a pull request, to its check run, each after the
// work on the one before it: writes of one installation are a second apart, as GitHub asks.
func TestSoon(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a figure")
	}
	ctx := context.Background()
	github := githubtest.Start(t, githubtest.Options{})
	database := t.TempDir()
	served(t, github, database)
	j := open(t, database)
	var took []time.Duration
	for i := range 10 {
		repo := github.AddFiles(fmt.Sprintf("web-%d", i), map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
		began := time.Now()
		var commit string
		if i%2 == 0 {
			id, deliveries := repo.PushFile(ctx, "main", "package-lock.json", lock(planted))
			delivered(t, deliveries)
			commit = id.String()
		} else {
			n, deliveries := repo.OpenPullFile(ctx, "change", "package-lock.json", lock(planted))
			delivered(t, deliveries)
			commit = headOf(repo, n)
		}
		checkOf(t, repo, commit, "failure")
		took = append(took, time.Since(began))
		settle(t, j, 60*time.Second)
	}
	slices.Sort(took)
	t.Logf("from a delivery to its check run: p50 %v, most %v", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > 2*time.Second {
		t.Errorf("%v", took)
	}
}

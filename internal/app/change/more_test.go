package change_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// conclusions are those of the check runs of a commit.
func conclusions(repo *githubtest.Repo, commit string) []string {
	var out []string
	for _, run := range repo.CheckRuns() {
		if run.HeadSHA == commit {
			out = append(out, run.Conclusion)
		}
	}
	return out
}

// open opens a pull request with one lockfile on a base branch, and gives its number and head.
func open(repo *githubtest.Repo, base, content string) (int, string) {
	n := repo.OpenPull("change", map[string]string{"package-lock.json": content})
	repo.Change(func(r *githubtest.Repository) { r.Pulls[len(r.Pulls)-1].Base = base })
	id, _ := gitstore.Lookup(repo.Content, fmt.Sprintf("refs/pull/%d/head", n))
	return n, id.String()
}

// TestSameHead: a commit that brings something into one branch is not cleared by a pull request to
// another that has it already.
func TestSameHead(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	n, head := open(repo, "main", lock(planted))
	w.done("pull_request", repo.PullPayload(n, "opened"))
	// The other branch begins where the change ends.
	id, _ := gitstore.ParseID(head)
	repo.Memory().SetRef("refs/heads/dev", id)
	repo.Change(func(r *githubtest.Repository) {
		r.Pulls = append(r.Pulls, githubtest.Pull{ID: 999_999, Number: n + 1, Title: "cover", Branch: "change-1", Base: "dev"})
	})
	repo.Memory().SetRef(fmt.Sprintf("refs/pull/%d/head", n+1), id)
	w.done("pull_request", repo.PullPayload(n+1, "opened"))
	if got := conclusions(repo, head); len(got) != 1 || got[0] != "failure" {
		t.Errorf("%q", got)
	}
}

// TestActions: what is not to be looked at is not.
func TestActions(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	n, head := open(repo, "main", lock(planted))
	for _, action := range []string{"labeled", "closed", "assigned", "review_requested"} {
		w.done("pull_request", repo.PullPayload(n, action))
	}
	repo.Change(func(r *githubtest.Repository) { r.Pulls[0].Closed = true })
	w.done("pull_request", repo.PullPayload(n, "edited"))
	w.done("merge_group", repo.MergeGroupPayload("main", lookupRef(t, repo, "refs/heads/main"), "destroyed"))
	w.done("push", repo.PushPayload("refs/notes/commits", gitstore.ID{}, lookupRef(t, repo, "refs/heads/main")))
	if got := conclusions(repo, head); len(got) != 0 {
		t.Errorf("%q", got)
	}
	repo.Change(func(r *githubtest.Repository) { r.Pulls[0].Closed, r.Pulls[0].Draft = false, true })
	w.done("pull_request", repo.PullPayload(n, "opened"))
	if got := conclusions(repo, head); len(got) != 1 || got[0] != "failure" {
		t.Errorf("a draft: %q", got)
	}
	// Somebody else's check run, asked for again, is none of ours.
	payload := repo.CheckRunPayload(repo.CheckRuns()[0].ID, "rerequested")
	payload["check_run"].(map[string]any)["name"] = "Other"
	w.done("check_run", payload)
	if writes := repo.CheckRuns()[0].Writes; writes != 1 {
		t.Errorf("written %d times", writes)
	}
}

// TestNotPermitted: without the permission for checks nothing else is left out, and it is said
// once.
func TestNotPermitted(t *testing.T) {
	w := start(t, githubtest.Options{})
	in := w.github.Installation()
	w.github.Update(func() { delete(in.Permissions, "checks") })
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	n, head := open(repo, "main", lock(planted))
	w.done("pull_request", repo.PullPayload(n, "opened"))
	w.done("push", push(repo, "main", map[string]string{"package-lock.json": lock(planted)}))
	if got := strings.Count(w.log.String(), "grant the App the permission"); got != 1 {
		t.Errorf("said %d times: %s", got, w.log)
	}
	if len(w.signals) != 2 || w.filed.count() != 1 || len(conclusions(repo, head)) != 0 {
		t.Errorf("%d signals, filed %d times, %q", len(w.signals), w.filed.count(), conclusions(repo, head))
	}
	w.github.Update(func() { in.Permissions["checks"] = "write" })
	time.Sleep(1100 * time.Millisecond)
	w.done("pull_request", repo.PullPayload(n, "reopened"))
	if got := conclusions(repo, head); len(got) != 1 || got[0] != "failure" {
		t.Errorf("once it is granted: %q", got)
	}
}

// TestMoved: a repository that was renamed since, and one that is gone.
func TestMoved(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	payload := push(repo, "main", map[string]string{"package-lock.json": lock(planted)})
	repo.Rename("site")
	w.done("push", payload)
	if got := w.whoHas(); len(got) != 1 || got[0] != "acme/site refs/heads/main package-lock.json" {
		t.Errorf("%q", got)
	}
	gone := w.github.AddFiles("gone", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	payload = push(gone, "main", map[string]string{"package-lock.json": lock(planted)})
	gone.Remove()
	var dead *jobs.DeadError
	if err := w.handle("push", payload, time.Now().Add(-time.Hour)); !errors.As(err, &dead) {
		t.Errorf("a repository that is gone: %v", err)
	}
}

// TestCannotLook: what GitHub does not give is no success; it is said, and tried again.
func TestCannotLook(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	n, head := open(repo, "main", lock("right-pad@1.0.0"))
	blob := gitstore.Object{Kind: gitstore.Blob, Data: []byte(lock("right-pad@1.0.0"))}.ID()
	mend := w.github.Break(githubtest.Rule{Kind: githubtest.Git, Fault: githubtest.OmitObjects(func(id gitstore.ID) bool { return id == blob })})
	mend2 := w.github.Break(githubtest.Rule{Kind: githubtest.REST, Path: "/api/v3/repos/acme/web/git/blobs/*", Fault: githubtest.Unavailable()})
	if err := w.handle("pull_request", repo.PullPayload(n, "opened"), time.Now()); err == nil || !strings.Contains(err.Error(), "not all could be read") {
		t.Errorf("it is not tried again: %v", err)
	}
	if got := conclusions(repo, head); len(got) != 1 || got[0] != "action_required" {
		t.Errorf("%q", got)
	}
	mend()
	mend2()
	time.Sleep(1100 * time.Millisecond)
	w.done("pull_request", repo.PullPayload(n, "reopened"))
	if got := conclusions(repo, head); len(got) != 1 || got[0] != "success" {
		t.Errorf("once it is there: %q", got)
	}
}

// TestSettled: of a repository with an incident even nothing is filed, and so is a branch that
// goes; of others nothing is.
func TestSettled(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	other := w.github.AddFiles("other", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	w.filed.interest = []incident.Swept{{Name: "acme/web", Number: repo.ID}}
	w.done("push", push(other, "main", map[string]string{"package-lock.json": lock("left-pad@1.3.1")}))
	if w.filed.count() != 0 {
		t.Errorf("filed %d times of what nobody asked", w.filed.count())
	}
	w.done("push", push(repo, "main", map[string]string{"package-lock.json": lock("left-pad@1.3.1")}))
	if w.filed.count() != 1 {
		t.Errorf("filed %d times", w.filed.count())
	}
	was := lookupRef(t, repo, "refs/heads/main")
	repo.Memory().SetRef("refs/heads/dev", was)
	repo.Memory().SetRef("refs/heads/dev", gitstore.ID{})
	w.done("push", repo.PushPayload("refs/heads/dev", was, gitstore.ID{}))
	if w.filed.count() != 2 {
		t.Errorf("filed %d times after a branch went", w.filed.count())
	}
}

// TestSwapped: row 6 of the threats. A body of another event is dead, whatever its header says.
func TestSwapped(t *testing.T) {
	w := start(t, githubtest.Options{})
	repo := w.github.AddFiles("web", map[string]string{"package-lock.json": lock("left-pad@1.3.0")})
	n, _ := open(repo, "main", lock(planted))
	bodies := map[string]map[string]any{
		"push": push(repo, "main", map[string]string{"package-lock.json": lock(planted)}), "pull_request": repo.PullPayload(n, "opened"),
		"merge_group": repo.MergeGroupPayload("main", lookupRef(t, repo, "refs/heads/main"), "checks_requested"),
	}
	for of, body := range bodies {
		for event := range w.handlers.Table() {
			if event == of {
				continue
			}
			var dead *jobs.DeadError
			if err := w.handle(event, body, time.Now()); !errors.As(err, &dead) {
				t.Errorf("a body of %s as %s: %v", of, event, err)
			}
		}
	}
	if len(w.signals)+w.filed.count()+len(repo.CheckRuns()) != 0 {
		t.Errorf("%d signals, filed %d times, %d check runs", len(w.signals), w.filed.count(), len(repo.CheckRuns()))
	}
}

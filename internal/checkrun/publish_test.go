package checkrun_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/store"
)

// effects are claims in memory. crash, where set, is called between a call and its record, and
// its error is that of the process that died there.
type effects struct {
	mu    sync.Mutex
	state map[string]string // "claimed", "done"
	crash func(key string) error
}

func (e *effects) Once(ctx context.Context, key string, do func(context.Context) ([]byte, error), find func(context.Context) ([]byte, bool, error)) error {
	e.mu.Lock()
	state := e.state[key]
	if state == "" {
		e.state[key] = "claimed"
	}
	e.mu.Unlock()
	if state == "done" {
		return nil
	}
	found := false
	var err error
	if state == "claimed" { // by one who died
		if _, found, err = find(ctx); err != nil {
			return err
		}
	}
	if !found {
		if _, err := do(ctx); err != nil {
			return err
		}
	}
	if e.crash != nil {
		if err := e.crash(key); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state[key] = "done"
	return nil
}

// bench is a Publisher over a simulator.
type bench struct {
	t       *testing.T
	github  *githubtest.Server
	repo    *githubtest.Repo
	client  *ghclient.Client
	records *store.Records
	fx      *effects
	commit  checkrun.Commit
}

// clock goes on when somebody sleeps: writes are a second apart.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return ctx.Err()
}

func newBench(t *testing.T) *bench {
	t.Helper()
	clock := &clock{at: time.Now()}
	s := githubtest.Start(t, githubtest.Options{Now: clock.now})
	repo := s.AddFiles("web", map[string]string{"a": "b"})
	head, _ := gitstore.Lookup(repo.Content, "refs/heads/main")
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	app, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key}, Now: clock.now, Sleep: clock.sleep})
	if err != nil {
		t.Fatal(err)
	}
	client, err := app.Installation(t.Context(), "acme", checkrun.Permissions, repo.ID)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{
		t: t, github: s, repo: repo, client: client, records: st.Records("check-run"), fx: &effects{state: map[string]string{}},
		commit: checkrun.Commit{Server: app.Host(), Repository: repo.ID, FullName: "acme/web", SHA: head.String()},
	}
}

// publisher makes one, as another process would.
func (b *bench) publisher() *checkrun.Publisher {
	return checkrun.New(checkrun.Options{Records: b.records, AppID: b.github.App().ID})
}

func (b *bench) publish(part checkrun.Part, anew bool) error {
	return b.publisher().Publish(b.t.Context(), b.fx, b.client, b.commit, part, anew)
}

func (b *bench) must(part checkrun.Part) {
	b.t.Helper()
	if err := b.publish(part, false); err != nil {
		b.t.Fatal(err)
	}
}

// one is the one check run that there is.
func (b *bench) one() githubtest.CheckRun {
	b.t.Helper()
	runs := b.repo.CheckRuns()
	if len(runs) != 1 {
		b.t.Fatalf("check runs: %+v", runs)
	}
	return runs[0]
}

func part(name string, c checkrun.Conclusion, annotations ...checkrun.Annotation) checkrun.Part {
	return checkrun.Part{Name: name, What: name, Verdict: checkrun.Verdict{Conclusion: c, Title: name + " " + string(c), Summary: "about " + name, Annotations: annotations}}
}

func notes(n int) []checkrun.Annotation {
	var out []checkrun.Annotation
	for i := range n {
		out = append(out, checkrun.Annotation{Path: "package-lock.json", Line: i + 1, Level: checkrun.Failing, Title: "t", Message: "m"})
	}
	return out
}

// TestOneCheckRun: one for a commit, whoever publishes what and however often; the worst of its
// parts is the answer.
func TestOneCheckRun(t *testing.T) {
	b := newBench(t)
	b.must(part("pull/1", checkrun.Success))
	if run := b.one(); run.Conclusion != "success" || run.Status != "completed" || run.Writes != 1 {
		t.Errorf("%+v", run)
	}
	b.must(part("pull/1", checkrun.Success))
	if run := b.one(); run.Writes != 1 {
		t.Errorf("the same was written again: %+v", run)
	}
	b.must(part("pull/2", checkrun.Failure, notes(1)...))
	b.must(part("push/main", checkrun.Neutral))
	b.must(part("pull/1", checkrun.Success))
	if run := b.one(); run.Conclusion != "failure" || !strings.Contains(run.Summary, "about pull/2") || !strings.Contains(run.Summary, "- pull/1: pull/1 success") || len(run.Annotations) != 1 {
		t.Errorf("%+v", run)
	}
	b.must(part("pull/2", checkrun.Success)) // as when it has another base
	if run := b.one(); run.Conclusion != "neutral" {
		t.Errorf("%+v", run)
	}
	writes := b.one().Writes
	if err := b.publish(part("pull/2", checkrun.Success), true); err != nil {
		t.Fatal(err)
	}
	if run := b.one(); run.Writes != writes+1 {
		t.Errorf("not written anew: %+v", run)
	}
	known, err := b.publisher().Known(t.Context(), b.commit)
	if err != nil || len(known) != 3 {
		t.Errorf("known: %+v, %v", known, err)
	}
	if v := b.github.Violations(); len(v) > 0 {
		t.Errorf("%q", v)
	}
}

// TestAnnotations: more than one request takes are written in several, and none twice.
func TestAnnotations(t *testing.T) {
	b := newBench(t)
	b.must(part("pull/1", checkrun.Failure, notes(120)...))
	if run := b.one(); len(run.Annotations) != 120 || run.Writes != 3 {
		t.Errorf("%d annotations in %d requests", len(run.Annotations), run.Writes)
	}
	b.must(part("pull/1", checkrun.Failure, notes(130)...))
	if run := b.one(); len(run.Annotations) != 130 || run.Annotations[129].StartLine != 130 || run.Writes != 4 {
		t.Errorf("%d annotations in %d requests", len(run.Annotations), run.Writes)
	}
}

// TestKilled: a process that dies after a call and before its record is followed by one that finds
// what it made, and goes on where it stopped.
func TestKilled(t *testing.T) {
	killed := errors.New("killed")
	b := newBench(t)
	b.fx.crash = func(string) error { return killed }
	if err := b.publish(part("pull/1", checkrun.Failure, notes(70)...), false); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	b.fx.crash = nil
	b.must(part("pull/1", checkrun.Failure, notes(70)...))
	if run := b.one(); len(run.Annotations) != 70 || run.Writes != 2 || strings.HasSuffix(run.ExternalID, ":more") {
		t.Errorf("%d annotations in %d requests, %q", len(run.Annotations), run.Writes, run.ExternalID)
	}
	// The next content does not begin another.
	b.must(part("pull/1", checkrun.Success))
	if run := b.one(); run.Conclusion != "success" || run.Writes != 3 {
		t.Errorf("%+v", run)
	}
	// One that died before it wrote anything down, with another content after it.
	b.fx.crash = func(string) error { return killed }
	if err := b.publish(part("pull/1", checkrun.Failure), false); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	b.fx.crash = nil
	b.must(part("pull/2", checkrun.Neutral))
	if run := b.one(); run.Conclusion != "failure" {
		t.Errorf("%+v", run)
	}
}

// TestCutShort: a request fails, or its answer is lost after it took effect, and nothing that came
// before it is written again.
func TestCutShort(t *testing.T) {
	for _, method := range []string{"POST", "PATCH"} {
		for skip := range 2 {
			for name, fault := range map[string]githubtest.Fault{"refused": githubtest.BadGateway(), "lost": githubtest.Dropped()} {
				b := newBench(t)
				b.github.Break(githubtest.Rule{Kind: githubtest.REST, Method: method, Path: "/api/v3/repos/acme/web/check-runs*", Skip: skip, Times: 1, Fault: fault})
				err := b.publish(part("pull/1", checkrun.Failure, notes(120)...), false)
				if (err == nil) != (method == "POST" && skip == 1) {
					t.Fatalf("%s %d %s: %v", method, skip, name, err)
				}
				b.must(part("pull/1", checkrun.Failure, notes(120)...))
				if run := b.one(); len(run.Annotations) != 120 || strings.HasSuffix(run.ExternalID, ":more") {
					t.Errorf("%s %d %s: %d annotations, %q", method, skip, name, len(run.Annotations), run.ExternalID)
				}
			}
		}
	}
}

// TestAtOnce: many parts at once end in one check run that tells the worst.
func TestAtOnce(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	publisher := b.publisher()
	for i := range 12 {
		all.Go(func() {
			c := checkrun.Success
			if i == 5 {
				c = checkrun.Failure
			}
			if err := publisher.Publish(t.Context(), b.fx, b.client, b.commit, part(fmt.Sprintf("pull/%d", i), c), false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if run := b.one(); run.Conclusion != "failure" || strings.Count(run.Summary, "success") != 11 {
		t.Errorf("%+v", run)
	}
}

// A check run does not wait for the issues and comments that were to be written before it.
func TestGoesBeforeComments(t *testing.T) {
	b := newBench(t)
	app, err := ghclient.New(ghclient.Options{BaseURL: b.github.URL(), Auth: ghclient.Auth{AppID: b.github.App().ID, AppKey: b.github.App().Key}})
	if err != nil {
		t.Fatal(err)
	}
	comments, err := app.Installation(t.Context(), "acme", ghclient.Permissions{"issues": "write"}, b.repo.ID)
	if err != nil {
		t.Fatal(err)
	}
	if b.client, err = app.Installation(t.Context(), "acme", checkrun.Permissions, b.repo.ID); err != nil {
		t.Fatal(err)
	}
	ctx, enough := context.WithCancel(t.Context())
	title := "x"
	var writers sync.WaitGroup
	for range 20 {
		writers.Go(func() {
			if _, _, err := comments.REST().Issues.Create(ctx, "acme", "web", &github.IssueRequest{Title: &title}); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	for wrote(b, "/issues") == 0 {
		time.Sleep(time.Millisecond)
	}
	b.must(part("pull/1", checkrun.Failure))
	enough()
	writers.Wait()
	// One was under way; another one may have been the next while this machine was slow.
	if n := wrote(b, "/issues"); n > 3 {
		t.Errorf("%d issues were written before the check run", n)
	}
}

// wrote counts the POST requests to paths that end so.
func wrote(b *bench, end string) int {
	n := 0
	for _, e := range b.github.Log() {
		if e.Method == "POST" && strings.HasSuffix(e.Path, end) {
			n++
		}
	}
	return n
}

package githubissues_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/folder"
	"github.com/wormsweep/wormsweep/internal/incident/githubissues"
)

// world is a simulated GitHub with a repository for issues, on a clock that sleeping moves.
type world struct {
	t      *testing.T
	github *githubtest.Server
	repo   *githubtest.Repo
	filer  incident.Options
	mu     sync.Mutex
	now    time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return ctx.Err()
}

func newWorld(t *testing.T, opt githubtest.Options) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)}
	opt.Now = w.clock
	w.github = githubtest.Start(t, opt)
	w.repo = w.github.AddFiles("incidents", map[string]string{"README.md": "x"})
	key, err := incident.NewKey([]byte("a secret of the tests, long enough"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.filer = incident.Options{
		Organisation: "acme", Store: store, Key: key, Now: w.clock, Sleep: w.sleep, Campaigns: []incident.Campaign{{ID: "keyv", Severity: "critical"}},
		Tracker: w.tracker("acme/incidents"),
	}
	return w
}

func (w *world) client() *ghclient.Client {
	w.t.Helper()
	client, err := ghclient.New(ghclient.Options{
		BaseURL: w.github.URL(), Auth: ghclient.Auth{AppID: w.github.App().ID, AppKey: w.github.App().Key}, Now: w.clock, Sleep: w.sleep,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

func (w *world) tracker(repository string) *githubissues.Tracker {
	w.t.Helper()
	ctx, app := context.Background(), w.client()
	author, err := githubissues.Author(ctx, app)
	if err != nil || author != "sweeper[bot]" {
		w.t.Fatalf("author %q, %v", author, err)
	}
	client, err := app.Installation(ctx, "acme", ghclient.Permissions{"issues": "write", "metadata": "read"})
	if err != nil {
		w.t.Fatal(err)
	}
	t, err := githubissues.New(client, repository, author)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// day files a sweep that read a repository at HEAD, with findings in files of it.
func (w *world) day(files ...string) incident.Outcome {
	w.t.Helper()
	w.mu.Lock()
	w.now = w.now.Truncate(24 * time.Hour).Add(27 * time.Hour)
	w.mu.Unlock()
	s := incident.NewSweep(incident.SweepOptions{Interest: []incident.Swept{{Name: "acme/api"}}})
	events := []finding.Event{&finding.Run{Started: w.clock()}}
	for _, file := range files {
		f := &finding.Finding{
			State: finding.Active, Campaign: "keyv", Title: "keyv", Severity: "critical", Repository: "acme/api", Refs: []string{"HEAD"}, File: file,
			Package: &finding.Package{PURL: "pkg:npm/keyv@5.6.1", Name: "keyv", Version: "5.6.1"},
		}
		f.Fingerprint = finding.Fingerprint(f)
		events = append(events, f)
	}
	events = append(events, &finding.Coverage{Repository: "acme/api", Ref: "HEAD", Status: finding.Parsed, Commit: strings.Repeat("1", 40)}, &finding.Summary{})
	for _, e := range events {
		if err := s.Event(e); err != nil {
			w.t.Fatal(err)
		}
	}
	f, err := incident.New(w.filer)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := f.Ready(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return f.File(context.Background(), s)
}

func (w *world) whole(out incident.Outcome) {
	w.t.Helper()
	for _, p := range out.Problems {
		w.t.Errorf("problem: %s", p.Detail)
	}
}

// settled holds the repository to have one issue of ours, in a state, with so many comments.
func (w *world) settled(state string, comments int) githubtest.Issue {
	w.t.Helper()
	issues := w.repo.Issues()
	if len(issues) != 1 {
		w.t.Fatalf("%d issues", len(issues))
	}
	i := issues[0]
	if i.State != state || len(i.Comments) != comments || i.Author != "sweeper[bot]" || len(i.Labels) != 1 || i.Labels[0] != githubissues.Label {
		w.t.Errorf("issue of %q is %q with %d comments and labels %q; want %q with %d", i.Author, i.State, len(i.Comments), i.Labels, state, comments)
	}
	return i
}

// writes counts the requests that changed something, since the last time.
func (w *world) writes() (n int) {
	for _, e := range w.github.Log() {
		if e.Kind == githubtest.REST && e.Method != http.MethodGet {
			n++
		}
	}
	w.github.ForgetLog()
	return n
}

func TestLife(t *testing.T) {
	w := newWorld(t, githubtest.Options{})
	w.whole(w.day("a/package-lock.json"))
	if i := w.settled("open", 0); i.Title != "Wormsweep: keyv in acme, critical" || !strings.Contains(i.Body, "**Hit:**") {
		t.Errorf("%q:\n%s", i.Title, i.Body)
	}
	w.writes()
	w.whole(w.day("a/package-lock.json"))
	if n := w.writes(); n != 0 {
		t.Errorf("%d writes on a day on which nothing changed", n)
	}
	w.whole(w.day("a/package-lock.json", "b/package-lock.json"))
	w.settled("open", 1)
	w.whole(w.day())
	w.settled("closed", 2)
	w.whole(w.day("b/package-lock.json"))
	w.settled("open", 3)
}

// TestDroppedAnswers: each kind of write takes effect and its answer is lost.
func TestDroppedAnswers(t *testing.T) {
	for _, method := range []string{"POST", "PATCH"} {
		for _, skip := range []int{0, 1} {
			w := newWorld(t, githubtest.Options{})
			mend := w.github.Break(githubtest.Rule{Kind: githubtest.REST, Method: method, Path: "/api/v3/repos/acme/incidents/issues*", Skip: skip, Times: 1, Fault: func(e *githubtest.Exchange) {
				e.Serve()
				e.Cut = 0
			}})
			w.whole(w.day("a"))
			w.whole(w.day("a", "b"))
			w.whole(w.day())
			mend()
			w.settled("closed", 2)
		}
	}
}

// TestLaggingLists: what was just written is not in lists for a minute.
func TestLaggingLists(t *testing.T) {
	w := newWorld(t, githubtest.Options{IssueDelay: time.Minute})
	w.github.Break(githubtest.Rule{Kind: githubtest.REST, Method: "POST", Path: "/api/v3/repos/acme/incidents/issues", Times: 1, Fault: func(e *githubtest.Exchange) {
		e.Serve()
		e.Cut = 0
	}})
	out := w.day("a")
	for range 3 {
		out = w.day("a")
	}
	w.whole(out)
	open := 0
	for _, i := range w.repo.Issues() {
		if i.State == "open" {
			open++
		}
	}
	if open != 1 || w.repo.Issues()[0].State != "open" {
		t.Errorf("%d open issues, the first is %q", open, w.repo.Issues()[0].State)
	}
}

// TestLimits: a limit is waited for, and the issue is written once.
func TestLimits(t *testing.T) {
	w := newWorld(t, githubtest.Options{})
	limited := 0
	w.github.Break(githubtest.Rule{Kind: githubtest.REST, Path: "/api/v3/repos/acme/incidents/issues", Times: 3, Fault: func(e *githubtest.Exchange) {
		limited++
		e.Status = http.StatusForbidden
		e.Header.Set("Retry-After", "60")
		fmt.Fprint(&e.Answer, `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`)
	}})
	w.whole(w.day("a"))
	w.settled("open", 0)
	if limited != 3 {
		t.Errorf("%d answers were limits", limited)
	}
}

// TestOthers: issues with our mark and label that others wrote are left alone.
func TestOthers(t *testing.T) {
	w := newWorld(t, githubtest.Options{})
	w.whole(w.day("a"))
	body := w.repo.Issues()[0].Body
	other := newWorld(t, githubtest.Options{})
	mallory := other.github.AddUser("mallory")
	n := other.repo.AddIssue(mallory, "first", body, githubissues.Label)
	other.whole(other.day("a"))
	other.whole(other.day("a"))
	issues := other.repo.Issues()
	if len(issues) != 2 || issues[0].Number != n || issues[0].State != "open" || issues[0].Body != body || issues[1].Author != "sweeper[bot]" {
		t.Errorf("%+v", issues)
	}
	if _, err := other.tracker("acme/incidents").Issue(context.Background(), n); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("an issue of another author: %v", err)
	}
}

func TestRepository(t *testing.T) {
	w := newWorld(t, githubtest.Options{})
	ctx := context.Background()
	for _, tt := range []struct {
		name   string
		change func(r *githubtest.Repository)
		want   error
	}{
		{"private", func(*githubtest.Repository) {}, nil},
		{"internal", func(r *githubtest.Repository) { r.Visibility = githubtest.Internal }, nil},
		{"public", func(r *githubtest.Repository) { r.Visibility = githubtest.Public }, incident.ErrPublic},
		{"archived", func(r *githubtest.Repository) { r.Archived = true }, incident.ErrArchived},
		{"issues off", func(r *githubtest.Repository) { r.IssuesOff = true }, incident.ErrIssuesOff},
	} {
		name := strings.ReplaceAll(tt.name, " ", "-")
		r := w.github.Add(githubtest.Repository{Name: name})
		r.Change(tt.change)
		opt := w.filer
		opt.Tracker = w.tracker("acme/" + name)
		f, err := incident.New(opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Ready(ctx); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v; want %v", tt.name, err, tt.want)
		}
	}
	if _, err := w.tracker("acme/none").Repository(ctx); !errors.Is(err, ghclient.ErrNotFound) {
		t.Errorf("no such repository: %v", err)
	}
	for _, name := range []string{"", "acme", "acme/", "/x", "acme/x/y", "acme/..", "acme/x?y", "acme/x y"} {
		if _, err := githubissues.New(w.client(), name, "x"); err == nil {
			t.Errorf("%q is taken for a repository", name)
		}
	}
	if _, err := githubissues.New(w.client(), "acme/x", ""); err == nil {
		t.Error("no author is an author")
	}
}

// TestRenamed: the repository for issues was renamed: its issues go on.
func TestRenamed(t *testing.T) {
	w := newWorld(t, githubtest.Options{})
	w.whole(w.day("a"))
	w.repo.Rename("incidents-2")
	w.whole(w.day("a", "b"))
	w.settled("open", 1)
}

func TestCodeOwners(t *testing.T) {
	w := newWorld(t, githubtest.Options{})
	ctx := context.Background()
	reader, err := w.client().Installation(ctx, "acme", ghclient.Permissions{"contents": "read", "metadata": "read"})
	if err != nil {
		t.Fatal(err)
	}
	w.github.AddFiles("both", map[string]string{"CODEOWNERS": "* @root", "docs/CODEOWNERS": "* @docs"})
	w.github.AddFiles("dotted", map[string]string{".github/CODEOWNERS": "* @dot", "CODEOWNERS": "* @root"})
	w.github.AddFiles("neither", map[string]string{"README.md": "x"})
	owners := githubissues.NewOwners(reader, "acme")
	for _, tt := range []struct{ name, want string }{
		{"acme/both", "* @root"}, {"dotted", "* @dot"}, {"neither", ""}, {"acme/none", ""},
	} {
		if got, err := owners.CodeOwners(ctx, tt.name); err != nil || string(got) != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := owners.CodeOwners(ctx, "../../user"); err == nil {
		t.Error("a name that climbs is asked for")
	}
}

package githubissues_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
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

// child is what a process of its own is told, in the variable of this name.
type child struct {
	URL, Folder string
	AppID       int64
	AppKey      []byte
	Campaigns   int
	Day         int // from the second on a file more is found
	Lease       time.Duration
}

const childVariable = "INCIDENT_CHILD"

func TestMain(m *testing.M) {
	if told := os.Getenv(childVariable); told != "" {
		if err := beChild(told); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beChild files a sweep that found something of each campaign.
func beChild(told string) error {
	var c child
	if err := json.Unmarshal([]byte(told), &c); err != nil {
		return err
	}
	ctx := context.Background()
	app, err := ghclient.New(ghclient.Options{BaseURL: c.URL, Auth: ghclient.Auth{AppID: c.AppID, AppKey: c.AppKey}})
	if err != nil {
		return err
	}
	author, err := githubissues.Author(ctx, app)
	if err != nil {
		return err
	}
	client, err := app.Installation(ctx, "acme", ghclient.Permissions{"issues": "write", "metadata": "read"})
	if err != nil {
		return err
	}
	tracker, err := githubissues.New(client, "acme/incidents", author)
	if err != nil {
		return err
	}
	key, err := incident.NewKey([]byte("a secret of the tests, long enough"))
	if err != nil {
		return err
	}
	store, err := folder.Open(c.Folder)
	if err != nil {
		return err
	}
	opt := incident.Options{
		Organisation: "acme", Tracker: tracker, Store: store, Key: key, Lease: c.Lease, Pause: time.Millisecond,
	}
	f, err := incident.New(opt)
	if err != nil {
		return err
	}
	s := incident.NewSweep(incident.SweepOptions{Interest: []incident.Swept{{Name: "acme/api"}}})
	events := []finding.Event{&finding.Run{Started: time.Date(2026, 11, c.Day, 3, 0, 0, 0, time.UTC)}}
	for n := range c.Campaigns {
		for file := range c.Day {
			f := &finding.Finding{State: finding.Active, Campaign: fmt.Sprintf("campaign-%d", n), Repository: "acme/api", Refs: []string{"HEAD"}, File: fmt.Sprint(file), Indicator: "i"}
			f.Fingerprint = finding.Fingerprint(f)
			events = append(events, f)
		}
	}
	for _, e := range append(events, &finding.Summary{}) {
		if err := s.Event(e); err != nil {
			return err
		}
	}
	for _, p := range f.File(ctx, s).Problems {
		fmt.Fprintln(os.Stderr, p.Detail)
	}
	return nil
}

// start starts a process.
func start(t *testing.T, c child) *exec.Cmd {
	t.Helper()
	told, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(told))
	cmd.Stderr = &strings.Builder{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// oneOfEach holds the repository to have one open issue for each campaign, with the comments
// that its days make, and each comment once.
func oneOfEach(t *testing.T, repo *githubtest.Repo, campaigns, comments int) {
	t.Helper()
	open := map[string]int{}
	for _, i := range repo.Issues() {
		if i.State != "open" {
			continue
		}
		open[i.Title]++
		if len(i.Comments) != comments {
			t.Errorf("issue %d, %q, has %d comments; want %d: %q", i.Number, i.Title, len(i.Comments), comments, i.Comments)
		}
	}
	if len(open) != campaigns || len(repo.Issues()) != campaigns {
		t.Errorf("%d issues, %d titles open; want %d", len(repo.Issues()), len(open), campaigns)
	}
	for title, n := range open {
		if n != 1 {
			t.Errorf("%q is open %d times", title, n)
		}
	}
}

func newChild(t *testing.T, campaigns int) (child, *githubtest.Server, *githubtest.Repo) {
	t.Helper()
	s := githubtest.Start(t, githubtest.Options{})
	repo := s.AddFiles("incidents", map[string]string{"README.md": "x"})
	return child{URL: s.URL(), Folder: t.TempDir(), AppID: s.App().ID, AppKey: s.App().Key, Campaigns: campaigns, Day: 1}, s, repo
}

// TestProcessesAtOnce: several processes with one folder of records make one issue of each
// campaign, and one comment of each change.
func TestProcessesAtOnce(t *testing.T) {
	c, server, repo := newChild(t, 2)
	c.Lease = 20 * time.Second
	for day := 1; day <= 2; day++ {
		c.Day = day
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				cmd := start(t, c)
				if err := cmd.Wait(); err != nil || cmd.Stderr.(*strings.Builder).Len() > 0 {
					t.Errorf("%v: %s", err, cmd.Stderr)
				}
			})
		}
		wait.Wait()
		oneOfEach(t, repo, 2, day-1)
	}
	server.ForgetViolations() // four processes know nothing of each other's pauses
}

// TestKilledProcesses: processes are killed at any moment; the last one, which is not, leaves
// one issue of each campaign, and one comment of each change.
func TestKilledProcesses(t *testing.T) {
	c, server, repo := newChild(t, 2)
	c.Lease = 2 * time.Second
	random := rand.New(rand.NewPCG(1, 2))
	for day := 1; day <= 2; day++ {
		c.Day = day
		for range 10 {
			cmd := start(t, c)
			time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
			if err := cmd.Process.Kill(); err != nil {
				t.Logf("it had ended: %v", err)
			}
			_ = cmd.Wait() // it was killed
		}
		cmd := start(t, c)
		if err := cmd.Wait(); err != nil || cmd.Stderr.(*strings.Builder).Len() > 0 {
			t.Errorf("the last: %v: %s", err, cmd.Stderr)
		}
		oneOfEach(t, repo, 2, day-1)
	}
	server.ForgetViolations() // a killed process's successor does not know what it was told to wait for
}

package check_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/app/check"
	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/store"
)

// world is an organisation in which the App has all that it needs.
type world struct {
	*githubtest.Server
	config app.Config
	env    map[string]string
	now    func() time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := githubtest.Start(t, githubtest.Options{})
	w := &world{Server: s, env: map[string]string{}, now: time.Now}
	granted := map[string]string{}
	for _, p := range manifest.Blast.Permissions() {
		granted[p.Name] = p.Level
	}
	var events []string
	for _, e := range manifest.Detect.Events() {
		events = append(events, e.Name)
	}
	in := s.Installation()
	s.Update(func() { in.Permissions = granted })
	s.SetWebhook(s.App(), githubtest.Webhook{URL: "http://127.0.0.1:1/webhook", Secret: "x", Events: events})
	s.Add(githubtest.Repository{Name: "incidents"})
	repo := s.AddFiles("settings", map[string]string{settings.OrganisationFile: "version: 1\n"})
	repo.Change(func(r *githubtest.Repository) { r.Actions.Protected = []string{"main"} })
	dir := t.TempDir()
	policy := filepath.Join(dir, "wormsweep.yaml")
	if err := os.WriteFile(policy, []byte("version: 1\nartifacts: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.config = app.Config{
		GitHub: s.URL(), AppID: s.App().ID, AppKey: s.App().Key, Secrets: [][]byte{[]byte("x")}, Path: "/webhook",
		Database: filepath.Join(dir, "data"), Organisation: "acme", Issues: "acme/incidents", Settings: "acme/settings",
	}
	return w
}

// run gives the outcome and detail of each part; of several of one name the one that is worst.
func (w *world) run(t *testing.T) (lines map[string]check.Line, text string, exit int) {
	t.Helper()
	result := check.Run(t.Context(), check.Options{
		Config: w.config, Getenv: func(name string) string { return w.env[name] }, Now: func() time.Time { return w.now() },
	})
	lines = map[string]check.Line{}
	for _, line := range result {
		if old, was := lines[line.Part]; !was || old.Outcome == check.OK || old.Outcome == check.Note && line.Outcome == check.Missing {
			lines[line.Part] = line
		}
	}
	var b bytes.Buffer
	if _, err := result.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return lines, b.String(), result.Exit()
}

// swept leaves an inventory, without a run.
func (w *world) swept(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(w.config.Database, 0o700); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), app.InventoryOf(w.config.Database), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
}

// TestParts: each trouble is seen in the part that it is of, and ends as it should.
func TestParts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, w *world)
		part    string
		want    check.Outcome
		says    string
	}{
		{"as it should be", func(*testing.T, *world) {}, "App", check.OK, "sweeper"},
		{"issues", func(*testing.T, *world) {}, "issues", check.OK, "is private"},
		{"settings", func(*testing.T, *world) {}, "settings", check.OK, "at commit"},
		{"database", func(*testing.T, *world) {}, "database", check.OK, "makes them"},
		{"roots", func(*testing.T, *world) {}, "trusted roots", check.OK, "GitHub"},
		{"a key of another App", func(t *testing.T, w *world) {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			w.config.AppKey = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
		}, "App", check.Missing, "private key"},
		{"a key that is none", func(_ *testing.T, w *world) { w.config.AppKey = []byte("x") }, "App", check.Missing, "not a PEM file"},
		{"GitHub away", func(_ *testing.T, w *world) { w.config.GitHub = "http://127.0.0.1:1" }, "App", check.Unknown, "connection refused"},
		{"a clock that is late", func(_ *testing.T, w *world) { w.now = func() time.Time { return time.Now().Add(-5 * time.Minute) } }, "clock", check.Missing, "differs"},
		{"not installed", func(_ *testing.T, w *world) { w.config.Organisation = "beta" }, "installation", check.Missing, "not installed on \"beta\""},
		{"suspended", func(_ *testing.T, w *world) {
			in := w.Server.Installation()
			w.Update(func() { in.Suspended = true })
		}, "installation", check.Missing, "suspended since"},
		{"on a selection", func(_ *testing.T, w *world) {
			in := w.Server.Installation()
			w.Update(func() { in.Selected = []string{"incidents", "settings"} })
		}, "installation", check.Missing, "chosen"},
		{"a permission that was not granted", func(_ *testing.T, w *world) { w.without("checks") }, "permission checks: write", check.Missing, "in the incident alone"},
		{"a level too low", func(_ *testing.T, w *world) { w.grant("issues", "read") }, "permission issues: write", check.Missing, "an owner of the organisation has to accept"},
		{"a permission that nothing uses", func(_ *testing.T, w *world) { w.grant("contents", "write") }, "permissions", check.Note, "contents: write"},
		{"without the last tier", func(_ *testing.T, w *world) { w.without("secrets") }, "permissions of blast-radius", check.Off, ""},
		{"an event", func(_ *testing.T, w *world) { w.hook(func(h *githubtest.Webhook) { h.Events = []string{"push"} }) }, "events", check.Missing, "pull_request, merge_group"},
		{"no webhook", func(_ *testing.T, w *world) { w.hook(func(h *githubtest.Webhook) { h.URL = "" }) }, "webhook", check.Missing, "no address"},
		{"no secret", func(_ *testing.T, w *world) { w.hook(func(h *githubtest.Webhook) { h.Secret = "" }) }, "webhook", check.Missing, "no secret"},
		{"another path", func(_ *testing.T, w *world) {
			w.hook(func(h *githubtest.Webhook) { h.URL = "http://127.0.0.1:1/other" })
		}, "webhook", check.Note, "/other"},
		{"nothing was delivered", func(*testing.T, *world) {}, "deliveries", check.Unknown, "ping"},
		{"a delivery that was not taken", func(t *testing.T, w *world) { w.Ping(t.Context(), w.Server.App()) }, "deliveries", check.Missing, "failed to connect"},
		{"a database that is none", func(t *testing.T, w *world) {
			if err := os.MkdirAll(w.config.Database, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(w.config.Database, "app.db"), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "database", check.Missing, "not a database"},
		{"PostgreSQL away", func(_ *testing.T, w *world) { w.config.Database = "postgres://127.0.0.1:1/none" }, "database", check.Unknown, ""},
		{"the kill switch", func(t *testing.T, w *world) {
			db, err := appdb.Open(t.Context(), w.config.Database, appdb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			j, err := journal.Open(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Set(t.Context(), journal.Kill, true, "octocat", "a drill"); err != nil {
				t.Fatal(err)
			}
		}, "kill switch", check.Missing, "a drill"},
		{"nothing swept", func(*testing.T, *world) {}, "inventory", check.Unknown, "nothing was swept"},
		{"an inventory without a run", func(t *testing.T, w *world) { w.swept(t) }, "inventory", check.Unknown, "nothing was swept"},
		{"issues in public", func(_ *testing.T, w *world) {
			w.change("incidents", func(r *githubtest.Repository) { r.Visibility = githubtest.Public })
		}, "issues", check.Missing, "is public"},
		{"issues switched off", func(_ *testing.T, w *world) {
			w.change("incidents", func(r *githubtest.Repository) { r.IssuesOff = true })
		}, "issues", check.Missing, "switched off"},
		{"issues in an archive", func(_ *testing.T, w *world) {
			w.change("incidents", func(r *githubtest.Repository) { r.Archived = true })
		}, "issues", check.Missing, "archived"},
		{"issues nowhere", func(_ *testing.T, w *world) { w.config.Issues = "acme/none" }, "issues", check.Missing, "acme/none"},
		{"issues not named", func(_ *testing.T, w *world) { w.config.Issues = "" }, "issues", check.Off, ""},
		{"issues that may not be written", func(_ *testing.T, w *world) { w.grant("issues", "read") }, "issues", check.Missing, "not granted"},
		{"settings that anybody writes", func(_ *testing.T, w *world) {
			w.change("settings", func(r *githubtest.Repository) { r.Actions.Protected = nil })
		}, "settings", check.Missing, "not protected"},
		{"settings with a fault", func(_ *testing.T, w *world) {
			w.Repo("acme/settings").Push("main", map[string]string{settings.OrganisationFile: "version: 1\nx: 1\n"})
		}, "settings", check.Missing, "line 2"},
		{"no settings", func(_ *testing.T, w *world) { w.Repo("acme/settings").Push("main", map[string]string{"a": ""}) }, "settings", check.Missing, "no file"},
		{"a policy with a fault", func(t *testing.T, w *world) {
			w.config.Policy = filepath.Join(t.TempDir(), "p.yaml")
			if err := os.WriteFile(w.config.Policy, []byte("version: 9\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "policy", check.Missing, "line 1"},
		{"a change accepted of what is not published", func(t *testing.T, w *world) {
			w.config.Policy = filepath.Join(t.TempDir(), "p.yaml")
			if err := os.WriteFile(w.config.Policy, []byte("version: 1\norganisation: acme\nartifacts: [{artifact: \"npm:@acme/sdk\", source: acme/sdk, unsigned: true}]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			w.config.Accepted = []string{"npm:x@1.0.0"}
		}, "policy", check.Missing, "accept: \"npm:x@1.0.0\""},
		{"no exclusions where some are named", func(_ *testing.T, w *world) { w.config.Exclusions = "nowhere.yaml" }, "exclusions", check.Missing, "nowhere.yaml"},
		{"exclusions", func(t *testing.T, w *world) { w.exclude(t, 30) }, "exclusions", check.OK, "exclusions.yaml"},
		{"an exclusion that has ended", func(t *testing.T, w *world) { w.exclude(t, -1) }, "exclusions", check.Note, "1 have ended"},
		{"Slack's address", func(_ *testing.T, w *world) { w.env[app.EnvSlackWebhook] = "https://example.com/x" }, "Slack", check.Missing, "webhook has to begin"},
		{"responders", func(_ *testing.T, w *world) { w.team("octocat") }, "responders", check.OK, "with 1 members"},
		{"a team that is not there", func(_ *testing.T, w *world) { w.config.Responders = "nobody" }, "responders", check.Missing, "there is no team \"nobody\""},
		{"on call", func(_ *testing.T, w *world) { w.team("octocat"); w.config.OnCall = "security" }, "on-call", check.OK, "with 1 members"},
		{"another team on call", func(_ *testing.T, w *world) { w.team("octocat"); w.config.OnCall = "oncall" }, "on-call", check.Missing, "there is no team \"oncall\""},
		{"a team without members", func(_ *testing.T, w *world) { w.team() }, "responders", check.Missing, "no members"},
		{"a team that may not be seen", func(_ *testing.T, w *world) { w.team("octocat"); w.without("members") }, "responders", check.Missing, "not granted"},
		{"old roots", func(_ *testing.T, w *world) { w.now = func() time.Time { return time.Now().AddDate(2, 0, 0) } }, "trusted roots", check.Missing, "too old"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.prepare(t, w)
			lines, text, exit := w.run(t)
			line := lines[tt.part]
			if line.Outcome != tt.want || !strings.Contains(line.Detail, tt.says) {
				t.Errorf("%s: %s %q, want %s with %q\n%s", tt.part, line.Outcome, line.Detail, tt.want, tt.says, text)
			}
			if tt.want == check.Missing && exit != check.ExitMissing || tt.want == check.Unknown && exit == check.ExitOK {
				t.Errorf("exit %d\n%s", exit, text)
			}
			for part, line := range lines {
				if part != tt.part && line.Outcome == check.Missing && tt.want == check.OK {
					t.Errorf("%s: %s", part, line.Detail)
				}
			}
			if strings.Contains(text, "PRIVATE KEY") {
				t.Error("the key is shown")
			}
		})
	}
}

// exclude names a file with an exclusion that ends in so many days.
func (w *world) exclude(t *testing.T, days int) {
	t.Helper()
	w.config.Exclusions = filepath.Join(t.TempDir(), "exclusions.yaml")
	text := fmt.Sprintf("schema: exclusions/1\nexclusions:\n  - {owner: a@acme.example, reason: a fixture, expires: %s, problem: {repository: web, path: yarn.lock}}\n",
		w.now().AddDate(0, 0, days).Format(time.DateOnly))
	if err := os.WriteFile(w.config.Exclusions, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// team makes the responders' team.
func (w *world) team(members ...string) {
	w.AddTeam(w.Organization("acme"), "security", members...)
	w.config.Responders = "security"
}

func (w *world) grant(name, level string) {
	in := w.Server.Installation()
	w.Update(func() {
		in.Permissions = maps.Clone(in.Permissions)
		in.Permissions[name] = level
	})
}

func (w *world) without(name string) {
	in := w.Server.Installation()
	w.Update(func() {
		in.Permissions = maps.Clone(in.Permissions)
		delete(in.Permissions, name)
	})
}

func (w *world) hook(change func(*githubtest.Webhook)) {
	hook := githubtest.Webhook{URL: "http://127.0.0.1:1/webhook", Secret: "x"}
	for _, e := range manifest.Detect.Events() {
		hook.Events = append(hook.Events, e.Name)
	}
	change(&hook)
	w.SetWebhook(w.Server.App(), hook)
}

func (w *world) change(name string, change func(*githubtest.Repository)) {
	w.Repo("acme/" + name).Change(change)
}

// TestStops: what was not looked at when the time was over is not said to be well.
func TestStops(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result := check.Run(ctx, check.Options{Config: w.config, Getenv: os.Getenv})
	if result.Exit() != check.ExitUnknown || len(result) < 10 {
		t.Errorf("%+v", result)
	}
}

//go:build unix

package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// TestSettings: the organisation's settings are read at the start and when they are pushed, and a
// fault leaves what held.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, database := range databases {
		t.Run(database.name, func(t *testing.T) {
			github := githubtest.Start(t, githubtest.Options{})
			repo := github.AddFiles("settings", map[string]string{settings.OrganisationFile: "version: 1\nchecks: false\n"})
			repo.Change(func(r *githubtest.Repository) { r.Actions.Protected = []string{"main"} })
			at := database.fresh(t)
			p := apptest.Serve(t, apptest.Config(t, github, at, "organisation: acme", "settings: acme/settings"))
			github.SetWebhook(github.App(), githubtest.Webhook{URL: p.URL, Secret: apptest.Secret})
			db, err := appdb.Open(t.Context(), at, appdb.Options{Connections: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			keeper, err := settings.Open(t.Context(), db, "acme/settings", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			wait := func(what string, until func(s settings.Settings, state settings.State) bool) settings.State {
				t.Helper()
				for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					s, state, err := keeper.Current(t.Context())
					if err == nil && until(s, state) {
						return state
					}
					if time.Now().After(deadline) {
						t.Fatalf("%s: %+v %+v %v", what, s, state, err)
					}
				}
			}
			first := wait("at the start", func(s settings.Settings, _ settings.State) bool { return s.NoChecks })
			repo.PushFile(t.Context(), "main", settings.OrganisationFile, "version: 1\nchecks: never\n")
			state := wait("a fault", func(s settings.Settings, state settings.State) bool { return state.Fault != "" && s.NoChecks })
			if state.Commit != first.Commit || !strings.Contains(state.Fault, "line 2") {
				t.Errorf("%+v", state)
			}
			if line, ok := p.Logged("the organisation's settings cannot be used, and the last good ones hold"); !ok || line["repository"] != "acme/settings" {
				t.Errorf("nobody is told: %v", line)
			}
			repo.PushFile(t.Context(), "main", settings.OrganisationFile, "version: 1\n")
			wait("mended", func(s settings.Settings, state settings.State) bool { return state.Fault == "" && !s.NoChecks })
			for _, d := range github.Deliveries() {
				if d.Status != 202 {
					t.Errorf("%s was answered with %d", d.Event, d.Status)
				}
			}
		})
	}
}

// TestRow14 of the threat model, with real processes: a repository that says in its own file that
// it is not to be looked at is looked at as the organisation wants, and one that asks for more is
// given more.
func TestRow14(t *testing.T) {
	t.Parallel()
	lock, err := os.ReadFile("../../examples/org/webshop/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	github := githubtest.Start(t, githubtest.Options{})
	granted := map[string]string{}
	for _, p := range manifest.Detect.Permissions() {
		granted[p.Name] = p.Level
	}
	in := github.Installation()
	github.Update(func() { in.Permissions = granted })
	rules := github.AddFiles("settings", map[string]string{settings.OrganisationFile: `version: 1
branches: [main]
exclude: [{repositories: playground, owner: security, reason: a drill, expires: 2099-12-31}]
`})
	rules.Change(func(r *githubtest.Repository) { r.Actions.Protected = []string{"main"} })
	repos := map[string]*githubtest.Repo{}
	for name, own := range map[string]string{
		"silent":     "version: 1\nchecks: false\nbranches: [none]\nexclude: [silent]\n",
		"eager":      "version: 1\nbranches: [dev]\n",
		"plain":      "",
		"playground": "version: 1\nbranches: [\"**\"]\nchecks: true\n",
	} {
		files := map[string]string{"README.md": name}
		if own != "" {
			files[settings.RepositoryFile] = own
		}
		repos[name] = github.AddFiles(name, files)
	}
	at := filepath.Join(t.TempDir(), "data")
	p := apptest.Serve(t, apptest.Config(t, github, at, "organisation: acme", "settings: acme/settings"))
	github.SetWebhook(github.App(), githubtest.Webhook{URL: p.URL, Secret: apptest.Secret})
	j := open(t, at)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		db, err := appdb.Open(t.Context(), at, appdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		k, err := settings.Open(t.Context(), db, "acme/settings", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_, state, err := k.Current(t.Context())
		db.Close()
		if err == nil && state.Commit != "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the settings are not read: %+v %v", state, err)
		}
	}
	for _, tt := range []struct {
		repo, branch string
		looked       bool
	}{
		{"silent", "main", true},      // whatever its own file says
		{"silent", "dev", false},      // by the organisation's word
		{"plain", "dev", false},       // the same
		{"plain", "main", true},       //
		{"eager", "dev", true},        // by its own
		{"eager", "main", true},       // and by the organisation's
		{"playground", "main", false}, // the organisation's word is the last
	} {
		before := len(repos[tt.repo].CheckRuns())
		repos[tt.repo].PushFile(t.Context(), tt.branch, "package-lock.json", string(lock))
		settle(t, j, 60*time.Second)
		if looked := len(repos[tt.repo].CheckRuns()) > before; looked != tt.looked {
			t.Errorf("%s, a push to %s: looked at: %v", tt.repo, tt.branch, looked)
		}
	}
	if _, told := p.Logged("a repository's own settings have a fault"); !told {
		t.Error("nobody is told that what \"silent\" says has no effect")
	}
}

package settings_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const narrow = `version: 1
branches: [main, "release/*"]
checks: false
exclude:
  - repositories: "playground-*"
    owner: security
    reason: nothing of it is deployed
    expires: 2026-12-31
`

func parse(t *testing.T, text string) settings.Settings {
	t.Helper()
	s, err := settings.Parse("x", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScope(t *testing.T) {
	s := parse(t, narrow)
	scope := s.Scope("web", settings.Addition{}, now)
	for _, tt := range []struct {
		what string
		got  bool
		want bool
	}{
		{"a branch of the organisation's", scope.Ref("refs/heads/release/7"), true},
		{"another branch", scope.Ref("refs/heads/dev"), false},
		{"a tag", scope.Ref("refs/tags/v1"), true},
		{"checks", scope.Checks, false},
		{"excluded", scope.Excluded != nil, false},
		{"excluded by name", s.Scope("Playground-7", settings.Addition{}, now).Excluded != nil, true},
		{"on its last day", s.Scope("playground-7", settings.Addition{}, time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)).Excluded != nil, true},
		{"after its last day", s.Scope("playground-7", settings.Addition{}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)).Excluded != nil, false},
		{"all branches where none is named", settings.Settings{}.Scope("web", settings.Addition{Branches: []string{"x"}}, now).Ref("refs/heads/dev"), true},
		{"checks without settings", settings.Settings{}.Scope("web", settings.Addition{}, now).Checks, true},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v", tt.what, tt.got)
		}
	}
	added := s.Scope("web", settings.Addition{Branches: []string{"dev"}, Checks: true}, now)
	if !added.Ref("refs/heads/dev") || !added.Ref("refs/heads/main") || !added.Checks {
		t.Errorf("%+v", added)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ text, says string }{
		{"", "is empty"},
		{"branches: []", "no version"},
		{"version: 2", "reads version 1"},
		{"version: 1\nversion: 1", "stands twice"},
		{"version: 1\nbranch: [main]", "line 2: \"branch\" is no key"},
		{"version: 1\nbranches: x", "line 2: branches is not a list"},
		{"version: 1\nbranches: [\"!secret\"]", "take nothing away"},
		{"version: 1\nbranches: [" + strings.Repeat("a,", 201) + "]", "200 at most"},
		{"version: 1\nchecks: perhaps", "neither true nor false"},
		{"version: 1\n---\nversion: 1", "second document"},
		{"version: 1\nexclude: [{repositories: \"*\"}]", "without owner"},
		{"version: 1\nexclude: [{repositories: \"*\", owner: a, reason: b, expires: soon}]", "no day"},
		{"version: 1\nbranches: &a [x]", "anchor"},
	} {
		if _, err := settings.Parse("x", []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.says)
		}
	}
}

// refs are what row 14 is tried with.
var refs = []string{"refs/heads/main", "refs/heads/release/1", "refs/heads/dev", "refs/tags/v1", "refs/pull/1/head"}

// less says in what a scope is smaller than another, "" where it is not.
func less(scope, than settings.Scope) string {
	if scope.Excluded != nil && than.Excluded == nil {
		return "it is excluded"
	}
	for _, ref := range refs {
		if than.Ref(ref) && !scope.Ref(ref) {
			return ref
		}
	}
	if than.Checks && !scope.Checks {
		return "checks"
	}
	return ""
}

// silencing are files by which somebody would turn the App off.
var silencing = []string{
	"version: 1\nchecks: false\n",
	"version: 1\nbranches: []\n",
	"version: 1\nbranches: [none]\n",
	"version: 1\nexclude: [{repositories: \"*\", owner: me, reason: none, expires: 2099-01-01}]\n",
	"version: 1\nbranches: [\"!main\"]\n",
	"version: 1\nenabled: false\n",
	"version: 1\n? [a, b]\n: c\n",
	"{",
	"",
}

// TestRow14 is the row of the threat model: a repository's own configuration adds, and silences
// nothing.
func TestRow14(t *testing.T) {
	for _, organisation := range []settings.Settings{{}, parse(t, narrow), parse(t, "version: 1\nbranches: [main]\n")} {
		alone := organisation.Scope("web", settings.Addition{}, now)
		for _, text := range silencing {
			own, err := settings.ParseRepository("acme/web: .wormsweep.yaml", []byte(text))
			if what := less(organisation.Scope("web", own, now), alone); what != "" {
				t.Errorf("%q takes away %s", text, what)
			}
			if err == nil && !strings.Contains(text, "branches: [none]") && !strings.Contains(text, "branches: []") {
				t.Errorf("%q: nobody says that it has no effect", text)
			}
		}
	}
}

func FuzzRepositoryAddsOnly(f *testing.F) {
	for _, text := range silencing {
		f.Add([]byte(text))
	}
	f.Add([]byte(narrow))
	organisation, err := settings.Parse("x", []byte(narrow))
	if err != nil {
		f.Fatal(err)
	}
	alone := organisation.Scope("web", settings.Addition{}, now)
	f.Fuzz(func(t *testing.T, data []byte) {
		own, err := settings.ParseRepository("x", data)
		again, errAgain := settings.ParseRepository("x", data)
		if d := cmp.Diff(own, again); d != "" || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Errorf("twice: %s", d)
		}
		if what := less(organisation.Scope("web", own, now), alone); what != "" {
			t.Errorf("%q takes away %s", data, what)
		}
		if _, err := settings.Parse("x", data); err == nil {
			organisation, _ := settings.Parse("x", data)
			organisation.Scope("web", own, now).Ref("a")
		}
	})
}

// github is an organisation with a repository for settings, and a client that may read it.
func github(t *testing.T, files map[string]string) (*githubtest.Server, *githubtest.Repo, *ghclient.Client) {
	t.Helper()
	s := githubtest.Start(t, githubtest.Options{})
	repo := s.AddFiles("settings", files)
	app, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key}})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := app.Installation(t.Context(), "acme/settings", ghclient.Permissions{"contents": "read", "metadata": "read"}, repo.ID)
	if err != nil {
		t.Fatal(err)
	}
	return s, repo, reader
}

func open(t *testing.T, database string, log *slog.Logger) *settings.Keeper {
	t.Helper()
	db, err := appdb.Open(t.Context(), database, appdb.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	k, err := settings.Open(t.Context(), db, "acme/settings", log)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeeper: only what is good and protected comes to hold, and it holds until something better
// does, across a restart too.
func TestKeeper(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "data") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Start(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := database(t)
			_, repo, reader := github(t, map[string]string{settings.OrganisationFile: narrow})
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			k := open(t, at, logger)
			holds := func(k *settings.Keeper) (commit, fault string, checks bool) {
				t.Helper()
				s, state, err := k.Current(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return state.Commit, state.Fault, s.Scope("web", settings.Addition{}, now).Checks
			}
			if commit, fault, checks := holds(k); commit != "" || fault != "" || !checks {
				t.Errorf("before anything was read: %q %q %v", commit, fault, checks)
			}
			if err := k.Refresh(t.Context(), reader); !errors.Is(err, settings.ErrUnprotected) {
				t.Errorf("an unprotected branch: %v", err)
			}
			if commit, fault, checks := holds(k); commit != "" || !strings.Contains(fault, "is not protected") || !checks {
				t.Errorf("an unprotected branch: %q %q %v", commit, fault, checks)
			}
			repo.Change(func(r *githubtest.Repository) { r.Actions.Rules = []string{"main"} }) // of deletion alone
			if err := k.Refresh(t.Context(), reader); !errors.Is(err, settings.ErrUnprotected) {
				t.Errorf("a ruleset that lets everybody push: %v", err)
			}
			repo.Change(func(r *githubtest.Repository) { r.Actions.Protected = []string{"main"} })
			if err := k.Refresh(t.Context(), reader); err != nil {
				t.Fatal(err)
			}
			good, fault, checks := holds(k)
			if good == "" || fault != "" || checks {
				t.Errorf("%q %q %v", good, fault, checks)
			}
			log.Reset()
			repo.Push("main", map[string]string{settings.OrganisationFile: "version: 1\nbranches: [main]\nnonsense: 1\n"})
			if err := k.Refresh(t.Context(), reader); err == nil || !strings.Contains(err.Error(), "line 3") {
				t.Errorf("a fault: %v", err)
			}
			if !strings.Contains(log.String(), "the last good ones hold") {
				t.Errorf("nobody is told: %s", log.String())
			}
			other := open(t, at, logger) // another process, or after a restart
			if commit, fault, checks := holds(other); commit != good || !strings.Contains(fault, "line 3") || checks {
				t.Errorf("the last good ones do not hold: %q %q %v", commit, fault, checks)
			}
			repo.Push("main", map[string]string{"README.md": ""})
			if err := other.Refresh(t.Context(), reader); err == nil {
				t.Error("the file is gone, and nobody says so")
			}
			if commit, _, _ := holds(k); commit != good {
				t.Errorf("the file is gone, and %q holds", commit)
			}
			repo.Push("main", map[string]string{settings.OrganisationFile: "version: 1\n"})
			if err := other.Refresh(t.Context(), reader); err != nil {
				t.Fatal(err)
			}
			if commit, fault, checks := holds(k); commit == good || fault != "" || !checks {
				t.Errorf("mended: %q %q %v", commit, fault, checks)
			}
		})
	}
}

func TestKeeperWithout(t *testing.T) {
	db, err := appdb.Open(t.Context(), filepath.Join(t.TempDir(), "data"), appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	k, err := settings.Open(t.Context(), db, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Refresh(context.Background(), nil); err != nil || k.Is("", "refs/heads/main") {
		t.Errorf("%v", err)
	}
}

func TestReadRepository(t *testing.T) {
	s, repo, reader := github(t, map[string]string{settings.RepositoryFile: "version: 1\nbranches: [dev]\nchecks: false\n"})
	own, err := settings.ReadRepository(t.Context(), reader, "acme/settings")
	if err == nil || len(own.Branches) != 1 {
		t.Errorf("what is good in it counts: %+v %v", own, err)
	}
	repo.Push("main", map[string]string{settings.RepositoryFile: strings.Repeat("#", settings.MaxBytes+1)})
	if _, err := settings.ReadRepository(t.Context(), reader, "acme/settings"); err == nil {
		t.Error("a file that is too large")
	}
	repo.Push("main", map[string]string{"a": "b"})
	if own, err := settings.ReadRepository(t.Context(), reader, "acme/settings"); err != nil || own.Branches != nil {
		t.Errorf("without a file: %+v %v", own, err)
	}
	s.Break(githubtest.Rule{Path: "/api/v3/repos/*", Fault: githubtest.Fails(500, "application/json", "{}"), Times: 20})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := settings.ReadRepository(ctx, reader, "acme/settings"); err == nil {
		t.Error("GitHub out of order is no file that is not there")
	}
}

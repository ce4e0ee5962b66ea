//go:build unix

package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/catalogue"
	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// watched is an App with a policy, its registry and its repositories.
type watched struct {
	*testing.T
	*App
	github   *githubtest.Server
	registry *registrytest.Server
	issues   *githubtest.Repo
	sdk      *githubtest.Repo
	log      *lines
}

const policyText = `version: 1
organisation: acme
registries:
  - {name: ours, protocol: npm, address: %q, role: origin, private: true}
artifacts:
  - artifact: "npm:@acme/sdk"
    registry: ours
    source: acme/sdk
    unsigned: true
`

func newWatched(t *testing.T, database string) *watched {
	t.Helper()
	w := &watched{T: t, github: githubtest.Start(t, githubtest.Options{}), registry: registrytest.New(t), log: &lines{}}
	w.issues = w.github.Add(githubtest.Repository{Name: "incident-response"})
	w.sdk = w.github.AddFiles("sdk", map[string]string{"README.md": "sdk"})
	w.publish("1.0.0", "github", 72*time.Hour)
	w.publish("1.1.0", "github", 48*time.Hour)
	policy := filepath.Join(t.TempDir(), "wormsweep.yaml")
	if err := os.WriteFile(policy, fmt.Appendf(nil, policyText, w.registry.NPM().URL), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	w.App, err = New(t.Context(), Config{
		Listen: "127.0.0.1:0", Path: "/webhook", Database: database, Policy: policy, Organisation: "acme", Issues: "acme/incident-response", SweepRefs: "head", Offline: true,
		Registries: map[registry.Kind]string{registry.NPM: w.registry.NPM().URL, registry.PyPI: w.registry.PyPI().URL, registry.Go: w.registry.URL + "/goproxy"},
		GitHub:     w.github.URL(), AppID: w.github.App().ID, AppKey: w.github.App().Key, Secrets: [][]byte{[]byte("secret")},
	}, slog.New(slog.NewTextHandler(w.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func (w *watched) publish(version, by string, ago time.Duration) {
	w.registry.NPM().Publish("@acme/sdk", registrytest.NPMVersion{Version: version, User: "ci", TrustedPublisher: by, Time: time.Now().Add(-ago)})
}

func (w *watched) body(members map[string]any, repository string) []byte {
	w.Helper()
	in := w.github.Installation()
	members["installation"] = map[string]any{"id": in.ID}
	members["repository"] = map[string]any{
		"id": 7, "name": repository, "full_name": "acme/" + repository, "owner": map[string]any{"login": "acme", "id": in.Account.ID},
	}
	data, err := json.Marshal(members)
	if err != nil {
		w.Fatal(err)
	}
	return data
}

// signals are those that are kept, by alert.
func (w *watched) signals() map[string]int {
	w.Helper()
	out := map[string]int{}
	err := w.db.Query(w.Context(), "SELECT signal FROM app_signal", nil, func(scan func(...any) error) error {
		var body []byte
		if err := scan(&body); err != nil {
			return err
		}
		var s triage.Signal
		if err := json.Unmarshal(body, &s); err != nil {
			return err
		}
		out[s.AlertID]++
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// TestTokenPublishIsAnIncident: a version that nobody announced is an incident of Scenario C by the
// next look, whether the watch or a hint comes first, and there is one of it.
func TestTokenPublishIsAnIncident(t *testing.T) {
	for _, byHint := range []bool{false, true} {
		w := newWatched(t, filepath.Join(t.TempDir(), "data"))
		if err := w.watch(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if n := len(w.issues.Issues()); n != 0 {
			t.Fatalf("%d issues before anything happened", n)
		}
		w.publish("1.1.1", "", time.Minute)
		if byHint {
			d := hook.Delivery{ID: "1", Event: "create", Installation: w.github.Installation().ID, Received: time.Now(), Body: w.body(map[string]any{"ref": "v1.1.1", "ref_type": "tag", "master_branch": "main"}, "sdk")}
			if err := w.publishing().watcher.Hurry(t.Context(), w.publishing().all, 0, false); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
			if err := w.setLooked(time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
			if err := w.act(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		} else {
			if err := w.publishing().watcher.Hurry(t.Context(), w.publishing().all, 0, false); err != nil {
				t.Fatal(err)
			}
			if err := w.watch(t.Context(), jobs.Job{}); err != nil {
				t.Fatal(err)
			}
		}
		issues := w.issues.Issues()
		if len(issues) != 1 || !strings.Contains(issues[0].Title, finding.PublishedByUs) || !strings.Contains(issues[0].Body, "1.1.1") {
			t.Fatalf("by hint %t: %+v\n%s", byHint, issues, w.log)
		}
		if got := w.signals(); got[triage.AlertPublish] != 1 {
			t.Errorf("by hint %t: signals %v", byHint, got)
		}
		// The daily verification finds the same, and files nothing new.
		if err := w.verifyAll(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if err := w.watch(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if got := w.signals(); len(w.issues.Issues()) != 1 || got[triage.AlertPublish] != 1 {
			t.Errorf("by hint %t, after the daily run: %d issues, signals %v", byHint, len(w.issues.Issues()), got)
		}
	}
}

// setLooked sets when the artifact was last looked at.
func (w *watched) setLooked(at time.Time) error {
	records := w.inventory.Records("watch")
	body, version, err := records.Load(w.Context(), "npm:@acme/sdk@ours")
	if err != nil {
		return err
	}
	var state map[string]any
	if err := json.Unmarshal(body, &state); err != nil {
		return err
	}
	state["looked"] = at
	if body, err = json.Marshal(state); err != nil {
		return err
	}
	_, _, err = records.Swap(w.Context(), "npm:@acme/sdk@ours", version, body)
	return err
}

// TestDailySweep: a planted package is an incident and one signal, and a second run adds nothing.
func TestDailySweep(t *testing.T) {
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	lock := `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"},"node_modules/axios":{"version":"1.14.1","resolved":"https://registry.npmjs.org/axios/-/axios-1.14.1.tgz"}}}`
	w.github.AddFiles("web", map[string]string{"package-lock.json": lock})
	w.github.AddFiles("api", map[string]string{"package-lock.json": lock})
	for range 2 {
		if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if n := len(w.issues.Issues()); n != 1 {
			t.Fatalf("%d issues\n%s", n, w.log)
		}
		if got := w.signals(); got[triage.AlertIOC] != 1 {
			t.Errorf("signals %v", got)
		}
	}
	r, _, err := w.dailyRun(t.Context(), runSweep)
	if err != nil || r.Exit != 1 || r.Finished.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestDeletedBranch: what was found on a branch alone is settled once that is deleted, and not before.
func TestDeletedBranch(t *testing.T) {
	t.Parallel()
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	w.config.SweepRefs = "branches"
	content := gitstore.NewMemory()
	content.Commit("refs/heads/main", "m", gitstore.Text(map[string]string{"README.md": "web"}))
	content.Commit("refs/heads/worm", "m", gitstore.Text(map[string]string{"package-lock.json": `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"},"node_modules/axios":{"version":"1.14.1"}}}`}))
	w.github.Add(githubtest.Repository{Name: "web", Content: content})
	sweep := func(want string) {
		t.Helper()
		if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if issues := w.issues.Issues(); len(issues) != 1 || issues[0].State != want {
			t.Fatalf("%+v; want one that is %s\n%s", issues, want, w.log)
		}
	}
	sweep("open")
	sweep("open")
	content.SetRef("refs/heads/worm", gitstore.ID{})
	sweep("closed")
}

// TestWatchdog: a daily run that did not come to its end for 26 hours is said, in the log and in
// the metrics, and no more once it has.
func TestWatchdog(t *testing.T) {
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	if err := w.watchdog(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	said := func() bool { return strings.Contains(w.log.String(), "a daily run is overdue") }
	metrics := func() string {
		t.Helper()
		rec := httptest.NewRecorder()
		newAdminServer(w.App).Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return rec.Body.String()
	}
	if said() || !strings.Contains(metrics(), `wormsweep_daily_overdue{run="sweep"} 0`) {
		t.Fatalf("overdue at once:\n%s", w.log)
	}
	if err := w.setDailyRun(t.Context(), runSweep, func(r *dailyRun) { r.Since = time.Now().Add(-27 * time.Hour) }); err != nil {
		t.Fatal(err)
	}
	if err := w.watchdog(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if !said() || !strings.Contains(metrics(), `wormsweep_daily_overdue{run="sweep"} 1`) || !strings.Contains(metrics(), `wormsweep_daily_overdue{run="verify"} 0`) {
		t.Errorf("not said:\n%s\n%s", w.log, metrics())
	}
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if text := metrics(); !strings.Contains(text, `wormsweep_daily_overdue{run="sweep"} 0`) {
		t.Errorf("still overdue after a run:\n%s", text)
	}
}

// TestKilledDaily: while the kill switch is on a daily run waits, and uses up no attempt.
func TestKilledDaily(t *testing.T) {
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	if err := w.journal.Set(t.Context(), "kill", true, "test", "a test"); err != nil {
		t.Fatal(err)
	}
	if _, snoozed := w.sweepAll(t.Context(), jobs.Job{}).(*jobs.SnoozeError); !snoozed {
		t.Error("it is not put off")
	}
}

// TestFeeds: an advisory brings in what a list has new; the inventory is held against it without
// asking GitHub, once; a list that shrinks is held, and said.
func TestFeeds(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("npm:left-zed@1.0.0", "npm:left-zed@1.0.1", "npm:right-zed@2.0.0")
	config, err := feeds.ReadConfig("feeds.yaml", dir, []byte("schema: ioc-feeds/1\nfeeds:\n  - {name: ours, kind: file, path: list.txt, max_popular: 20}\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	if w.catalogue, err = catalogue.Open(catalogue.Options{Config: config, Dir: filepath.Join(dir, "copy"), Log: slog.New(slog.NewTextHandler(w.log, nil))}); err != nil {
		t.Fatal(err)
	}
	w.incidents.set = w.catalogue.Set
	w.github.AddFiles("web", map[string]string{"package-lock.json": `{"name":"web","lockfileVersion":3,"packages":{"":{"name":"web"},"node_modules/up-zed":{"version":"3.0.0","resolved":"https://registry.npmjs.org/up-zed/-/up-zed-3.0.0.tgz"}}}`})
	if err := w.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.sweepAll(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	rematch := func() {
		t.Helper()
		args, err := json.Marshal(rematchArgs{w.catalogue.Set().Revision()})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.rematch(t.Context(), jobs.Job{Kind: kindRematch, Args: args}); err != nil {
			t.Fatal(err)
		}
	}
	rematch()
	if n := len(w.issues.Issues()); n != 0 {
		t.Fatalf("%d issues before it is listed", n)
	}

	write("npm:left-zed@1.0.0", "npm:left-zed@1.0.1", "npm:right-zed@2.0.0", "npm:up-zed@3.0.0")
	d := hook.Delivery{ID: "1", Event: "security_advisory", Received: time.Now(), Body: []byte(`{"action":"published","security_advisory":{"ghsa_id":"GHSA-abcd-efgh-jkmn"}}`)}
	if err := w.act(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	waiting := func() (n int64) {
		t.Helper()
		if _, err := w.db.One(t.Context(), "SELECT count(*) FROM river_job WHERE json(args) LIKE '%\"rematch\"%'", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := waiting()
	if before == 0 {
		t.Fatalf("no rematch waits after the advisory:\n%s", w.log)
	}
	w.github.ForgetLog()
	for range 2 {
		rematch()
	}
	for route := range w.github.Totals().Routes {
		if strings.Contains(route, "/git/") || strings.Contains(route, "trees") || strings.Contains(route, "blobs") {
			t.Errorf("a rematch asked for %s", route)
		}
	}
	if n := len(w.issues.Issues()); n != 1 {
		t.Errorf("%d issues; want the one of the list\n%s", n, w.log)
	}
	if got := w.signals(); got[triage.AlertIOC] != 1 {
		t.Errorf("signals %v", got)
	}

	write("npm:left-zed@1.0.0")
	revision := w.catalogue.Set().Revision()
	if err := w.act(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	newAdminServer(w.App).Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(w.log.String(), "is held, or could not be had") || !strings.Contains(rec.Body.String(), `wormsweep_feed_stale{feed="ours"} 1`) {
		t.Errorf("that the list shrank is not said:\n%s", w.log)
	}
	if w.catalogue.Set().Revision() != revision {
		t.Error("what the list lost is not looked for any more")
	}
}

// TestLookingConfig: what the configuration says of what is looked at, and its faults by line.
func TestLookingConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "a-secret", "key.pem": "x", "known.yaml": "schema: false-positives/1\nfalse-positives: []\n", "feeds.yaml": "schema: ioc-feeds/1\nfeeds:\n  - {name: ours, kind: file, path: list.txt}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		lines string
		want  string // of the error; "" for none
	}{
		{"watch-every: 2m\nsweep-refs: branches\nfeeds: feeds.yaml\ntrust: built-in", ""},
		{"feeds: default", ""},
		{"feeds: default\nfalse-positives: known.yaml", ""},
		{"organisation: acme\nresponders: ir\non-call: leads\nfeeds: default", ""},
		{"organisation: acme\nresponders: ir\non-call: \"@acme/leads\"", "on-call: \"@acme/leads\" is no slug of a team"},
		{"on-call: leads\nresponders: ir", "no organisation is named"},
		{"false-positives: nowhere.yaml", "false-positives:"},
		{"false-positives: feeds.yaml", "false-positives:"},
		{"watch-every: 5s", "no time from 30s to 30m0s"},
		{"watch-every: soon", "no time from"},
		{"sweep-refs: \"[\"", "sweep-refs"},
		{"feeds: nowhere.yaml", "feeds:"},
		{"trust: everybody", "trust:"},
		{"feeds: default\nexclusions: exclusions.yaml\naccept: [\"npm:x@1.0.0\", \"npm:y@1.0.0\"]", ""},
		{"accept: npm:x@1.0.0", "accept is not a list"},
		{"feeds: default\norganisation: acme\nresponders: a\non-call: b", ""},
		{"organisation: acme\non-call: b", "on-call: without responders"},
		{"organisation: acme\nresponders: a\non-call: \"@b\"", "on-call: \"@b\" is no slug"},
	} {
		file := filepath.Join(dir, "app.yaml")
		text := "database: data\ngithub: {app-id: 1, app-key-file: key.pem}\nwebhook: {secret-files: [secret]}\n" + tt.lines + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Read(file, func(string) string { return "" })
		if tt.want != "" {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q: %v; want %q", tt.lines, err, tt.want)
			}
			continue
		}
		if err != nil || c.FeedsDir != filepath.Join(dir, "data", "feeds") || len(c.Feeds.Feeds) == 0 {
			t.Errorf("%q: %+v, %v", tt.lines, c, err)
		}
		if strings.Contains(tt.lines, "accept") && (c.Exclusions != filepath.Join(dir, "exclusions.yaml") || !slices.Equal(c.Accepted, []string{"npm:x@1.0.0", "npm:y@1.0.0"})) {
			t.Errorf("%q: %+v", tt.lines, c)
		}
	}
}

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
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// watched is an App with a policy, its registry and its repositories.
type watched struct {
	*testing.T
	*App
	github   *githubtest.Server
	registry *registrytest.Server
	issues   *githubtest.Repo
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
	w.github.AddFiles("sdk", map[string]string{"README.md": "sdk"})
	w.publish("1.0.0", "github", 72*time.Hour)
	w.publish("1.1.0", "github", 48*time.Hour)
	policy := filepath.Join(t.TempDir(), "wormsweep.yaml")
	if err := os.WriteFile(policy, fmt.Appendf(nil, policyText, w.registry.NPM().URL), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	w.App, err = New(t.Context(), Config{
		Listen: "127.0.0.1:0", Path: "/webhook", Database: database, Policy: policy, Organisation: "acme", Issues: "acme/incident-response", SweepRefs: "head", Offline: true,
		GitHub: w.github.URL(), AppID: w.github.App().ID, AppKey: w.github.App().Key, Secrets: [][]byte{[]byte("secret")},
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
			if err := w.publishing.watcher.Hurry(t.Context(), w.publishing.all, 0, false); err != nil {
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
			if err := w.publishing.watcher.Hurry(t.Context(), w.publishing.all, 0, false); err != nil {
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

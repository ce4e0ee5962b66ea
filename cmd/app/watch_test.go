//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// TestTwoReplicasWatch: two processes on one PostgreSQL watch a registry, one of them is killed,
// and a version that a stolen token published is one incident within an interval and a turn.
// Deliveries that were lost while none ran are asked for by the next that starts.
func TestTwoReplicasWatch(t *testing.T) {
	t.Parallel()
	github := githubtest.Start(t, githubtest.Options{})
	issues := github.Add(githubtest.Repository{Name: "incident-response"})
	sdk := github.AddFiles("sdk", map[string]string{"README.md": "sdk"})
	registry := registrytest.New(t)
	publish := func(version, by string, ago time.Duration) {
		registry.NPM().Publish("@acme/sdk", registrytest.NPMVersion{Version: version, User: "ci", TrustedPublisher: by, Time: time.Now().Add(-ago)})
	}
	publish("1.0.0", "github", 72*time.Hour)
	publish("1.1.0", "github", 48*time.Hour)
	policy := filepath.Join(t.TempDir(), "wormsweep.yaml")
	if err := os.WriteFile(policy, fmt.Appendf(nil, `version: 1
organisation: acme
registries:
  - {name: ours, protocol: npm, address: %q, role: origin, private: true}
artifacts:
  - {artifact: "npm:@acme/sdk", registry: ours, source: acme/sdk, unsigned: true}
`, registry.NPM().URL), 0o600); err != nil {
		t.Fatal(err)
	}
	database := pgtest.Start(t).Database(t)
	config := apptest.Config(t, github, database, "organisation: acme", "issues: acme/incident-response", fmt.Sprintf("policy: %q", policy), "watch-every: 30s", "trust: built-in")
	first, second := apptest.Serve(t, config), apptest.Serve(t, config)
	until := func(what string, within time.Duration, f func() bool) {
		t.Helper()
		for deadline := time.Now().Add(within); !f(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within %v", what, within)
			}
		}
	}
	asked := func() int { return registry.Counts()["npm packument"].Requests }
	until("the first look", 60*time.Second, func() bool { return asked() > 0 })
	first.Kill()

	publish("1.1.1", "", 0)
	began := time.Now()
	until("the incident", 110*time.Second, func() bool { return len(issues.Issues()) > 0 })
	t.Logf("an incident after %v, with %d requests for the packument", time.Since(began).Round(time.Second), asked())
	j := open(t, database)

	// Nobody runs, and GitHub delivers.
	if code, _ := second.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	github.SetWebhook(github.App(), githubtest.Webhook{URL: second.URL, Secret: apptest.Secret})
	lost := []string{}
	for range 3 {
		head := mustLookup(t, sdk, "refs/heads/main")
		for _, d := range github.Deliver(t.Context(), "push", sdk.PushPayload("refs/heads/main", head, head)) {
			if d.Err == nil {
				t.Fatalf("delivered to nobody: %+v", d)
			}
			lost = append(lost, d.GUID)
		}
	}
	third := apptest.Serve(t, config)
	github.SetWebhook(github.App(), githubtest.Webhook{URL: third.URL, Secret: apptest.Secret})
	until("the lost deliveries", 60*time.Second, func() bool {
		stored, err := j.Stored(t.Context(), lost)
		return err == nil && stored[lost[0]] && stored[lost[1]] && stored[lost[2]]
	})
	counts := settle(t, j, 60*time.Second)
	if counts[journal.Done] != 3 || counts[journal.Dead] != 0 {
		t.Errorf("%v", counts)
	}
	if n := len(issues.Issues()); n != 1 {
		t.Errorf("%d issues; want 1", n)
	}
}

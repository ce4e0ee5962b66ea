package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/published"
)

// TestVerifyLivesWith: the daily verification lives with what the file of exclusions names, and with
// what it named before while it has a fault, and makes an incident of it once it does no more.
func TestVerifyLivesWith(t *testing.T) {
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	file := filepath.Join(t.TempDir(), "exclusions.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := func(issues int) {
		t.Helper()
		if err := w.verifyAll(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if n := len(w.issues.Issues()); n != issues {
			t.Fatalf("%d issues; want %d\n%s", n, issues, w.log)
		}
	}
	w.publish("1.1.1", "", 0)
	opt, err := w.publishing().options(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := ""
	if _, err := published.Run(t.Context(), opt, func(e finding.Event) error {
		if hit, ok := e.(*finding.Finding); ok {
			fingerprint = hit.Fingerprint
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	write(fmt.Sprintf("schema: exclusions/1\nexclusions:\n  - {owner: sdk@acme.example, reason: published by hand, expires: %s, finding: {fingerprint: %q}}\n",
		time.Now().AddDate(0, 0, 30).Format(time.DateOnly), fingerprint))
	if w.exclusions, err = openExclusions(file, w.inventory.Records(exclusionRecords), slog.New(slog.NewTextHandler(w.log, nil))); err != nil {
		t.Fatal(err)
	}
	verify(0)
	for range 2 {
		write("schema: exclusions/1\nexclusion: []\n")
		verify(0)
	}
	if n := strings.Count(w.log.String(), "the exclusions cannot be used"); n != 1 {
		t.Errorf("the fault was logged %d times", n)
	}
	write("schema: exclusions/1\nexclusions: []\n")
	verify(1)
	if _, err := openExclusions(file+".none", w.inventory.Records(exclusionRecords), slog.New(slog.NewTextHandler(w.log, nil))); err == nil {
		t.Error("the App starts without the file that it is to read")
	}
}

// TestVerifyAccepts: a change that a person took for good is no incident.
func TestVerifyAccepts(t *testing.T) {
	for want, accepted := range [][]string{{"npm:@acme/sdk@1.0.0"}, nil} {
		w := newWatched(t, filepath.Join(t.TempDir(), "data"))
		if err := w.verifyAll(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		w.registry.NPM().Unpublish("@acme/sdk", "1.0.0")
		w.config.Accepted = accepted
		var err error
		if w.policies, err = openPolicies(w.App); err != nil {
			t.Fatal(err)
		}
		if err := w.verifyAll(t.Context(), jobs.Job{}); err != nil {
			t.Fatal(err)
		}
		if n := len(w.issues.Issues()); n != want {
			t.Errorf("accepted %q: %d issues; want %d\n%s", accepted, n, want, w.log)
		}
		w.config.Accepted = []string{"npm:@acme/other@1.0.0"}
		if _, err := openPolicies(w.App); err == nil || !strings.Contains(err.Error(), "@acme/other") {
			t.Errorf("what the policy does not name is accepted: %v", err)
		}
	}
}

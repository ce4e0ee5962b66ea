package app

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/jobs"
)

// TestPolicyIsReadAgain: a policy that changes holds from the next reading on. One that cannot be
// used changes nothing, and is told of in the log, once, by a metric and by /readyz.
func TestPolicyIsReadAgain(t *testing.T) {
	w := newWatched(t, filepath.Join(t.TempDir(), "data"))
	w.ready.Store(true)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(w.config.Policy, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.policies.refresh(t.Context())
	}
	admin := newAdminServer(w.App).Handler
	says := func(path, want string) {
		t.Helper()
		r := httptest.NewRecorder()
		admin.ServeHTTP(r, httptest.NewRequest("GET", path, nil))
		if r.Code != 200 || !strings.Contains(r.Body.String(), want) {
			t.Errorf("%s: %d %q; want %q", path, r.Code, r.Body, want)
		}
	}
	names := func() (names []string) {
		for _, a := range w.publishing().all {
			names = append(names, a.Name)
		}
		return names
	}
	text := fmt.Sprintf(policyText, w.registry.NPM().URL)
	first := w.publishing()
	write(text)
	if w.publishing() != first {
		t.Error("what has not changed is another policy")
	}

	for range 2 {
		write("version: 1\nartifacts: [{artifact: \"npm:x\", sorce: acme/x}]\n")
	}
	if w.publishing() != first || len(names()) != 1 {
		t.Errorf("a policy with a fault holds: %q", names())
	}
	says("/readyz", "ready\nthe policy before this one holds: ")
	says("/readyz", "sorce")
	says("/metrics", "wormsweep_policy_fault 1")
	if n := strings.Count(w.log.String(), "the policy cannot be used"); n != 1 {
		t.Errorf("the fault was logged %d times", n)
	}
	if err := os.Remove(w.config.Policy); err != nil {
		t.Fatal(err)
	}
	w.policies.refresh(t.Context())
	if w.publishing() != first {
		t.Error("without a file nothing is watched")
	}
	says("/readyz", "no such file")

	write(text + "  - artifact: \"npm:@acme/new\"\n    registry: ours\n    source: acme/new\n    unsigned: true\n")
	if got := names(); len(got) != 2 || got[1] != "@acme/new" {
		t.Errorf("the policy has changed, and %q are watched", got)
	}
	says("/metrics", "wormsweep_policy_fault 0")
	if err := w.watch(t.Context(), jobs.Job{}); err != nil {
		t.Fatal(err)
	}
	if states, err := w.publishing().watcher.States(t.Context(), w.publishing().all); err != nil || states[1].Looked.IsZero() {
		t.Errorf("the new artifact was not looked at: %+v, %v", states, err)
	}
}

package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/redelivery"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
)

// TestPackageWithoutInstallation: GitHub leaves the installation out of registry_package, and the
// owner of the package leads to it.
func TestPackageWithoutInstallation(t *testing.T) {
	b := newBench(t)
	var seen []int64
	b.handlers["registry_package"] = []handler.Handler{handler.Func(func(_ context.Context, d hook.Delivery, _ handler.Effects) error {
		seen = append(seen, d.Installation)
		return nil
	})}
	published := func(id string, owner int64) hook.Delivery {
		return hook.Delivery{
			ID: id, Hook: 1, Event: "registry_package", Action: "published", Received: time.Now(),
			Body: fmt.Appendf(nil, `{"action": "published", "registry_package": {"id": 1, "name": "web", "package_type": "npm", "owner": {"login": "acme", "id": %d}}}`, owner),
		}
	}
	ours := b.github.Installation()
	if err := b.run(published("a", ours.Account.ID)); err != nil || len(seen) != 1 || seen[0] != ours.ID {
		t.Errorf("ours: %v, installations %d", err, seen)
	}
	if got := outcome(b.run(published("b", ours.Account.ID+1))); got != "dead" || len(seen) != 1 {
		t.Errorf("another's: %s, installations %d", got, seen)
	}
}

// TestReconcileGoesOn: what a run did not come to ask for is asked for in the next, which comes at once
// and not in ten minutes.
func TestReconcileGoesOn(t *testing.T) {
	b := newBench(t)
	b.redeliveries = redelivery.New(redelivery.Options{GitHub: b.App.github, Store: b.journal, Effects: b.effects, Most: 1})
	b.github.SetWebhook(b.github.App(), githubtest.Webhook{URL: "http://127.0.0.1:1/webhook", Secret: "secret"}) // where nobody serves
	repo := b.github.AddFiles("lost", map[string]string{"README.md": "lost"})
	for _, text := range []string{"one", "two"} {
		repo.PushFile(t.Context(), "main", "README.md", text)
	}
	if got := outcome(b.reconcile(t.Context(), jobs.Job{})); got != "waits" {
		t.Errorf("with one left: %s", got)
	}
}

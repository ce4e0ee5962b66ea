package discover_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/source/github"
)

// TestFromGitHub: the example organisation on a simulated GitHub, which tells its numbers. What
// is proposed validates.
func TestFromGitHub(t *testing.T) {
	s := githubtest.Start(t, githubtest.Options{})
	if _, err := s.AddFolders(exampleOrg, "acme"); err != nil {
		t.Fatal(err)
	}
	noSleep := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	app, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: s.App().ID, AppKey: s.App().Key}, Sleep: noSleep})
	if err != nil {
		t.Fatal(err)
	}
	client, err := app.Installation(t.Context(), "acme", ghclient.Permissions{"contents": "read", "metadata": "read"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := discover.Run(t.Context(),
		github.Repositories(t.Context(), client, github.Selection{Org: "acme"}, github.Options{Dir: t.TempDir(), Sleep: noSleep}),
		discover.Options{Organisation: "acme", FullNames: true, GitHub: discover.FromGitHub(client)})
	if err != nil {
		t.Fatal(err)
	}
	if p.Missing != nil || len(p.Added) != 5 {
		t.Errorf("added %q, missing %v\n%s", p.Added, p.Missing, p.Text)
	}
	parsed, err := policy.Parse("x", p.Text)
	if err != nil {
		t.Fatal(err)
	}
	of, err := discover.FromGitHub(client).Repository(t.Context(), "acme/storefront-sdk")
	if err != nil {
		t.Fatal(err)
	}
	if id := parsed.Artifacts[0].Identities[0]; id.RepositoryID != of.ID || id.OwnerID != of.OwnerID || id.Visibility != of.Visibility || of.DefaultBranch != "main" {
		t.Errorf("%+v of %+v", id, of)
	}
	for _, name := range []string{"acme/none", "acme", "a/../b"} {
		if r, err := discover.FromGitHub(client).Repository(t.Context(), name); err == nil {
			t.Errorf("%q is %+v", name, r)
		}
	}
	if strings.Contains(string(p.Text), "a guess") {
		t.Errorf("%s", p.Text)
	}
}

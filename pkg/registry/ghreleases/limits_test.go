package ghreleases_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/ghreleases"
)

// The product's client of GitHub carries the requests: it signs them as an App, waits where
// GitHub says so, and counts.
func TestLimitsAreTheTransports(t *testing.T) {
	s, repo, _ := world(t)
	in := s.Installation()
	s.Update(func() { in.Permissions["attestations"] = "read" })
	repo.Publish(githubtest.Release{Tag: "v1.0.0", At: day(1), Assets: []githubtest.Asset{{Name: "one", Data: []byte("one")}}})
	repo.Attest(githubtest.Attestation{Subject: digestOf("one"), Predicate: provenance, Bundle: bundle(provenance, "one")})
	app := s.App()
	gh, err := ghclient.New(ghclient.Options{BaseURL: s.URL(), Auth: ghclient.Auth{AppID: app.ID, AppKey: app.Key}})
	if err != nil {
		t.Fatal(err)
	}
	gh, err = gh.Installation(t.Context(), "acme", ghclient.Permissions{"contents": "read", "metadata": "read", "attestations": "read"})
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, s, "")
	o.Transports = map[string]http.RoundTripper{strings.TrimPrefix(s.URL(), "http://"): gh.REST().Client().Transport}
	r := reader(t, o, ghreleases.Options{Address: s.URL()})

	s.Break(githubtest.Rule{Path: "/api/v3/repos/acme/tool/releases", Times: 1, Fault: githubtest.SecondaryLimited(http.StatusForbidden, githubtest.Told{RetryAfter: time.Second}, "")})
	l, err := r.List(t.Context(), tool, registry.Validator{})
	if err != nil || len(l.Releases) != 1 {
		t.Fatalf("%v, %v", l, err)
	}
	body, err := r.Open(t.Context(), tool, l.Releases[0].Files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if raw, err := io.ReadAll(body); err != nil || string(raw) != "one" {
		t.Errorf("file %q, %v", raw, err)
	}
	if got, err := r.Attestations(t.Context(), tool, &l.Releases[0]); err != nil || len(got) != 1 {
		t.Errorf("attestations %v, %v", got, err)
	}
	if _, err := r.List(t.Context(), tool, l.Validator); err == nil {
		t.Error("nothing changed, and the list came all the same")
	}
	if stats := gh.Stats(); stats.REST < 6 || stats.NotModified != 2 || stats.Waited == 0 {
		t.Errorf("counted %+v", stats)
	}
}

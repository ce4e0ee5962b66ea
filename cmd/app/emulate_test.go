//go:build e2e

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/emulate"
	"github.com/wormsweep/wormsweep/internal/journal"
)

const (
	emulatedApp   = 12345
	emulatedOwner = "ghp_emulatedemulatedemulatedemulated0001"
)

// startEmulated starts a GitHub that others wrote: the App's JWT, its tokens, the deliveries and their
// signatures, issues. It has no git, which is the simulator's here.
func startEmulated(t *testing.T, webhook string) *emulate.Server {
	t.Helper()
	seed := map[string]any{
		"tokens": map[string]any{emulatedOwner: map[string]any{"login": "octocat", "scopes": []string{"repo", "user", "admin:org"}}},
		"github": map[string]any{
			"users": []any{map[string]any{"login": "octocat"}},
			"orgs":  []any{map[string]any{"login": "acme", "members": []any{map[string]any{"login": "octocat", "role": "admin"}}}},
			"repos": []any{
				map[string]any{"owner": "acme", "name": "webshop", "private": true},
				map[string]any{"owner": "acme", "name": "incidents", "private": true},
			},
			"apps": []any{map[string]any{
				"app_id": emulatedApp, "slug": "wormsweep", "name": "Wormsweep", "events": []string{"push", "issues"},
				"permissions": map[string]any{"contents": "read", "metadata": "read", "issues": "write", "checks": "write", "members": "read"},
				"webhook_url": webhook, "webhook_secret": apptest.Secret,
				"installations": []any{map[string]any{"installation_id": 100, "account": "acme", "repository_selection": "all"}},
			}},
		},
	}
	return emulate.Start(t, seed, withGit(t))
}

// withGit serves the repositories of examples/org by git's protocol to whoever brings a token.
func withGit(t *testing.T) http.Handler {
	t.Helper()
	git := githubtest.Start(t, githubtest.Options{})
	if _, err := git.AddFolders("../../examples/org", "acme"); err != nil {
		t.Fatal(err)
	}
	root, err := url.Parse(git.URL())
	if err != nil {
		t.Fatal(err)
	}
	token := git.InstallationToken(git.Installation())
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(root)
		if _, given, ok := r.In.BasicAuth(); ok && given != "" {
			r.Out.SetBasicAuth("x-access-token", token)
		}
	}}
}

// TestEmulatedApp: a push to a GitHub that others wrote is delivered with its signature, believed,
// looked at with a token of the installation, and becomes an issue there.
func TestEmulatedApp(t *testing.T) {
	listen := free(t)
	e := startEmulated(t, "http://"+listen+"/webhook")
	dir := t.TempDir()
	config := filepath.Join(dir, "app.yaml")
	for name, text := range map[string]string{
		"secret": apptest.Secret + "\n", "key.pem": e.Keys[fmt.Sprint(emulatedApp)],
		"app.yaml": fmt.Sprintf("listen: %s\ndatabase: data\ngithub: {url: %q, app-id: %d, app-key-file: key.pem}\nwebhook: {secret-files: [secret]}\norganisation: acme\nissues: acme/incidents\nregistries: none\n", listen, e.URL, emulatedApp),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := apptest.Serve(t, config)
	j := open(t, filepath.Join(dir, "data"))
	emulate.Ask(t, http.MethodPut, e.GitHub+"/repos/acme/webshop/contents/notes.txt", emulatedOwner, map[string]string{
		"message": "a change", "content": base64.StdEncoding.EncodeToString([]byte("x")),
	}, nil)
	var issues []struct{ Title, Body string }
	for deadline := time.Now().Add(60 * time.Second); len(issues) == 0; time.Sleep(200 * time.Millisecond) {
		emulate.Ask(t, http.MethodGet, e.GitHub+"/repos/acme/incidents/issues?state=all", emulatedOwner, nil, &issues)
		if time.Now().After(deadline) {
			counts, err := j.Counts(context.Background())
			t.Fatalf("no incident was filed: %v %v\n%s", counts, err, p.Stderr())
		}
	}
	if !strings.Contains(issues[0].Title, "Wormsweep: ") || !strings.Contains(issues[0].Body, "webshop") {
		t.Errorf("%+v", issues[0])
	}
	if counts := settle(t, j, 60*time.Second); counts[journal.Done] == 0 || counts[journal.Dead] > 0 {
		t.Errorf("%v\n%s", counts, p.Stderr())
	}
}

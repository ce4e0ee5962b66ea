//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// emulated is GitHub as the npm package emulate has it, which nobody of this project wrote: the
// App's JWT, its tokens, the deliveries and their signatures, issues. It has no git, which is the
// simulator's here.
type emulated struct {
	GitHub string            `json:"github"`
	Keys   map[string]string `json:"keys"`

	url string // the layout of GitHub Enterprise Server
}

const (
	emulatedApp   = 12345
	emulatedOwner = "ghp_emulatedemulatedemulatedemulated0001"
)

func startEmulated(t *testing.T, webhook string) *emulated {
	t.Helper()
	node, dir := os.Getenv("E2E_NODE"), os.Getenv("E2E_EMULATE")
	if node == "" || dir == "" {
		t.Fatal("E2E_NODE and E2E_EMULATE say where node and emulate are: run scripts/e2e.sh")
	}
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
	cmd := exec.Command(node, filepath.Join("..", "sweeper", "testdata", "emulate", "start.mjs"), dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("emulate: %v\n%s", err, stderr.Bytes())
		}
	})
	if err := json.NewEncoder(stdin).Encode(seed); err != nil {
		t.Fatal(err)
	}
	e := &emulated{}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, e)
	}
	if err != nil {
		t.Fatalf("emulate says %q: %v\n%s", line, err, stderr.Bytes())
	}
	e.GitHub = strings.Replace(e.GitHub, "localhost", "127.0.0.1", 1)
	root, err := url.Parse(e.GitHub)
	if err != nil {
		t.Fatal(err)
	}
	proxy := http.NewServeMux()
	proxy.Handle("/api/v3/", http.StripPrefix("/api/v3", httputil.NewSingleHostReverseProxy(root)))
	proxy.Handle("/api/graphql", http.StripPrefix("/api", httputil.NewSingleHostReverseProxy(root)))
	proxy.Handle("/acme/", withGit(t))
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
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

// ask sends a request of an owner's, and gives its answer.
func (e *emulated) ask(t *testing.T, method, path string, body, into any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, e.GitHub+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+emulatedOwner)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, answer, err)
		}
	}
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
		"app.yaml": fmt.Sprintf("listen: %s\ndatabase: data\ngithub: {url: %q, app-id: %d, app-key-file: key.pem}\nwebhook: {secret-files: [secret]}\norganisation: acme\nissues: acme/incidents\n", listen, e.url, emulatedApp),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := apptest.Serve(t, config)
	j := open(t, filepath.Join(dir, "data"))
	e.ask(t, http.MethodPut, "/repos/acme/webshop/contents/notes.txt", map[string]string{
		"message": "a change", "content": base64.StdEncoding.EncodeToString([]byte("x")),
	}, nil)
	var issues []struct{ Title, Body string }
	for deadline := time.Now().Add(60 * time.Second); len(issues) == 0; time.Sleep(200 * time.Millisecond) {
		e.ask(t, http.MethodGet, "/repos/acme/incidents/issues?state=all", nil, &issues)
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

//go:build e2e

package main

import (
	"bufio"
	"bytes"
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
)

// emulated is GitHub and Slack as the npm package emulate has them: a second opinion, which
// nobody of this project wrote. It has neither lists of repositories nor GraphQL nor git.
type emulated struct {
	GitHub string            `json:"github"` // its REST API is at the root
	Slack  string            `json:"slack"`
	Keys   map[string]string `json:"keys"` // of the Apps, by id

	url string // the layout of GitHub Enterprise Server, over GitHub
}

const (
	emulatedApp    = 12345
	emulatedReader = 12346                                      // an App that may not write issues
	emulatedToken  = "ghp_emulatedemulatedemulatedemulated0001" // of an owner
	emulatedBot    = "xoxb-emulated-0001"
)

// emulatedSeed is what there is: one organisation, one App that is installed on it.
var emulatedSeed = map[string]any{
	"tokens": map[string]any{emulatedToken: map[string]any{"login": "octocat", "scopes": []string{"repo", "user", "admin:org"}}},
	"github": map[string]any{
		"users": []any{map[string]any{"login": "octocat"}},
		"orgs":  []any{map[string]any{"login": "acme", "members": []any{map[string]any{"login": "octocat", "role": "admin"}}}, map[string]any{"login": "beta"}},
		"repos": []any{
			map[string]any{"owner": "acme", "name": "webshop", "private": true},
			map[string]any{"owner": "acme", "name": "handbook", "private": true},
			map[string]any{"owner": "acme", "name": "incidents", "private": true},
			map[string]any{"owner": "acme", "name": "website", "private": false},
			map[string]any{"owner": "beta", "name": "handbook", "private": true},
			map[string]any{"owner": "beta", "name": "incidents", "private": true},
		},
		"apps": []any{
			map[string]any{
				"app_id": emulatedApp, "slug": "wormsweep", "name": "Wormsweep",
				"permissions":   map[string]any{"contents": "read", "metadata": "read", "issues": "write"},
				"installations": []any{map[string]any{"installation_id": 100, "account": "acme", "repository_selection": "all"}},
			},
			map[string]any{
				"app_id": emulatedReader, "slug": "wormsweep-reader", "name": "Wormsweep's reader",
				"permissions":   map[string]any{"contents": "read", "metadata": "read"},
				"installations": []any{map[string]any{"installation_id": 101, "account": "beta", "repository_selection": "all"}},
			},
		},
	},
	"slack": map[string]any{
		"channels": []any{map[string]any{"name": "general"}},
		"tokens":   []any{map[string]any{"token": emulatedBot, "type": "bot", "user": "admin", "scopes": []string{"channels:history", "channels:read", "chat:write"}}},
	},
}

// startEmulated starts it, with a proxy in front that puts the path of an Enterprise Server
// before it and changes nothing else. It ends with the test.
func startEmulated(t *testing.T) *emulated {
	t.Helper()
	node, dir := os.Getenv("E2E_NODE"), os.Getenv("E2E_EMULATE")
	if node == "" || dir == "" {
		t.Fatal("E2E_NODE and E2E_EMULATE say where node and emulate are: run scripts/e2e.sh")
	}
	cmd := exec.Command(node, filepath.Join("testdata", "emulate", "start.mjs"), dir)
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
	if err := json.NewEncoder(stdin).Encode(emulatedSeed); err != nil {
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
	root, err := url.Parse(strings.Replace(e.GitHub, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	e.GitHub = root.String()
	e.Slack = strings.Replace(e.Slack, "localhost", "127.0.0.1", 1)
	proxy := http.NewServeMux()
	proxy.Handle("/api/v3/", http.StripPrefix("/api/v3", httputil.NewSingleHostReverseProxy(root)))
	proxy.Handle("/api/graphql", http.StripPrefix("/api", httputil.NewSingleHostReverseProxy(root)))
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

// ask sends a request of the test's own, and not of the product, with a token of an owner.
func (e *emulated) ask(t *testing.T, method, address, token string, body, into any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: status %d: %s: %v", method, address, resp.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%s %s: %s: %v", method, address, answer, err)
		}
	}
}

// put commits a file to the default branch of a repository of acme.
func (e *emulated) put(t *testing.T, repo, path string, content []byte) {
	t.Helper()
	address := fmt.Sprintf("%s/repos/acme/%s/contents/%s", e.GitHub, repo, path)
	body := map[string]string{"message": "add " + path, "content": base64.StdEncoding.EncodeToString(content)}
	var old struct{ SHA string }
	if resp, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil); err == nil {
		resp.Header.Set("Authorization", "Bearer "+emulatedToken)
		if got, err := http.DefaultClient.Do(resp); err == nil {
			if got.StatusCode == http.StatusOK && json.NewDecoder(got.Body).Decode(&old) == nil {
				body["sha"] = old.SHA
			}
			got.Body.Close()
		}
	}
	e.ask(t, http.MethodPut, address, emulatedToken, body, nil)
}

// putFolder commits the files of a folder.
func (e *emulated) putFolder(t *testing.T, repo, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		e.put(t, repo, filepath.ToSlash(rel), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Package emulate starts, for tests, the GitHub and the Slack of the npm package emulate: a second
// opinion, which nobody of this project wrote. It has neither lists of repositories nor GraphQL
// nor git. scripts/e2e.sh installs it, and says where it and its node are.
package emulate

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
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

//go:embed start.mjs
var script []byte

// Server is what was started.
type Server struct {
	GitHub string            `json:"github"` // its REST API is at the root
	Slack  string            `json:"slack"`
	Keys   map[string]string `json:"keys"` // of the Apps, by id

	URL string `json:"-"` // the layout of GitHub Enterprise Server, over GitHub
}

// Start starts it with a seed, as emulate describes it, and puts a proxy in front that puts the path
// of an Enterprise Server before it and changes nothing else. other, where not nil, answers what
// is of neither API, as git. All ends with the test.
func Start(t *testing.T, seed map[string]any, other http.Handler) *Server {
	t.Helper()
	node, dir := os.Getenv("E2E_NODE"), os.Getenv("E2E_EMULATE")
	if node == "" || dir == "" {
		t.Fatal("E2E_NODE and E2E_EMULATE say where node and emulate are: run scripts/e2e.sh")
	}
	start := filepath.Join(t.TempDir(), "start.mjs")
	if err := os.WriteFile(start, script, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, start, dir)
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
	s := &Server{}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, s)
	}
	if err != nil {
		t.Fatalf("emulate says %q: %v\n%s", line, err, stderr.Bytes())
	}
	s.GitHub = strings.Replace(s.GitHub, "localhost", "127.0.0.1", 1)
	s.Slack = strings.Replace(s.Slack, "localhost", "127.0.0.1", 1)
	root, err := url.Parse(s.GitHub)
	if err != nil {
		t.Fatal(err)
	}
	proxy := http.NewServeMux()
	proxy.Handle("/api/v3/", http.StripPrefix("/api/v3", httputil.NewSingleHostReverseProxy(root)))
	proxy.Handle("/api/graphql", http.StripPrefix("/api", httputil.NewSingleHostReverseProxy(root)))
	if other != nil {
		proxy.Handle("/", other)
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Ask sends a request of the test's own, and not of the product, and decodes its answer into into,
// which may be nil.
func Ask(t *testing.T, method, address, token string, body, into any) {
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

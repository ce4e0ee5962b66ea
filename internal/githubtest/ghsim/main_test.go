package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// start runs the command until the test ends it, and gives what it printed at its start.
func start(t *testing.T, stdin io.Reader, args ...string) (printed map[string]string, end func() (code int, stdout, stderr string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	var stderr bytes.Buffer
	done := make(chan int, 1)
	go func() {
		code, err := run(ctx, args, stdin, w, &stderr)
		if err != nil {
			t.Errorf("run: %v", err)
		}
		w.Close()
		done <- code
	}()
	printed = map[string]string{}
	lines := bufio.NewScanner(r)
	for len(printed) < 5 && lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		printed[name] = value
	}
	return printed, func() (int, string, string) {
		if stdin == nil { // else its end is the command's
			cancel()
		}
		var rest strings.Builder
		for lines.Scan() {
			rest.WriteString(lines.Text() + "\n")
		}
		return <-done, rest.String(), stderr.String()
	}
}

func get(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestServesFolders(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "api"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "api", "go.sum"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(t.TempDir(), "record.jsonl")
	printed, end := start(t, nil, "-from", dir, "-org", "birds", "-empty", "incidents", "-member", "wren", "-record", record)
	key, err := os.ReadFile(printed["app-key"])
	if err != nil || !bytes.HasPrefix(key, []byte("-----BEGIN RSA PRIVATE KEY-----")) {
		t.Errorf("key %q: %v", key, err)
	}
	if status := get(t, printed["url"]+"/api/v3/orgs/birds"); status != 200 {
		t.Errorf("the organisation: %d", status)
	}
	if status := get(t, printed["url"]+"/api/v3/repos/birds/api"); status != 404 {
		t.Errorf("a private repository: %d", status)
	}
	if status := get(t, printed["url"]+"/api/v3/users/wren"); status != 200 {
		t.Errorf("the member: %d", status)
	}
	code, stdout, stderr := end()
	if code != 0 || !strings.Contains(stdout, "rest 3 requests") || stderr != "" {
		t.Errorf("%d %q %q", code, stdout, stderr)
	}
	if _, err := os.Stat(printed["app-key"]); err == nil {
		t.Error("the key is still there")
	}
	if content, err := os.ReadFile(record); err != nil || bytes.Count(content, []byte("\n")) != 3 {
		t.Errorf("recording %q, %v", content, err)
	}
}

func TestSaysWhatNobodyExpected(t *testing.T) {
	printed, end := start(t, nil)
	get(t, printed["url"]+"/nothing")
	if code, _, stderr := end(); code != 1 || !strings.Contains(stderr, "nobody expected GET /nothing") {
		t.Errorf("%d %q", code, stderr)
	}
}

func TestGenerates(t *testing.T) {
	_, end := start(t, nil, "-generate", "40", "-corpus", xtest.Corpus(t), "-plant", "7=@scope/evil@6.6.6")
	if code, _, stderr := end(); code != 0 {
		t.Errorf("%d %q", code, stderr)
	}
}

// TestControl drives the simulator as figures do.
func TestControl(t *testing.T) {
	in, commands := io.Pipe()
	printed, end := start(t, in, "-generate", "100", "-corpus", xtest.Corpus(t), "-control")
	go func() {
		defer commands.Close()
		get(t, printed["url"]+"/api/v3/orgs/acme")
		for _, command := range []string{"totals", "push 10", "limits 1 1 3600", "floor", "forget", "totals", "limits 1 1", "push 0", ""} {
			if _, err := fmt.Fprintln(commands, command); err != nil {
				t.Error(err)
			}
		}
	}()
	code, stdout, stderr := end()
	if code != 0 || stderr != "" {
		t.Errorf("%d %q", code, stderr)
	}
	lines := strings.Split(stdout, "\n")
	for i, want := range []string{
		`"Routes":{"GET /orgs/{org}":1}.*"Violations":null`, `^{"Pushed":10}$`, `^{}$`,
		`^{"Lockfiles":[0-9]{7},"Repositories":9[0-9],"Trees":[0-9]{6}}$`, `^{}$`, `"Routes":{}`, `"Error":.*limits 1 1`, `"Error":.*one in 0`, `"Error"`,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Fatalf("line %d does not match %s:\n%s", i, want, stdout)
		}
	}
}

// TestDelivers: a commit from the command line reaches whoever listens, signed.
func TestDelivers(t *testing.T) {
	var mu sync.Mutex
	var got []string
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		signed := r.Header.Get("X-Hub-Signature-256") == githubtest.Signature("s3cret", body)
		got = append(got, fmt.Sprint(r.Header.Get("X-GitHub-Event"), " ", signed))
		w.WriteHeader(http.StatusAccepted)
	}))
	defer to.Close()
	dir := t.TempDir()
	for path, content := range map[string]string{"org/api/go.sum": "", "secret": "s3cret\n", "lock.json": "{}"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in, commands := io.Pipe()
	_, end := start(t, in, "-from", filepath.Join(dir, "org"), "-webhook", to.URL, "-webhook-secret", filepath.Join(dir, "secret"), "-control")
	go func() {
		defer commands.Close()
		file := filepath.Join(dir, "lock.json")
		for _, command := range []string{"ping", "commit api package-lock.json " + file, "pull api package-lock.json " + file, "commit web x " + file, "commit api x /nonexistent", "push 5", "floor"} {
			if _, err := fmt.Fprintln(commands, command); err != nil {
				t.Error(err)
			}
		}
	}()
	code, stdout, stderr := end()
	if code != 0 || stderr != "" {
		t.Errorf("%d %q", code, stderr)
	}
	for i, want := range []string{
		`^{"Delivered":\["202"\]}$`, `^{"Commit":"[0-9a-f]{40}","Delivered":\["202"\]}$`, `^{"Delivered":\["202"\],"Pull":1}$`,
		`"Error":.*no repository`, `"Error":.*no such file`, `"Error":.*-generate`, `"Error":.*-generate`,
	} {
		if line := strings.Split(stdout, "\n")[i]; !regexp.MustCompile(want).MatchString(line) {
			t.Errorf("line %d %q does not match %s", i, line, want)
		}
	}
	if want := "ping true, push true, pull_request true"; strings.Join(got, ", ") != want {
		t.Errorf("delivered %q, want %q", got, want)
	}
}

func TestRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"-plant", "x"},
		{"-plant", "1=axios"},
		{"-nonsense"},
		{"-from", "/nonexistent"},
		{"-generate", "5", "-corpus", t.TempDir()},
		{"-listen", "nowhere:x"},
		{"-webhook", "http://127.0.0.1:1/"},
		{"-webhook-secret", "x"},
		{"-webhook", "http://127.0.0.1:1/", "-webhook-secret", "/nonexistent"},
	} {
		if code, err := run(t.Context(), args, nil, io.Discard, io.Discard); code != 2 {
			t.Errorf("%q: %d, %v", args, code, err)
		}
	}
}

func TestPrintsRoutes(t *testing.T) {
	var out bytes.Buffer
	if code, err := run(t.Context(), []string{"-routes"}, nil, &out, io.Discard); code != 0 || err != nil || !strings.Contains(out.String(), "GET /orgs/{org}\n") {
		t.Errorf("%d, %v: %s", code, err, out.String())
	}
}

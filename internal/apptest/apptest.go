//go:build unix

// Package apptest runs the App as a real process and sends it deliveries. It is imported by tests
// alone.
package apptest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appcli"
	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// asApp makes a test's binary the command app.
const asApp = "WORMSWEEP_TEST_AS_APP"

// Main is the TestMain of packages that start the App, or begins it: where this process is the
// App it runs it, and does not return.
func Main(m *testing.M) {
	Become()
	os.Exit(m.Run())
}

// Become runs the App where this process is to be it, and returns otherwise.
func Become() {
	if os.Getenv(asApp) == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(appcli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Secret is the webhook's secret of all that this package starts.
const Secret = "an-apptest-secret-0123456789"

// Config writes a configuration, and gives its file. more are lines that are put at its end.
func Config(t testing.TB, github *githubtest.Server, database string, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("secret", Secret+"\n")
	write("key.pem", string(github.App().Key))
	return write("app.yaml", fmt.Sprintf(`listen: 127.0.0.1:0
admin: 127.0.0.1:0
database: %s
github:
  url: %s
  app-id: %d
  app-key-file: key.pem
webhook:
  secret-files: [secret]
registries: none
%s
`, strconv.Quote(database), github.URL(), github.App().ID, strings.Join(more, "\n")))
}

// Process is the command app.
type Process struct {
	URL   string // of the webhook
	Admin string // root of the admin listener

	t      testing.TB
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
	mu     sync.Mutex
	stderr bytes.Buffer
}

// Command makes a command app that is not started.
func Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), asApp+"=1")
	return cmd
}

// Serve starts "app serve" and waits until it serves. Its end is the test's, at the latest.
func Serve(t testing.TB, config string, env ...string) *Process {
	t.Helper()
	p := Start(t, config, env...)
	if !p.Serving() {
		t.Fatalf("the App ended: %v\n%s", p.err, p.Stderr())
	}
	return p
}

// Start is Serve without the wait, for a process that may die before it serves.
func Start(t testing.TB, config string, env ...string) *Process {
	t.Helper()
	cmd := Command(t, "serve", "--config", config)
	cmd.Env = append(cmd.Env, env...)
	return Run(t, cmd)
}

// Run is Start for a command that is made already.
func Run(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, cmd: cmd, ended: make(chan struct{})}
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("stderr of the App:\n%s", p.Stderr())
		}
	})
	return p
}

// Serving waits until the process serves, and fills in its addresses. It reports false where the
// process has ended instead.
func (p *Process) Serving() bool {
	p.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if line, ok := p.Logged("serving"); ok {
			p.URL = fmt.Sprintf("http://%v%v", line["address"], line["path"])
			p.Admin = fmt.Sprintf("http://%v", line["admin"])
			return true
		}
		select {
		case <-p.ended:
			return false
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the App does not serve:\n%s", p.Stderr())
		}
	}
}

// Write takes what the process prints.
func (p *Process) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(data)
}

// Stderr is what the process printed so far.
func (p *Process) Stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// Logged gives the first line of the log with a message.
func (p *Process) Logged(message string) (map[string]any, bool) {
	for line := range strings.Lines(p.Stderr()) {
		var fields map[string]any
		if strings.HasSuffix(line, "\n") && json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
			return fields, true
		}
	}
	return nil, false
}

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// Kill ends the process as kill -9 does, and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Ended is closed once the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Stop sends SIGTERM and gives the exit code, and how long it took.
func (p *Process) Stop() (code int, took time.Duration) {
	p.t.Helper()
	began := time.Now()
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second):
		p.t.Fatalf("the App does not stop:\n%s", p.Stderr())
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(began)
}

// Delivery is a delivery to send. Its zero fields are filled in.
type Delivery struct {
	ID        string
	Hook      int64
	Event     string
	Body      []byte
	Secret    string
	Signature string // instead of the right one
}

// Request makes the request of a delivery.
func (d Delivery) Request(url string) *http.Request {
	if d.ID == "" {
		d.ID = rand.Text()
	}
	if d.Hook == 0 {
		d.Hook = 1
	}
	if d.Secret == "" {
		d.Secret = Secret
	}
	if d.Signature == "" {
		d.Signature = Sign(d.Secret, d.Body)
	}
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(d.Body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", d.Event)
	r.Header.Set("X-GitHub-Delivery", d.ID)
	r.Header.Set("X-GitHub-Hook-ID", strconv.FormatInt(d.Hook, 10))
	r.Header.Set("X-Hub-Signature-256", d.Signature)
	return r
}

// Sign is the value of X-Hub-Signature-256.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Send sends a delivery and gives the status of the answer.
func Send(url string, d Delivery) (int, error) {
	response, err := http.DefaultClient.Do(d.Request(url))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// Push is the body of a push to a repository of the installation that a server started with, of
// a ref that nothing looks at: what becomes of it is the App's own doing. change tells one from
// another, and may be any text.
func Push(github *githubtest.Server, repository, change string) []byte {
	after := sha1.Sum([]byte(change))
	return body(github, map[string]any{
		"ref": "refs/notes/commits", "before": strings.Repeat("0", 40), "after": hex.EncodeToString(after[:]), "deleted": false, "commits": []any{},
	}, repository)
}

// body adds who and where to a body.
func body(github *githubtest.Server, members map[string]any, repository string) []byte {
	in := github.Installation()
	members["installation"] = map[string]any{"id": in.ID}
	members["repository"] = map[string]any{
		"id": 1, "name": repository, "full_name": in.Account.Login + "/" + repository,
		"owner": map[string]any{"login": in.Account.Login, "id": in.Account.ID},
	}
	data, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return data
}

// Ping is the body of the event with which GitHub greets a webhook.
func Ping() []byte {
	return []byte(`{"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "App", "id": 1, "app_id": 1}}`)
}

//go:build verdaccio

package npm_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestRealVerdaccio is TestWire on a registry that nobody of this project wrote. scripts/verify-real.sh
// installs it and says where.
func TestRealVerdaccio(t *testing.T) {
	folder := os.Getenv("VERDACCIO")
	if folder == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("VERDACCIO is not set: scripts/verify-real.sh found no npm to install it with")
		}
		t.Skip("VERDACCIO is not set: scripts/verify-real.sh found no npm to install it with")
	}
	base, token := startVerdaccio(t, folder)
	testWire(t, base, token)
	if status := (writer{t, base, "wrong"}).publish("@acme/other", "1.0.0", "latest", nil); status != http.StatusUnauthorized && status != http.StatusForbidden {
		t.Errorf("publishing with a wrong token: status %d", status)
	}
}

const verdaccioConfig = `
storage: ./storage
auth: {htpasswd: {file: ./htpasswd, max_users: 10, algorithm: bcrypt, rounds: 4}}
uplinks: {}
packages:
  '**': {access: $all, publish: $authenticated, unpublish: $authenticated}
web: {enable: false}
log: {type: stdout, format: json, level: warn}
`

// startVerdaccio starts it on loopback, waits until it answers, and makes a user.
func startVerdaccio(t *testing.T, folder string) (base, token string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(verdaccioConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "node_modules/verdaccio/bin/verdaccio"), "--config", config, "--listen", host)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if written, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("verdaccio: %s", written)
		}
	})
	base = "http://" + host
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(base + "/-/ping")
		if err == nil {
			resp.Body.Close()
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("verdaccio does not answer: %v", err)
		}
	}
	answer := writer{t, base, ""}.must(http.MethodPut, "/-/user/org.couchdb.user:alice", map[string]string{"name": "alice", "password": "of this test alone"})
	var user struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(answer, &user); err != nil || user.Token == "" {
		t.Fatalf("no token: %v", err)
	}
	return base, user.Token
}

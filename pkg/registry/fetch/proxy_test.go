package fetch_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// The environment is read once in a process, so that the client of this test is in another.
const childRoots = "FETCH_TEST_ROOTS"

func TestMain(m *testing.M) {
	if roots := os.Getenv(childRoots); roots != "" {
		os.Exit(askThroughProxy(roots))
	}
	os.Exit(m.Run())
}

// askThroughProxy asks for an address that only the proxy can reach.
func askThroughProxy(roots string) int {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(roots))
	c, err := fetch.New(fetch.Options{Hosts: []string{"example.com"}, Roots: pool, Attempts: 1})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, address := range []string{"https://example.com/", "https://elsewhere.example/", "http://169.254.169.254/"} {
		if a, err := c.Get(ctx, fetch.Request{URL: address}); err != nil {
			fmt.Println(err)
		} else {
			fmt.Printf("%s\n", a.Body)
		}
	}
	return 0
}

// A proxy that this process's environment names may be inside, as most are; the hosts that may be
// asked are the same, and their certificates are still to be theirs.
func TestProxy(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "asked as ", r.Host) }))
	t.Cleanup(srv.Close)
	var connects atomic.Int64
	proxy, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		connects.Add(1)
		if r.Method != http.MethodConnect || r.Host != "example.com:443" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		to, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer to.Close()
		w.WriteHeader(http.StatusOK)
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer from.Close()
		go func() { _, _ = io.Copy(to, from) }()
		_, _ = io.Copy(from, to)
	})
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childRoots+"="+string(roots), "HTTPS_PROXY=http://"+proxy, "HTTP_PROXY=http://"+proxy, "NO_PROXY=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 3 || lines[0] != "asked as example.com" || !strings.Contains(lines[1], "not listed") || !strings.Contains(lines[2], "not listed") {
		t.Errorf("%s", out)
	}
	if connects.Load() != 1 {
		t.Errorf("the proxy was asked %d times", connects.Load())
	}
}

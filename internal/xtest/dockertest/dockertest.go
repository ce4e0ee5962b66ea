// Package dockertest starts a container registry for a test: Debian's package docker-registry,
// which is the registry that most companies run. It is imported by tests alone.
//
// It speaks HTTP on loopback, lets everybody in, deletes what it is asked to, and keeps its files
// in a folder of the test. It knows no referrers API: what refers to an image is found by the
// fall-back tag.
package dockertest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is what Debian's package docker-registry installs.
const program = "docker-registry"

// Server is a registry that runs until its test ends.
type Server struct {
	Address string // host and port: "127.0.0.1:39481"
	Files   string // folder of what it keeps
	ended   chan error
	log     tail
}

// URL is the address that it answers at, without a slash at the end.
func (s *Server) URL() string { return "http://" + s.Address }

const configuration = `version: 0.1
log:
  level: info
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: %s
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: false
http:
  addr: 127.0.0.1:0
`

// Start starts a registry that is empty. Where the program is not installed the test is skipped,
// and fails in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, "no program %q: install Debian's package of that name: %v", program, err)
	}
	dir := t.TempDir()
	s := &Server{Files: filepath.Join(dir, "files"), ended: make(chan error, 1)}
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, configuration, s.Files), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t, path, config)
	return s
}

// start runs the registry until the test ends, and waits until it says where it listens.
func (s *Server) start(t testing.TB, path, config string) {
	t.Helper()
	cmd := exec.Command(path, "serve", config)
	cmd.Dir = filepath.Dir(config)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "OTEL_TRACES_EXPORTER=none"} // nothing of REGISTRY_*
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		s.read(out, listening)
		s.ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-s.ended
		}
	})
	select {
	case s.Address = <-listening:
	case err := <-s.ended:
		s.ended <- err
		t.Fatalf("%s ended: %v\n%s", program, err, s.log.String())
	case <-time.After(60 * time.Second):
		t.Fatalf("%s does not listen\n%s", program, s.log.String())
	}
}

var listens = regexp.MustCompile(`listening on (127\.0\.0\.1:[0-9]+)`)

// read reads what the registry logs until it ends.
func (s *Server) read(out io.Reader, listening chan<- string) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		s.log.add(line)
		if found := listens.FindStringSubmatch(line); found != nil {
			select {
			case listening <- found[1]:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// tail keeps the end of a log.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (l *tail) add(line string) {
	const most = 64 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept.Len() > most {
		l.kept.Reset()
	}
	l.kept.WriteString(line)
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.String()
}

// missing ends the test: skipped on a developer's machine, failed in CI.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

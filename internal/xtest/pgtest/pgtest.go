//go:build linux

// Package pgtest starts a PostgreSQL server for a test. It is imported by tests alone.
//
// The server's programs are those of Debian's package postgresql, or those in the folder that the
// environment variable WORMSWEEP_POSTGRES_BIN names. PostgreSQL refuses to run as root; a test that
// does starts it as the user postgres, or else nobody.
package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Server is a server that runs until its test ends.
type Server struct {
	bin, dir  string
	as        *syscall.Credential
	databases atomic.Int32
}

// Start starts a server, which listens on a socket in a folder of its own. Where there is no
// PostgreSQL the test is skipped, and fails in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	bin, err := programs()
	if err != nil {
		missing(t, "PostgreSQL cannot be had: %v", err)
	}
	as, err := unprivileged()
	if err != nil {
		missing(t, "PostgreSQL refuses to run as root: %v", err)
	}
	dir, err := os.MkdirTemp("", "wormsweep-pg-") // short: the path of a socket has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	s := &Server{bin: bin, dir: dir, as: as}
	s.run(t, "initdb", "-D", s.data(), "-U", "wormsweep", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	s.start(t)
	return s
}

// Database makes a database that is empty, and gives its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("inventory_%d", s.databases.Add(1))
	s.run(t, "createdb", "-h", s.dir, "-U", "wormsweep", name)
	return (&url.URL{Scheme: "postgres", User: url.User("wormsweep"), Path: "/" + name, RawQuery: url.Values{"host": {s.dir}}.Encode()}).String()
}

// Crash stops the server as a power cut does, for so long, and starts it again.
func (s *Server) Crash(t testing.TB, down time.Duration) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "stop")
	time.Sleep(down)
	s.start(t)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

func (s *Server) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// start starts the server and waits until it takes connections.
func (s *Server) start(t testing.TB) {
	t.Helper()
	cmd := s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // "fast": connections are closed
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if s.command("pg_isready", "-q", "-h", s.dir, "-U", "wormsweep", "-d", "postgres").Run() == nil {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("postgres ended: %v\n%s", err, log.Bytes())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("postgres does not answer")
		}
	}
}

// programs is the folder of the newest PostgreSQL.
func programs() (string, error) {
	if dir := os.Getenv("WORMSWEEP_POSTGRES_BIN"); dir != "" {
		return dir, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no /usr/lib/postgresql/*/bin/initdb: install Debian's package postgresql")
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
	return filepath.Dir(newest), nil
}

// major is the version in the path of a program.
func major(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// unprivileged is whom the server runs as: nil for the user of the test.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("there is neither a user %q nor %q", "postgres", "nobody")
}

// missing ends the test: skipped on a developer's machine, failed in CI.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

//go:build linux

// Package pgtest starts a PostgreSQL server for a test or for figures. It is imported by these alone.
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

// ErrMissing is of a machine on which PostgreSQL cannot be had.
var ErrMissing = errors.New("PostgreSQL cannot be had")

// Options are the settings of New. The zero value is for tests.
type Options struct {
	// Durable has what is committed on the disk, as in production. Without it a crash of the machine
	// loses data, and one of the server does not.
	Durable bool
}

// Server is a server. Databases may be made at once; the other methods are for one goroutine at a time.
type Server struct {
	opt       Options
	bin, dir  string
	as        *syscall.Credential
	databases atomic.Int32

	running *exec.Cmd
	log     bytes.Buffer
	ended   chan error
}

// Start starts a server for a test, and stops it at its end. Where there is no PostgreSQL the test is
// skipped, and fails in CI.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := New(Options{})
	if errors.Is(err, ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// New starts a server, which listens on a socket in a folder of its own, until Close. The error
// wraps ErrMissing where there is no PostgreSQL.
func New(opt Options) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	as, err := unprivileged()
	if err != nil {
		return nil, fmt.Errorf("%w: it refuses to run as root: %w", ErrMissing, err)
	}
	dir, err := os.MkdirTemp("", "wormsweep-pg-") // short: the path of a socket has 107 bytes
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, bin: bin, dir: dir, as: as}
	if as != nil {
		err = os.Chown(dir, int(as.Uid), int(as.Gid))
	}
	if err == nil {
		err = s.run("initdb", "-D", s.data(), "-U", "wormsweep", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	}
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close stops the server and removes its folder.
func (s *Server) Close() error {
	if s.running != nil {
		_ = s.running.Process.Signal(syscall.SIGINT) // "fast": connections are closed
		select {
		case <-s.ended:
		case <-time.After(20 * time.Second):
			_ = s.running.Process.Kill()
			<-s.ended
		}
		s.running = nil
	}
	return os.RemoveAll(s.dir)
}

// Database makes a database that is empty, and gives its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	address, err := s.NewDatabase()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// NewDatabase makes a database that is empty, and gives its address.
func (s *Server) NewDatabase() (string, error) {
	name := fmt.Sprintf("inventory_%d", s.databases.Add(1))
	address := url.URL{Scheme: "postgres", User: url.User("wormsweep"), Path: "/" + name, RawQuery: url.Values{"host": {s.dir}}.Encode()}
	return address.String(), s.run("createdb", "-h", s.dir, "-U", "wormsweep", name)
}

// Crash stops the server as a power cut does, for so long, and starts it again.
func (s *Server) Crash(t testing.TB, down time.Duration) {
	t.Helper()
	err := s.run("pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "stop")
	if err == nil {
		<-s.ended
		s.running = nil
		time.Sleep(down)
		err = s.start()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

func (s *Server) run(name string, args ...string) error {
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// start starts the server and waits until it takes connections.
func (s *Server) start() error {
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=100"}
	if !s.opt.Durable {
		args = append(args, "-c", "fsync=off")
	}
	s.log.Reset()
	cmd := s.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.running, s.ended = cmd, make(chan error, 1)
	go func() { s.ended <- cmd.Wait() }()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if s.command("pg_isready", "-q", "-h", s.dir, "-U", "wormsweep", "-d", "postgres").Run() == nil {
			return nil
		}
		select {
		case err := <-s.ended:
			s.running = nil
			return fmt.Errorf("postgres ended: %w\n%s", err, s.log.Bytes())
		default:
		}
		if time.Now().After(deadline) {
			return errors.New("postgres does not answer")
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

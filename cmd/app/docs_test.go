//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

const appPage = "../../docs/app.md"

// reader follows docs/app.md as a person does, in a folder of its own.
type reader struct {
	t      *testing.T
	dir    string
	env    []string
	listen string
	sim    io.Writer
	said   *bufio.Scanner
	serves []*serving
	post   *pgtest.Server
	ran    int
}

// serving is an "app serve" in a terminal.
type serving struct {
	cmd    *exec.Cmd
	stderr *os.File
}

func newReader(t *testing.T) *reader {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, dir: t.TempDir(), listen: free(t)}
	bin := t.TempDir()
	for _, name := range []string{"ghsim", "sweeper"} {
		from := map[string]string{"ghsim": "./internal/githubtest/ghsim", "sweeper": "./cmd/sweeper"}[name]
		cmd := exec.Command("go", "build", "-o", filepath.Join(bin, name), from)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "app"), []byte("#!/bin/sh\nWORMSWEEP_TEST_AS_APP=1 exec '"+self+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "examples"), filepath.Join(r.dir, "examples")); err != nil {
		t.Fatal(err)
	}
	r.env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "WORMSWEEP_DATABASE=", "WORMSWEEP_INVENTORY=", "WORMSWEEP_SLACK_WEBHOOK=", "WORMSWEEP_SLACK_TOKEN=")
	t.Cleanup(r.stop)
	return r
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (r *reader) bash(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", "exec "+line)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// simulate starts the simulator.
func (r *reader) simulate(line string) {
	r.t.Helper()
	cmd := r.bash(context.Background(), line+" -app-listen "+r.listen)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			r.t.Errorf("ghsim: %v", err) // it was asked something that nobody expected
		}
	})
	r.sim, r.said = stdin, bufio.NewScanner(stdout)
	for range 5 {
		if !r.said.Scan() {
			r.t.Fatal("ghsim ended")
		}
	}
}

// serve starts the App, and waits until it serves.
func (r *reader) serve(line string) {
	r.t.Helper()
	line = strings.ReplaceAll(line, "127.0.0.1:8081", free(r.t))
	s := &serving{cmd: r.bash(context.Background(), line)}
	var err error
	if s.stderr, err = os.Create(filepath.Join(r.t.TempDir(), "stderr")); err != nil {
		r.t.Fatal(err)
	}
	s.cmd.Stderr = s.stderr
	if err := s.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.serves = append(r.serves, s)
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(s.log(r.t), `"msg":"serving"`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: it does not serve:\n%s", line, s.log(r.t))
		}
	}
}

func (s *serving) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.stderr.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// stop is Ctrl-C in the terminals of the App.
func (r *reader) stop() {
	for _, s := range r.serves {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
		if err := s.cmd.Wait(); err != nil {
			r.t.Errorf("app serve: %v\n%s", err, s.log(r.t))
		}
		s.stderr.Close()
	}
	r.serves = nil
}

// shell runs a line of a block of shell.
func (r *reader) shell(line string) {
	r.t.Helper()
	r.t.Log(line)
	line = regexp.MustCompile(`go run \./(?:internal/githubtest|cmd)/`).ReplaceAllString(line, "")
	switch {
	case strings.HasPrefix(line, "# Ctrl-C"):
		r.stop()
		return
	case strings.HasPrefix(line, "ghsim "):
		r.simulate(line)
		return
	case strings.HasPrefix(line, "app serve "):
		r.serve(line)
		return
	case strings.HasPrefix(line, "export WORMSWEEP_DATABASE="):
		r.post = pgtest.Start(r.t)
		r.env = append(r.env, "WORMSWEEP_DATABASE="+r.post.Database(r.t))
		return
	case strings.HasPrefix(line, "app setup "): // nobody is at the browser
		line = strings.ReplaceAll(line, "--dir wormsweep-app", "--dir wormsweep-app --within 1ms") + " # exit code 3"
	}
	want := 0
	if comment := regexp.MustCompile(`\s+# exit code (\d).*$`).FindStringSubmatch(line); comment != nil {
		line = strings.TrimSuffix(line, comment[0])
		want, _ = strconv.Atoi(comment[1])
	}
	out, exit := r.run(line)
	for until := time.Now().Add(60 * time.Second); strings.HasPrefix(line, "app check ") && exit != want && time.Now().Before(until); {
		time.Sleep(200 * time.Millisecond)
		out, exit = r.run(line)
	}
	if exit != want {
		r.t.Errorf("%s: exit %d, want %d\n%s", line, exit, want, out)
	}
	r.ran++
}

// run runs a command, and gives what it said and how it ended.
func (r *reader) run(line string) (out []byte, exit int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	out, err := r.bash(ctx, line).CombinedOutput()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return out, ended.ExitCode()
	case err != nil:
		r.t.Fatalf("%s: %v", line, err)
	}
	return out, 0
}

// typed sends a line to the simulator, and gives its answer.
func (r *reader) typed(line string) (answer struct {
	Error          string
	Delivered      []string
	Checks, Issues []string
},
) {
	r.t.Helper()
	if _, err := io.WriteString(r.sim, line+"\n"); err != nil {
		r.t.Fatal(err)
	}
	if !r.said.Scan() {
		r.t.Fatal("ghsim ended")
	}
	if err := json.Unmarshal(r.said.Bytes(), &answer); err != nil || answer.Error != "" {
		r.t.Fatalf("%s: %s", line, r.said.Bytes())
	}
	return answer
}

// TestAppPage follows the page to its end.
func TestAppPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds programs, and runs them")
	}
	page, err := os.ReadFile(appPage)
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t)
	issues := map[string]int{} // how many there were in the end of each block
	for n, block := range regexp.MustCompile("(?s)```(sh|text)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[2]) {
			line = strings.TrimSpace(line)
			if block[1] == "sh" {
				r.shell(line)
				continue
			}
			if !strings.HasPrefix(line, "show ") {
				if got := r.typed(line); strings.Join(got.Delivered, " ") != "202" {
					t.Errorf("%s: %q", line, got.Delivered)
				}
				continue
			}
			// What the page says is there is there in a while.
			for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
				got := r.typed(line)
				failed := len(got.Checks) > 0 && strings.Contains(got.Checks[0], "completed failure")
				if line == "show incident-response" && len(got.Issues) >= 2 || failed {
					issues[strconv.Itoa(n)] = len(got.Issues)
					titles := map[string]bool{}
					for _, issue := range got.Issues {
						_, title, _ := strings.Cut(issue, ": ")
						if titles[title] {
							t.Errorf("%s: an incident that was there is filed again: %q", line, got.Issues)
						}
						titles[title] = true
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s: %+v\n%s", line, got, r.serves[0].log(t))
				}
			}
		}
	}
	r.stop()
	if r.ran < 7 || len(issues) < 2 {
		t.Errorf("%d commands were run, and %d blocks looked at", r.ran, len(issues))
	}
}

// TestAppPageConfigurations: the configurations of the page are read without a fault.
func TestAppPageConfigurations(t *testing.T) {
	page, err := os.ReadFile(appPage)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d configurations", len(blocks))
	}
	dir := t.TempDir()
	const known = `{"schema": "false-positives/1", "false-positives": [{"alert": "S1", "parts": {"host": "a"}, "owner": "ash", "reason": "a test", "until": "2026-01-01"}]}`
	for name, text := range map[string]string{"app.yaml": blocks[0][1], "app.pem": "x", "webhook-secret": "x", "known.yaml": known} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := app.Read(filepath.Join(dir, "app.yaml"), func(string) string { return "" })
	if err != nil || c.Settings == "" || c.Responders == "" || c.OnCall == "" || len(c.Known) != 1 {
		t.Errorf("%+v %v", c, err)
	}
	if s, err := settings.Parse("x", []byte(blocks[1][1])); err != nil || len(s.Excluded) != 1 {
		t.Errorf("%+v %v", s, err)
	}
}

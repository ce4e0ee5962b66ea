//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

func TestMain(m *testing.M) {
	apptest.Become()
	testscript.Main(m, map[string]func(){"app": main})
}

// TestScripts runs the command as a user would. KEY is a file with the key of an App.
func TestScripts(t *testing.T) {
	key := githubtest.Start(t, githubtest.Options{}).App().Key
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KEY", filepath.Join(env.WorkDir, "key.pem"))
			return os.WriteFile(filepath.Join(env.WorkDir, "key.pem"), key, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a command that must end with an exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// databases are the two kinds: each gives the setting of one that is empty.
var databases = []struct {
	name  string
	fresh func(t *testing.T) string
}{
	{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "data") }},
	{"PostgreSQL", func(t *testing.T) string { return pgtest.Start(t).Database(t) }},
}

// open opens the journal of a process from outside.
func open(t *testing.T, database string) *journal.Journal {
	t.Helper()
	db, err := appdb.Open(t.Context(), database, appdb.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	j, err := journal.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// settle waits until no delivery is accepted only, and gives how many there are of each state.
func settle(t *testing.T, j *journal.Journal, within time.Duration) map[journal.State]int64 {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		counts, err := j.Counts(t.Context())
		if err == nil && counts[journal.Accepted] == 0 {
			return counts
		}
		if time.Now().After(deadline) {
			t.Fatalf("not settled: %v, %v", counts, err)
		}
	}
}

// TestDelivery: a signed ping and a push are stored, worked on and done.
func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, kind := range databases {
		t.Run(kind.name, func(t *testing.T) {
			github := githubtest.Start(t, githubtest.Options{})
			database := kind.fresh(t)
			p := apptest.Serve(t, apptest.Config(t, github, database))
			for _, d := range []apptest.Delivery{
				{Event: "ping", Body: apptest.Ping()},
				{Event: "push", Body: apptest.Push(github, "web", fmt.Sprintf("%040d", 1))},
				{Event: "never_heard_of", Body: []byte(`{}`)},
			} {
				if status, err := apptest.Send(p.URL, d); status != 202 || err != nil {
					t.Errorf("%s: %d, %v", d.Event, status, err)
				}
			}
			counts := settle(t, open(t, database), 20*time.Second)
			if counts[journal.Done] != 2 || counts[journal.Dead] != 1 { // the unknown one names no installation
				t.Errorf("%v", counts)
			}
			if code, took := p.Stop(); code != 0 || took > 25*time.Second {
				t.Errorf("exit code %d after %v", code, took)
			}
		})
	}
}

// TestDeadLetter: what was dropped is listed with its reason, and is acted on again when somebody
// asks for it.
func TestDeadLetter(t *testing.T) {
	t.Parallel()
	github := githubtest.Start(t, githubtest.Options{})
	database := filepath.Join(t.TempDir(), "data")
	config := apptest.Config(t, github, database)
	p := apptest.Serve(t, config)
	ours := github.Installation()
	body := bytes.ReplaceAll(apptest.Push(github, "web", fmt.Sprintf("%040d", 1)), fmt.Appendf(nil, `"installation":{"id":%d}`, ours.ID), []byte(`"installation":{"id":77}`))
	if status, err := apptest.Send(p.URL, apptest.Delivery{Event: "push", ID: "dropped", Body: body}); status != 202 || err != nil {
		t.Fatal(status, err)
	}
	j := open(t, database)
	settle(t, j, 20*time.Second)
	out, err := apptest.Command(t, "dead-letters", "--config", config).Output()
	fields := strings.Split(strings.TrimSuffix(string(out), "\n"), "\t")
	if err != nil || len(fields) != 5 || fields[2] != "push" || fields[3] != "dropped" || fields[4] != "dropped: 77 is no installation of the App" {
		t.Fatalf("%q, %v", out, err)
	}
	github.Update(func() { ours.ID = 77 }) // it was installed meanwhile
	p.Kill()
	apptest.Serve(t, config) // which asks anew
	if out, err := apptest.Command(t, "retry", fields[0], "--config", config).CombinedOutput(); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	if counts := settle(t, j, 20*time.Second); counts[journal.Done] != 1 || counts[journal.Dead] != 0 {
		t.Errorf("%v", counts)
	}
	if out, err := apptest.Command(t, "retry", fields[0], "--config", config).CombinedOutput(); err == nil || !strings.Contains(string(out), "no such dead letter") {
		t.Errorf("again: %q, %v", out, err)
	}
}

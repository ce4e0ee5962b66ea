package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

var update = flag.Bool("update", false, "rewrite the golden files of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sweeper": main})
}

// TestScripts runs the command as a user would: each script of testdata is one txtar
// archive with what is typed and the files that it is typed beside. On top of the words of
// testscript there are
//
//	exits CODE COMMAND...   runs a command that must end with this exit code
//	commit FOLDER           makes a git repository of a folder, with one commit of all in it
//	expand FILE             puts the values of $VARIABLES into a file
//	github FOLDER           has a simulator of GitHub serve the folders in FOLDER as the
//	                        repositories of the organisation acme, with an App: GITHUB_URL,
//	                        WORMSWEEP_APP_ID and WORMSWEEP_APP_KEY are set; given again, it
//	                        starts anew
//	sigstore FILE           has a Sigstore of the script's own sign a file, see sigstore
//	streams                 checks the last standard output by the schema of the stream
//
// the conditions [root], for the superuser, whom no file mode stops, and [full], for a device
// that is always full; and the variables MODULE, the root of this module, and SOON, a day of
// the next month.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"commit":   commit,
			"expand":   expand,
			"github":   github,
			"sigstore": sigstore,
			"streams":  streams,
		},
		Condition: condition,
		Setup: func(env *testscript.Env) error {
			for name, value := range gitEnvironment {
				env.Setenv(name, value)
			}
			env.Setenv("WORMSWEEP_INCIDENT_KEY", "the key of the scripts")
			env.Setenv("SOON", time.Now().AddDate(0, 0, 30).Format(time.DateOnly))
			module, err := filepath.Abs("../..")
			env.Setenv("MODULE", module)
			return err
		},
	})
}

// exits runs a command and compares its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT]...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Check(err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%q exits %d, want %d", args[1:], got, want)
	}
}

// commit makes a git repository of a folder. Author and time are fixed, so that the ids of
// its objects are too.
func commit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: commit FOLDER")
	}
	for _, command := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--force", "."},
		{"commit", "--quiet", "--message=all of it"},
	} {
		ts.Check(ts.Exec("git", append([]string{"-C", ts.MkAbs(args[0])}, command...)...))
	}
}

// gitEnvironment makes git independent of whoever runs the tests.
var gitEnvironment = map[string]string{
	"GIT_CONFIG_GLOBAL":   os.DevNull,
	"GIT_CONFIG_NOSYSTEM": "1",
	"GIT_AUTHOR_NAME":     "Test",
	"GIT_AUTHOR_EMAIL":    "test@example.org",
	"GIT_AUTHOR_DATE":     "2026-01-02T03:04:05Z",
	"GIT_COMMITTER_NAME":  "Test",
	"GIT_COMMITTER_EMAIL": "test@example.org",
	"GIT_COMMITTER_DATE":  "2026-01-02T03:04:05Z",
}

// expand puts the values of variables into a file.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	expanded := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(expanded), 0o644))
}

const fullDevice = "/dev/full"

func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Getuid() == 0, nil
	case "full":
		_, err := os.Stat(fullDevice)
		return err == nil, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// github starts the simulator. What it was asked and should not have been fails the script.
func github(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: github FOLDER")
	}
	server, err := githubtest.Listen(githubtest.Options{Org: "acme"})
	ts.Check(err)
	ts.Defer(func() {
		violations := server.Violations()
		server.Close()
		if len(violations) > 0 {
			ts.Fatalf("GitHub: %q", violations)
		}
	})
	_, err = server.AddFolders(ts.MkAbs(args[0]), "acme")
	ts.Check(err)
	ts.Setenv("GITHUB_URL", server.URL())
	ts.Setenv("WORMSWEEP_APP_ID", strconv.FormatInt(server.App().ID, 10))
	ts.Setenv("WORMSWEEP_APP_KEY", string(server.App().Key))
}

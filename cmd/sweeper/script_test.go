package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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
//
// and the variable MODULE, the root of this module.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"commit": commit,
		},
		Setup: func(env *testscript.Env) error {
			for name, value := range gitEnvironment {
				env.Setenv(name, value)
			}
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

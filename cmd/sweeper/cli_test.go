package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/cli"
)

// run runs the command in process.
func run(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, err bytes.Buffer
	exit = cli.Main(t.Context(), args, strings.NewReader(""), &out, &err)
	return out.String(), err.String(), exit
}

// write makes a file with the folders that it lies in.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The files of repositories that the tests make.
const (
	planted = `{"name": "p", "lockfileVersion": 3, "packages": {"": {"name": "p"},
  "node_modules/wormsweep-test-indicator": {"version": "6.6.6"}}}`
	unread = `{"lockfileVersion": 9, "packages": {}}`
)

// TestHelpIsOneScreen walks through the commands that the help names. Those of sweep and verify
// published, with what they ask of GitHub, have two.
func TestHelpIsOneScreen(t *testing.T) {
	const columns, lines = 80, 32
	named := regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`)
	seen := 0
	var walk func(command []string)
	walk = func(command []string) {
		seen++
		stdout, stderr, exit := run(t, append([]string{"help"}, command...)...)
		if exit != 0 || stderr != "" {
			t.Errorf("help %q: exit %d, stderr %q", command, exit, stderr)
		}
		screens := 1
		if slices.Equal(command, []string{"sweep"}) || slices.Equal(command, []string{"verify", "published"}) {
			screens = 2
		}
		if n := strings.Count(stdout, "\n"); n > screens*lines {
			t.Errorf("help %q has %d lines", command, n)
		}
		for line := range strings.Lines(stdout) {
			if n := utf8.RuneCountInString(line) - 1; n > columns {
				t.Errorf("help %q has a line of %d columns: %q", command, n, line)
			}
		}
		_, rest, _ := strings.Cut(stdout, "\nCommands:\n")
		for _, m := range named.FindAllStringSubmatch(rest, -1) {
			walk(append(command[:len(command):len(command)], m[1]))
		}
	}
	walk(nil)
	if seen != 26 {
		t.Errorf("%d commands, want 26", seen)
	}
}

// TestExitCodesAreTested holds the table of the README against the scripts: each code that a
// sweep can end with is asked for by one of them at least, and there is no other.
func TestExitCodesAreTested(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile(`(?m)^\| (\d) \| `).FindAllSubmatch(readme, -1)
	if len(documented) != 4 {
		t.Fatalf("README.md has %d exit codes, want 4", len(documented))
	}
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	asked := map[string]int{} // "CODE COMMAND" to how often
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^(?:\[[^]]*\] )*exits (\d) sweeper (sweep|inventory|ioc [a-z]+) `).FindAllStringSubmatch(string(text), -1) {
			asked[m[1]+" "+m[2]]++
		}
	}
	for _, d := range documented {
		if asked[string(d[1])+" sweep"] == 0 {
			t.Errorf("no script asks for exit code %s of sweep", d[1])
		}
		delete(asked, string(d[1])+" sweep")
	}
	for _, want := range []string{
		"0 inventory", "2 inventory", "3 inventory",
		"0 ioc list", "2 ioc list", "3 ioc list",
		"0 ioc show", "1 ioc show", "2 ioc show", "3 ioc show",
		"0 ioc lint", "1 ioc lint", "2 ioc lint",
		"0 ioc import", "2 ioc import", "3 ioc import",
		"0 ioc export", "2 ioc export", "3 ioc export",
		"0 ioc update", "2 ioc update", "3 ioc update",
	} {
		if asked[want] == 0 {
			t.Errorf("no script asks for %q", want)
		}
		delete(asked, want)
	}
	if len(asked) > 0 {
		t.Errorf("scripts ask for codes that nothing documents: %v", asked)
	}
}

// TestJobsDoNotShow runs one sweep with one job and with many, in each format: the answers are
// the same bytes, but for the time.
func TestJobsDoNotShow(t *testing.T) {
	t.Chdir("../..")
	clock := regexp.MustCompile(`"started":"[^"]*"|"elapsed_seconds":[0-9.e-]+|(?m)^  time .*$|"(start|end)TimeUtc": ?"[^"]*"`)
	for _, format := range []string{"text", "json", "sarif"} {
		answer := func(jobs string) string {
			stdout, stderr, exit := run(t, "sweep", "--format", format, "--explain", "--jobs", jobs, "examples/org", "iocs")
			if exit != 1 || stderr != "" {
				t.Fatalf("--format %s --jobs %s: exit %d, stderr %q", format, jobs, exit, stderr)
			}
			return clock.ReplaceAllString(stdout, "TIME")
		}
		one := answer("1")
		if !strings.Contains(one, "TIME") {
			t.Errorf("--format %s: no time in it", format)
		}
		for range 3 {
			if many := answer("8"); many != one {
				t.Errorf("--format %s: --jobs 8 differs from --jobs 1 at %q", format, differs(one, many))
			}
		}
	}
}

// differs is a little of b from where it differs from a.
func differs(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return b[i:min(len(b), i+200)]
}

// hostileNames are folders whose names do something where they are printed as they are: to a
// terminal, a log of GitHub Actions, a table, a reader.
var hostileNames = []string{
	"a\x1b[31mred\x1b]0;title\a", "b\nsecond line: 0 hit", "c\rover", "d\ttab", "e\u202egnp.exe", "f\u200bzero",
	"g\xff\xfe no UTF-8", "h\u009b31m", "::error file=x::gone", " ::stop-commands::x", "j##[error]gone", "k</script><script>", "l\u2028line",
	"m$(touch ran)`touch ran`", "n@team #1", "o=cmd|x", "--explain", "p www.example.org", "q\\u001b[31m", "r\"quote", "s\u05d0\u05d1",
}

// TestHostileNames has names in every output of both commands that must act on nobody.
func TestHostileNames(t *testing.T) {
	top := t.TempDir()
	for _, name := range hostileNames {
		write(t, filepath.Join(top, name, "package-lock.json"), planted)
		write(t, filepath.Join(top, name, "more", "package-lock.json"), unread)
	}
	for _, tt := range []struct {
		args  []string
		exit  int
		allow string // what need not be printable
		table bool
	}{
		{[]string{"sweep", "--explain", top}, 1, "\n", false},
		{[]string{"sweep", "--format", "json", top}, 1, "\n", false},
		{[]string{"sweep", "--format", "sarif", top}, 1, "\n", false},
		{[]string{"inventory", top}, 3, "\n\t", true},
		{[]string{"inventory", "--format", "json", top}, 3, "\n", false},
	} {
		stdout, stderr, exit := run(t, tt.args...)
		if exit != tt.exit {
			t.Errorf("%q: exit %d, want %d", tt.args, exit, tt.exit)
		}
		for i, r := range stdout {
			if r == utf8.RuneError || !unicode.IsPrint(r) && !strings.ContainsRune(tt.allow, r) {
				t.Errorf("%q prints %q as it is: %q", tt.args, r, stdout[max(0, i-40):i+10])
			}
		}
		for line := range strings.Lines(stderr) {
			if text, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "sweeper: "); !ok || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q says %q", tt.args, line)
			}
		}
		if command := regexp.MustCompile(`(?m)^\s*::|##\[`).FindString(stdout + stderr); command != "" {
			t.Errorf("%q prints %q", tt.args, command)
		}
		if got, want := strings.Count(stdout, "\n"), 1+len(hostileNames); tt.table && got != want {
			t.Errorf("%q prints %d lines, want %d", tt.args, got, want)
		}
	}
}

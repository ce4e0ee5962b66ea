package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/cli"
)

// documented is a command in a Markdown file that a reader can paste as it stands, with the
// exit code that it is said to end with.
type documented struct {
	file string
	args []string
	exit int
}

var exitComment = regexp.MustCompile(`\s+#(?: exit code (\d))?.*$`)

// documentedCommands finds the lines of a document that run the sweeper from a checkout.
func documentedCommands(file, text string) []documented {
	var found []documented
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "go run ./cmd/sweeper ")
		if !ok {
			continue
		}
		d := documented{file: file}
		if comment := exitComment.FindStringSubmatch(command); comment != nil {
			command = strings.TrimSuffix(command, comment[0])
			d.exit, _ = strconv.Atoi(comment[1]) // 0 where it says none
		}
		d.args = strings.Fields(command)
		found = append(found, d)
	}
	return found
}

// TestDocumentedCommands runs the commands of the documents in process, so that the test
// cache knows what they depend on.
func TestDocumentedCommands(t *testing.T) {
	t.Chdir("../..")
	var commands []documented
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (file == ".git" || file == "examples" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(file) != ".md" || file == filepath.Join("docs", "app.md"): // cmd/app runs that page, which makes an App first
			return nil
		}
		text, err := os.ReadFile(file)
		commands = append(commands, documentedCommands(file, string(text))...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(commands) == 0 {
		t.Fatal("no document runs the sweeper")
	}
	for _, d := range commands {
		var stdout, stderr bytes.Buffer
		if got := cli.Main(t.Context(), d.args, strings.NewReader(""), &stdout, &stderr); got != d.exit {
			t.Errorf("%s: sweeper %s exits %d, want %d\n%s%s", d.file, strings.Join(d.args, " "), got, d.exit, stdout.Bytes(), stderr.Bytes())
		}
	}
}

func TestDocumentedCommandsAreFound(t *testing.T) {
	const text = "```sh\nmake check\ngo run ./cmd/sweeper sweep a b   # exit code 1: hit\n" +
		"go run ./cmd/sweeper ioc list  # all\n  go run ./cmd/sweeper sweep c\n```\n"
	found := documentedCommands("README.md", text)
	want := []documented{
		{"README.md", []string{"sweep", "a", "b"}, 1},
		{"README.md", []string{"ioc", "list"}, 0},
		{"README.md", []string{"sweep", "c"}, 0},
	}
	if len(found) != len(want) {
		t.Fatalf("%d commands in %q, want %d", len(found), text, len(want))
	}
	for i := range want {
		if strings.Join(found[i].args, " ") != strings.Join(want[i].args, " ") || found[i].exit != want[i].exit {
			t.Errorf("command %d of %q is %v, want %v", i, text, found[i], want[i])
		}
	}
}

//go:build !race

package rules_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of code in a Markdown file.
type block struct {
	file     string
	line     int
	language string
	text     string
}

// markdown gives the committed Markdown files and their blocks of code.
func markdown(t *testing.T) (files []string, blocks []block) {
	t.Helper()
	for _, name := range committed(t) {
		if !strings.HasSuffix(name, ".md") || data.MatchString(name) {
			continue
		}
		files = append(files, name)
		var open *block
		for n, line := range lines(t, name) {
			language, fence := strings.CutPrefix(strings.TrimSpace(string(line)), "```")
			switch {
			case fence && open == nil:
				open = &block{file: name, line: n + 1, language: language}
			case fence:
				blocks = append(blocks, *open)
				open = nil
			case open != nil:
				open.text += string(line) + "\n"
			}
		}
		if open != nil {
			t.Errorf("%s:%d: a block of code that does not end", name, open.line)
		}
	}
	if len(files) == 0 || len(blocks) == 0 {
		t.Fatalf("%d Markdown files with %d blocks of code: a test of them would pass in silence", len(files), len(blocks))
	}
	return files, blocks
}

// TestMarkdownCode checks the code in documents. Go stands word for word in a Go file, where
// it is compiled; JSON is JSON; a target of make is in the Makefile. The sweeper's own
// commands are run by the tests of cmd/sweeper.
func TestMarkdownCode(t *testing.T) {
	var sources strings.Builder
	for _, file := range goFiles(t) {
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file.path)))
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(content)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, blocks := markdown(t)
	for _, b := range blocks {
		switch b.language {
		case "go":
			if !strings.Contains(sources.String(), b.text) {
				t.Errorf("%s:%d: Go that stands in no Go file word for word", b.file, b.line)
			}
		case "json":
			if !json.Valid([]byte(b.text)) {
				t.Errorf("%s:%d: not JSON:\n%s", b.file, b.line, b.text)
			}
		case "jsonl":
			for line := range strings.Lines(b.text) {
				if !json.Valid([]byte(line)) {
					t.Errorf("%s:%d: not JSON: %s", b.file, b.line, line)
				}
			}
		case "sh":
			for line := range strings.Lines(b.text) {
				fields := strings.Fields(line)
				if len(fields) > 1 && fields[0] == "make" && !strings.Contains(string(makefile), "\n"+fields[1]+":") {
					t.Errorf("%s:%d: the Makefile has no target %q", b.file, b.line, fields[1])
				}
			}
		case "":
			t.Errorf("%s:%d: a block of code that does not name its language; \"text\" is one", b.file, b.line)
		}
	}
}

// markdownLink is a link to a place that is no URL.
var markdownLink = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)\s]*)?\)`)

func TestMarkdownLinks(t *testing.T) {
	files, _ := markdown(t)
	for _, name := range files {
		for n, line := range lines(t, name) {
			for _, link := range markdownLink.FindAllSubmatch(line, -1) {
				target := path.Join(path.Dir(name), string(link[1]))
				if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
					t.Errorf("%s:%d: link to %q: %v", name, n+1, link[1], err)
				}
			}
		}
	}
}

package gitattr

import (
	"archive/tar"
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git runs git in a folder, with no configuration but that of the repository.
func git(t testing.TB, dir, input string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+dir,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// some gives a text of up to most of the parts.
func some(r *rand.Rand, most int, parts ...string) string {
	var b strings.Builder
	for range 1 + r.IntN(most) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

// Patterns meet the paths that git says they meet.
func TestPatternsAsInGit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	paths := map[string]bool{}
	for len(paths) < 150 {
		p := strings.Trim(some(r, 7, "a", "b", "ab", "-", ".", "/", "/", "]", "[", "x", "A", "1", "é"), "/")
		for strings.Contains(p, "//") {
			p = strings.ReplaceAll(p, "//", "/")
		}
		if p != "" && filepath.ToSlash(filepath.Clean(p)) == p && !strings.HasPrefix(p, ".") {
			paths[p] = true
		}
	}
	dir := t.TempDir()
	git(t, dir, "", "init", "-q")
	var patterns []string
	for range 3_000 {
		patterns = append(patterns, some(r, 6, "a", "b", "ab", "x", "/", "/", "*", "*", "**", "?", "[a-b]", "[!a]", "[^/]", "[]a]", "[[:alpha:]]", "[a", "[[:no:]]", "[a-]", `\*`, `\a`, "-", ".", "é", "**/", "/**", "[a\\]]", "[[:digit:]x]"))
	}
	patterns = append(patterns, `"a\142"`, `"\"*"`, `"a`, "a/", "/", "!a", "#a", "[attr]x", `"\303\251"`)
	var input strings.Builder
	for p := range paths {
		input.WriteString(p + "\x00")
	}
	const batch = 400
	met := 0
	for from := 0; from < len(patterns); from += batch {
		lines := patterns[from:min(len(patterns), from+batch)]
		var file strings.Builder
		for i, p := range lines {
			fmt.Fprintf(&file, "%s n%d\n", p, i)
		}
		if err := os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte(file.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		fields := strings.Split(string(git(t, dir, input.String(), "check-attr", "-z", "--stdin", "-a")), "\x00")
		want := map[string]bool{}
		for i := 0; i+2 < len(fields); i += 3 {
			want[fields[i]+"\x00"+fields[i+1]] = true
		}
		for i, p := range lines {
			one, macro, ok := parseLine(p + " n")
			if strings.HasPrefix(p, "#") {
				ok = false
			}
			for file := range paths {
				work := maxWork
				got := ok && !macro && one.matches("", file, &work)
				if got != want[fmt.Sprintf("%s\x00n%d", file, i)] {
					t.Errorf("pattern %q with %q: %v; git says %v", p, file, got, !got)
				}
				if got {
					met++
				}
			}
		}
	}
	if met < 5_000 {
		t.Errorf("%d pairs met: too few to say anything", met)
	}
}

// Contents become what they become in git's archives.
func TestContentsAsInGit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	git(t, dir, "", "init", "-q", "-b", "main")
	attributes := map[string]string{
		"crlf": "eol=crlf", "text": "text", "auto": "text=auto", "autocrlf": "text=auto eol=crlf", "autolf": "text=auto eol=lf", "bin": "-text eol=crlf",
		"id": "ident", "idcrlf": "ident eol=crlf", "unset": "!eol text eol=crlf", "old": "-crlf eol=crlf", "old2": "crlf=input eol=crlf", "odd": "text=odd eol=crlf",
		"macro": "dos", "binary": "binary eol=crlf", "none": "diff", "valued": "dos=1", "off": "eol=crlf -eol", "upper": "eol=CRLF", "bad": "eol=crlf a/b",
	}
	file := "[attr]dos text eol=crlf\n[attr]nest dos\n*.nested nest\n"
	for suffix, a := range attributes {
		file += "*." + suffix + " " + a + "\n"
	}
	attributes["nested"], attributes["nothing"] = "", ""
	contents := map[string][]byte{".gitattributes": []byte(file)}
	for suffix := range attributes {
		for i := range 25 {
			text := some(r, 30, "\n", "\n", "\r\n", "\r", "a", "text ", "$Id$", "$Id: x $", "$Id:$", "$", "Id", ":", " ", "\t", "longer than that ")
			if i%5 == 0 {
				text += some(r, 3, "\x00", "\x01", "\x7f", "\x1a", "é")
			}
			contents[fmt.Sprintf("%d.%s", i, suffix)] = []byte(text)
		}
	}
	// Blobs are written as they are, past all attributes.
	var index strings.Builder
	for name, content := range contents {
		id := strings.TrimSpace(string(git(t, dir, string(content), "hash-object", "-w", "--stdin", "--no-filters")))
		fmt.Fprintf(&index, "100644 %s\t%s\n", id, name)
	}
	git(t, dir, index.String(), "update-index", "--index-info")
	git(t, dir, "", "commit", "-q", "-m", "c")
	archive := git(t, dir, "", "-c", "core.autocrlf=input", "-c", "core.eol=lf", "archive", "--format=tar", "HEAD")
	var rules Rules
	rules.Add("", contents[".gitattributes"])
	changed, seen := 0, 0
	for entries := tar.NewReader(bytes.NewReader(archive)); ; seen++ {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(entries)
		if err != nil {
			t.Fatal(err)
		}
		content, ok := contents[h.Name]
		if !ok {
			continue // the header of the commit
		}
		c := rules.Of(h.Name)
		id := fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...)))
		if got := c.Apply(content, id); !bytes.Equal(got, want) || c.Doubt != "" {
			t.Errorf("%s: %q becomes %q (%+v); git makes %q", h.Name, content, got, c, want)
		}
		if !bytes.Equal(content, want) {
			changed++
		}
	}
	if changed < 50 || seen < len(contents) {
		t.Errorf("%d of %d files changed: too few to say anything", changed, seen)
	}
}

func TestDoubts(t *testing.T) {
	for name, tt := range map[string]struct {
		folder, content, file string
		doubt                 bool
	}{
		"nothing":        {"", "*.go text", "a.go", false},
		"a filter":       {"", "*.go filter=lfs", "a.go", true},
		"no filter":      {"", "*.go -filter", "a.go", false},
		"an encoding":    {"", "*.go working-tree-encoding=UTF-16", "a.go", true},
		"a long line":    {"a", strings.Repeat("x", maxLine) + " text", "a/a.go", true},
		"elsewhere":      {"a", strings.Repeat("x", maxLine) + " text", "b/a.go", false},
		"many lines":     {"", strings.Repeat("* text\n", maxRules+1), "a.go", true},
		"a large file":   {"", strings.Repeat("#\n", MaxFile), "a.go", true},
		"costly pattern": {"", strings.Repeat("**/"+strings.Repeat("a/**/", 10)+"b eol=crlf\n", 100), strings.Repeat("a/", 100) + "c", true},
		"a kept name":    {"", "*.go builtin_x eol=crlf", "a.go", true},
	} {
		var r Rules
		r.Add(tt.folder, []byte(tt.content))
		if c := r.Of(tt.file); (c.Doubt != "") != tt.doubt {
			t.Errorf("%s: doubt %q; want one: %v", name, c.Doubt, tt.doubt)
		}
	}
}

// No rules and no content make it panic or change its mind; what it changes is line ends and
// ids alone.
func FuzzRules(f *testing.F) {
	f.Add("*.go text eol=crlf\n", "a.go", []byte("a\nb\r\n"))
	f.Add("[attr]x ident\n\"a\\142*\" x\n", "ab.txt", []byte("$Id$ $Id: x $"))
	f.Add("/**/[[:alpha:]-]?/* text=auto eol=crlf\n", "a/b/c", []byte("\x00\n"))
	f.Fuzz(func(t *testing.T, rules, file string, content []byte) {
		file = strings.Trim(filepath.ToSlash(filepath.Clean(file)), "/")
		if file == "" || strings.HasPrefix(file, ".") {
			return
		}
		var r Rules
		r.Add("", []byte(rules))
		r.Add("a", []byte(rules))
		c := r.Of(file)
		if again := r.Of(file); again != c {
			t.Fatalf("%+v, and then %+v", c, again)
		}
		before := bytes.Clone(content)
		out := c.Apply(content, "id")
		if !bytes.Equal(content, before) {
			t.Fatal("the content was changed in place")
		}
		if !c.Changes() && !bytes.Equal(out, content) {
			t.Fatalf("%+v: %q becomes %q", c, content, out)
		}
		if !c.ident && !bytes.Equal(bytes.ReplaceAll(out, []byte("\r"), nil), bytes.ReplaceAll(content, []byte("\r"), nil)) {
			t.Fatalf("%+v: %q becomes %q", c, content, out)
		}
	})
}

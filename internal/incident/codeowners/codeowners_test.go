package codeowners_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident/codeowners"
)

// example has the cases that GitHub's documentation explains, in its order.
const example = `
# a comment
*       @all-one @all-two
*.js    @js #inline
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctor
docs/* write@example.com
apps/ @cat
/docs/ @doctor
/scripts/ @doctor @cat
**/logs @cat
/apps/github
/with\ space/ @space
`

func TestOwners(t *testing.T) {
	f, err := codeowners.Parse([]byte(example))
	if err != nil || f.Skipped != 0 {
		t.Fatalf("%d lines skipped, %v", f.Skipped, err)
	}
	for _, tt := range []struct{ path, want string }{
		{"a.c", "@all-one @all-two"},
		{"deep/er/a.c", "@all-one @all-two"},
		{"deep/a.js", "@js"},
		{"a.go", "docs@example.com"},
		{"x/y.txt", "@octo-org/octocats"},
		{"build/logs/x.txt", "@cat"}, // the later **/logs
		{"other/build/logs/x", "@cat"},
		{"docs/getting-started.md", "@doctor"}, // the later /docs/
		{"docs/build-app/trouble.md", "@doctor"},
		{"sub/docs/a.md", "@all-one @all-two"}, // docs/* is anchored, as it has a slash
		{"apps/x", "@cat"},
		{"deep/apps/x/y", "@cat"},
		{"apps", "@all-one @all-two"}, // a file of the folder's name is no folder
		{"apps/github/x", ""},
		{"apps/github", ""},
		{"scripts/run", "@doctor @cat"},
		{"deep/logs", "@cat"},
		{"with space/x", "@space"},
		{"A.JS", "@all-one @all-two"}, // paths are in the case in which they are
	} {
		if got := strings.Join(f.Owners(tt.path), " "); got != tt.want {
			t.Errorf("%q is owned by %q; want %q", tt.path, got, tt.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"docs/*", "docs/a", true},
		{"docs/*", "docs/a/b", false},
		{"docs/**", "docs/a/b", true},
		{"docs/**", "docs", false},
		{"/docs/**/x", "docs/x", true},
		{"/docs/**/x", "docs/a/b/x", true},
		{"/docs/**/x", "docs/a/b/y", false},
		{"/*", "a", true},
		{"/*", "a/b", false},
		{"**", "a/b", true},
		{"/a?c", "abc", true},
		{"/a?c", "ac", false},
		{"/*.lock", "yarn.lock", true},
		{"/*.lock", "x/yarn.lock", false},
		{"package-lock.json", "web/package-lock.json", true},
		{"/web", "web/package-lock.json", true},
		{"/we", "web/package-lock.json", false},
		{"a*b*c", "axxbxxc", true},
		{"a*b*c", "axxbxx", false},
		{"**/**/**/x", "x", true},
	} {
		f, err := codeowners.Parse([]byte(tt.pattern + " @x"))
		if err != nil || f.Skipped != 0 {
			t.Fatalf("%q: %d skipped, %v", tt.pattern, f.Skipped, err)
		}
		if got := len(f.Owners(tt.path)) > 0; got != tt.want {
			t.Errorf("%q on %q: %t; want %t", tt.pattern, tt.path, got, tt.want)
		}
	}
}

func TestSkippedLines(t *testing.T) {
	for _, line := range []string{
		"!a @x", "[ab] @x", "\\#a @x", "a @", "a @org/", "a @/team", "a x", "a x@", "a @x@y", "a @x y", "/ @x",
		"a @\xff", "a\x00 @x", strings.Repeat("a", 5000) + " @x",
	} {
		f, err := codeowners.Parse([]byte("* @first\n" + line + "\n"))
		if err != nil || f.Skipped != 1 {
			t.Errorf("%q: %d lines skipped, %v; want it skipped", line, f.Skipped, err)
		}
		if got := f.Owners("a"); !slices.Equal(got, []string{"@first"}) {
			t.Errorf("after %q, a is owned by %q", line, got)
		}
	}
	f, err := codeowners.Parse([]byte("\ufeff* @x\r\n# y\r\n\r\n"))
	if err != nil || f.Skipped != 0 || len(f.Owners("a")) != 1 {
		t.Errorf("a file of Windows: %d skipped, %v", f.Skipped, err)
	}
}

func TestLimits(t *testing.T) {
	whole := strings.Repeat("# "+strings.Repeat("x", 1021)+"\n", 3<<10)
	if _, err := codeowners.Parse([]byte(whole)); err != nil {
		t.Errorf("3 MB: %v", err)
	}
	if _, err := codeowners.Parse([]byte(whole + "#")); !errors.Is(err, codeowners.ErrTooLarge) {
		t.Errorf("a byte more than 3 MB: %v", err)
	}
	if _, err := codeowners.Parse([]byte(strings.Repeat("a @b\n", 100_001))); !errors.Is(err, codeowners.ErrTooMany) {
		t.Errorf("100,001 rules: %v", err)
	}
}

// FuzzOwners: no panic, the same answer twice, and only owners that the file has.
func FuzzOwners(f *testing.F) {
	f.Add(example, "docs/a/b")
	f.Add("**/*a*b**/ @x", "aaaa/aaab/c")
	f.Add("a\\ b\\", "a b")
	f.Fuzz(func(t *testing.T, text, path string) {
		file, err := codeowners.Parse([]byte(text))
		if err != nil {
			return
		}
		owners := file.Owners(path)
		if again := file.Owners(path); !slices.Equal(owners, again) {
			t.Errorf("%q, then %q", owners, again)
		}
		for _, owner := range owners {
			if !strings.Contains(text, owner) || !strings.Contains(owner, "@") {
				t.Errorf("owner %q is not one of the file", owner)
			}
		}
	})
}

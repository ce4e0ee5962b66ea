package lookup_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/lookup"
)

func TestParseQuery(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"npm:axios@1.14.1", "npm axios version 1.14.1"},
		{" npm:axios ", "npm axios"},
		{"npm:@scope/x", "npm @scope/x"}, // a scope is no version
		{"npm:@scope/x@^1", "npm @scope/x range ^1"},
		{"npm:axios@>=1.14 <2", "npm axios range >=1.14 <2"},
		{"PyPI:Foo.Bar@>=1,<2", "PyPI foo-bar range >=1,<2"},
		{"pypi:foo@1.0", "PyPI foo version 1.0"},
		{"go:github.com/Azure/go-autorest@v1.0.0", "Go github.com/Azure/go-autorest version v1.0.0"},
		{"golang:example.com/x@>=v1.2.0 <v1.4.0", "Go example.com/x range >=v1.2.0 <v1.4.0"},
		{"github:tj-actions/changed-files@v45", "GitHub Actions tj-actions/changed-files version v45"},
		{"github:Owner/act/sub@v1", "GitHub Actions owner/act version v1"},
		{"pkg:npm/%40scope/x@1.0.0", "npm @scope/x version 1.0.0"},
		{"pkg:golang/github.com/azure/go-autorest@v1.0.0", "Go github.com/azure/go-autorest version v1.0.0"},
		{"pkg:pypi/foo", "PyPI foo"},
		{"sha256:" + strings.Repeat("ab", 32), "digest sha256:" + strings.Repeat("ab", 32)},
		{"sha512-" + base64Of(make([]byte, 64)), "digest sha512:" + strings.Repeat("00", 64)},
		{"h1:" + base64Of(make([]byte, 32)), "digest h1:" + strings.Repeat("00", 32)},
		{"https://github.com/O/Repo.git", "git github.com/o/repo"},
		{"git+ssh://git@github.com/o/repo.git#0123ABCDEF", "git github.com/o/repo commit 0123abcdef"},
		{"github:o/repo#0123456", "git github.com/o/repo commit 0123456"},
		{"git@gitlab.example:o/repo", "git gitlab.example/o/repo"},

		{"", "error"},
		{"axios", "error"},
		{"axios@1.0.0", "error"},
		{"npm:", "error"},
		{"npm:a b", "error"},
		{"npm:axios@>=", "error"},
		{"npm:axios@not a range", "error"},
		{"pypi:foo@latest", "error"},
		{"go:example.com/x@^1", "error"},
		{"sha256:abcd", "error"},
		{"pkg:cargo/x@1", "error"},
		{"https://github.com", "error"},
		{"https://github.com/o/repo#main", "error"},
		{"https://github.com/o/repo#012345", "error"}, // too short to tell
	} {
		q, err := lookup.ParseQuery(tt.in)
		got := "error"
		if err == nil {
			parts := []string{}
			if q.Name != "" {
				parts = append(parts, string(q.Ecosystem), q.Name)
			}
			for _, field := range [][2]string{{"version", q.Version}, {"range", q.Range}, {"git", q.Repository}, {"commit", q.Commit}} {
				if field[1] != "" {
					parts = append(parts, field[0], field[1])
				}
			}
			if q.Digest.Text != "" {
				parts = append(parts, "digest", q.Digest.String())
			}
			got = strings.Join(parts, " ")
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseQuery(%q): more than a line: %v", tt.in, err)
		}
		if got != tt.want {
			t.Errorf("ParseQuery(%q) = %q (%v), want %q", tt.in, got, err, tt.want)
		}
	}
}

// FuzzParseQuery: what a person types is read or refused, and never both.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"npm:axios@1.14.1", "pkg:npm/%40a/b@1", "sha512-x", "github:o/r#0123456", "go:x.y/z@>=v1 <v2", "git@h.x:p"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		q, err := lookup.ParseQuery(in)
		found := 0
		for _, there := range []bool{q.Name != "", q.Repository != "", q.Digest.Text != ""} {
			if there {
				found++
			}
		}
		if err == nil && found != 1 {
			t.Errorf("ParseQuery(%q) = %+v", in, q)
		}
	})
}

package source_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source"
)

func TestRefs(t *testing.T) {
	names := []string{
		"HEAD", "refs/heads/main", "refs/heads/release/1", "refs/heads/release/1/x", "refs/tags/v1", "refs/pull/7/head",
		"refs/remotes/origin/main", "refs/stash",
	}
	for _, tt := range []struct{ text, want string }{
		{"head", ""},
		{"", ""},
		{"branches", "refs/heads/main refs/heads/release/1 refs/heads/release/1/x refs/remotes/origin/main"},
		{"tags", "refs/tags/v1"},
		{"prs", "refs/pull/7/head"},
		{"all", strings.Join(names[1:], " ")},
		{"main", "refs/heads/main"},
		{"release/*", "refs/heads/release/1"},
		{"release/**", "refs/heads/release/1 refs/heads/release/1/x"},
		{"v?", "refs/tags/v1"},
		{"*", "refs/heads/main refs/tags/v1"},
		{"refs/pull/*/head", "refs/pull/7/head"},
		{"refs/heads/m*", "refs/heads/main"},
		{"refs/**", strings.Join(names[1:], " ")},
		{"m.in", ""},
	} {
		refs, err := source.ParseRefs(tt.text)
		if err != nil {
			t.Errorf("ParseRefs(%q): %v", tt.text, err)
		}
		var got []string
		for _, name := range names {
			if !refs.Match(name) {
				continue
			}
			got = append(got, name)
			for _, prefix := range []string{source.Branches, source.Tags, source.Pulls} {
				if strings.HasPrefix(name, prefix) && !refs.MayMatch(prefix) {
					t.Errorf("%q matches %q, and is said to match nothing in %q", tt.text, name, prefix)
				}
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q matches %q; want %q", tt.text, got, tt.want)
		}
	}
	for _, prefix := range []string{source.Branches, source.Pulls} {
		if refs, err := source.ParseRefs("refs/tags/v*"); err != nil || refs.MayMatch(prefix) {
			t.Errorf("refs/tags/v* may match what is in %q, %v", prefix, err)
		}
	}
	for _, bad := range []string{"a b", "/x", "x/", "a//b", "../x", "x:y", "[a]", "x\\y"} {
		if _, err := source.ParseRefs(bad); err == nil {
			t.Errorf("ParseRefs(%q): no error", bad)
		}
	}
}

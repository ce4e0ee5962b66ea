package exclusion

import (
	"strings"
	"testing"
	"time"
)

func TestMatchGlob(t *testing.T) {
	for _, tt := range []struct {
		glob, path string
		want       bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "a/b", false},
		{"*", "a", true},
		{"*", "a/b", false},
		{"*.lock", "yarn.lock", true},
		{"*.lock", ".lock", true},
		{"*.lock", "a/yarn.lock", false},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{"a?c", "aéc", true},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"**", "a/b/c", true},
		{"**/c", "c", true},
		{"**/c", "a/b/c", true},
		{"**/c", "a/b/cc", false},
		{"a/**", "a/b/c", true},
		{"a/**", "a", true}, // no folders at all
		{"a/**", "ab/c", false},
		{"a/**/d", "a/d", true},
		{"a/**/d", "a/b/c/d", true},
		{"a/**/d", "a/b/c/e", false},
		{"**/a/**/b", "x/a/y/a/z/b", true},
		{"**/a/*/b", "a/x/a/y/b", true},
		{"a**b", "aXXb", true}, // within a segment, two stars are one
		{"a**b", "aX/Xb", false},
		{"[ab]", "a", false}, // no classes
		{"[ab]", "[ab]", true},
		{`a\*`, `a\x`, true}, // no escapes
		{"\ufffd", "\xff", false},
		{"?", "\xff", true},
		{"", "", true},
		{"", "a", false},
	} {
		if got := MatchGlob(tt.glob, tt.path); got != tt.want {
			t.Errorf("MatchGlob(%q, %q) = %v; want %v", tt.glob, tt.path, got, tt.want)
		}
	}
}

// TestMatchGlobTime: globs that make a backtracking matcher try every split.
func TestMatchGlobTime(t *testing.T) {
	start := time.Now()
	MatchGlob(strings.Repeat("**/a/", 300)+"b", strings.Repeat("a/", 2000)+"c")
	MatchGlob(strings.Repeat("*a", 300)+"b", strings.Repeat("a", 2000)+"c")
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
}

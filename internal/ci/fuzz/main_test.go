package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParseList(t *testing.T) {
	const out = `?   	example.org/none	[no test files]
ok  	example.org/plain	0.003s
FuzzA
FuzzB
ok  	example.org/two	0.004s
FuzzA
ok  	example.org/one	(cached)
`
	got, err := parseList(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	want := []target{{"example.org/two", "FuzzA"}, {"example.org/two", "FuzzB"}, {"example.org/one", "FuzzA"}}
	if !slices.Equal(got, want) {
		t.Errorf("parseList(%q) = %q, want %q", out, got, want)
	}
}

func TestRanOut(t *testing.T) {
	for _, tt := range []struct {
		out  string
		want bool
	}{
		{"--- FAIL: FuzzA (2.70s)\n    context deadline exceeded\nFAIL\n", true},
		{"--- FAIL: FuzzA (0.10s)\n    a_test.go:9: no\n    Failing input written to testdata/fuzz/FuzzA/1\n", false},
		{"--- FAIL: FuzzA (0.10s)\n    context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzA/1\n", false},
		{"a.go:1: undefined: x\n", false},
	} {
		if got := ranOut([]byte(tt.out)); got != tt.want {
			t.Errorf("ranOut(%q) = %v, want %v", tt.out, got, tt.want)
		}
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{nil, {"-total", "soon", "./..."}} {
		var stdout, stderr strings.Builder
		if got := run(t.Context(), args, &stdout, &stderr); got != 2 || stderr.Len() == 0 {
			t.Errorf("fuzz %q exits %d and says %q, want 2 and a reason", args, got, stderr.String())
		}
	}
}

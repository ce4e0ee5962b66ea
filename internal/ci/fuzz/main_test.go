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

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{nil, {"-total", "soon", "./..."}} {
		var stdout, stderr strings.Builder
		if got := run(t.Context(), args, &stdout, &stderr); got != 2 || stderr.Len() == 0 {
			t.Errorf("fuzz %q exits %d and says %q, want 2 and a reason", args, got, stderr.String())
		}
	}
}

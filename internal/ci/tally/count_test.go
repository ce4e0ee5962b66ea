package main

import (
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for _, tt := range []struct {
		name, events, want string
	}{
		{"nothing", "", "0 passed, 0 failed, 0 skipped\n"},
		{
			"passes are silent but for the package's closing line", `
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`, "ok  \tp\t0.1s\n1 passed, 0 failed, 0 skipped\n",
		},
		{
			"a failure prints its output", `
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: no\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}
`, "    a_test.go:1: no\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			"a skip is named once, with its reason", `
{"Action":"output","Package":"github.com/wormsweep/wormsweep/q","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"github.com/wormsweep/wormsweep/q","Test":"TestA","Output":"    a_test.go:1: no data\n"}
{"Action":"output","Package":"github.com/wormsweep/wormsweep/q","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"github.com/wormsweep/wormsweep/q","Test":"TestA"}
{"Action":"output","Package":"github.com/wormsweep/wormsweep/q","Test":"TestA","Output":"    a_test.go:1: no data\n"}
{"Action":"skip","Package":"github.com/wormsweep/wormsweep/q","Test":"TestA"}
`, "skipped: q.TestA: a_test.go:1: no data\n0 passed, 0 failed, 1 skipped\n",
		},
		{
			"a package without tests is no skipped test", `
{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}
{"Action":"skip","Package":"p"}
`, "0 passed, 0 failed, 0 skipped\n",
		},
		{
			"a package that does not build is one failure", `
{"Action":"build-output","ImportPath":"p","Output":"a.go:1: undefined\n"}
{"Action":"build-fail","ImportPath":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p"}
`, "a.go:1: undefined\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			"a package that exits prints the tests that had not ended", `
{"Action":"output","Package":"p","Test":"TestA","Output":"working\n"}
{"Action":"fail","Package":"p"}
`, "working\n0 passed, 1 failed, 0 skipped\n",
		},
		{"what is no event is printed", "go: no such module\n", "go: no such module\n0 passed, 0 failed, 0 skipped\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := newCount(&out)
			if err := c.read(strings.NewReader(strings.TrimPrefix(tt.events, "\n"))); err != nil {
				t.Fatal(err)
			}
			c.report()
			if out.String() != tt.want {
				t.Errorf("events:%s\ngot:\n%s\nwant:\n%s", tt.events, out.String(), tt.want)
			}
		})
	}
}

func TestExit(t *testing.T) {
	const passed = `{"Action":"pass","Package":"p","Test":"TestA"}`
	for _, tt := range []struct {
		args []string
		want int
	}{
		{nil, 2},
		{[]string{"echo"}, 2},
		{[]string{"--"}, 2},
		{[]string{"--", "echo", passed}, 0},
		{[]string{"--", "echo", "nothing ran"}, 1},
		{[]string{"--", "echo", passed, "--", "false"}, 1},
		{[]string{"--", "false", "--", "echo", passed}, 1},
		{[]string{"--", "echo", `{"Action":"fail","Package":"p","Test":"TestA"}`}, 1},
	} {
		var stdout, stderr strings.Builder
		if got := run(t.Context(), tt.args, &stdout, &stderr); got != tt.want {
			t.Errorf("tally %q exits %d, want %d\n%s%s", tt.args, got, tt.want, stdout.String(), stderr.String())
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	const (
		run     = `{"type":"run","started":"2026-11-29T17:29:32Z"}`
		a       = `{"type":"coverage","repository":"a"}`
		b       = `{"type":"problem","repository":"b"}`
		c       = `{"type":"finding","repository":"c"}`
		summary = `{"type":"summary","exit":1,"files":{"distinct":7}}`
		clean   = `{"type":"summary","exit":0,"files":{"distinct":7}}`
	)
	read := func(lines ...string) (*answer, error) {
		file := filepath.Join(t.TempDir(), "stdout")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return readAnswer(file)
	}
	whole, err := read(run, a, b, c, summary)
	if err != nil || whole.distinct != 7 || whole.exit != 1 {
		t.Fatalf("%+v, %v", whole, err)
	}
	for _, tt := range []struct {
		lines []string
		want  int
	}{
		{[]string{run, a, b, c, summary}, 0},
		{[]string{run, c, b, a, summary}, 0},
		{[]string{run, a, c, summary}, 1},
		{[]string{run, a, b, b, c, summary}, 1},
		{[]string{run, a, b, strings.Replace(c, `"c"`, `"d"`, 1), summary}, 2},
		{[]string{run, a, b, c, clean}, 1},
		{[]string{run, clean}, 4},
	} {
		other, err := read(tt.lines...)
		if err != nil {
			t.Fatal(err)
		}
		if got, back := whole.differ(other), other.differ(whole); got != tt.want || back != tt.want {
			t.Errorf("%q: %d and %d, want %d", tt.lines, got, back, tt.want)
		}
	}
	for _, lines := range [][]string{{run, a}, {run, "oops", summary}, {run, `{"type":"summary",`}} {
		if got, err := read(lines...); err == nil {
			t.Errorf("%q: %+v", lines, got)
		}
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	rows := table{&b}
	rows.most("bytes", 1.04, "%.2f", 1.1)
	rows.most("requests", 101, "%.0f", 100)
	rows.least("contents", 25_964, "%.0f", 25_000)
	rows.least("contents", 24_999, "%.0f", 25_000)
	const want = "| bytes | 1.04 | at most 1.1 | met |\n| requests | 101 | at most 100 | **missed** |\n" +
		"| contents | 25964 | at least 25000 | met |\n| contents | 24999 | at least 25000 | **missed** |\n"
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

package main

import (
	"reflect"
	"testing"
)

func TestParseBenchmarks(t *testing.T) {
	const out = `goos: linux
BenchmarkCorpus/package-lock    	     100	  10000000 ns/op	 770.00 MB/s	 1.5e+06 packages/s
BenchmarkSweep-2 	       3	 900000000 ns/op	 560.50 MB/s
PASS
ok  	example.org/m	4.7s
`
	got := parseBenchmarks(out)
	want := []result{
		{"BenchmarkCorpus/package-lock", map[string]float64{"ns/op": 1e7, "MB/s": 770, "packages/s": 1.5e6}},
		{"BenchmarkSweep", map[string]float64{"ns/op": 9e8, "MB/s": 560.5}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("parseBenchmarks(%q) = %v, want %v", out, got, want)
	}
}

func TestHostileFilesAreSmallAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range hostileFiles {
		content := h.content()
		if len(content) < maxHostile/2 || len(content) > 4*maxHostile {
			t.Errorf("%s of %s: %d bytes, want about %d", h.path, h.what, len(content), maxHostile)
		}
		if key := h.path + " " + h.what; seen[key] {
			t.Errorf("%s is listed twice", key)
		} else {
			seen[key] = true
		}
	}
}

package shard_test

import (
	"fmt"
	"testing"

	"github.com/wormsweep/wormsweep/internal/shard"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want shard.Shard
	}{
		{"1/1", shard.Shard{Index: 1, Count: 1}},
		{"2/4", shard.Shard{Index: 2, Count: 4}},
		{"256/256", shard.Shard{Index: 256, Count: 256}},
	} {
		got, err := shard.Parse(tt.in)
		if err != nil || got != tt.want || got.String() != tt.in {
			t.Errorf("Parse(%q) = %v (%q), %v; want %v", tt.in, got, got, err, tt.want)
		}
	}
	for _, in := range []string{"", "1", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/257", "1/2/3"} {
		if got, err := shard.Parse(in); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", in, got)
		}
	}
}

// Each repository falls into one share, whatever the case of its name, and no share is left
// with nothing to do.
func TestHas(t *testing.T) {
	const count, repositories = 8, 1000
	sizes := make([]int, count)
	for n := range repositories {
		in := 0
		for i := range count {
			s := shard.Shard{Index: i + 1, Count: count}
			if s.Has(fmt.Sprintf("acme/repo-%d", n)) {
				in++
				sizes[i]++
				if !s.Has(fmt.Sprintf("Acme/REPO-%d", n)) {
					t.Fatalf("acme/repo-%d changes its share with letter case", n)
				}
			}
		}
		if in != 1 {
			t.Fatalf("acme/repo-%d falls into %d shares", n, in)
		}
	}
	for i, n := range sizes {
		if n < repositories/count/2 || n > repositories/count*2 {
			t.Errorf("share %d of %d has %d of %d repositories", i+1, count, n, repositories)
		}
	}
	if !(shard.Shard{}).Has("acme/any") {
		t.Error("the whole lacks a repository")
	}
}

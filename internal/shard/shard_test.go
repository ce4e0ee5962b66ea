package shard_test

import (
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

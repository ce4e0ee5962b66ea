// Package shard names the share that one of several machines has of an organisation, and joins
// what those put out into the stream of one run.
//
// Which repositories a share holds is the source's to say. Joining never makes
// an answer better than its parts: a share that is missing, cut short, or looked for with
// another catalogue is a problem of the whole, and nothing is clean with it.
package shard

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is share Index of Count, from 1. The zero value is the whole.
type Shard struct {
	Index, Count int
}

// MaxCount is the most shares that work is divided into: GitHub runs no larger matrix.
const MaxCount = 256

// Parse reads "2/4".
func Parse(s string) (Shard, error) {
	index, count, ok := strings.Cut(s, "/")
	i, errIndex := strconv.Atoi(index)
	n, errCount := strconv.Atoi(count)
	if !ok || errIndex != nil || errCount != nil || n < 1 || n > MaxCount || i < 1 || i > n {
		return Shard{}, fmt.Errorf("%q: want I/N, share I of N, with I from 1 to N and N at most %d", s, MaxCount)
	}
	return Shard{i, n}, nil
}

// String is the form that Parse reads, "" for the whole.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

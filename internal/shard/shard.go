// Package shard divides the repositories of an organisation among machines, and joins what
// those put out into the stream of one run.
//
// A shard is the share of one of several machines. Which share a repository falls into hangs
// on its name alone, so that machines agree without talking to each other. Joining never makes
// an answer better than its parts: a share that is missing, cut short, or looked for with
// another catalogue is a problem of the whole, and nothing is clean with it.
package shard

import (
	"fmt"
	"hash/fnv"
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

// Has reports whether the repository of that name, with its owner, falls into s. Letter case
// makes no difference, as on GitHub.
func (s Shard) Has(repository string) bool {
	if s.Count <= 1 {
		return true
	}
	h := fnv.New64a()
	h.Write([]byte(strings.ToLower(repository)))
	return int(h.Sum64()%uint64(s.Count)) == s.Index-1
}

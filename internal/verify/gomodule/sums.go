package gomodule

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
)

// sums are the SHA-256 of each file of a module, by its path in the module. A zip may have
// folders, too: the module's own, whose path is "", and others, whose paths end in a slash.
type sums map[string][sha256.Size]byte

// h1 is the digest of go.sum (golang.org/x/mod/sumdb/dirhash, Hash1) of the files under a
// prefix, "MODULE@VERSION/".
func (s sums) h1(prefix string) digest.Digest {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(sum, "%x  %s\n", s[name], prefix+name)
	}
	return digest.Digest{Algorithm: digest.H1, Text: base64.StdEncoding.EncodeToString(sum.Sum(nil))}
}

// difference is a file that two sets of files do not have alike.
type difference struct {
	name string
	how  how
}

type how uint8

const (
	other   how = iota // both have it, with other contents
	added              // the zip alone
	missing            // the tree alone
)

// compare lists the differences of a zip from a tree: what was added first, then by name.
func compare(zip, tree sums) (list []difference) {
	for name, sum := range zip {
		in, ok := tree[name]
		switch {
		case name == "", strings.HasSuffix(name, "/"): // a folder
		case !ok:
			list = append(list, difference{name, added})
		case in != sum:
			list = append(list, difference{name, other})
		}
	}
	for name := range tree {
		if _, ok := zip[name]; !ok {
			list = append(list, difference{name, missing})
		}
	}
	order := map[how]int{added: 0, other: 1, missing: 2}
	slices.SortFunc(list, func(a, b difference) int {
		if a.how != b.how {
			return order[a.how] - order[b.how]
		}
		return strings.Compare(a.name, b.name)
	})
	return list
}

// shownDifferences is how many are named.
const shownDifferences = 3

// describe tells of differences in one line.
func describe(list []difference) string {
	var parts []string
	for i, d := range list {
		if i == shownDifferences {
			parts = append(parts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		what := map[how]string{added: "is not in the commit", other: "has another content", missing: "is in the commit alone"}[d.how]
		parts = append(parts, fmt.Sprintf("%.100q %s", d.name, what))
	}
	return strings.Join(parts, ", ")
}
